//! Batches: create, start, pause, resume, cancel, extend, retry, reorder.

use super::super::turn::Turn;
use super::shared::{live_product, product};
use super::venues;
use crate::batches::machine::{self, Act};
use crate::batches::places::MOST_PLANNED;
use crate::bench::permits;
use crate::bench::stages::{Heard, Note};
use crate::names::pattern::{Pattern, Source};
use crate::store;
use crate::store::events::About;
use wire::batch::{Batch, BatchId, BatchPlan};
use wire::command::Receipt;
use wire::refusal::Refusal;

const MOST_RULES: usize = 1000;

fn find(turn: &Turn<'_>, id: BatchId) -> Result<Batch, Refusal> {
    store::batches::get(turn.tx, id)?.ok_or_else(|| {
        Refusal::not_found(format!("There is no batch {id}."))
            .at("batch")
            .next("Look at the list of batches for its number.")
    })
}

fn receipt(turn: &mut Turn<'_>, id: BatchId) -> Result<Receipt, Refusal> {
    turn.touch(id);
    find(turn, id).map(Receipt::Batch)
}

fn note(turn: &mut Turn<'_>, id: BatchId, kind: &'static str, text: String) -> Result<(), Refusal> {
    let about = About {
        batch: Some(id),
        ..About::default()
    };
    Ok(turn.note(&about, Note::info(kind, text))?)
}

/// Creates a batch and reserves its names.
pub(super) fn create(turn: &mut Turn<'_>, plan: &BatchPlan) -> Result<Receipt, Refusal> {
    live_product(turn, &plan.product)?;
    venues::live(turn, &plan.venue)?;
    if !(1..=MOST_PLANNED).contains(&plan.count) {
        return Err(Refusal::invalid(
            "count",
            format!(
                "A batch has 1 to {MOST_PLANNED} boards, not {}.",
                plan.count
            ),
        ));
    }
    if plan.disks.kinds.is_empty() {
        return Err(Refusal::invalid(
            "disks",
            "The batch allows no kind of disk.",
        ));
    }
    if plan.rules.models.len().max(plan.rules.boards.len()) > MOST_RULES {
        let message = format!("A batch has at most {MOST_RULES} entries per rule.");
        return Err(Refusal::invalid("rules", message));
    }
    if let Some(image) = plan.image
        && store::images::get(turn.tx, &image)?.is_none()
    {
        let message = format!("There is no image {} in the library.", image.short());
        return Err(Refusal::not_found(message).at("image"));
    }
    let id = store::batches::create(turn.tx, plan, turn.config.rehearsal, turn.now)?;
    let bound = reserve(turn, id, plan, plan.count, "count")?;
    let text = format!(
        "Batch {id} was created: {} {} boards for {}{bound}.",
        plan.count, plan.product, plan.venue
    );
    note(turn, id, "batch.created", text)?;
    receipt(turn, id)
}

/// Reserves names, all or none, and adds to the record what boards it does not expect will miss.
/// Names that are made from the board need no reservation.
fn reserve(
    turn: &Turn<'_>,
    id: BatchId,
    plan: &BatchPlan,
    count: u32,
    field: &str,
) -> Result<String, Refusal> {
    let product = product(turn, &plan.product)?;
    let pattern: Pattern = product
        .pattern
        .parse()
        .map_err(|e| Refusal::internal(format!("The hostname pattern is broken: {e}.")))?;
    if pattern.source() == Source::Board {
        return Ok(String::new());
    }
    let boards = &plan.rules.boards;
    let free = store::names::count_available(turn.tx, &plan.product, &plan.venue, boards)?;
    if free < count {
        let missing = count - free;
        return Err(Refusal::conflict(format!(
            "{count} {} names of {} are needed and {free} that it can use are free: {missing} are \
             missing.",
            plan.product, plan.venue
        ))
        .at(field)
        .next(format!(
            "Import at least {missing} more names, or plan fewer boards."
        )));
    }
    let bound = store::names::reserve(turn.tx, plan, id, count, turn.now)?;
    Ok(match bound {
        _ if !boards.is_empty() => String::new(),
        0 => String::new(),
        1 => ", 1 of the names only for the board that it is meant for".to_owned(),
        n => format!(", {n} of the names only for the boards that they are meant for"),
    })
}

/// Moves a batch by an act; says whether it moved.
fn act(turn: &mut Turn<'_>, id: BatchId, act: Act) -> Result<(Batch, bool), Refusal> {
    let batch = find(turn, id)?;
    let state = act
        .on(batch.state)
        .map_err(|e| Refusal::conflict(format!("{e}")).at("batch"))?;
    let moved = state != batch.state;
    if moved {
        store::batches::set_state(turn.tx, id, state, turn.now)?;
        if machine::is_open(state) != machine::is_open(batch.state) {
            turn.reorder();
        }
    }
    turn.touch(id);
    Ok((batch, moved))
}

fn simple(
    turn: &mut Turn<'_>,
    id: BatchId,
    done: Act,
    kind: &'static str,
    verb: &str,
) -> Result<Receipt, Refusal> {
    let (_, moved) = act(turn, id, done)?;
    if moved {
        note(turn, id, kind, format!("Batch {id} was {verb}."))?;
    }
    receipt(turn, id)
}

/// Starts a batch.
pub(super) fn start(turn: &mut Turn<'_>, id: BatchId) -> Result<Receipt, Refusal> {
    simple(turn, id, Act::Start, "batch.started", "started")
}

/// Pauses a batch.
pub(super) fn pause(turn: &mut Turn<'_>, id: BatchId) -> Result<Receipt, Refusal> {
    simple(turn, id, Act::Pause, "batch.paused", "paused")
}

/// Resumes a batch.
pub(super) fn resume(turn: &mut Turn<'_>, id: BatchId) -> Result<Receipt, Refusal> {
    simple(turn, id, Act::Resume, "batch.resumed", "resumed")
}

/// Gives a batch up: its boards are stopped, names that no board claimed are returned. A board that
/// was stopped keeps its name until it is released: its disk may already hold it.
pub(super) fn cancel(turn: &mut Turn<'_>, id: BatchId) -> Result<Receipt, Refusal> {
    let (_, moved) = act(turn, id, Act::Cancel)?;
    if !moved {
        return receipt(turn, id);
    }
    let running = store::deployments::open_in(turn.tx, id)?;
    for board in &running {
        let why = format!("batch {id} was cancelled");
        turn.hear(*board, Heard::Cancelled { why })?;
    }
    let returned = store::names::unreserve(turn.tx, id, turn.now)?;
    let text = format!(
        "Batch {id} was cancelled: {} boards were stopped, {returned} names are free again.",
        running.len()
    );
    note(turn, id, "batch.cancelled", text)?;
    receipt(turn, id)
}

/// Plans more boards.
pub(super) fn extend(turn: &mut Turn<'_>, id: BatchId, by: u32) -> Result<Receipt, Refusal> {
    if !(1..=MOST_PLANNED).contains(&by) {
        return Err(Refusal::invalid(
            "by",
            format!("A batch is extended by 1 to {MOST_PLANNED} boards, not {by}."),
        ));
    }
    let (batch, _) = act(turn, id, Act::Extend)?;
    store::batches::extend(turn.tx, id, by)?;
    let bound = reserve(turn, id, &batch.plan, by, "by")?;
    let text = format!("Batch {id} was extended by {by} boards{bound}.");
    note(turn, id, "batch.extended", text)?;
    receipt(turn, id)
}

/// Gives every failed board another attempt.
pub(super) fn retry(turn: &mut Turn<'_>, id: BatchId) -> Result<Receipt, Refusal> {
    act(turn, id, Act::Retry)?;
    let failed = store::deployments::failed_in(turn.tx, id)?;
    let mut retried = 0;
    for board in failed {
        turn.fetch(board)?;
        let noted = match turn.seat_mut(board) {
            // It may have failed elsewhere since, or be at work again.
            Some(seat) if seat.last.as_ref().is_some_and(|a| a.batch == id) => {
                permits::retry(seat).ok()
            }
            _ => None,
        };
        if let Some(noted) = noted {
            turn.note(&turn.about(board), noted)?;
            retried += 1;
        }
    }
    if retried == 0 {
        return Err(Refusal::conflict(format!("No board of batch {id} has failed.")).at("batch"));
    }
    let text = format!("{retried} failed boards of batch {id} are tried again.");
    note(turn, id, "batch.retried", text)?;
    receipt(turn, id)
}

/// Puts a batch at a place of the order.
pub(super) fn reorder(turn: &mut Turn<'_>, id: BatchId, rank: u32) -> Result<Receipt, Refusal> {
    let batch = find(turn, id)?;
    if !machine::is_open(batch.state) {
        let message = format!("Batch {id} has ended and has no place in the order.");
        return Err(Refusal::conflict(message).at("batch"));
    }
    if rank == 0 {
        return Err(Refusal::invalid("rank", "The first place is 1."));
    }
    let mut order = store::batches::order(turn.tx)?;
    order.retain(|other| *other != id);
    let at = (rank as usize - 1).min(order.len());
    order.insert(at, id);
    store::batches::set_order(turn.tx, &order)?;
    turn.reorder();
    note(
        turn,
        id,
        "batch.reordered",
        format!("Batch {id} is now number {}.", at + 1),
    )?;
    receipt(turn, id)
}
