//! From stories and proofs to the one object that a rehearsal prints.

use super::bench::Life;
use super::proof::Proofs;
use crate::board::End;
use std::collections::HashMap;
use wire::board::{BoardId, Stage};
use wire::rehearsal::{RehearsalReport, RehearsedBoard};

/// Sums a rehearsal up. `stage_of` says where the station has a board (`None` when nobody was
/// asked).
pub fn report(
    lives: &[Life],
    proofs: &Proofs,
    stage_of: impl Fn(BoardId) -> Option<Stage>,
    seconds: f64,
) -> RehearsalReport {
    let mut per_board: Vec<RehearsedBoard> = lives
        .iter()
        .zip(&proofs.faults)
        .map(|(life, proof)| one(life, proof.clone(), stage_of(life.identity.id())))
        .collect();
    name_doubles(&mut per_board);
    let count = |which: fn(&RehearsedBoard) -> bool| {
        u32::try_from(per_board.iter().filter(|b| which(b)).count()).unwrap_or(u32::MAX)
    };
    let outcomes = lives
        .iter()
        .filter_map(|l| l.story.as_ref()?.outcome.as_ref());
    let done = count(|b| b.state.is_finished());
    let boards = u32::try_from(lives.len()).unwrap_or(u32::MAX);
    RehearsalReport {
        boards,
        done,
        failed: count(|b| b.state == Stage::Failed),
        hostnames: per_board.iter().map(|b| b.hostname.clone()).collect(),
        seconds,
        image_bytes: proofs.image_bytes,
        wire_bytes: outcomes.map(|o| o.bytes_received).sum(),
        verified: done == boards && per_board.iter().all(|b| b.fault.is_none()),
        per_board,
    }
}

fn one(life: &Life, proof: Option<String>, station: Option<Stage>) -> RehearsedBoard {
    let story = life.story.as_ref();
    let state = match story.map(|s| &s.end) {
        Some(End::Running {
            confirmed: Some(true),
        }) => Stage::FirstBootConfirmed,
        Some(End::Running { .. }) => Stage::Done,
        Some(End::Failed(_)) => Stage::Failed,
        Some(End::SwitchedOff(_)) | None => station.unwrap_or(Stage::Unknown),
    };
    let outcome = story.and_then(|s| s.outcome.as_ref());
    let fault = match story.map(|s| &s.end) {
        None => Some("the virtual board itself broke".to_owned()),
        Some(End::Failed(failure)) => Some(format!("{} {}", failure.what, failure.next)),
        Some(End::SwitchedOff(at)) => Some(format!("it was not finished in time; it was {at}")),
        Some(End::Running {
            confirmed: Some(false),
        }) => Some("the station did not recognise the name it came up with".to_owned()),
        Some(End::Running { .. }) => proof.or_else(|| contradiction(state, station)),
    };
    RehearsedBoard {
        serial: life.identity.serial.to_string(),
        hostname: story.and_then(|s| s.hostname.clone()).unwrap_or_default(),
        state: if fault.is_some()
            && state.is_finished()
            && station.is_some_and(|s| !s.is_finished())
        {
            station.unwrap_or(state)
        } else {
            state
        },
        seconds: story.map_or(0.0, |s| s.provisioned_after.as_secs_f64()),
        bytes_written: outcome.map_or(0, |o| o.bytes_written),
        bytes_read_back: outcome.map_or(0, |o| o.bytes_read_back),
        transport: outcome.map(|o| o.transport.clone()).unwrap_or_default(),
        fault,
    }
}

// A board that runs must be a finished one in the station's books.
fn contradiction(state: Stage, station: Option<Stage>) -> Option<String> {
    let stage = station.filter(|s| state.is_finished() && !s.is_finished())?;
    Some(format!(
        "it runs its own system, but the station has it as {stage}"
    ))
}

fn name_doubles(boards: &mut [RehearsedBoard]) {
    let mut owners: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, board) in boards.iter().enumerate() {
        if !board.hostname.is_empty() {
            let key = board.hostname.to_ascii_lowercase();
            owners.entry(key).or_default().push(index);
        }
    }
    for doubles in owners.values().filter(|o| o.len() > 1) {
        for index in doubles {
            boards[*index].fault = Some("another board has the same name".to_owned());
        }
    }
}
