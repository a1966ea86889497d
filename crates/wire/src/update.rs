//! The verb *watch*: a full snapshot first, then changes. A reader that falls behind gets a fresh
//! snapshot, never a hole; so a screen is a fold over this stream and nothing else.

use crate::backup::BackupState;
use crate::batch::Batch;
use crate::board::{Board, BoardId};
use crate::command::Import;
use crate::event::Event;
use crate::health::{Finding, ServerStatus};
use crate::image::Image;
use crate::rehearsal::Rehearsal;
use crate::settings::Preferences;
use crate::time::Millis;
use serde::{Deserialize, Serialize};

/// One change, or everything at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(tag = "update", content = "value", rename_all = "snake_case")]
pub enum Update {
    /// Everything, as it is now. Always the first, and again after a gap.
    Snapshot(Box<Snapshot>),
    /// A board as it is now.
    Board(Box<Board>),
    /// A board left the bench.
    BoardGone(BoardId),
    /// A batch as it is now.
    Batch(Box<Batch>),
    /// All images, after any of them changed.
    Images(Vec<Image>),
    /// A server as it is now.
    Server(ServerStatus),
    /// The findings of the wire checks, all of them.
    Findings(Vec<Finding>),
    /// An image import as it is now.
    Import(Import),
    /// The rehearsal beside the station as it is now; nothing when there was none in this run.
    Rehearsal(Option<Box<Rehearsal>>),
    /// The preferences, after a change.
    Preferences(Preferences),
    /// How it is with backups.
    Backup(BackupState),
    /// Products, venues, names or the choice of NIC changed: whoever shows them asks again.
    Plans,
    /// A row of the event log was appended.
    Event(Event),
    /// A change this build does not know; ignored.
    #[serde(other)]
    Unknown,
}

/// Everything a screen shows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Snapshot {
    /// The operator protocol of the station, [`crate::PROTOCOL`].
    pub protocol: u32,
    /// Version of the station.
    pub version: String,
    /// The station's clock.
    pub at: Millis,
    /// Boards of the bench, in order of appearance.
    pub boards: Vec<Board>,
    /// Batches, by rank, ended ones last.
    pub batches: Vec<Batch>,
    /// Images.
    pub images: Vec<Image>,
    /// Servers.
    pub servers: Vec<ServerStatus>,
    /// Findings of the wire checks.
    pub findings: Vec<Finding>,
    /// Image imports of this run.
    pub imports: Vec<Import>,
    /// The rehearsal beside the station.
    #[serde(default)]
    pub rehearsal: Option<Box<Rehearsal>>,
    /// The preferences.
    #[serde(default)]
    pub preferences: Preferences,
    /// How it is with backups.
    #[serde(default)]
    pub backup: BackupState,
    /// True for the station of a rehearsal itself.
    #[serde(default)]
    pub is_rehearsal: bool,
}

impl Snapshot {
    /// Applies one update. Folding every update of a watch gives exactly the station's state.
    pub fn fold(&mut self, update: Update) {
        match update {
            Update::Snapshot(all) => *self = *all,
            Update::Board(board) => put(&mut self.boards, *board, |b| b.id),
            Update::BoardGone(id) => self.boards.retain(|b| b.id != id),
            Update::Batch(batch) => {
                put(&mut self.batches, *batch, |b| b.id);
                self.batches.sort_by_key(Batch::place);
            }
            Update::Images(images) => self.images = images,
            Update::Server(server) => put(&mut self.servers, server, |s| s.server),
            Update::Findings(findings) => self.findings = findings,
            Update::Import(import) => put(&mut self.imports, import, |i| i.id.clone()),
            Update::Rehearsal(rehearsal) => self.rehearsal = rehearsal,
            Update::Preferences(preferences) => self.preferences = preferences,
            Update::Backup(backup) => self.backup = backup,
            Update::Event(_) | Update::Plans | Update::Unknown => {}
        }
    }
}

fn put<T, K: PartialEq>(list: &mut Vec<T>, new: T, key: impl Fn(&T) -> K) {
    match list.iter_mut().find(|old| key(old) == key(&new)) {
        Some(old) => *old = new,
        None => list.push(new),
    }
}
