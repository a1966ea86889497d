//! The event log: one row for everything that changed, append-only.
//!
//! The kinds of events are stable. Those that notifications are made of:
//!
//! | kind | level | when |
//! |---|---|---|
//! | `board.hold` | warning | a board needs a decision; the text says which |
//! | `failed` | error | a board failed |
//! | `batch.completed` | info | as many boards of a batch are done as were planned |
//! | `names.low` | warning | a pool that an open batch draws from fell under [`Preferences::names_low`]; once per crossing |
//! | `disk.low` | warning | the data folder's disk fell under [`Preferences::disk_low`]; once per crossing |
//! | `dhcp.rival` | error | another DHCP server is on the wire |
//! | `wire.duplicate_address` | error | another machine has the station's address |
//! | `dhcp.declined` | warning | a board found its address in use |
//! | `dhcp.pool_full` | error | a board got no address: the range is used up |
//! | `identity.conflict` | error | two boards claim to be one |
//! | `server.refused` | error | a server does not serve |
//! | `image.refused` | error | an import of an image failed |
//! | `backup.old` | warning | the last good backup is older than the owner wants; once a day |
//! | `backup.failed` | error | no backup was made |
//!
//! Those for the record:
//!
//! | kind | what |
//! |---|---|
//! | `stage` | a board entered a stage |
//! | `stalled`, `heard` | a board was quiet for too long; is back |
//! | `restarted`, `cancelled` | a deployment is over because the board restarted; was stopped |
//! | `agent.log` | a line of a board's agent |
//! | `hello.early`, `hello.wrong_name` | an installed system called home too soon; under another name |
//! | `board.accepted`, `board.released` | by the operator |
//! | `product.*`, `venue.*`, `name.*`, `names.*`, `batch.*`, `image.*` | plans changed |
//! | `server.serving`, `server.stopped`, `server.restarted` | a server changed its state |
//! | `image.no_kernel`, `image.files_left_out` | an imported image boots no board; has boot files too large to serve |
//! | `image.import_begun`, `image.interrupted` | an import began; it was under way when the station ended |
//! | `image.pack_missing`, `image.pack_damaged`, `image.pack_back` | the bytes of an image in the index are not there; are not what they were; are there and whole again |
//! | `backup.made` | a backup was made |
//! | `wire.finding` | another finding of the wire checks |
//! | `dhcp.not_ours`, `tftp.failed` | a foreign device asked; a board did not get a file |
//!
//! [`Preferences::names_low`]: crate::settings::Preferences::names_low
//! [`Preferences::disk_low`]: crate::settings::Preferences::disk_low

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
