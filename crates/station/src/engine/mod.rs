//! The engine: one thread that owns the store and the bench.
//!
//! Every input (a command, a check-in, a report, a DHCP packet seen) is one piece of work in one
//! queue. The thread runs it in one SQLite transaction (a `turn`), commits, takes the new state
//! over, publishes what changed (`watch`) and only then answers; so whoever got an answer can rely
//! on it, and work that was refused or broke off has changed nothing. Questions about the past go to
//! a second thread with a reading connection (`reader`), so that they never delay a board.

mod admit;
mod advise;
mod answers;
mod ask;
mod backup;
mod boot_view;
mod bundle;
mod check_in;
mod commands;
mod config;
mod deeds;
mod deployment;
mod desk;
mod device;
mod effect;
mod figures;
mod fitness;
mod hello;
mod image;
mod imports;
mod log_line;
mod logins;
mod network;
mod noticed;
mod older;
mod own_password;
mod packs;
mod plans;
mod pools;
mod reader;
mod readiness;
mod reload;
mod report;
mod room;
mod seldom;
mod self_test;
mod sheet;
mod ticks;
mod tries;
mod turn;
mod watch;

pub use crate::bench::boots::{BootAnswer, Install};
pub use crate::bench::seat::{Arch, Machine};
pub use ask::Engine;
pub use boot_view::BootClient;
pub use deployment::CHOICE;
pub use device::DeviceAssignment;
pub use effect::{Effect, WantedImport};
pub use image::NewImage;
pub use log_line::TARGET as EVENT_TARGET;
pub use logins::Opened;
pub use own_password::Proved;
pub(crate) use reload::RESTART;

use crate::store;
use std::path::PathBuf;

/// How an engine is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder that holds everything; made when missing.
    pub data_dir: PathBuf,
    /// Marks boards and batches as those of a rehearsal.
    pub rehearsal: bool,
}

/// Why an engine did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store did not open: in use, damaged, newer, not writable.
    #[error(transparent)]
    Store(#[from] store::OpenError),
    /// The store opened and could not be read.
    #[error(transparent)]
    Read(#[from] store::StoreError),
    /// The system refused a thread.
    #[error("the engine's thread could not be started: {0}")]
    Thread(std::io::Error),
}

#[cfg(test)]
mod tests;
