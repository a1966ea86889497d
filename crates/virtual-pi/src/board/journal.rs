//! What happened to a board, for whoever watches and for tests.

use crate::identity::Identity;
use std::net::Ipv4Addr;
use std::sync::Arc;
use wire::agent::Outcome;
use wire::board::Failure;

/// One thing that happened to a board.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// It has power, for the first time or again.
    PowerOn,
    /// Its bootloader has an address.
    Leased(Ipv4Addr),
    /// It asked for a boot file.
    Asked {
        /// The path on the wire.
        path: String,
        /// Was it there?
        found: bool,
    },
    /// There was nothing to boot in this place; why.
    NoBoot(String),
    /// Its boot EEPROM was updated.
    EepromUpdated,
    /// Kernel and initramfs are loaded; the agent starts.
    AgentStarts,
    /// The agent is done with the board.
    Provisioned(Box<Outcome>),
    /// The agent gave up.
    Failed(Failure),
    /// The agent was sent on to the disk.
    SentToDisk,
    /// It came up from its own disk under this name.
    BootedFromDisk(String),
    /// The station heard of its first boot; did the name match?
    Greeted {
        /// The station's answer.
        confirmed: bool,
    },
    /// Its power was cut.
    PowerCut,
}

/// Somebody who is told what happens to boards, on the board's own thread: must not block.
pub type Watcher = Arc<dyn Fn(&Identity, &Happening) + Send + Sync>;
