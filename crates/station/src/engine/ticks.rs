//! What time alone brings: boards that went quiet, deployments nobody will finish, progress that
//! waited for its turn.

use super::advise;
use super::desk::{Desk, PROGRESS_MS};
use super::room;
use super::turn::Turn;
use crate::bench::identity;
use crate::bench::seat::Seat;
use crate::bench::stages::Heard;
use crate::bench::stalls;
use wire::board::Failure;
use wire::refusal::Refusal;
use wire::{BoardId, Millis};

const TICK_MS: i64 = 1000;
/// The disk of the data folder is looked at once a minute while boards are expected.
const DISK_MS: i64 = 60_000;
/// A device of which only the address is known leaves the bench when it was quiet for an hour.
const STRANGER_MS: i64 = 60 * 60 * 1000;

impl Desk {
    /// When to look again; `None` while nothing is expected of any board.
    pub(super) fn next_tick(&self, now: Millis) -> Option<Millis> {
        if !self.untold.is_empty() {
            return Some(now.plus(PROGRESS_MS));
        }
        let expected = |seat: &Seat| {
            let stranger = identity::is_provisional(seat.tile.id);
            stranger || seat.open().is_some() || stalls::due(seat).is_some()
        };
        self.bench.seats().any(expected).then(|| now.plus(TICK_MS))
    }

    /// Looks at the room on the disk, once in a while.
    fn look_at_disk(&mut self, now: Millis) {
        let looked = self.looked_at_disk;
        if looked.is_some_and(|at| now.since(at) < DISK_MS) {
            return;
        }
        self.looked_at_disk = Some(now);
        let Ok(free) = room::free(&self.config.folder) else {
            // The readiness of the station says why.
            return;
        };
        let outcome = self.turn(|turn| {
            let least = turn.preferences().disk_low;
            Ok(room::watch(turn, free, least)?)
        });
        if let Err(refusal) = outcome {
            tracing::error!(%refusal, "the room on the disk could not be noted");
        }
    }

    /// Looks at every board.
    pub(super) fn tick(&mut self) {
        let now = (self.clock)();
        self.tell_progress(now);
        self.look_at_disk(now);
        let of = |is: fn(&Seat, Millis) -> bool| -> Vec<BoardId> {
            let seats = self.bench.seats().filter(|s| is(s, now));
            seats.map(|s| s.tile.id).collect()
        };
        let quiet = of(|seat, now| stalls::due(seat).is_some_and(|due| due <= now));
        let abandoned =
            of(|seat, now| seat.open().is_some() && seat.quiet(now) >= stalls::ABANDONED_MS);
        let gone = of(|seat, now| {
            identity::is_provisional(seat.tile.id) && seat.quiet(now) >= STRANGER_MS
        });
        if quiet.is_empty() && abandoned.is_empty() && gone.is_empty() {
            return;
        }
        let outcome = self.turn(|turn| {
            for id in &quiet {
                mark(turn, *id)?;
            }
            for id in &abandoned {
                abandon(turn, *id)?;
            }
            for id in &gone {
                turn.dismiss(*id)?;
            }
            Ok(())
        });
        if let Err(refusal) = outcome {
            tracing::error!(%refusal, "quiet boards could not be marked");
        }
    }
}

fn mark(turn: &mut Turn<'_>, id: BoardId) -> Result<(), Refusal> {
    if let Some(stall) = advise::stall(turn, id)? {
        turn.hear(id, Heard::Silent(stall))?;
    }
    Ok(())
}

/// Closes the deployment of a board that went away.
pub(super) fn abandon(turn: &mut Turn<'_>, id: BoardId) -> Result<(), Refusal> {
    let Some(stage) = turn.seat(id).and_then(Seat::open).map(|a| a.stage) else {
        return Ok(());
    };
    let last_seen = turn.seat(id).map(|seat| seat.tile.last_seen);
    turn.hear(
        id,
        Heard::Failed(Failure {
            stage,
            what: "abandoned: the board went away and was not heard of again".to_owned(),
            next: "Check its power and its cable, then retry it.".to_owned(),
        }),
    )?;
    if let (Some(seat), Some(last_seen)) = (turn.seat_mut(id), last_seen) {
        // Giving up is no sign of life.
        seat.tile.last_seen = last_seen;
    }
    Ok(())
}
