//! Names: import, release, retire, reinstate, replace, delete. Separate verbs, each on the record.

use super::super::turn::Turn;
use super::shared::{because, live_product};
use super::venues;
use crate::batches::machine;
use crate::bench::permits;
use crate::bench::seat::{NO_MAC, Seat};
use crate::bench::stages::Note;
use crate::engine::ticks::abandon;
use crate::names::pattern::Pattern;
use crate::names::preview::{self, Pool};
use crate::store;
use crate::store::events::About;
use wire::BoardId;
use wire::batch::{BatchId, Name, NameState};
use wire::command::{NameSource, Receipt};
use wire::name::{Hostname, ProductCode, VenueCode};
use wire::refusal::Refusal;

/// Imports names, or says what an import would do. Any error, and nothing is imported.
pub(super) fn import(
    turn: &mut Turn<'_>,
    product: &ProductCode,
    venue: &VenueCode,
    source: &NameSource,
    dry_run: bool,
) -> Result<Receipt, Refusal> {
    let product = live_product(turn, product)?;
    let venue = venues::live(turn, venue)?;
    let pattern: Pattern = product
        .pattern
        .parse()
        .map_err(|e| Refusal::internal(format!("The hostname pattern is broken: {e}.")))?;
    let pool = Pool {
        product: &product.code,
        venue: &venue.code,
        pattern: &pattern,
    };
    let found =
        |name: &preview::NewName| store::names::found(turn.tx, &product.code, &venue.code, name);
    let (mut report, names) = preview::preview(&pool, source, found)?;
    report.dry_run = dry_run;
    if dry_run || report.errors > 0 {
        return Ok(Receipt::Names(report));
    }
    for name in &names {
        store::names::add(turn.tx, &product.code, &venue.code, name, turn.now)?;
    }
    let text = format!(
        "{} {} names were imported for {}; {} were there already.",
        report.added, product.code, venue.code, report.duplicates
    );
    turn.note(&About::default(), Note::info("names.imported", text))?;
    Ok(Receipt::Names(report))
}

fn find(turn: &Turn<'_>, hostname: &Hostname) -> Result<Name, Refusal> {
    store::names::get(turn.tx, hostname)?
        .ok_or_else(|| Refusal::not_found(format!("There is no name {hostname}.")).at("hostname"))
}

fn receipt(turn: &Turn<'_>, hostname: &Hostname) -> Result<Receipt, Refusal> {
    find(turn, hostname).map(Receipt::Name)
}

fn about(board: Option<BoardId>, batch: Option<BatchId>) -> About {
    About {
        board,
        deployment: None,
        batch,
    }
}

/// Where a name goes when its board leaves it: back to the batch it came from, when the board was
/// not finished there and the batch still takes boards; else it is free.
fn back_to(turn: &Turn<'_>, board: BoardId, name: &Name) -> Option<BatchId> {
    let batch = turn.plans.batch(name.batch?)?;
    let finished = turn
        .seat(board)
        .and_then(|s| s.last.as_ref())
        .is_some_and(|last| last.batch == batch.id && last.stage.is_finished());
    (machine::is_open(batch.state) && !finished).then_some(batch.id)
}

/// Takes a name from a board and frees it.
pub(super) fn free(
    turn: &mut Turn<'_>,
    board: BoardId,
    name: &Name,
    reason: &str,
) -> Result<(), Refusal> {
    part(turn, board).map_err(|r| r.at("hostname"))?;
    let back = back_to(turn, board, name);
    store::names::free(turn.tx, &name.hostname, back, turn.now)?;
    let text = format!(
        "{} was released from board {board}: {reason}",
        name.hostname
    );
    turn.note(&about(Some(board), back), Note::info("name.released", text))?;
    Ok(())
}

/// Takes a name from its board.
pub(super) fn release(
    turn: &mut Turn<'_>,
    hostname: &Hostname,
    reason: &str,
) -> Result<Receipt, Refusal> {
    let reason = because(reason)?;
    let name = find(turn, hostname)?;
    match (name.state, name.board) {
        (NameState::Assigned, Some(board)) => free(turn, board, &name, &reason)?,
        _ => return Err(not_owned(&name)),
    }
    receipt(turn, hostname)
}

fn not_owned(name: &Name) -> Refusal {
    let hostname = &name.hostname;
    let refusal = match (name.state, name.batch) {
        (NameState::Reserved, Some(batch)) => {
            Refusal::conflict(format!("{hostname} is promised to batch {batch}."))
                .next("Cancel the batch to free its names.")
        }
        (NameState::Retired, _) => Refusal::conflict(format!("{hostname} is retired."))
            .next("Reinstate it to use it again."),
        _ => Refusal::conflict(format!("{hostname} belongs to no board.")),
    };
    refusal.at("hostname")
}

/// Retires a name.
pub(super) fn retire(
    turn: &mut Turn<'_>,
    hostname: &Hostname,
    reason: &str,
) -> Result<Receipt, Refusal> {
    let reason = because(reason)?;
    let name = find(turn, hostname)?;
    let owner = name.board.filter(|_| name.state == NameState::Assigned);
    match name.state {
        NameState::Reserved => return Err(not_owned(&name)),
        NameState::Retired => return receipt(turn, hostname),
        NameState::Available | NameState::Assigned | NameState::Unknown => {}
    }
    if let Some(board) = owner {
        part(turn, board).map_err(|r| r.at("hostname"))?;
    }
    store::names::retire(turn.tx, hostname, turn.now)?;
    let text = format!("{} was retired: {reason}", name.hostname);
    turn.note(&about(owner, None), Note::info("name.retired", text))?;
    receipt(turn, hostname)
}

/// Makes a retired name available again.
pub(super) fn reinstate(
    turn: &mut Turn<'_>,
    hostname: &Hostname,
    reason: &str,
) -> Result<Receipt, Refusal> {
    let reason = because(reason)?;
    let name = find(turn, hostname)?;
    if name.state != NameState::Retired {
        return Err(Refusal::conflict(format!("{} is not retired.", name.hostname)).at("hostname"));
    }
    store::names::free(turn.tx, hostname, None, turn.now)?;
    let text = format!("{} was reinstated: {reason}", name.hostname);
    turn.note(&about(None, None), Note::info("name.reinstated", text))?;
    receipt(turn, hostname)
}

/// Gives a name to another board: "014 gets a new board".
pub(super) fn replace(
    turn: &mut Turn<'_>,
    hostname: &Hostname,
    board: BoardId,
    reason: &str,
) -> Result<Receipt, Refusal> {
    let reason = because(reason)?;
    let name = find(turn, hostname)?;
    let owner = name.board.filter(|_| name.state == NameState::Assigned);
    if name.state == NameState::Retired {
        return Err(not_owned(&name));
    }
    if owner == Some(board) {
        let message = format!("{} belongs to board {board} already.", name.hostname);
        return Err(Refusal::conflict(message).at("board"));
    }
    if let Some(other) = store::names::of_board(turn.tx, board)? {
        return Err(
            Refusal::conflict(format!("Board {board} is {} already.", other.hostname))
                .at("board")
                .next("Release it first."),
        );
    }
    if let Some(owner) = owner {
        part(turn, owner).map_err(|r| r.at("hostname"))?;
        store::names::free(turn.tx, hostname, None, turn.now)?;
    }
    promise(turn, board, &name)?;
    store::names::assign(turn.tx, hostname, board, name.batch, turn.now)?;
    let from = owner.map_or_else(String::new, |owner| format!(" from board {owner}"));
    let text = format!("{} goes{from} to board {board}: {reason}", name.hostname);
    turn.note(
        &about(Some(board), name.batch),
        Note::info("name.replaced", text),
    )?;
    receipt(turn, hostname)
}

/// Promises a name to a board, which may never have been heard of.
fn promise(turn: &mut Turn<'_>, board: BoardId, name: &Name) -> Result<(), Refusal> {
    let unheard = !turn.fetch(board)?;
    if unheard {
        let mut seat = Seat::new(board, NO_MAC, turn.now);
        seat.tile.rehearsal = turn.config.rehearsal;
        permits::take_over(&mut seat, name.hostname.clone())?;
        store::boards::put(turn.tx, &seat)?;
        store::boards::leave(turn.tx, board)?;
    } else if let Some(seat) = turn.seat_mut(board) {
        permits::take_over(seat, name.hostname.clone()).map_err(|r| r.at("board"))?;
    }
    Ok(())
}

/// Deletes a name that was never used.
pub(super) fn delete(turn: &mut Turn<'_>, hostname: &Hostname) -> Result<Receipt, Refusal> {
    let name = find(turn, hostname)?;
    if name.state != NameState::Available {
        return Err(
            Refusal::conflict(format!("{} is {}.", name.hostname, name.state.as_str()))
                .at("hostname")
                .next("Only a free name that no board ever had is deleted."),
        );
    }
    if !store::names::delete(turn.tx, hostname)? {
        return Err(
            Refusal::conflict(format!("A board was {} once.", name.hostname))
                .at("hostname")
                .next("Retire it instead, so that its history keeps its meaning."),
        );
    }
    let text = format!("{} was deleted; no board ever had it.", name.hostname);
    turn.note(&about(None, None), Note::info("name.deleted", text.clone()))?;
    Ok(super::done(text))
}

/// Parts a board from its name: it owns nothing and needs approval to come back. A deployment of a
/// board that went silent is closed; a board at work is left alone.
pub(super) fn part(turn: &mut Turn<'_>, board: BoardId) -> Result<(), Refusal> {
    turn.fetch(board)?;
    let now = turn.now;
    let silent = |seat: &Seat| seat.open().is_some() && !seat.is_at_work(now);
    if turn.seat(board).is_some_and(silent) {
        abandon(turn, board)?;
    }
    let before = turn.seat(board).and_then(|s| s.last.clone());
    if let Some(seat) = turn.seat_mut(board) {
        permits::let_go(seat, now)?;
    }
    let after = turn.seat(board).and_then(|s| s.last.clone());
    Ok(turn.write(before.as_ref(), after.as_ref(), None)?)
}
