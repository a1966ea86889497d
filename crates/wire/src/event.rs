//! The event log: one row for everything that changed, append-only.

use crate::batch::BatchId;
use crate::board::BoardId;
use crate::time::Millis;
use serde::{Deserialize, Serialize};

/// How much attention an event wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// For the record.
    Info,
    /// Advice.
    Warning,
    /// A person must act.
    Error,
    /// A level this build does not know.
    #[serde(other)]
    Unknown,
}

impl Level {
    /// The spelling used in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Unknown => "unknown",
        }
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Event {
    /// Its number; grows by one.
    pub id: i64,
    /// When it happened.
    pub at: Millis,
    /// How much attention it wants.
    pub level: Level,
    /// Which board it is about.
    #[serde(default)]
    pub board: Option<BoardId>,
    /// Which deployment it is about.
    #[serde(default)]
    pub deployment: Option<String>,
    /// Which batch it is about.
    #[serde(default)]
    pub batch: Option<BatchId>,
    /// What kind of event, e.g. `stage`, `name.claimed`, `dhcp.pool_full`.
    pub kind: String,
    /// One sentence for people.
    pub text: String,
}
