//! The life of a board: one thing heard, and where the board is afterwards.
//!
//! [`hear`] is the one place where a stage changes. It is total: whatever is heard in whatever
//! stage, the board ends in a stage that makes sense, and what happened is noted for the log.

use super::attempt::Attempt;
use super::seat::Seat;
use super::{boots, curve};
use std::net::Ipv4Addr;
use wire::batch::VerifyLevel;
use wire::board::{Failure, Hold, Progress, Stall};
use wire::event::Level;
use wire::name::Hostname;
use wire::sheet::{Curve, Step};
use wire::{Millis, Stage};

/// One thing heard of a board, or decided about it.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// Its bootloader asks for an address; `new_boot` as [`boots::begins`] says.
    Discovered {
        /// Does this start a new boot?
        new_boot: bool,
    },
    /// It has an address.
    Addressed(Ipv4Addr),
    /// It fetches a boot file.
    Fetching {
        /// Which.
        file: String,
        /// Bytes so far and in all, when known.
        progress: Option<(u64, u64)>,
    },
    /// Its agent or installer spoke.
    CheckedIn,
    /// It has to wait.
    Held {
        /// Why.
        hold: Hold,
        /// More, in words.
        detail: Option<String>,
    },
    /// It was finished before and is sent on to its disk.
    SentHome(Hostname),
    /// It owns a name and a job.
    Assigned(Box<Attempt>),
    /// It was told its job again.
    Resumed,
    /// It was started anew in the middle of its work; that attempt is over.
    Restarted,
    /// It is alive; nothing else.
    Alive,
    /// A stage of its work began.
    Step {
        /// The stage.
        stage: Stage,
        /// A line of detail.
        detail: Option<String>,
    },
    /// How far its present stage is.
    Progressed {
        /// The stage.
        stage: Stage,
        /// How far.
        progress: Progress,
    },
    /// It is finished.
    Done(VerifyLevel),
    /// It failed.
    Failed(Failure),
    /// Its deployment was cancelled.
    Cancelled {
        /// Why.
        why: String,
    },
    /// Its installed system called home under its name.
    FirstBoot,
    /// It was quiet for too long.
    Silent(Stall),
}

/// Something to write into the event log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// How much attention it wants.
    pub level: Level,
    /// What kind of event.
    pub kind: &'static str,
    /// One sentence.
    pub text: String,
}

impl Note {
    /// A note for the record.
    pub fn info(kind: &'static str, text: impl Into<String>) -> Self {
        Self {
            level: Level::Info,
            kind,
            text: text.into(),
        }
    }

    /// A note that is advice.
    pub fn warning(kind: &'static str, text: impl Into<String>) -> Self {
        Self {
            level: Level::Warning,
            ..Self::info(kind, text)
        }
    }

    /// A note that wants a person.
    pub fn error(kind: &'static str, text: impl Into<String>) -> Self {
        Self {
            level: Level::Error,
            ..Self::info(kind, text)
        }
    }
}

/// Longest line of detail kept, in characters.
pub const MOST_DETAIL: usize = 500;

/// `text` without control characters and at most `most` characters long.
pub fn line(text: &str, most: usize) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    clean.take(most).collect::<String>().trim().to_owned()
}

/// The board after `heard`, and what to note.
pub fn hear(seat: &mut Seat, heard: Heard, now: Millis) -> Vec<Note> {
    let mut notes = Vec::new();
    if let Heard::Silent(stall) = heard {
        notes.push(Note::warning(
            "stalled",
            format!(
                "{} has been quiet in stage {}. {}",
                seat.called(),
                seat.tile.stage,
                stall.advice
            ),
        ));
        seat.tile.stalled = Some(stall);
        return notes;
    }
    seat.tile.last_seen = now;
    if seat.tile.stalled.take().is_some() {
        notes.push(Note::info("heard", format!("{} is back.", seat.called())));
    }
    match heard {
        Heard::Discovered { new_boot } => discovered(seat, new_boot, now, &mut notes),
        Heard::Addressed(ip) => {
            seat.tile.ip = Some(ip);
            if seat.tile.stage == Stage::Seen {
                enter(seat, Stage::Addressed, now, &mut notes);
            }
        }
        Heard::Fetching { file, progress } => fetching(seat, &file, progress, now, &mut notes),
        Heard::CheckedIn => {
            seat.files.arrived();
            if boots::is_booting(seat) {
                enter(seat, Stage::CheckedIn, now, &mut notes);
            }
        }
        Heard::Held { hold, detail } => held(seat, hold, detail, now, &mut notes),
        Heard::SentHome(hostname) => {
            if seat.tile.stage != Stage::AlreadyDone {
                enter(seat, Stage::AlreadyDone, now, &mut notes);
                seat.tile.detail = Some(format!("finished before as {hostname}"));
            }
        }
        Heard::Assigned(attempt) => assigned(seat, *attempt, now, &mut notes),
        Heard::Restarted => restarted(seat, now, &mut notes),
        Heard::Resumed | Heard::Alive => back_to_work(seat, now, &mut notes),
        Heard::Step { stage, detail } => step(seat, stage, detail, now, &mut notes),
        Heard::Progressed { stage, progress } => {
            back_to_work(seat, now, &mut notes);
            if seat.tile.stage == stage {
                seat.tile.progress = Some(progress);
                curve::note(&mut seat.curve, stage, &progress);
            }
        }
        Heard::Done(level) => done(seat, level, now, &mut notes),
        Heard::Failed(failure) => failed(seat, failure, now, &mut notes),
        Heard::Cancelled { why } => cancelled(seat, &why, now, &mut notes),
        Heard::FirstBoot => first_boot(seat, now, &mut notes),
        Heard::Silent(_) => {}
    }
    notes
}

/// Moves the tile and notes it. What belongs to the old stage alone is forgotten.
fn enter(seat: &mut Seat, stage: Stage, now: Millis, notes: &mut Vec<Note>) {
    pass(seat, stage, now);
    let tile = &mut seat.tile;
    tile.stage = stage;
    tile.stage_since = now;
    tile.progress = None;
    tile.detail = None;
    tile.hold = None;
    tile.failure = None;
    let text = format!("{}: {}.", seat.called(), stage.words());
    notes.push(Note::info("stage", text));
}

/// Most stretches of one network boot; it has four unless it goes in circles.
const MOST_STRETCHES: usize = 8;

/// Remembers the way of a network boot: when each of its stretches began and what was last known of
/// the one before.
fn pass(seat: &mut Seat, stage: Stage, now: Millis) {
    let detail = seat.tile.detail.clone();
    let detail = detail.or_else(|| seat.tile.ip.map(|ip| ip.to_string()));
    let left = seat.tile.stage;
    if let Some(last) = seat.way.last_mut().filter(|last| last.stage == left) {
        last.ended = Some(now);
        last.detail = detail.filter(|_| matches!(left, Stage::Addressed | Stage::LoadingBootFiles));
    }
    let of_boot = matches!(
        stage,
        Stage::Seen | Stage::Addressed | Stage::LoadingBootFiles | Stage::CheckedIn
    );
    // A boot begins with its first packet; one of which only the agent was heard, with the agent.
    let arrived = seat.way.iter().any(|s| s.stage == Stage::CheckedIn);
    if stage == Stage::Seen || (of_boot && arrived) {
        seat.way.clear();
    }
    if of_boot && seat.way.len() < MOST_STRETCHES {
        seat.way.push(Step {
            stage,
            began: now,
            ended: None,
            detail: None,
        });
    }
}

fn discovered(seat: &mut Seat, new_boot: bool, now: Millis, notes: &mut Vec<Note>) {
    if !new_boot {
        return;
    }
    seat.files.begin(seat.tile.stage == Stage::LoadingBootFiles);
    if boots::stands_still(seat) {
        return;
    }
    if seat.tile.stage == Stage::Seen {
        pass(seat, Stage::Seen, now);
    } else {
        enter(seat, Stage::Seen, now, notes);
    }
}

fn fetching(
    seat: &mut Seat,
    file: &str,
    progress: Option<(u64, u64)>,
    now: Millis,
    notes: &mut Vec<Note>,
) {
    match seat.tile.stage {
        Stage::Seen | Stage::Addressed => enter(seat, Stage::LoadingBootFiles, now, notes),
        Stage::LoadingBootFiles => {}
        _ => return,
    }
    seat.tile.detail = Some(line(file, MOST_DETAIL));
    seat.tile.progress = progress.map(|(done, total)| Progress {
        done,
        total,
        rate: 0,
        limit: wire::board::Limit::Network,
    });
}

fn held(seat: &mut Seat, hold: Hold, detail: Option<String>, now: Millis, notes: &mut Vec<Note>) {
    // A failed board waits where it failed, so that its tile still says what went wrong.
    let failed = matches!(seat.tile.stage, Stage::Failed | Stage::Cancelled);
    if failed && hold == Hold::NeedsApproval {
        return;
    }
    if seat.tile.hold.as_ref() == Some(&hold) && seat.tile.detail == detail {
        return;
    }
    let words = match &detail {
        Some(detail) => format!("{} waits: {hold} {detail}", seat.called()),
        None => format!("{} waits: {hold}", seat.called()),
    };
    if seat.tile.stage != Stage::OnHold {
        enter(seat, Stage::OnHold, now, &mut Vec::new());
    }
    seat.tile.hold = Some(hold);
    seat.tile.detail = detail;
    notes.push(Note::warning("board.hold", words));
}

fn assigned(seat: &mut Seat, attempt: Attempt, now: Millis, notes: &mut Vec<Note>) {
    enter(seat, Stage::Assigned, now, &mut Vec::new());
    let tile = &mut seat.tile;
    tile.hostname = Some(attempt.hostname.clone());
    tile.batch = Some(attempt.batch);
    tile.deployment = Some(attempt.id.clone());
    tile.attempt = attempt.number;
    tile.disk.clone_from(&attempt.disk);
    let text = format!(
        "{} is deployed in batch {}, attempt {}.",
        seat.called(),
        attempt.batch,
        attempt.number
    );
    notes.push(Note::info("stage", text));
    seat.permit = super::seat::Permit::None;
    seat.released = false;
    seat.logged = 0;
    seat.curve = Curve::default();
    seat.last = Some(attempt);
}

fn restarted(seat: &mut Seat, now: Millis, notes: &mut Vec<Note>) {
    let Some(attempt) = seat.open() else { return };
    let (number, stage) = (attempt.number, attempt.stage);
    close(seat, Stage::Failed, now);
    if seat.tile.stage.is_working() {
        enter(seat, Stage::CheckedIn, now, &mut Vec::new());
    }
    let text = format!(
        "{} was started again in stage {stage}; attempt {number} is over.",
        seat.called()
    );
    notes.push(Note::warning("restarted", text));
}

/// A board that reports for its open deployment is at work, whatever a stray packet made of it.
fn back_to_work(seat: &mut Seat, now: Millis, notes: &mut Vec<Note>) {
    if let Some(attempt) = seat.open() {
        let stage = attempt.stage;
        if seat.tile.stage != stage {
            enter(seat, stage, now, notes);
        }
    }
}

fn step(seat: &mut Seat, stage: Stage, detail: Option<String>, now: Millis, notes: &mut Vec<Note>) {
    let Some(attempt) = seat.open_mut() else {
        return;
    };
    if !stage.is_working() {
        return;
    }
    let moved = attempt.stage != stage;
    attempt.stage = stage;
    attempt.touched |= stage == Stage::Writing;
    if moved || seat.tile.stage != stage {
        enter(seat, stage, now, notes);
    }
    seat.tile.detail = detail.map(|d| line(&d, MOST_DETAIL));
}

fn close(seat: &mut Seat, stage: Stage, now: Millis) {
    if let Some(attempt) = seat.open_mut() {
        attempt.stage = stage;
        attempt.ended = Some(now);
    }
}

fn done(seat: &mut Seat, level: VerifyLevel, now: Millis, notes: &mut Vec<Note>) {
    let Some(attempt) = seat.open_mut() else {
        return;
    };
    attempt.verified = Some(level);
    close(seat, Stage::Done, now);
    enter(seat, Stage::Done, now, notes);
}

fn failed(seat: &mut Seat, failure: Failure, now: Millis, notes: &mut Vec<Note>) {
    close(seat, Stage::Failed, now);
    enter(seat, Stage::Failed, now, &mut Vec::new());
    let text = format!(
        "{} failed in stage {}: {}. {}",
        seat.called(),
        failure.stage,
        failure.what.trim_end_matches('.'),
        failure.next
    );
    notes.push(Note::error("failed", text));
    seat.tile.failure = Some(failure);
}

fn cancelled(seat: &mut Seat, why: &str, now: Millis, notes: &mut Vec<Note>) {
    close(seat, Stage::Cancelled, now);
    enter(seat, Stage::Cancelled, now, &mut Vec::new());
    let text = format!("{} was stopped: {why}.", seat.called());
    notes.push(Note::warning("cancelled", text));
    seat.tile.detail = Some(line(why, MOST_DETAIL));
}

fn first_boot(seat: &mut Seat, now: Millis, notes: &mut Vec<Note>) {
    let Some(attempt) = &mut seat.last else {
        return;
    };
    if attempt.stage == Stage::Done {
        attempt.stage = Stage::FirstBootConfirmed;
        attempt.confirmed = Some(now);
        if matches!(seat.tile.stage, Stage::Done | Stage::AlreadyDone) {
            enter(seat, Stage::FirstBootConfirmed, now, notes);
        }
    }
}

#[cfg(test)]
mod tests;
