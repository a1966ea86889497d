//! A board asks to be provisioned, through whichever door: the facts are gathered, [`admission`]
//! decides, and only then, last, a name is claimed.

use super::turn::Turn;
use crate::batches::rules::Sight;
use crate::bench::admission::{self, Choice, Decision, Question, Wants};
use crate::bench::attempt::{Attempt, Via};
use crate::bench::seat::{Machine, Permit, Seat};
use crate::bench::stages::{Heard, Note};
use crate::names::pattern::{Digits, Pattern, Source};
use crate::store;
use wire::batch::NameState;
use wire::board::{Failure, Hold};
use wire::disk::Disk;
use wire::image::Image;
use wire::name::Hostname;
use wire::refusal::Refusal;
use wire::{BoardId, Stage};

/// A board that asks.
#[derive(Debug, Clone)]
pub(super) struct Asking {
    /// The board; it has a seat.
    pub(super) board: BoardId,
    /// Through which door.
    pub(super) via: Via,
    /// Token of the network boot it is in.
    pub(super) boot: Option<String>,
    /// What kind of machine it is.
    pub(super) machine: Option<Machine>,
    /// Its disks, when somebody has looked.
    pub(super) disks: Option<Vec<Disk>>,
    /// What a foreign installer says it is.
    pub(super) wants: Wants,
}

/// What it gets.
#[derive(Debug, Clone)]
pub(super) enum Admitted {
    /// It waits.
    Wait {
        /// Why.
        hold: Hold,
        /// Why, in words, with all there is to say.
        words: String,
    },
    /// It is sent on to its own disk.
    GoHome {
        /// Its name.
        hostname: Hostname,
    },
    /// It is provisioned.
    Go {
        /// Its deployment.
        attempt: Box<Attempt>,
        /// The image.
        image: Box<Image>,
    },
}

/// Admits a board, or not.
pub(super) fn admit(turn: &mut Turn<'_>, asking: &Asking) -> Result<Admitted, Refusal> {
    match decide(turn, asking)? {
        Decision::Wait { hold, detail } => wait(turn, asking, hold, detail),
        Decision::GoHome { hostname } => {
            turn.hear(asking.board, Heard::SentHome(hostname.clone()))?;
            Ok(Admitted::GoHome { hostname })
        }
        Decision::GiveUp(failure) => give_up(turn, asking, failure),
        Decision::Resume => resume(turn, asking),
        Decision::Provision(choice) => provision(turn, asking, &choice),
    }
}

fn decide(turn: &Turn<'_>, asking: &Asking) -> Result<Decision, Refusal> {
    let Some(seat) = turn.seat(asking.board) else {
        return Err(Refusal::internal("A board without a seat asked for a job."));
    };
    let owns = store::names::of_board(turn.tx, asking.board)?;
    let meant_for = store::names::meant_for(turn.tx, asking.board)?;
    let home = owns.as_ref().and_then(|name| name.batch);
    let home = home.or_else(|| seat.open().map(|a| a.batch));
    let candidates = turn.plans.candidates(seat, home);
    let coded = seat.tile.revision.map(wire::revision::Revision::model);
    let models = [seat.tile.model.as_str(), coded.as_deref().unwrap_or("")];
    Ok(admission::decide(&Question {
        sight: Sight {
            board: asking.board,
            models: &models,
            ram_mib: seat.tile.ram_mib,
            disks: asking.disks.as_deref(),
        },
        machine: asking.machine,
        standing: seat.standing(),
        same_boot: is_same_boot(seat, asking),
        permit: seat.permit,
        withheld: seat.withheld,
        owns: owns.as_ref(),
        meant_for: &meant_for,
        wants: &asking.wants,
        batches: &candidates,
    }))
}

/// True when the board asks within the boot in which its deployment began: it lost our answer, or
/// its agent was started again. An installer without tokens cannot be told apart from itself; an
/// agent without one has started anew when it has reported before.
fn is_same_boot(seat: &Seat, asking: &Asking) -> bool {
    seat.open().is_some_and(|attempt| match asking.via {
        Via::Device => attempt.via == Via::Device,
        Via::Agent => {
            attempt.via == Via::Agent
                && attempt.boot == asking.boot
                && (asking.boot.is_some() || attempt.last_seq == 0)
        }
    })
}

fn wait(
    turn: &mut Turn<'_>,
    asking: &Asking,
    hold: Hold,
    detail: Option<String>,
) -> Result<Admitted, Refusal> {
    if turn.seat(asking.board).is_some_and(|s| s.open().is_some()) {
        // It restarted and cannot go on now; once the reason is gone it does so by itself.
        turn.hear(asking.board, Heard::Restarted)?;
        if let Some(seat) = turn.seat_mut(asking.board) {
            seat.permit = seat.permit.max(Permit::Retry);
        }
    }
    let words = match &detail {
        Some(detail) => format!("{hold} {detail}"),
        None => hold.to_string(),
    };
    let held = Heard::Held {
        hold: hold.clone(),
        detail,
    };
    turn.hear(asking.board, held)?;
    Ok(Admitted::Wait { hold, words })
}

fn give_up(turn: &mut Turn<'_>, asking: &Asking, failure: Failure) -> Result<Admitted, Refusal> {
    let words = format!("{}. {}", failure.what, failure.next);
    turn.hear(asking.board, Heard::Failed(failure))?;
    Ok(Admitted::Wait {
        hold: Hold::NeedsApproval,
        words,
    })
}

fn resume(turn: &mut Turn<'_>, asking: &Asking) -> Result<Admitted, Refusal> {
    let before = turn.seat(asking.board).and_then(|s| s.last.clone());
    if let Some(open) = turn.seat_mut(asking.board).and_then(Seat::open_mut)
        && asking.via == Via::Agent
    {
        // An agent that asks has no job, so it begins to count anew.
        open.last_seq = 0;
    }
    turn.hear(asking.board, Heard::Resumed)?;
    let after = turn.seat(asking.board).and_then(|s| s.last.clone());
    turn.write(before.as_ref(), after.as_ref(), None)?;
    let Some(attempt) = after else {
        return Err(Refusal::internal("A deployment to go on with is gone."));
    };
    let Some(image) = store::images::get(turn.tx, &attempt.image)? else {
        return Err(Refusal::internal(format!(
            "The image {} of deployment {} is gone.",
            attempt.image.short(),
            attempt.id
        )));
    };
    Ok(Admitted::Go {
        attempt: Box::new(attempt),
        image: Box::new(image),
    })
}

fn provision(turn: &mut Turn<'_>, asking: &Asking, choice: &Choice) -> Result<Admitted, Refusal> {
    let mut restarts = 0;
    if let Some(open) = turn.seat(asking.board).and_then(Seat::open) {
        restarts = open.restarts + 1;
        turn.hear(asking.board, Heard::Restarted)?;
    }
    let hostname = match claim(turn, asking.board, choice)? {
        Ok(hostname) => hostname,
        Err(hold) => return wait(turn, asking, hold, None),
    };
    let attempt = attempt(turn, asking, choice, hostname, restarts)?;
    turn.hear(asking.board, Heard::Assigned(Box::new(attempt.clone())))?;
    Ok(Admitted::Go {
        attempt: Box::new(attempt),
        image: Box::new(choice.image.clone()),
    })
}

fn attempt(
    turn: &Turn<'_>,
    asking: &Asking,
    choice: &Choice,
    hostname: Hostname,
    restarts: u32,
) -> Result<Attempt, Refusal> {
    let Some(seat) = turn.seat(asking.board) else {
        return Err(Refusal::internal("A board without a seat was given a job."));
    };
    Ok(Attempt {
        id: ulid::Ulid::generate().to_string(),
        board: asking.board,
        number: store::batches::next_attempt(turn.tx, choice.batch.id, asking.board)?,
        batch: choice.batch.id,
        product: choice.batch.plan.product.clone(),
        venue: choice.batch.plan.venue.clone(),
        image: choice.image.id,
        hostname,
        mac: seat.tile.mac,
        serial: seat.tile.serial,
        via: asking.via,
        boot: asking.boot.clone(),
        secret: secret()?,
        hello: secret()?,
        disk: choice.disk.clone(),
        overwrite: choice.overwrite,
        restarts,
        started: turn.now,
        stage: Stage::Assigned,
        touched: false,
        last_seq: 0,
        given_up: false,
        verified: None,
        ended: None,
        confirmed: None,
    })
}

/// 128 random bits in hex: tokens and bearer secrets.
pub(super) fn secret() -> Result<String, Refusal> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)
        .map_err(|e| Refusal::internal(format!("The system has no random numbers: {e}.")))?;
    Ok(hex::encode(bytes))
}

/// The board's own name if it has one, else a name from the pool, or one made from the board.
fn claim(
    turn: &mut Turn<'_>,
    board: BoardId,
    choice: &Choice,
) -> Result<Result<Hostname, Hold>, Refusal> {
    let (batch, plan) = (choice.batch.id, &choice.batch.plan);
    if let Some(name) = store::names::of_board(turn.tx, board)? {
        store::names::assign(turn.tx, &name.hostname, board, Some(batch), turn.now)?;
        return Ok(Ok(name.hostname));
    }
    let Some(product) = store::products::get(turn.tx, &plan.product)? else {
        return Err(Refusal::internal(format!(
            "The product {} is gone.",
            plan.product
        )));
    };
    let pattern: Pattern = product.pattern.parse().map_err(|e| {
        Refusal::internal(format!(
            "The hostname pattern of {} is broken: {e}.",
            plan.product
        ))
    })?;
    let pooled = pattern.source() == Source::Pool;
    let claimed = store::names::claim(turn.tx, plan, batch, board, pooled, turn.now)?;
    let claimed = match claimed {
        None if !pooled => make(turn, board, choice, &pattern)?,
        None => Err(Hold::NoNamesLeft {
            product: plan.product.clone(),
            venue: plan.venue.clone(),
        }),
        Some(hostname) => Ok(hostname),
    };
    if let Ok(hostname) = &claimed {
        let text = format!("{hostname} was claimed by board {board}.");
        turn.note(&turn.about(board), Note::info("name.claimed", text))?;
    }
    Ok(claimed)
}

/// Makes a name from the board's own digits; takes more of them when a shorter name belongs to
/// another board.
fn make(
    turn: &Turn<'_>,
    board: BoardId,
    choice: &Choice,
    pattern: &Pattern,
) -> Result<Result<Hostname, Hold>, Refusal> {
    let (batch, plan) = (choice.batch.id, &choice.batch.plan);
    let Some(seat) = turn.seat(board) else {
        return Err(Refusal::internal(
            "A board without a seat was given a name.",
        ));
    };
    let digits = Digits::of(board, seat.tile.serial, seat.tile.mac);
    let made = pattern
        .made(&plan.product, &plan.venue, &digits)
        .map_err(|e| Refusal::internal(format!("The pattern {pattern} makes no hostname: {e}.")))?;
    for hostname in &made {
        let Some(name) = store::names::get(turn.tx, hostname)? else {
            let (product, venue) = (&plan.product, &plan.venue);
            store::names::add_owned(turn.tx, hostname, product, venue, batch, board, turn.now)?;
            return Ok(Ok(hostname.clone()));
        };
        let same_pool = name.product == plan.product && name.venue == plan.venue;
        let free = name.state == NameState::Available && name.board.is_none_or(|b| b == board);
        if same_pool && free {
            store::names::assign(turn.tx, hostname, board, Some(batch), turn.now)?;
            return Ok(Ok(name.hostname));
        }
    }
    let taken: Vec<&str> = made.iter().map(Hostname::as_str).collect();
    Ok(Err(Hold::IdentityConflict {
        why: format!(
            "every name made from it belongs to another board or is retired ({})",
            taken.join(", ")
        ),
    }))
}
