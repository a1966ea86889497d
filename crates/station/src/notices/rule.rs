//! The rule that makes notices out of the watch stream. Pure: updates and the time in, groups of
//! notices and the next deadline out.
//!
//! What was so before the first snapshot is no news. A board that is held asks again every minute and
//! is announced once, until something else becomes of it. Notices of one kind that come within a
//! short time become one, because a rack of boards is switched on at once. In quiet mode nothing is
//! announced where that is heeded, and what happened meanwhile is not made up for afterwards.

use crate::net::findings::check;
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};
use wire::batch::BatchId;
use wire::batch::{Batch, BatchState};
use wire::board::{Board, Hold};
use wire::event::Event;
use wire::health::Finding;
use wire::update::{Snapshot, Update};
use wire::{BoardId, Stage};

/// The same sentence is not said again within this time.
const REPEAT: Duration = Duration::from_mins(10);

/// How notices are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    /// Notices of one kind within this time become one.
    pub gather: Duration,
    /// Is nothing said in quiet mode?
    pub heeds_quiet: bool,
    /// Is it the bench of the rehearsal beside the station?
    pub beside: bool,
}

impl Manner {
    /// On a desktop, where a person sees them at once and may want quiet.
    pub const DESKTOP: Self = Self {
        gather: Duration::from_secs(2),
        heeds_quiet: true,
        beside: false,
    };
}

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
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

impl Kind {
    /// Its name for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Failed => "failed",
            Self::Complete => "complete",
            Self::Rival => "rival",
            Self::Conflict => "conflict",
            Self::NamesLow => "names_low",
            Self::PoolFull => "pool_full",
            Self::DiskLow => "disk_low",
            Self::Backup => "backup",
        }
    }
}

/// One notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// One sentence or two, with the name of what it is about.
    pub text: String,
    /// A short name of what it is about.
    pub who: String,
    /// The place of the page that shows it, as the page's address has it behind `#/`.
    pub target: String,
}

/// Notices of one kind, shown as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Their kind.
    pub kind: Kind,
    /// At least one.
    pub notes: Vec<Note>,
    /// They come from the station of a rehearsal.
    pub rehearsal: bool,
    since: Instant,
}

/// What is known so far.
#[derive(Debug)]
pub struct Rule {
    manner: Manner,
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
    /// Nothing is known of the bench yet.
    pub fn new(manner: Manner) -> Self {
        Self {
            manner,
            started: false,
            quiet: false,
            rehearsal: manner.beside,
            boards: HashMap::new(),
            batches: HashMap::new(),
            findings: HashSet::new(),
            said: HashMap::new(),
            waiting: Vec::new(),
        }
    }

    /// Reads one update.
    pub fn take(&mut self, update: &Update, now: Instant) {
        match update {
            Update::Snapshot(all) => self.take_all(all, now),
            Update::Board(board) => self.board(board, now),
            Update::BoardGone(board) => {
                self.boards.remove(board);
            }
            Update::Batch(batch) => self.batch(batch, now),
            Update::Findings(findings) => self.findings(findings, now),
            Update::Preferences(preferences) => {
                self.set_quiet(preferences.quiet && self.manner.heeds_quiet);
            }
            Update::Event(event) => self.event(event, now),
            _ => {}
        }
    }

    /// When the next group is due.
    pub fn due(&self) -> Option<Instant> {
        self.waiting
            .iter()
            .map(|group| group.since + self.manner.gather)
            .min()
    }

    /// The groups that are due, oldest first.
    pub fn ready(&mut self, now: Instant) -> Vec<Group> {
        let gather = self.manner.gather;
        let due = |group: &mut Group| group.since + gather <= now;
        self.waiting.extract_if(.., due).collect()
    }

    /// The first snapshot is how things are; a later one is what was missed.
    fn take_all(&mut self, all: &Snapshot, now: Instant) {
        self.rehearsal = all.is_rehearsal || self.manner.beside;
        let quiet = all.preferences.quiet && self.manner.heeds_quiet;
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
            // Whoever did that knows.
            Stage::OnHold if board.hold == Some(Hold::ByOperator) => {
                self.boards.remove(&board.id);
                return;
            }
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
        if self.manner.beside {
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
