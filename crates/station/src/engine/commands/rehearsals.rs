//! The rehearsal beside the station: start, stop, and what is heard of it.

use super::super::effect::Effect;
use super::super::turn::Turn;
use super::shared::done;
use wire::command::Receipt;
use wire::refusal::{Code, Refusal};
use wire::rehearsal::{Rehearsal, RehearsalFault, RehearsalPlan, RehearsalState};
use wire::update::Update;

/// Most boards of one rehearsal.
const MOST_BOARDS: u32 = 100;
/// Fastest cards, in percent of an ordinary one; beyond it 0 says what is meant.
const MOST_PERCENT: u32 = 10_000;

/// Has a rehearsal begin.
pub(super) fn start(turn: &mut Turn<'_>, plan: RehearsalPlan) -> Result<Receipt, Refusal> {
    let Some(models) = &turn.config.rehearsal_models else {
        return Err(
            Refusal::new(Code::Unavailable, "This station cannot rehearse.")
                .next("Start the rehearsal on the station itself, not on one of a rehearsal."),
        );
    };
    check(&plan, models)?;
    if let Some(now) = current(turn)
        && !is_over(&now.state)
    {
        let boards = count(now.plan.boards);
        return Err(
            Refusal::conflict(format!("A rehearsal of {boards} is running."))
                .next("Stop it first, or wait until it has ended."),
        );
    }
    turn.config.rehearsal_run += 1;
    let run = turn.config.rehearsal_run;
    let text = format!("A rehearsal of {} begins.", count(plan.boards));
    turn.tell(Update::Rehearsal(Some(Box::new(Rehearsal {
        plan: plan.clone(),
        state: RehearsalState::Preparing {
            doing: "getting ready".to_owned(),
        },
        started: turn.now,
    }))));
    turn.effect(Effect::StartRehearsal { run, plan });
    Ok(done(text))
}

/// Has it stop; the result of one that is over is put away.
pub(super) fn stop(turn: &mut Turn<'_>) -> Result<Receipt, Refusal> {
    let Some(now) = current(turn) else {
        return Err(Refusal::conflict("No rehearsal is running.").next("There is nothing to stop."));
    };
    let run = turn.config.rehearsal_run;
    turn.effect(Effect::StopRehearsal { run });
    if is_over(&now.state) {
        turn.tell(Update::Rehearsal(None));
        return Ok(done("The rehearsal was put away.".to_owned()));
    }
    Ok(done("The rehearsal is being stopped.".to_owned()))
}

/// The rehearsal of this run is further, or has ended. The first end counts.
pub(in crate::engine) fn changed(turn: &mut Turn<'_>, run: u64, state: RehearsalState) {
    if let Some(mut now) = current(turn)
        && run == turn.config.rehearsal_run
        && !is_over(&now.state)
    {
        now.state = state;
        turn.tell(Update::Rehearsal(Some(now)));
    }
}

fn current(turn: &Turn<'_>) -> Option<Box<Rehearsal>> {
    turn.published.read(|snapshot| snapshot.rehearsal.clone())
}

fn is_over(state: &RehearsalState) -> bool {
    matches!(
        state,
        RehearsalState::Ended { .. } | RehearsalState::Stopped { .. }
    )
}

fn count(boards: u32) -> String {
    match boards {
        1 => "1 board".to_owned(),
        n => format!("{n} boards"),
    }
}

fn check(plan: &RehearsalPlan, models: &[String]) -> Result<(), Refusal> {
    if !(1..=MOST_BOARDS).contains(&plan.boards) {
        return Err(Refusal::invalid(
            "boards",
            format!(
                "A rehearsal has 1 to {MOST_BOARDS} boards, not {}.",
                plan.boards
            ),
        ));
    }
    if plan.faulty > plan.boards {
        return Err(Refusal::invalid(
            "faulty",
            format!(
                "{} faulty boards are more than the {} there are.",
                plan.faulty, plan.boards
            ),
        ));
    }
    if plan.speed_percent > MOST_PERCENT {
        return Err(Refusal::invalid(
            "speed_percent",
            format!(
                "Boards are at most {MOST_PERCENT} % as fast as ordinary ones, not {} %.",
                plan.speed_percent
            ),
        )
        .next("0 lets them be as fast as the machine can."));
    }
    if plan.faults.contains(&RehearsalFault::Unknown) {
        return Err(Refusal::invalid(
            "faults",
            "This version does not know one of the faults.",
        ));
    }
    let unknown = |model: &&String| {
        let mut models = models.iter();
        !models.any(|m| m.eq_ignore_ascii_case(model))
    };
    if let Some(strange) = plan.models.iter().find(unknown) {
        return Err(Refusal::invalid(
            "models",
            format!(
                "{strange:?} is no model of a virtual board; there are {}.",
                models.join(", ")
            ),
        ));
    }
    Ok(())
}
