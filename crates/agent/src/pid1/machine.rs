//! A real board as the agent sees it.

use super::consoles::Consoles;
use super::inventory::Board;
use super::leds::Led;
use super::{disks, partition};
use agent::{Platform, Screen};
use imaging::partitions::Partition;
use imaging::personalise::RootFs;
use imaging::target::Target;
use std::io;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;
use wire::agent::Inventory;
use wire::disk::Disk;
use wire::{BoardId, Mac};

/// Longest time that the LED blinks at one wish.
const MOST_BLINKING_S: u32 = 600;

/// The board that PID 1 runs on.
#[derive(Debug)]
pub(crate) struct Machine {
    board: Board,
    consoles: Consoles,
    card: OnceLock<String>,
}

/// One LED for the life of the board: the thread that ends its blinking needs it to stay.
static LED: OnceLock<Led> = OnceLock::new();

impl Machine {
    pub(crate) fn new(consoles: Consoles) -> Self {
        Self {
            board: Board::new(),
            consoles,
            card: OnceLock::new(),
        }
    }

    pub(crate) fn consoles(&self) -> &Consoles {
        &self.consoles
    }

    pub(crate) fn board(&self, mac: Mac) -> BoardId {
        self.board.id(mac)
    }

    /// Says which network card is in use.
    pub(crate) fn use_card(&self, name: &str) {
        self.card.get_or_init(|| name.to_owned());
    }
}

impl Platform for Machine {
    fn inventory(&self, mac: Mac) -> Inventory {
        let card = self.card.get().map(String::as_str);
        self.board.inventory(mac, card, disks::disks())
    }

    fn open_disk(&self, disk: &Disk) -> io::Result<Box<dyn Target>> {
        Ok(Box::new(disks::open(disk)?))
    }

    fn file_system(&self, disk: &Disk, at: &Partition) -> io::Result<Box<dyn RootFs>> {
        partition::open(Path::new(&disk.path), at)
    }

    fn show(&self, screen: &Screen) {
        self.consoles.show(screen);
    }

    fn blink(&self, seconds: u32) {
        let time = Duration::from_secs(seconds.min(MOST_BLINKING_S).into());
        LED.get_or_init(Led::find).blink(time);
    }
}
