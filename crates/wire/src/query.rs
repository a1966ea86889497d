//! The verb *query*: history, lists too big for the snapshot, details.

use crate::backup::Backups;
use crate::batch::{Batch, BatchId, Name, NameState, Product, Venue, VerifyLevel};
use crate::board::{Board, BoardId, Stage};
use crate::command::{Command, Receipt};
use crate::configuration::Configuration;
use crate::document::{Document, DocumentKind};
use crate::event::Event;
use crate::health::{Lease, Ready, Works};
use crate::image::{Image, ImageId};
use crate::name::{Hostname, ProductCode, VenueCode};
use crate::nic::Nic;
use crate::operator::{Deed, DeedFilter, Operator};
use crate::profile::Profile;
use crate::refusal::Refusal;
use crate::self_test::SelfTest;
use crate::settings::Settings;
use crate::sheet::Sheet;
use crate::time::Millis;
use serde::{Deserialize, Serialize};

/// Something a reader wants to know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(tag = "query", rename_all = "snake_case")]
pub enum Query {
    /// All boards of the bench.
    Boards,
    /// One board.
    Board {
        /// Which.
        board: BoardId,
    },
    /// All products.
    Products,
    /// All venues.
    Venues,
    /// Names, in numeric order.
    Names(NameFilter),
    /// All batches, by rank, ended ones last.
    Batches,
    /// One batch.
    Batch {
        /// Which.
        batch: BatchId,
    },
    /// All images.
    Images,
    /// Deployments, newest first.
    History(HistoryFilter),
    /// The event log, oldest first.
    Events(EventFilter),
    /// The leases of the deployment side.
    Leases,
    /// The state of every subsystem.
    Ready,
    /// Counts for a dashboard.
    Stats,
    /// What proves a batch: one row per board.
    Certificate {
        /// Which batch.
        batch: BatchId,
    },
    /// Everything about one board.
    Sheet {
        /// Which.
        board: BoardId,
    },
    /// How many deployments a filter finds, its limit and offset aside.
    HistoryCount(HistoryFilter),
    /// The network cards of the station's machine.
    Nics,
    /// The settings.
    Settings,
    /// What the servers are doing at this moment.
    Works,
    /// Has a synthetic board ask the running servers for everything that a board needs. Takes up to ten
    /// seconds and uses nothing up; refused while another one is under way.
    SelfTest,
    /// What would come of a command. Nothing is changed; forms ask it while a person types.
    Try {
        /// The command.
        of: Box<Command>,
    },
    /// A document.
    Document(DocumentKind),
    /// Everybody who may log in.
    Operators,
    /// The record of who did what, newest first.
    Deeds(DeedFilter),
    /// The backups in the station's folder.
    Backups,
    /// The profiles, by name.
    Profiles,
    /// The configuration that is in effect, and where each value comes from.
    Configuration,
    /// A query this build does not know; refused.
    #[serde(other)]
    Unknown,
}

/// Which names. Absent fields match all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(default)]
pub struct NameFilter {
    /// Of this product.
    pub product: Option<ProductCode>,
    /// Of this venue.
    pub venue: Option<VenueCode>,
    /// In this state.
    pub state: Option<NameState>,
    /// Containing this text (name, board or note).
    pub text: Option<String>,
}

/// Which deployments. Absent fields match all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(default)]
pub struct HistoryFilter {
    /// Of this board.
    pub board: Option<BoardId>,
    /// Of this batch.
    pub batch: Option<BatchId>,
    /// Of this product.
    pub product: Option<ProductCode>,
    /// For this venue.
    pub venue: Option<VenueCode>,
    /// In this stage.
    pub stage: Option<Stage>,
    /// Begun at this moment or later.
    pub since: Option<Millis>,
    /// Begun before this moment.
    pub until: Option<Millis>,
    /// Containing this text (name, serial, MAC, error).
    pub text: Option<String>,
    /// At most this many; 0 means 1000.
    pub limit: u32,
    /// Leave out this many.
    pub offset: u32,
}

/// Which events. Absent fields match all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(default)]
pub struct EventFilter {
    /// About this board.
    pub board: Option<BoardId>,
    /// About this deployment.
    pub deployment: Option<String>,
    /// About this batch.
    pub batch: Option<BatchId>,
    /// With an id above this one.
    pub after: i64,
    /// At most this many; 0 means 1000.
    pub limit: u32,
}

/// One deployment of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Deployment {
    /// Its id.
    pub id: String,
    /// The board.
    pub board: BoardId,
    /// The address it was deployed with.
    pub mac: crate::board::Mac,
    /// The name.
    pub hostname: Hostname,
    /// The batch.
    pub batch: BatchId,
    /// The product.
    pub product: ProductCode,
    /// The venue.
    pub venue: VenueCode,
    /// The image.
    pub image: ImageId,
    /// Which attempt of this board in this batch, from 1.
    pub attempt: u32,
    /// Where it is or ended.
    pub stage: Stage,
    /// How it was proven.
    #[serde(default)]
    pub verified: Option<VerifyLevel>,
    /// Bytes written.
    #[serde(default)]
    pub bytes_written: u64,
    /// Bytes read back.
    #[serde(default)]
    pub bytes_read_back: u64,
    /// Bytes received for the image.
    #[serde(default)]
    pub bytes_received: u64,
    /// How the chunks came.
    #[serde(default)]
    pub transport: Option<String>,
    /// What went wrong.
    #[serde(default)]
    pub error: Option<String>,
    /// When it began.
    pub started: Millis,
    /// When it was done, failed or was cancelled.
    #[serde(default)]
    pub ended: Option<Millis>,
    /// When the installed system called home.
    #[serde(default)]
    pub confirmed: Option<Millis>,
}

/// Counts for a dashboard.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Stats {
    /// Names by pool and state.
    pub names: Vec<PoolCount>,
    /// Deployments of the last 24 hours.
    pub recent: u32,
    /// Of these, done or confirmed.
    pub recent_done: u32,
    /// Venues not archived.
    pub venues: u32,
    /// How long each stage took, over all finished deployments.
    #[serde(default)]
    pub stages: Vec<StageTime>,
    /// How deployments ended, by model.
    #[serde(default)]
    pub by_model: Vec<Share>,
    /// How deployments ended, by venue.
    #[serde(default)]
    pub by_venue: Vec<Share>,
}

/// The names of one pool that are in one state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct PoolCount {
    /// The product.
    pub product: ProductCode,
    /// The venue.
    pub venue: VenueCode,
    /// The state.
    pub state: NameState,
    /// How many.
    pub count: u32,
}

/// How long a stage took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct StageTime {
    /// The stage.
    pub stage: Stage,
    /// Deployments that it is drawn from.
    pub count: u32,
    /// Half of them took at most this long, in milliseconds.
    pub median_ms: i64,
    /// 95 of 100 took at most this long, in milliseconds.
    pub p95_ms: i64,
}

/// How the deployments of one kind ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Share {
    /// The kind: a model, a venue code.
    pub of: String,
    /// Done or confirmed.
    pub done: u32,
    /// Failed.
    pub failed: u32,
}

/// What proves a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Certificate {
    /// The batch.
    pub batch: Batch,
    /// Its images: every one that a board of it got.
    pub images: Vec<Image>,
    /// One row per finished board: its newest finished deployment.
    pub boards: Vec<Deployment>,
    /// When it was drawn up.
    pub at: Millis,
}

/// The answer to a query; the arm matches the question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(tag = "answer", content = "value", rename_all = "snake_case")]
pub enum Answer {
    /// To [`Query::Boards`].
    Boards(Vec<Board>),
    /// To [`Query::Board`].
    Board(Box<Board>),
    /// To [`Query::Products`].
    Products(Vec<Product>),
    /// To [`Query::Venues`].
    Venues(Vec<Venue>),
    /// To [`Query::Names`].
    Names(Vec<Name>),
    /// To [`Query::Batches`].
    Batches(Vec<Batch>),
    /// To [`Query::Batch`].
    Batch(Box<Batch>),
    /// To [`Query::Images`].
    Images(Vec<Image>),
    /// To [`Query::History`].
    History(Vec<Deployment>),
    /// To [`Query::Events`].
    Events(Vec<Event>),
    /// To [`Query::Leases`].
    Leases(Vec<Lease>),
    /// To [`Query::Ready`].
    Ready(Ready),
    /// To [`Query::Stats`].
    Stats(Stats),
    /// To [`Query::Certificate`].
    Certificate(Box<Certificate>),
    /// To [`Query::Sheet`].
    Sheet(Box<Sheet>),
    /// To [`Query::HistoryCount`].
    HistoryCount(u64),
    /// To [`Query::Nics`].
    Nics(Vec<Nic>),
    /// To [`Query::Settings`].
    Settings(Box<Settings>),
    /// To [`Query::Works`].
    Works(Works),
    /// To [`Query::SelfTest`].
    SelfTest(Box<SelfTest>),
    /// To [`Query::Try`].
    Try(Tried),
    /// To [`Query::Document`].
    Document(Document),
    /// To [`Query::Operators`].
    Operators(Vec<Operator>),
    /// To [`Query::Deeds`].
    Deeds(Vec<Deed>),
    /// To [`Query::Backups`].
    Backups(Backups),
    /// To [`Query::Profiles`].
    Profiles(Vec<Profile>),
    /// To [`Query::Configuration`].
    Configuration(Configuration),
}

/// What would come of a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(tag = "would", rename_all = "snake_case")]
pub enum Tried {
    /// It would be done.
    Do {
        /// With this receipt.
        receipt: Box<Receipt>,
    },
    /// It would be refused.
    Refuse {
        /// For this reason.
        refusal: Refusal,
    },
    /// An outcome this build does not know.
    #[serde(other)]
    Unknown,
}
