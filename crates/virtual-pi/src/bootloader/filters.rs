//! Section filters of `config.txt`: `[pi5]`, `[0x1234abcd]`, `[all]`.
//!
//! The vendor's rule: a filter holds until the next one of its kind; filters of different kinds
//! must all hold; `[all]` lifts every filter.

use crate::identity::Identity;
use crate::model::Model;

/// Which filters are in force while a file is read from top to bottom.
#[derive(Debug, Default)]
pub(super) struct Filters {
    none: bool,
    model_fails: bool,
    serial_fails: bool,
    other_fails: bool,
}

impl Filters {
    /// Takes the inside of a `[…]` line.
    pub(super) fn section(&mut self, name: &str, board: &Identity) {
        let name = name.trim().to_ascii_lowercase();
        if name == "all" {
            *self = Self::default();
        } else if name == "none" {
            self.none = true;
        } else if let Some(hex) = name.strip_prefix("0x") {
            let wanted = u32::from_str_radix(hex, 16).ok();
            self.serial_fails = wanted != Some(board.serial.low());
        } else if let Some(code) = name.strip_prefix("board-type=") {
            self.model_fails = number(code) != Some(u32::from(board.revision.board_type()));
        } else if is_model(&name) {
            self.model_fails = !model_matches(&name, board.model);
        } else {
            // GPIO levels, displays, tryboot, partitions: nothing of it is true for a board that
            // boots from the network with nothing attached.
            self.other_fails = true;
        }
    }

    /// True while lines count.
    pub(super) fn pass(&self) -> bool {
        !(self.none || self.model_fails || self.serial_fails || self.other_fails)
    }
}

fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

fn is_model(name: &str) -> bool {
    name.strip_prefix("pi")
        .or_else(|| name.strip_prefix("cm"))
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

// `pi3`, `pi4` and `pi5` stand for the whole family.
fn model_matches(name: &str, model: Model) -> bool {
    match model {
        Model::Pi3BPlus => matches!(name, "pi3" | "pi3+"),
        Model::Pi4 => name == "pi4",
        Model::Pi5 => name == "pi5",
        Model::Cm5 => matches!(name, "pi5" | "cm5"),
    }
}
