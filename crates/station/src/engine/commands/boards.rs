//! Boards: approve, hold, accept, retry, identify, place, release.

use super::super::effect::Effect;
use super::super::turn::Turn;
use super::names;
use super::names::part;
use super::shared::{because, done, text};
use crate::bench::identity;
use crate::bench::permits;
use crate::bench::seat::Seat;
use crate::bench::stages::{Heard, Note};
use crate::store;
use crate::store::events::About;
use wire::board::{Hold, Mac};
use wire::command::Receipt;
use wire::refusal::Refusal;
use wire::{BoardId, Stage};

const MOST_SECONDS: u32 = 600;
const MOST_PLACE: usize = 32;

fn receipt(turn: &mut Turn<'_>, id: BoardId) -> Result<Receipt, Refusal> {
    let tile = turn.known(id)?.tile.clone();
    Ok(Receipt::Board(Box::new(tile)))
}

fn permit(
    turn: &mut Turn<'_>,
    id: BoardId,
    grant: fn(&mut Seat) -> Result<Note, Refusal>,
) -> Result<Receipt, Refusal> {
    let noted = grant(turn.known(id)?).map_err(|r| r.at("board"))?;
    turn.note(&turn.about(id), noted)?;
    receipt(turn, id)
}

/// Lets a held board be provisioned.
pub(super) fn approve(turn: &mut Turn<'_>, id: BoardId) -> Result<Receipt, Refusal> {
    permit(turn, id, permits::approve)
}

/// Keeps a board from being provisioned. One whose agent asks already is told when it asks again.
pub(super) fn hold(turn: &mut Turn<'_>, id: BoardId) -> Result<Receipt, Refusal> {
    let permitted = permit(turn, id, permits::hold)?;
    let seat = turn.known(id)?;
    // One that only lost what it was allowed waits for something else.
    if !seat.withheld || seat.tile.stage != Stage::OnHold {
        return Ok(permitted);
    }
    let hold = Hold::ByOperator;
    turn.hear(id, Heard::Held { hold, detail: None })?;
    receipt(turn, id)
}

/// Gives a failed board another attempt.
pub(super) fn retry(turn: &mut Turn<'_>, id: BoardId) -> Result<Receipt, Refusal> {
    permit(turn, id, permits::retry)
}

/// Has an address answered that was not recognised.
pub(super) fn accept(turn: &mut Turn<'_>, mac: Mac) -> Result<Receipt, Refusal> {
    store::boards::accept(turn.tx, mac, turn.now)?;
    turn.effect(Effect::Vouch(mac));
    let id = identity::by_mac(mac);
    let now = turn.now;
    if let Some(seat) = turn.seat_mut(id)
        && seat.tile.stage == Stage::NotOurs
    {
        seat.tile.stage = Stage::Seen;
        seat.tile.stage_since = now;
    }
    let text = format!("{mac} is answered from now on.");
    turn.note(
        &About::default(),
        Note::info("board.accepted", text.clone()),
    )?;
    Ok(done(text))
}

/// Has its LED blink.
pub(super) fn identify(turn: &mut Turn<'_>, id: BoardId, seconds: u32) -> Result<Receipt, Refusal> {
    if !(1..=MOST_SECONDS).contains(&seconds) {
        return Err(Refusal::invalid(
            "seconds",
            format!("A board blinks for 1 to {MOST_SECONDS} seconds, not {seconds}."),
        ));
    }
    turn.known(id)?.identify_s = seconds;
    receipt(turn, id)
}

/// Notes where a board lies, or forgets it.
pub(super) fn place(turn: &mut Turn<'_>, id: BoardId, place: &str) -> Result<Receipt, Refusal> {
    let place = text("place", place, 0, MOST_PLACE)?;
    turn.known(id)?.tile.place = (!place.is_empty()).then_some(place);
    receipt(turn, id)
}

/// Forgets a board: it leaves the bench and its name is free.
pub(super) fn release(turn: &mut Turn<'_>, id: BoardId, reason: &str) -> Result<Receipt, Refusal> {
    let reason = because(reason)?;
    let called = turn.known(id)?.called();
    match store::names::of_board(turn.tx, id)? {
        Some(name) => names::free(turn, id, &name, &reason).map_err(|r| r.at("board"))?,
        None => part(turn, id).map_err(|r| r.at("board"))?,
    }
    let text = format!("{called} left the bench: {reason}");
    turn.note(&turn.about(id), Note::info("board.released", text.clone()))?;
    turn.dismiss(id)?;
    Ok(done(text))
}
