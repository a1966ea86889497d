//! Backups: copies of everything that the station knows.

use crate::time::Millis;
use serde::{Deserialize, Serialize};

/// The copies in the station's folder of backups, and how often one is made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Backups {
    /// The folder.
    pub folder: String,
    /// Hours between two; 0 when none is made by itself.
    pub every_hours: u32,
    /// So many are kept, the newest.
    pub keep: u32,
    /// The station warns when the last good one is older than this many days; 0 when it never does.
    pub warn_days: u32,
    /// When the next one is made, by itself.
    #[serde(default)]
    pub next: Option<Millis>,
    /// The copies, newest first.
    pub list: Vec<Backup>,
}

/// One copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Backup {
    /// Name of its file.
    pub file: String,
    /// When it was made.
    pub at: Millis,
    /// Its size in bytes.
    pub bytes: u64,
}

/// How it is with backups at this moment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct BackupState {
    /// When the last good one was made.
    #[serde(default)]
    pub last: Option<Millis>,
    /// The one that is being made.
    #[serde(default)]
    pub running: Option<BackupRun>,
    /// Why the newest attempt failed.
    #[serde(default)]
    pub trouble: Option<String>,
}

/// An archive that waits for whoever asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Download {
    /// What it is fetched by, once and within a minute.
    pub key: String,
    /// A name for its file.
    pub file_name: String,
}

/// A backup that is being made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct BackupRun {
    /// Since when.
    pub since: Millis,
    /// Bytes copied.
    pub done: u64,
    /// Bytes in all; 0 while that is not known.
    pub total: u64,
}
