//! A rehearsal: what is to be rehearsed, how it goes, and what `punnet rehearse --json` prints: one
//! object that proves, or disproves, a whole run.

use crate::board::Stage;
use crate::time::Millis;
use serde::{Deserialize, Serialize};

/// What to rehearse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(default)]
pub struct RehearsalPlan {
    /// How many boards, 1 to 100.
    pub boards: u32,
    /// How fast boards write and read, in percent of an ordinary card; 0 as fast as the machine can.
    pub speed_percent: u32,
    /// How many of them have a fault, dealt out evenly.
    pub faulty: u32,
    /// The faults that are dealt out in turn; empty for all.
    pub faults: Vec<RehearsalFault>,
    /// Models, dealt out in turn (`pi3b+`, `pi4`, `pi5`, `cm5`); empty for all.
    pub models: Vec<String>,
}

impl Default for RehearsalPlan {
    fn default() -> Self {
        Self {
            boards: 8,
            speed_percent: 100,
            faulty: 0,
            faults: Vec::new(),
            models: Vec::new(),
        }
    }
}

/// A fault that a rehearsal can give a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum RehearsalFault {
    /// Its disk refuses a write, once: the first attempt fails, a second one works.
    DiskErrorOnce,
    /// Its power fails in the middle of writing; it starts again by itself.
    PowerCut,
    /// Some of its packets are lost.
    PacketLoss,
    /// Its disk is too small.
    SmallDisk,
    /// Its disk holds a system already.
    UsedDisk,
    /// It goes quiet in the middle and never comes back.
    GoesQuiet,
    /// A fault this build does not know; refused.
    #[serde(other)]
    Unknown,
}

/// How the rehearsal goes that runs beside the station, or how the last one ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Rehearsal {
    /// What is rehearsed.
    pub plan: RehearsalPlan,
    /// How it is.
    pub state: RehearsalState,
    /// When it began.
    pub started: Millis,
}

/// How a rehearsal is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RehearsalState {
    /// It is being prepared.
    Preparing {
        /// What is being done, in words.
        doing: String,
    },
    /// Its boards are on. Its bench can be watched, and commanded, like the real one.
    Running,
    /// Boards have come to an end; their disks are being checked against the image.
    Proving,
    /// It is over.
    Ended {
        /// What came of it.
        report: Box<RehearsalReport>,
    },
    /// It broke off, or was stopped.
    Stopped {
        /// Why, in words.
        why: String,
    },
    /// A state this build does not know.
    #[serde(other)]
    Unknown,
}

/// The result of a rehearsal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct RehearsalReport {
    /// Virtual boards powered on.
    pub boards: u32,
    /// Boards done.
    pub done: u32,
    /// Boards failed.
    pub failed: u32,
    /// Names of the boards, in order of the boards.
    pub hostnames: Vec<String>,
    /// Wall time in seconds.
    pub seconds: f64,
    /// Size of the image in bytes.
    pub image_bytes: u64,
    /// Image bytes that crossed the wire, all boards together.
    pub wire_bytes: u64,
    /// True when every board is done and every backing file was checked and found right.
    pub verified: bool,
    /// Each board.
    pub per_board: Vec<RehearsedBoard>,
}

/// One board of a rehearsal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct RehearsedBoard {
    /// Its serial number.
    pub serial: String,
    /// Its name, empty when it got none.
    pub hostname: String,
    /// Where it ended.
    pub state: Stage,
    /// Power-on to done, in seconds.
    pub seconds: f64,
    /// Bytes written to its backing file.
    pub bytes_written: u64,
    /// Bytes read back from it.
    pub bytes_read_back: u64,
    /// How the chunks came.
    pub transport: String,
    /// What is wrong with its backing file, when something is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}
