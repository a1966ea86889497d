//! `[backup]` as it is meant.

use super::meant::Meaning;
use super::written::{BackupWritten, Number};
use crate::backup::Plan;
use std::path::{Path, PathBuf};

/// When and where copies of the database are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// The folder of snapshots; `backups` in the data folder when none is named.
    pub dir: Option<PathBuf>,
    /// Hours between two; 0 for none.
    pub every_hours: u32,
    /// So many are kept.
    pub keep: u32,
    /// Warn when the last good one is older than this many days; 0 for never.
    pub warn_days: u32,
}

impl Backup {
    pub(super) fn meant(written: &BackupWritten, read: &mut Meaning<'_>) -> Self {
        let mut number = |written: &Number, key, allowed, default| {
            u32::try_from(read.number(written, key, allowed, default)).unwrap_or(u32::MAX)
        };
        let every_hours = number(&written.every_hours, "every_hours", 0..=8760, 24);
        let keep = number(&written.keep, "keep", 1..=10_000, 14);
        let warn_days = number(&written.warn_days, "warn_days", 0..=3650, 7);
        Self {
            dir: read.path(&written.dir, "dir"),
            every_hours,
            keep,
            warn_days,
        }
    }

    /// The whole plan of a station with this data folder.
    pub fn plan(&self, data_dir: &Path) -> Plan {
        Plan {
            dir: self.dir.clone().unwrap_or_else(|| data_dir.join("backups")),
            every_hours: self.every_hours,
            keep: self.keep,
            warn_days: self.warn_days,
        }
    }
}
