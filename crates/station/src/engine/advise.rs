//! What the rules of [`advice`] look at, gathered.

use super::noticed::Noticed;
use super::plans::Plans;
use super::turn::Turn;
use super::watch::Published;
use crate::bench::advice::{self, Around};
use crate::store::{self, StoreError};
use wire::BoardId;
use wire::board::Stall;
use wire::event::Event;

/// Events of a board that rules look at.
pub(super) const EVENTS: u32 = 100;

/// What is observed around a board.
pub(super) fn around(
    published: &Published,
    noticed: &Noticed,
    plans: &Plans,
    events: Vec<Event>,
) -> Around {
    published.read(|snapshot| Around {
        events,
        servers: snapshot.servers.clone(),
        findings: snapshot.findings.clone(),
        rivals: noticed.rivals.clone(),
        has_image: plans.images.iter().any(|image| image.active),
    })
}

/// The mark of a board that was quiet for too long.
pub(super) fn stall(turn: &Turn<'_>, id: BoardId) -> Result<Option<Stall>, StoreError> {
    let Some(seat) = turn.seat(id) else {
        return Ok(None);
    };
    let events = store::events::newest_of(turn.tx, id, EVENTS)?;
    let around = around(turn.published, turn.noticed, turn.plans, events);
    Ok(Some(advice::stall(seat, &around, turn.now)))
}
