//! The rule that makes notices out of the watch stream. Pure: updates and the time in, groups of
//! notices and the next deadline out.
//!
//! What was so before the first snapshot is no news. A board that is held asks again every minute and
//! is announced once, until something else becomes of it. Notices of one kind that come within
//! [`GATHER`] become one, because a rack of boards is switched on at once. In quiet mode nothing is
//! announced, and what happened meanwhile is not made up for afterwards.

use crate::window::bench::Bench;
use station::net::findings::check;
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};
use wire::batch::BatchId;
use wire::batch::{Batch, BatchState};
use wire::board::Board;
use wire::event::Event;
use wire::health::Finding;
use wire::update::{Snapshot, Update};
use wire::{BoardId, Stage};

/// Notices of one kind within this time become one.
pub(super) const GATHER: Duration = Duration::from_secs(2);
/// The same sentence is not said again within this time.
const REPEAT: Duration = Duration::from_mins(10);

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// A board waits for a decision.
    Decision,
    /// A board failed.
    Failed,
    /// A batch is complete.
    Complete,
    /// Another DHCP server is on the wire.
    Rival,
    /// Another machine has the station's address.
    Conflict,
    /// Names are running out.
    NamesLow,
    /// Addresses for boards have run out.
    PoolFull,
    /// The disk is nearly full.
    DiskLow,
    /// There is no backup, or only an old one.
    Backup,
}

/// One notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Note {
    /// One sentence or two, with the name of what it is about.
    pub(super) text: String,
    /// A short name of what it is about.
    pub(super) who: String,
    /// The place of the page that shows it, as the page's address has it behind `#/`.
    pub(super) target: String,
}

/// Notices of one kind, shown as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    /// Their kind.
    pub(super) kind: Kind,
    /// At least one.
    pub(super) notes: Vec<Note>,
    /// They come from the station of a rehearsal.
    pub(super) rehearsal: bool,
    since: Instant,
}

/// What is known so far.
pub(super) struct Rule {
    bench: Bench,
    started: bool,
    quiet: bool,
    rehearsal: bool,
    /// What was last announced of each board that still waits or has failed.
    boards: HashMap<BoardId, String>,
    batches: HashMap<BatchId, BatchState>,
    findings: HashSet<String>,
    said: HashMap<String, Instant>,
    waiting: Vec<Group>,
}

impl Rule {
    /// Nothing is known of this bench yet.
    pub(super) fn of(bench: Bench) -> Self {
        Self {
            bench,
            started: false,
            quiet: false,
            rehearsal: bench == Bench::Rehearsal,
            boards: HashMap::new(),
            batches: HashMap::new(),
            findings: HashSet::new(),
            said: HashMap::new(),
            waiting: Vec::new(),
        }
    }

    /// Reads one update.
    pub(super) fn take(&mut self, update: &Update, now: Instant) {
        match update {
            Update::Snapshot(all) => self.take_all(all, now),
            Update::Board(board) => self.board(board, now),
            Update::BoardGone(board) => {
                self.boards.remove(board);
            }
            Update::Batch(batch) => self.batch(batch, now),
            Update::Findings(findings) => self.findings(findings, now),
            Update::Preferences(preferences) => self.set_quiet(preferences.quiet),
            Update::Event(event) => self.event(event, now),
            _ => {}
        }
    }

    /// When the next group is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.waiting.iter().map(|group| group.since + GATHER).min()
    }

    /// The groups that are due, oldest first.
    pub(super) fn ready(&mut self, now: Instant) -> Vec<Group> {
        let due = |group: &mut Group| group.since + GATHER <= now;
        self.waiting.extract_if(.., due).collect()
    }

    /// The first snapshot is how things are; a later one is what was missed.
    fn take_all(&mut self, all: &Snapshot, now: Instant) {
        self.rehearsal = all.is_rehearsal || self.bench == Bench::Rehearsal;
        let quiet = all.preferences.quiet;
        self.set_quiet(quiet || !self.started);
        let here: HashSet<BoardId> = all.boards.iter().map(|b| b.id).collect();
        self.boards.retain(|board, _| here.contains(board));
        for board in &all.boards {
            self.board(board, now);
        }
        for batch in &all.batches {
            self.batch(batch, now);
        }
        self.findings(&all.findings, now);
        self.started = true;
        self.set_quiet(quiet);
    }

    fn set_quiet(&mut self, quiet: bool) {
        self.quiet = quiet;
        if quiet {
            self.waiting.clear();
        }
    }

    fn board(&mut self, board: &Board, now: Instant) {
        let (kind, text) = match board.stage {
            Stage::OnHold => (
                Kind::Decision,
                board.hold.as_ref().map_or_else(
                    || "it waits for your decision.".to_owned(),
                    ToString::to_string,
                ),
            ),
            Stage::Failed => (
                Kind::Failed,
                board.failure.as_ref().map_or_else(
                    || "its deployment failed.".to_owned(),
                    |failure| format!("{} {}", failure.what, failure.next),
                ),
            ),
            // On its way from one boot to the next it is still the board that was announced.
            Stage::Seen | Stage::Addressed | Stage::LoadingBootFiles | Stage::CheckedIn => return,
            _ => {
                self.boards.remove(&board.id);
                return;
            }
        };
        let told = format!("{} {text}", board.attempt);
        if self.boards.get(&board.id) == Some(&told) {
            return;
        }
        self.boards.insert(board.id, told);
        let who = name_of(board);
        let note = Note {
            text: format!("{who}: {text}"),
            who,
            target: format!("board/{}", board.id),
        };
        self.add(kind, note, now);
    }

    fn batch(&mut self, batch: &Batch, now: Instant) {
        let before = self.batches.insert(batch.id, batch.state);
        let complete = batch.state == BatchState::Completed;
        if !complete || before.is_none_or(|before| before == BatchState::Completed) {
            return;
        }
        let counters = batch.counters;
        let failed = match counters.failed {
            0 => String::new(),
            n => format!(", {n} failed"),
        };
        let who = format!("batch {}", batch.id);
        let note = Note {
            text: format!(
                "Batch {} ({} for {}): {} of {} boards done{failed}.",
                batch.id, batch.plan.product, batch.plan.venue, counters.done, counters.planned
            ),
            who,
            target: format!("batch/{}", batch.id),
        };
        self.add(Kind::Complete, note, now);
    }

    fn findings(&mut self, findings: &[Finding], now: Instant) {
        let before = std::mem::take(&mut self.findings);
        for finding in findings {
            let kind = match finding.check.as_str() {
                check::RIVAL => Kind::Rival,
                check::DUPLICATE => Kind::Conflict,
                check::BACKUP => Kind::Backup,
                _ => continue,
            };
            self.findings.insert(finding.text.clone());
            if before.contains(&finding.text) {
                continue;
            }
            let next = finding.next.as_deref();
            let next = next.map(|next| format!(" {next}")).unwrap_or_default();
            self.add_once(kind, format!("{}{next}", finding.text), "health", now);
        }
    }

    fn event(&mut self, event: &Event, now: Instant) {
        let (kind, target) = match event.kind.as_str() {
            "names.low" => (Kind::NamesLow, "names"),
            "dhcp.pool_full" => (Kind::PoolFull, "health"),
            "disk.low" => (Kind::DiskLow, "health"),
            "backup.failed" => (Kind::Backup, "settings"),
            _ => return,
        };
        self.add_once(kind, event.text.clone(), target, now);
    }

    fn add_once(&mut self, kind: Kind, text: String, target: &str, now: Instant) {
        self.said.retain(|_, at| now.duration_since(*at) < REPEAT);
        if self.quiet || self.said.contains_key(&text) {
            return;
        }
        self.said.insert(text.clone(), now);
        let note = Note {
            text,
            who: String::new(),
            target: target.to_owned(),
        };
        self.add(kind, note, now);
    }

    fn add(&mut self, kind: Kind, mut note: Note, now: Instant) {
        if self.quiet {
            return;
        }
        if self.bench == Bench::Rehearsal {
            note.target.insert_str(0, "rehearsal/");
        }
        match self.waiting.iter_mut().find(|group| group.kind == kind) {
            Some(group) => {
                // The newest word on a board is the one that counts.
                group
                    .notes
                    .retain(|old| old.target != note.target || old.who != note.who);
                group.notes.push(note);
            }
            None => self.waiting.push(Group {
                kind,
                notes: vec![note],
                rehearsal: self.rehearsal,
                since: now,
            }),
        }
    }
}

/// What a person calls a board: its name, else where it lies, else its model and serial number.
fn name_of(board: &Board) -> String {
    if let Some(hostname) = &board.hostname {
        return hostname.to_string();
    }
    let place = board.place.as_deref().filter(|place| !place.is_empty());
    match place {
        Some(place) => format!("{} ({place})", board.id),
        None => format!("{} {}", board.model, board.id),
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
