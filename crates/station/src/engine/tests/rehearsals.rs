//! What is taken and what is refused of rehearsals, and what is seen of one.

use super::*;
use crate::engine::Effect;
use crate::rehearsal::RehearsalStage;
use wire::rehearsal::{RehearsalFault, RehearsalPlan, RehearsalState};
use wire::update::Snapshot;

/// A station beside which somebody can rehearse.
fn rig() -> Rig {
    let rig = Rig::empty();
    rig.engine
        .set_rehearsal_models(vec!["pi4".to_owned(), "pi5".to_owned()]);
    rig
}

async fn start(rig: &Rig, plan: RehearsalPlan) -> Result<Receipt, Refusal> {
    rig.engine.command(Command::RehearsalStart(plan)).await
}

/// Everything told so far, as a screen has it.
async fn now(rig: &Rig) -> Snapshot {
    // What was posted before this question is done before it.
    rig.engine.work(|_| Ok(())).await.unwrap();
    rig.engine.published().read(Clone::clone)
}

async fn state(rig: &Rig) -> Option<RehearsalState> {
    now(rig).await.rehearsal.map(|r| r.state)
}

#[tokio::test]
async fn a_plan_that_cannot_be_is_refused_at_its_field() {
    let rig = rig();
    let sound = RehearsalPlan::default();
    let wrong = [
        (
            "boards",
            RehearsalPlan {
                boards: 0,
                ..sound.clone()
            },
        ),
        (
            "boards",
            RehearsalPlan {
                boards: 101,
                ..sound.clone()
            },
        ),
        (
            "faulty",
            RehearsalPlan {
                faulty: 9,
                ..sound.clone()
            },
        ),
        (
            "speed_percent",
            RehearsalPlan {
                speed_percent: 10_001,
                ..sound.clone()
            },
        ),
        (
            "faults",
            RehearsalPlan {
                faults: vec![RehearsalFault::Unknown],
                ..sound.clone()
            },
        ),
        (
            "models",
            RehearsalPlan {
                models: vec!["Pi5".to_owned(), "pi2".to_owned()],
                ..sound
            },
        ),
    ];
    for (field, plan) in wrong {
        let refusal = start(&rig, plan).await.unwrap_err();
        assert_eq!(refusal.code, Code::Invalid, "{refusal}");
        assert_eq!(refusal.field.as_deref(), Some(field), "{refusal}");
    }
    assert_eq!(state(&rig).await, None);
}

#[tokio::test]
async fn without_virtual_boards_the_command_is_refused_in_words() {
    let rig = Rig::empty();
    let refusal = start(&rig, RehearsalPlan::default()).await.unwrap_err();
    assert_eq!(refusal.code, Code::Unavailable);
    assert!(refusal.message.contains("cannot rehearse"), "{refusal}");
    let stop = rig.engine.command(Command::RehearsalStop).await;
    assert_eq!(stop.unwrap_err().code, Code::Conflict);
}

#[tokio::test]
async fn one_runs_at_a_time_and_its_end_stays_until_it_is_put_away() {
    let rig = rig();
    let mut effects = rig.engine.effects();
    let plan = RehearsalPlan::default();
    start(&rig, plan.clone()).await.unwrap();
    let Some(Effect::StartRehearsal { run, plan: told }) = effects.recv().await else {
        panic!("nobody was told")
    };
    assert_eq!(told, plan);
    let stage = RehearsalStage::new(rig.engine.clone(), run);
    stage.preparing("making an image");
    assert!(
        matches!(state(&rig).await, Some(RehearsalState::Preparing { doing }) if doing == "making an image")
    );
    let second = start(&rig, plan.clone()).await.unwrap_err();
    assert_eq!(second.code, Code::Conflict);
    assert!(second.message.contains("8 boards"), "{second}");

    stage.stopped("There was no room.");
    let over = Some(RehearsalState::Stopped {
        why: "There was no room.".to_owned(),
    });
    assert_eq!(state(&rig).await, over);
    stage.proving();
    assert_eq!(state(&rig).await, over, "the end is the end");
    rig.engine.command(Command::RehearsalStop).await.unwrap();
    assert_eq!(state(&rig).await, None);

    start(&rig, plan).await.unwrap();
    stage.preparing("late words of the first one");
    drop(stage);
    assert!(
        matches!(state(&rig).await, Some(RehearsalState::Preparing { doing }) if doing == "getting ready")
    );
}

#[tokio::test]
async fn one_that_breaks_off_says_so_and_its_bench_is_gone() {
    let rig = rig();
    let mut effects = rig.engine.effects();
    start(&rig, RehearsalPlan::default()).await.unwrap();
    let Some(Effect::StartRehearsal { run, .. }) = effects.recv().await else {
        panic!("nobody was told")
    };
    let bench = Rig::empty();
    let stage = RehearsalStage::new(rig.engine.clone(), run);
    stage.running(bench.engine.clone());
    assert_eq!(state(&rig).await, Some(RehearsalState::Running));
    assert!(rig.engine.rehearsal().is_some());
    drop(stage);
    assert!(
        matches!(state(&rig).await, Some(RehearsalState::Stopped { why }) if why.contains("broke off"))
    );
    assert!(rig.engine.rehearsal().is_none());
}

#[tokio::test]
async fn only_the_station_of_a_rehearsal_says_that_it_is_one() {
    assert!(!now(&Rig::empty()).await.is_rehearsal);
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(Options {
        data_dir: folder.path().to_owned(),
        rehearsal: true,
    })
    .unwrap();
    assert!(engine.published().read(|snapshot| snapshot.is_rehearsal));
}
