//! Products, venues, names and batches: what the operator plans.

use crate::disk::{DiskKind, DiskPolicy};
pub use crate::id::BatchId;
use crate::id::{BoardId, ImageId};
use crate::name::{Hostname, ProductCode, VenueCode};
use crate::time::Millis;
use serde::{Deserialize, Serialize};

/// A product: what a board becomes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Product {
    /// Its code.
    pub code: ProductCode,
    /// Its name for people.
    pub name: String,
    /// Hostname pattern, e.g. `{product}-{venue}-{number:03}`.
    pub pattern: String,
    /// The active image, if any.
    #[serde(default)]
    pub image: Option<ImageId>,
    /// True once it takes no new batches.
    #[serde(default)]
    pub archived: bool,
}

/// A venue: where boards go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Venue {
    /// Its code; never changes.
    pub code: VenueCode,
    /// Its name, 1 to 100 characters.
    pub name: String,
    /// Where it is, at most 100 characters.
    #[serde(default)]
    pub location: String,
    /// Contact e-mail address, may be empty.
    #[serde(default)]
    pub contact: String,
    /// True once it takes no new batches.
    #[serde(default)]
    pub archived: bool,
}

/// The state of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum NameState {
    /// Free to be reserved or claimed.
    Available,
    /// Promised to a batch.
    Reserved,
    /// Owned by a board.
    Assigned,
    /// Never to be used again, until reinstated.
    Retired,
    /// A state this build does not know.
    #[serde(other)]
    Unknown,
}

impl NameState {
    /// The spelling used in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Reserved => "reserved",
            Self::Assigned => "assigned",
            Self::Retired => "retired",
            Self::Unknown => "unknown",
        }
    }
}

/// One name of a pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Name {
    /// The name.
    pub hostname: Hostname,
    /// Its product.
    pub product: ProductCode,
    /// Its venue.
    pub venue: VenueCode,
    /// Its number, for numbered patterns; the sort key.
    #[serde(default)]
    pub number: Option<u32>,
    /// Its state.
    pub state: NameState,
    /// The batch it is reserved for.
    #[serde(default)]
    pub batch: Option<BatchId>,
    /// The board that owns it (or, reserved by a CSV row, the only board that may).
    #[serde(default)]
    pub board: Option<BoardId>,
    /// Free text.
    #[serde(default)]
    pub note: String,
    /// When it changed last.
    pub changed: Millis,
}

/// The state of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum BatchState {
    /// Created; names are reserved, no board is taken yet.
    Pending,
    /// Taking boards.
    Active,
    /// Taking no new boards; running ones finish.
    Paused,
    /// As many boards are done as were planned.
    Completed,
    /// Given up; unused names were returned.
    Cancelled,
    /// A state this build does not know.
    #[serde(other)]
    Unknown,
}

impl BatchState {
    /// The spelling used in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }
}

/// Which boards a batch takes. Empty lists take all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(default)]
pub struct BatchRules {
    /// Words that the model must contain, any of them ("Raspberry Pi 5", "Compute Module 5").
    pub models: Vec<String>,
    /// Least memory in MiB.
    pub min_ram_mib: Option<u32>,
    /// Kinds of disk the board must boot from.
    pub disks: Vec<DiskKind>,
    /// The only boards taken.
    pub boards: Vec<BoardId>,
}

/// What to do with a board whose disk holds a system, or that was provisioned before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum ReimagePolicy {
    /// Hold it until the operator approves.
    #[default]
    Ask,
    /// Overwrite whatever is on the disk of a board that was not finished by this station.
    OverwriteForeign,
    /// A policy this build does not know; treated as `ask`.
    #[serde(other)]
    Unknown,
}

/// How thoroughly a written disk was proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum VerifyLevel {
    /// Every data chunk and every changed file was read back from the medium, page cache bypassed.
    FullReadBack,
    /// Not verified: written by a foreign installer that reports no read-back.
    Reported,
    /// A level this build does not know.
    #[serde(other)]
    Unknown,
}

impl VerifyLevel {
    /// The spelling used in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FullReadBack => "full_read_back",
            Self::Reported => "reported",
            Self::Unknown => "unknown",
        }
    }
}

/// What a batch is planned to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct BatchPlan {
    /// The product.
    pub product: ProductCode,
    /// The venue.
    pub venue: VenueCode,
    /// Number of boards, 1 to 1000.
    pub count: u32,
    /// The image, pinned; `None` takes the product's active image at each claim.
    #[serde(default)]
    pub image: Option<ImageId>,
    /// Which boards it takes.
    #[serde(default)]
    pub rules: BatchRules,
    /// Which disks it writes.
    #[serde(default)]
    pub disks: DiskPolicy,
    /// What to do with used boards.
    #[serde(default)]
    pub reimage: ReimagePolicy,
}

/// How a batch stands. `planned` = `done` + `running` + `failed` + what is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Counters {
    /// Boards planned.
    pub planned: u32,
    /// Boards being worked on.
    pub running: u32,
    /// Boards done (confirmed ones included).
    pub done: u32,
    /// Boards whose last attempt failed.
    pub failed: u32,
    /// Boards whose installed system called home.
    pub confirmed: u32,
}

/// One batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Batch {
    /// Its number.
    pub id: BatchId,
    /// What was planned.
    pub plan: BatchPlan,
    /// Its state.
    pub state: BatchState,
    /// Place in the order; 1 is asked first. 0 once the batch has ended.
    pub rank: u32,
    /// How it stands.
    pub counters: Counters,
    /// When it was created.
    pub created: Millis,
    /// When it was first started.
    #[serde(default)]
    pub started: Option<Millis>,
    /// When it ended.
    #[serde(default)]
    pub ended: Option<Millis>,
    /// True for the batch of a rehearsal.
    #[serde(default)]
    pub rehearsal: bool,
}

impl Batch {
    /// Sorts batches as people see them: open ones by rank, then ended ones, newest first.
    pub fn place(&self) -> (bool, u32, std::cmp::Reverse<BatchId>) {
        (self.rank == 0, self.rank, std::cmp::Reverse(self.id))
    }
}
