//! A board's sheet: what the desk has in mind of it, and what the store remembers.

use super::advise::around;
use super::ask::Engine;
use super::desk::Desk;
use crate::bench::advice::{self, Around, Sight};
use crate::bench::seat::Seat;
use crate::store::{self, Connection};
use wire::query::HistoryFilter;
use wire::refusal::Refusal;
use wire::sheet::{Sheet, Step};
use wire::{BoardId, Millis, Stage};

/// Deployments shown of one board.
const MOST_DEPLOYMENTS: u32 = 100;

impl Engine {
    /// Everything about one board.
    pub(super) async fn sheet(&self, board: BoardId) -> Result<Sheet, Refusal> {
        let at_desk = self.at_desk(move |desk| Ok(of_desk(desk, board))).await?;
        self.read(move |conn| {
            let (seat, around, now) = match at_desk {
                (Some((seat, around)), now) => (seat, around, now),
                (None, now) => match store::boards::get(conn, board)? {
                    Some(seat) => (seat, Around::default(), now),
                    None => return Err(super::answers::no_board(board)),
                },
            };
            draw(conn, &seat, &around, now)
        })
        .await
    }
}

/// The board as the desk has it, when it is on the bench.
fn of_desk(desk: &Desk, board: BoardId) -> (Option<(Seat, Around)>, Millis) {
    let found = desk.bench.seat(board).map(|seat| {
        // Its events come from the store afterwards.
        let around = around(&desk.published, &desk.noticed, &desk.plans, Vec::new());
        (seat.clone(), around)
    });
    (found, (desk.clock)())
}

fn draw(conn: &Connection, seat: &Seat, around: &Around, now: Millis) -> Result<Sheet, Refusal> {
    let board = seat.tile.id;
    let around = Around {
        events: store::events::newest_of(conn, board, super::advise::EVENTS)?,
        ..around.clone()
    };
    let filter = HistoryFilter {
        board: Some(board),
        limit: MOST_DEPLOYMENTS,
        ..HistoryFilter::default()
    };
    let stored = match &seat.last {
        Some(last) => store::deployments::curve(conn, &last.id)?,
        None => None,
    };
    Ok(Sheet {
        board: seat.tile.clone(),
        inventory: seat.inventory.as_deref().cloned(),
        timeline: timeline(conn, seat)?,
        curve: stored.unwrap_or_else(|| seat.curve.clone()),
        deployments: store::history::list(conn, &filter)?,
        advice: advice::advise(&Sight::new(seat, &around, now)),
    })
}

/// The way of the newest deployment; then that of a boot that began after it.
fn timeline(conn: &Connection, seat: &Seat) -> Result<Vec<Step>, Refusal> {
    let mut way = match &seat.last {
        Some(last) => store::deployments::way(conn, &last.id)?,
        None => Vec::new(),
    };
    let since = seat.last.as_ref().map(|last| last.started);
    // A boot that began after the deployment came after all of it, or in the middle: a restart.
    if let Some(first) = seat.way.first()
        && since.is_none_or(|since| first.began > since)
    {
        let at = way.partition_point(|step| step.began <= first.began);
        way.splice(at..at, seat.way.iter().cloned());
    }
    finish(&mut way, seat);
    Ok(way)
}

/// Says when each stretch ended, and what is known of the present one.
fn finish(way: &mut [Step], seat: &Seat) {
    let began: Vec<Millis> = way.iter().map(|step| step.began).collect();
    for (step, next) in way.iter_mut().zip(began.into_iter().skip(1)) {
        step.ended = step.ended.or(Some(next));
    }
    for step in way.iter_mut() {
        if step.stage == Stage::CheckedIn && step.detail.is_none() {
            step.detail = seat.agent.as_ref().map(|agent| format!("agent {agent}"));
        }
    }
    let Some(last) = way.last_mut() else { return };
    if last.stage == seat.tile.stage {
        let ip = || seat.tile.ip.map(|ip| ip.to_string());
        let known = seat.tile.detail.clone();
        let known = match last.stage {
            Stage::Addressed => known.or_else(ip),
            _ => known,
        };
        last.detail = last.detail.take().or(known);
    }
    let over = matches!(
        last.stage,
        Stage::FirstBootConfirmed | Stage::Failed | Stage::Cancelled
    );
    if over {
        last.ended = Some(last.began);
    }
}
