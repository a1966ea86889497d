//! Backups: nothing that a station knows is lost with its disk.
//!
//! A [`snapshot`] is a copy of the database in the folder of backups, made while the station runs,
//! checked before it counts. [`keeper`] makes one every few hours and warns when that does not work.
//! An [`archive`] is one file with a snapshot, the settings, the keys and, if wanted, the packs; it
//! brings a station to another machine. [`outgoing`] is one that a running station sends to a person.
//! [`mod@restore`] puts either of them in the place of a data folder, all or nothing, and `noted` writes
//! down that it did.

pub mod archive;
mod folder;
pub mod keeper;
mod noted;
pub mod outgoing;
pub mod restore;
pub mod snapshot;
mod warn;

pub use folder::{list, newest_good};
pub use warn::{finding, remedied};

use std::path::PathBuf;

/// Everything about backups that the owner says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The folder of snapshots.
    pub dir: PathBuf,
    /// Hours between two; 0 for none.
    pub every_hours: u32,
    /// So many are kept.
    pub keep: u32,
    /// Warn when the last good one is older, in days; 0 for never.
    pub warn_days: u32,
}

/// Is told the bytes done and the bytes in all.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Sync);

#[cfg(test)]
mod tests;
