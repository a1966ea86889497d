//! A board's sheet: everything the station knows about one board, for its own page.

use crate::agent::Inventory;
use crate::board::{Board, Stage};
use crate::event::Level;
use crate::query::Deployment;
use crate::time::Millis;
use serde::{Deserialize, Serialize};

/// Everything about one board.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Sheet {
    /// Its tile.
    pub board: Board,
    /// What it said it has, when it last checked in.
    #[serde(default)]
    pub inventory: Option<Inventory>,
    /// Its way from the first packet to the first boot, in order.
    pub timeline: Vec<Step>,
    /// How fast its disk was written and read back.
    pub curve: Curve,
    /// Its deployments, newest first.
    pub deployments: Vec<Deployment>,
    /// What to do next, when it is stalled, held or failed; the likeliest first.
    pub advice: Vec<Advice>,
}

/// A stretch of a board's way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Step {
    /// The stage.
    pub stage: Stage,
    /// When it began.
    pub began: Millis,
    /// When it ended; absent while it lasts.
    #[serde(default)]
    pub ended: Option<Millis>,
    /// A line about it: address, last file, disk.
    #[serde(default)]
    pub detail: Option<String>,
}

/// Speeds over the disk, from its start to its end.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Curve {
    /// While writing.
    pub write: Vec<Speed>,
    /// While reading back.
    pub read: Vec<Speed>,
}

/// How fast it went at one place of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Speed {
    /// Bytes of the step done by then.
    pub at: u64,
    /// Bytes per second.
    pub rate: u64,
}

/// A piece of advice, drawn from what was observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Advice {
    /// Which rule spoke, e.g. `rival_answered`; stable, for help pages and tests.
    pub rule: String,
    /// How bad it is.
    pub level: Level,
    /// What was observed, one sentence.
    pub observed: String,
    /// What to do, one sentence.
    pub next: String,
}
