//! The hardware itself, as its agent found it.

use super::{Said, Sight, look};

/// Under-voltage: now, or at any time since power-on.
const UNDER_VOLTAGE: u32 = 1 | 1 << 16;
/// Frequency capped, throttled, or at the soft temperature limit: now, or at any time.
const THROTTLED: u32 = 0b1110 | 0b1110 << 16;

fn flags(sight: &Sight<'_>, mask: u32) -> bool {
    let said = sight.seat.inventory.as_ref().and_then(|i| i.throttled);
    said.is_some_and(|flags| flags & mask != 0) && !sight.stage().is_finished()
}

fn under_voltage(sight: &Sight<'_>) -> Option<Said> {
    if !flags(sight, UNDER_VOLTAGE) {
        return None;
    }
    look(
        "Its power supply is too weak: the board reports under-voltage.",
        "Use the official power supply or another PoE port, and a short cable. Under-voltage breaks \
         writing and makes boards restart.",
    )
}

pub(super) fn under_voltage_in_trouble(sight: &Sight<'_>) -> Option<Said> {
    under_voltage(sight).filter(|_| sight.in_trouble())
}

pub(super) fn under_voltage_otherwise(sight: &Sight<'_>) -> Option<Said> {
    under_voltage(sight).filter(|_| !sight.in_trouble())
}

pub(super) fn throttled(sight: &Sight<'_>) -> Option<Said> {
    if !flags(sight, THROTTLED) || flags(sight, UNDER_VOLTAGE) {
        return None;
    }
    let celsius = sight
        .seat
        .inventory
        .as_ref()
        .and_then(|i| i.temperature_millicelsius)
        .map_or_else(String::new, |t| format!(" at {} °C", t / 1000));
    look(
        format!("It is too hot and runs slower than it could{celsius}."),
        "Give it air or a heat sink.",
    )
}

pub(super) fn slow_link(sight: &Sight<'_>) -> Option<Said> {
    let mbit = sight.seat.inventory.as_ref().and_then(|i| i.link_mbit)?;
    if mbit >= 1000 || sight.stage().is_finished() {
        return None;
    }
    look(
        format!("Its network link runs at {mbit} Mbit/s."),
        "Use a gigabit port and a cable with all four pairs. A Raspberry Pi 3B has no faster link.",
    )
}
