//! An agent reports: events that are never lost, progress that may be.

use super::turn::Turn;
use crate::bench::attempt::{Attempt, Via};
use crate::bench::seat::Seat;
use crate::bench::stages::{Heard, Note, line};
use crate::store;
use wire::agent::{Ack, AgentEvent, Outcome, Report};
use wire::batch::VerifyLevel;
use wire::board::{Failure, Progress};
use wire::refusal::{Code, Refusal};
use wire::{BoardId, Stage};

const MOST_LINE: usize = 2000;
/// Log lines kept of one deployment while the station runs; a board that babbles fills no disk.
const MOST_LINES: u32 = 5000;

/// Takes a report.
pub(super) fn run(turn: &mut Turn<'_>, report: Report) -> Result<Ack, Refusal> {
    let Some(attempt) = store::deployments::get(turn.tx, &report.deployment)? else {
        return Err(unknown(&report.deployment));
    };
    let foreign = attempt.via != Via::Agent;
    if foreign || !same(&attempt.secret, &report.secret) {
        return Err(Refusal::new(
            Code::Forbidden,
            format!(
                "The report for deployment {} has the wrong secret.",
                attempt.id
            ),
        ));
    }
    let board = attempt.board;
    let open = turn.seat(board).and_then(Seat::open);
    if open.is_none_or(|a| a.id != attempt.id) {
        return Ok(over(&attempt, &report));
    }
    turn.hear(board, Heard::Alive)?;
    let mut stop = None;
    let mut acked = open_seq(turn, board);
    for (seq, event) in report.events {
        // What is stored already was acked before and the ack was lost.
        if seq <= acked {
            continue;
        }
        // An agent keeps what was not acked, so nothing can be missing in between.
        if acked > 0 && seq != acked + 1 {
            tracing::warn!(deployment = %report.deployment, seq, acked, "a report skips events");
            break;
        }
        acked = seq;
        count(turn, board, acked)?;
        if let Some(why) = take(turn, board, event)? {
            stop = Some(why);
            break;
        }
    }
    if let Some((stage, progress)) = report.progress
        && stop.is_none()
    {
        let progress = sane(progress);
        turn.hear(board, Heard::Progressed { stage, progress })?;
    }
    let identify_s = turn
        .seat_mut(board)
        .map_or(0, |seat| std::mem::take(&mut seat.identify_s));
    Ok(Ack {
        acked,
        stop,
        identify_s,
    })
}

pub(super) fn unknown(deployment: &str) -> Refusal {
    let deployment = line(deployment, 40);
    Refusal::not_found(format!("unknown deployment {deployment:?}"))
        .at("deployment")
        .next("Ask for a job again.")
}

/// Compares secrets in a time that does not tell how much of them agrees.
pub(super) fn same(ours: &str, theirs: &str) -> bool {
    let pairs = ours.bytes().zip(theirs.bytes());
    ours.len() == theirs.len() && pairs.fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

/// The answer for a deployment that is over: everything is acked, and an agent that still works on
/// it is told to stop.
fn over(attempt: &Attempt, report: &Report) -> Ack {
    let newest = report.events.iter().map(|(seq, _)| *seq).max().unwrap_or(0);
    let repeats = newest <= attempt.last_seq && report.progress.is_none();
    let stop = match attempt.stage {
        Stage::Done | Stage::FirstBootConfirmed => None,
        Stage::Failed if repeats => None,
        Stage::Cancelled => Some("the batch was cancelled".to_owned()),
        _ => Some("this deployment is over; ask for a job again".to_owned()),
    };
    Ack {
        acked: newest.max(attempt.last_seq),
        stop,
        identify_s: 0,
    }
}

fn open_seq(turn: &Turn<'_>, board: BoardId) -> u64 {
    let open = turn.seat(board).and_then(Seat::open);
    open.map_or(0, |a| a.last_seq)
}

fn count(turn: &mut Turn<'_>, board: BoardId, seq: u64) -> Result<(), Refusal> {
    let before = turn.seat(board).and_then(|s| s.last.clone());
    if let Some(open) = turn.seat_mut(board).and_then(Seat::open_mut) {
        open.last_seq = seq;
    }
    let after = turn.seat(board).and_then(|s| s.last.clone());
    Ok(turn.write(before.as_ref(), after.as_ref(), None)?)
}

/// Takes one event. The answer is a reason to stop, when there is one.
fn take(turn: &mut Turn<'_>, board: BoardId, event: AgentEvent) -> Result<Option<String>, Refusal> {
    match event {
        AgentEvent::Step { stage, detail } => turn.hear(board, Heard::Step { stage, detail })?,
        AgentEvent::Log { line: text } => log(turn, board, &text)?,
        AgentEvent::Done(outcome) => return done(turn, board, &outcome),
        AgentEvent::Failed(failure) => {
            let failure = Failure {
                stage: failure.stage,
                what: line(&failure.what, MOST_LINE),
                next: line(&failure.next, MOST_LINE),
            };
            turn.hear(board, Heard::Failed(failure))?;
        }
        AgentEvent::Unknown => log(turn, board, "an event that this version does not know")?,
    }
    Ok(None)
}

fn log(turn: &mut Turn<'_>, board: BoardId, text: &str) -> Result<(), Refusal> {
    let Some(seat) = turn.seat_mut(board) else {
        return Ok(());
    };
    seat.logged += 1;
    if seat.logged <= MOST_LINES {
        let note = Note::info("agent.log", line(text, MOST_LINE));
        turn.note(&turn.about(board), note)?;
    }
    Ok(())
}

/// Nothing is done that was not read back: all data of the image at least, and of the changed files
/// as much as there may be.
fn done(turn: &mut Turn<'_>, board: BoardId, outcome: &Outcome) -> Result<Option<String>, Refusal> {
    let Some(open) = turn.seat(board).and_then(Seat::open) else {
        return Ok(None);
    };
    let (id, stage) = (open.id.clone(), open.stage);
    let image = store::images::get(turn.tx, &open.image)?;
    let unproven = unproven(outcome, image.map_or(1, |image| image.data_bytes.max(1)));
    store::deployments::set_outcome(turn.tx, &id, outcome)?;
    let Some(what) = unproven else {
        turn.hear(board, Heard::Done(outcome.verified))?;
        return Ok(None);
    };
    turn.hear(
        board,
        Heard::Failed(Failure {
            stage,
            what: what.clone(),
            next: "Retry it. If it says so again, its agent does not fit this station.".to_owned(),
        }),
    )?;
    Ok(Some(what))
}

/// Why a board that says it is done has not proven it, when `least` bytes had to be read back.
fn unproven(outcome: &Outcome, least: u64) -> Option<String> {
    let read = outcome.bytes_read_back;
    let what = if outcome.verified != VerifyLevel::FullReadBack || read == 0 {
        "read nothing back from its disk".to_owned()
    } else if read < least {
        format!("read back {read} bytes from its disk where its image has {least}")
    } else {
        return None;
    };
    Some(format!("it says that it is done and has {what}"))
}

/// Figures for people; a board that counts wrongly shows no more than everything.
fn sane(progress: Progress) -> Progress {
    Progress {
        done: progress.done.min(progress.total),
        ..progress
    }
}
