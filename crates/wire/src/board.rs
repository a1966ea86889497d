//! A board: who it is, where it is in its life, and the tile that shows it.

use crate::disk::{Disk, DiskKind};
use crate::id::BatchId;
pub use crate::id::{BoardId, IdError, Mac, Serial};
use crate::name::{Hostname, ProductCode, VenueCode};
use crate::revision::Revision;
use crate::time::Millis;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a board is in its life. One enum for the database, the API and the page.
///
/// The main path runs from [`Stage::Seen`] to [`Stage::FirstBootConfirmed`]; the arms after it are
/// the side roads. Being quiet for too long is not a stage: it is [`Board::stalled`], so that the
/// tile still shows *where* the board went quiet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Its first DHCP packet arrived.
    Seen,
    /// It has an address.
    Addressed,
    /// It is fetching boot files by TFTP.
    LoadingBootFiles,
    /// Its agent spoke for the first time.
    CheckedIn,
    /// It owns a name and a job.
    Assigned,
    /// The agent is choosing, checking and clearing the disk.
    PreparingStorage,
    /// Chunks are being written.
    Writing,
    /// The medium is being read back and compared with the manifest.
    Verifying,
    /// Hostname and identity are being written into the installed system.
    Personalising,
    /// Changed files are read back, the first block is written and read back.
    Finishing,
    /// Imaged, verified, named and recorded.
    Done,
    /// The installed system called home under its own hostname.
    FirstBootConfirmed,
    /// A person or a rule has to decide; [`Board::hold`] says what.
    OnHold,
    /// It was finished before and is sent on to its own disk.
    AlreadyDone,
    /// Something went wrong; [`Board::failure`] says what and what to do.
    Failed,
    /// Not a board of ours; seen, not answered.
    NotOurs,
    /// Its deployment was cancelled by the operator.
    Cancelled,
    /// A stage this build does not know.
    #[serde(other)]
    Unknown,
}

impl Stage {
    /// All stages that this build knows, in order.
    pub const ALL: [Self; 17] = [
        Self::Seen,
        Self::Addressed,
        Self::LoadingBootFiles,
        Self::CheckedIn,
        Self::Assigned,
        Self::PreparingStorage,
        Self::Writing,
        Self::Verifying,
        Self::Personalising,
        Self::Finishing,
        Self::Done,
        Self::FirstBootConfirmed,
        Self::OnHold,
        Self::AlreadyDone,
        Self::Failed,
        Self::NotOurs,
        Self::Cancelled,
    ];

    /// The spelling used in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Addressed => "addressed",
            Self::LoadingBootFiles => "loading_boot_files",
            Self::CheckedIn => "checked_in",
            Self::Assigned => "assigned",
            Self::PreparingStorage => "preparing_storage",
            Self::Writing => "writing",
            Self::Verifying => "verifying",
            Self::Personalising => "personalising",
            Self::Finishing => "finishing",
            Self::Done => "done",
            Self::FirstBootConfirmed => "first_boot_confirmed",
            Self::OnHold => "on_hold",
            Self::AlreadyDone => "already_done",
            Self::Failed => "failed",
            Self::NotOurs => "not_ours",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }

    /// The stage spelled `text`; [`Stage::Unknown`] for anything else.
    pub fn from_text(text: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|s| s.as_str() == text)
            .unwrap_or(Self::Unknown)
    }

    /// True while a deployment is under way: a name is claimed and the disk is being worked on.
    pub fn is_working(self) -> bool {
        matches!(
            self,
            Self::Assigned
                | Self::PreparingStorage
                | Self::Writing
                | Self::Verifying
                | Self::Personalising
                | Self::Finishing
        )
    }

    /// True once the board is finished: it boots its own disk from now on.
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Done | Self::FirstBootConfirmed)
    }

    /// The stage in words, for tiles and tables.
    pub fn words(self) -> &'static str {
        match self {
            Self::Seen => "asking for an address",
            Self::Addressed => "has an address",
            Self::LoadingBootFiles => "loading boot files",
            Self::CheckedIn => "checked in",
            Self::Assigned => "assigned",
            Self::PreparingStorage => "preparing storage",
            Self::Writing => "writing",
            Self::Verifying => "verifying",
            Self::Personalising => "personalising",
            Self::Finishing => "finishing",
            Self::Done => "done",
            Self::FirstBootConfirmed => "first boot confirmed",
            Self::OnHold => "on hold",
            Self::AlreadyDone => "already done",
            Self::Failed => "failed",
            Self::NotOurs => "not ours",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// Why a board waits instead of being provisioned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Hold {
    /// No active batch matches this board.
    NoMatchingBatch,
    /// The matching batch is paused.
    BatchPaused {
        /// The batch.
        batch: BatchId,
    },
    /// Every name of the batch is taken.
    NoNamesLeft {
        /// The product whose names ran out.
        product: ProductCode,
        /// The venue whose names ran out.
        venue: VenueCode,
    },
    /// The product has no active image.
    NoActiveImage {
        /// The product.
        product: ProductCode,
    },
    /// The board's disk already holds a system.
    DiskHoldsSystem {
        /// Device path on the board.
        disk: String,
        /// What was found, in words.
        found: String,
    },
    /// The board was provisioned before and asks again.
    ProvisionedBefore {
        /// The name it has.
        hostname: Hostname,
        /// When it was finished.
        at: Millis,
    },
    /// The board was released or failed for good and waits for the operator.
    NeedsApproval,
    /// No disk that the policy allows.
    NoSuitableDisk {
        /// Every disk with the reason it was passed over.
        why: String,
    },
    /// The image does not fit the chosen disk.
    ImageTooBig {
        /// Device path on the board.
        disk: String,
        /// Size of the disk in bytes.
        disk_bytes: u64,
        /// Size of the image in bytes.
        image_bytes: u64,
    },
    /// The image's boot files are not for this board's processor.
    WrongArchitecture {
        /// What the image has and the board wants.
        why: String,
    },
    /// Two boards share the low 32 bits of their serial, or one name would be given twice.
    IdentityConflict {
        /// Who the other is.
        why: String,
    },
    /// The operator put it on hold.
    ByOperator,
    /// A reason this build does not know.
    #[serde(other)]
    Unknown,
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gb = |bytes: &u64| *bytes as f64 / 1e9;
        match self {
            Self::NoMatchingBatch => f.write_str(
                "no active batch matches this board. Start a batch, or widen the batch's rules.",
            ),
            Self::BatchPaused { batch } => {
                write!(f, "batch {batch} is paused. Resume it to go on.")
            }
            Self::NoNamesLeft { product, venue } => write!(
                f,
                "every {product} name of {venue} is taken. Import more names and extend the batch."
            ),
            Self::NoActiveImage { product } => {
                write!(
                    f,
                    "{product} has no active image. Activate one under Images."
                )
            }
            Self::DiskHoldsSystem { disk, found } => write!(
                f,
                "{disk} already holds {found}. Approve the board to overwrite it."
            ),
            Self::ProvisionedBefore { hostname, .. } => write!(
                f,
                "it was provisioned before as {hostname}. Approve the board to image it again."
            ),
            Self::NeedsApproval => f.write_str("it waits for your approval."),
            Self::NoSuitableDisk { why } => {
                write!(
                    f,
                    "no disk can be used: {why}. Fit a card or NVMe and power-cycle it."
                )
            }
            Self::ImageTooBig {
                disk,
                disk_bytes,
                image_bytes,
            } => write!(
                f,
                "the image needs {:.1} GB and {disk} has {:.1} GB. Fit a larger disk.",
                gb(image_bytes),
                gb(disk_bytes)
            ),
            Self::WrongArchitecture { why } => {
                write!(
                    f,
                    "the image does not run on it: {why}. Choose another image."
                )
            }
            Self::IdentityConflict { why } => write!(f, "its identity is not unique: {why}."),
            Self::ByOperator => {
                f.write_str("an operator put it on hold. Approve the board to let it go on.")
            }
            Self::Unknown => f.write_str("the station gave a reason this version does not know."),
        }
    }
}

/// A failure: what happened and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Failure {
    /// The stage in which it happened.
    pub stage: Stage,
    /// One sentence: what happened.
    pub what: String,
    /// One sentence: what to do next.
    pub next: String,
}

/// How far a long step has come. Droppable: only the newest counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Progress {
    /// Bytes of this step done.
    pub done: u64,
    /// Bytes of this step in all.
    pub total: u64,
    /// Present rate in bytes per second.
    pub rate: u64,
    /// What holds the step back now.
    pub limit: Limit,
}

/// What holds a step back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Waiting for bytes from the network.
    Network,
    /// Waiting for the disk.
    Disk,
    /// Waiting for the processor (decompressing, hashing).
    Processor,
    /// Not known.
    #[serde(other)]
    Unknown,
}

/// A board that has been quiet for longer than its stage allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Stall {
    /// Since when nothing was heard.
    pub since: Millis,
    /// What to look at, in words.
    pub advice: String,
}

/// One board as a tile shows it: the newest of everything known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Board {
    /// Its key.
    pub id: BoardId,
    /// The whole serial number, once the agent or the installed system has said it.
    #[serde(default)]
    pub serial: Option<Serial>,
    /// The address its network boot used.
    pub mac: Mac,
    /// Its present IPv4 address.
    #[serde(default)]
    pub ip: Option<std::net::Ipv4Addr>,
    /// Its revision code, when it is a Raspberry Pi.
    #[serde(default)]
    pub revision: Option<Revision>,
    /// The model in words.
    pub model: String,
    /// Memory in MiB.
    #[serde(default)]
    pub ram_mib: Option<u32>,
    /// Where it is.
    pub stage: Stage,
    /// Since when it is there.
    pub stage_since: Millis,
    /// When anything was last heard of it.
    pub last_seen: Millis,
    /// The name it owns.
    #[serde(default)]
    pub hostname: Option<Hostname>,
    /// The batch its deployment belongs to.
    #[serde(default)]
    pub batch: Option<BatchId>,
    /// Its present or last deployment.
    #[serde(default)]
    pub deployment: Option<String>,
    /// Which attempt that is, from 1.
    #[serde(default)]
    pub attempt: u32,
    /// Progress of the present step.
    #[serde(default)]
    pub progress: Option<Progress>,
    /// Why it waits.
    #[serde(default)]
    pub hold: Option<Hold>,
    /// What went wrong.
    #[serde(default)]
    pub failure: Option<Failure>,
    /// Set while it has been quiet for too long.
    #[serde(default)]
    pub stalled: Option<Stall>,
    /// The disk its job uses, or would use.
    #[serde(default)]
    pub disk: Option<Disk>,
    /// A line of detail for the present stage: the file being fetched, the step of the agent.
    #[serde(default)]
    pub detail: Option<String>,
    /// Where it lies, as the operator noted it: a slot, a switch port.
    #[serde(default)]
    pub place: Option<String>,
    /// True for a virtual board of a rehearsal.
    #[serde(default)]
    pub rehearsal: bool,
}

impl Board {
    /// Kind of the disk in use, for batch rules.
    pub fn disk_kind(&self) -> Option<DiskKind> {
        self.disk.as_ref().map(|d| d.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_has_one_id_however_it_is_spelled() {
        let short: BoardId = "d137e638".parse().unwrap();
        let long: BoardId = "9d00ce41d137e638".parse().unwrap();
        assert_eq!(short, long);
        assert_eq!(short.to_string(), "d137e638");
        let uuid: BoardId = "C0FFEE00-0000-4000-8000-000000000001".parse().unwrap();
        assert_eq!(uuid.to_string(), "c0ffee00-0000-4000-8000-000000000001");
        for bad in ["", "d137e63", "+137e638", "xyz", "d137e638d137e6389"] {
            assert!(bad.parse::<BoardId>().is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn stages_survive_the_database_and_json() {
        for stage in Stage::ALL {
            assert_eq!(Stage::from_text(stage.as_str()), stage);
            let json = serde_json::to_string(&stage).unwrap();
            assert_eq!(json, format!("\"{}\"", stage.as_str()));
        }
        let newer: Stage = serde_json::from_str("\"levitating\"").unwrap();
        assert_eq!(newer, Stage::Unknown);
    }

    #[test]
    fn a_hold_of_a_newer_station_is_still_a_hold() {
        let hold: Hold = serde_json::from_str(r#"{"kind":"moon_phase","x":1}"#).unwrap();
        assert_eq!(hold, Hold::Unknown);
    }
}
