//! Batches keep their promises.

use super::*;
use proptest::prelude::*;
use wire::batch::{BatchState, NameState};

#[tokio::test]
async fn two_batches_cannot_promise_the_same_names() {
    let rig = Rig::ready(10).await;
    rig.command(Command::BatchCreate(plan(8))).await;
    let refusal = rig.refused(Command::BatchCreate(plan(5))).await;
    assert_eq!(refusal.code, Code::Conflict);
    assert!(refusal.message.contains("3 are missing"), "{refusal}");
    let Answer::Batches(batches) = rig.engine.query(Query::Batches).await.unwrap() else {
        panic!()
    };
    assert_eq!(batches.len(), 1, "the refused one left nothing behind");
    rig.command(Command::BatchCreate(plan(2))).await;
}

#[tokio::test]
async fn names_are_reserved_in_numeric_order() {
    let rig = Rig::ready(0).await;
    rig.import("1000, 101, 7, 12").await;
    let batch = rig.batch(3).await;
    let Answer::Names(names) = rig
        .engine
        .query(Query::Names(NameFilter::default()))
        .await
        .unwrap()
    else {
        panic!()
    };
    let promised: Vec<_> = names
        .iter()
        .filter(|n| n.batch == Some(batch))
        .map(|n| n.number.unwrap())
        .collect();
    assert_eq!(promised, [7, 12, 101]);
    assert_eq!(rig.job(1).await.hostname, host("KXP2-CORO-007"));
    assert_eq!(rig.job(2).await.hostname, host("KXP2-CORO-012"));
}

#[tokio::test]
async fn a_batch_is_complete_when_its_boards_are_done_not_when_they_are_assigned() {
    let rig = Rig::with_batch(2).await;
    let job = rig.job(1).await;
    let batch = rig.tile(1).await.batch.unwrap();
    rig.fail(2).await;
    let seen = rig.see_batch(batch).await;
    assert_eq!(seen.state, BatchState::Active);
    assert_eq!(
        (
            seen.counters.running,
            seen.counters.failed,
            seen.counters.done
        ),
        (1, 1, 0)
    );
    rig.report(&job, work()).await;
    assert_eq!(rig.see_batch(batch).await.state, BatchState::Active);
    let refusal = rig
        .refused(Command::BatchRetry { batch: BatchId(99) })
        .await;
    assert_eq!(refusal.code, Code::NotFound);
    rig.command(Command::BatchRetry { batch }).await;
    rig.finish(2).await;
    let seen = rig.see_batch(batch).await;
    assert_eq!(seen.state, BatchState::Completed);
    assert_eq!(
        (seen.counters.done, seen.counters.failed, seen.rank),
        (2, 0, 0)
    );
    assert!(
        rig.events()
            .await
            .iter()
            .any(|e| e.kind == "batch.completed")
    );
}

#[tokio::test]
async fn extending_reopens_a_complete_batch() {
    let rig = Rig::ready(3).await;
    let batch = rig.batch(1).await;
    rig.finish(1).await;
    assert_eq!(rig.held(2).await, Hold::NoMatchingBatch);
    let refusal = rig.refused(Command::BatchExtend { batch, by: 3 }).await;
    assert!(refusal.message.contains("1 are missing"), "{refusal}");
    assert_eq!(
        rig.see_batch(batch).await.state,
        BatchState::Completed,
        "nothing half done"
    );
    rig.command(Command::BatchExtend { batch, by: 2 }).await;
    assert_eq!(rig.job(2).await.hostname, host("KXP2-CORO-002"));
    let seen = rig.see_batch(batch).await;
    assert_eq!((seen.state, seen.plan.count), (BatchState::Active, 3));
}

#[tokio::test]
async fn cancelling_stops_running_boards_and_returns_unused_names() {
    let rig = Rig::with_batch(5).await;
    let job = rig.job(1).await;
    rig.report(&job, vec![(1, step(Stage::Writing))]).await;
    let batch = rig.tile(1).await.batch.unwrap();
    rig.command(Command::BatchCancel { batch }).await;
    let ack = rig.report(&job, vec![(2, step(Stage::Verifying))]).await;
    assert!(ack.stop.unwrap().contains("cancelled"));
    assert_eq!(rig.tile(1).await.stage, Stage::Cancelled);
    let Answer::Names(names) = rig
        .engine
        .query(Query::Names(NameFilter::default()))
        .await
        .unwrap()
    else {
        panic!()
    };
    let count = |state| names.iter().filter(|n| n.state == state).count();
    assert_eq!(
        (count(NameState::Available), count(NameState::Assigned)),
        (4, 1)
    );
    // A late "done" of the stopped board changes nothing.
    rig.report(&job, work()).await;
    assert_eq!(rig.history_of(1).await[0].stage, Stage::Cancelled);
    assert_eq!(
        rig.refused(Command::BatchStart { batch }).await.code,
        Code::Conflict
    );
}

#[tokio::test]
async fn a_paused_batch_lets_running_boards_finish() {
    let rig = Rig::with_batch(2).await;
    let job = rig.job(1).await;
    let batch = rig.tile(1).await.batch.unwrap();
    rig.command(Command::BatchPause { batch }).await;
    assert_eq!(rig.held(2).await, Hold::BatchPaused { batch });
    let Order::Provision(again) = rig.ask(rebooted(1, 2, DiskContent::Blank)).await else {
        panic!("a running board that restarted was held");
    };
    assert_eq!(again.hostname, job.hostname);
    rig.report(&again, work()).await;
    assert_eq!(rig.tile(1).await.stage, Stage::Done);
}

#[tokio::test]
async fn the_order_is_dense_and_survives_a_restart() {
    let rig = Rig::ready(50).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(rig.batch(1).await);
    }
    let move_to = |batch, rank| Command::BatchReorder { batch, rank };
    rig.command(move_to(ids[4], 1)).await;
    rig.command(move_to(ids[0], 99)).await;
    rig.command(Command::BatchCancel { batch: ids[2] }).await;
    let expected = [ids[4], ids[1], ids[3], ids[0]];
    let rig = rig.reopen().await;
    let Answer::Batches(batches) = rig.engine.query(Query::Batches).await.unwrap() else {
        panic!()
    };
    let open: Vec<_> = batches
        .iter()
        .filter(|b| b.rank > 0)
        .map(|b| (b.id, b.rank))
        .collect();
    let dense: Vec<_> = expected.into_iter().zip(1..).collect();
    assert_eq!(open, dense);
    assert_eq!(
        batches.last().unwrap().id,
        ids[2],
        "the ended one comes last"
    );
    assert_eq!(rig.refused(move_to(ids[2], 1)).await.code, Code::Conflict);
    assert_eq!(rig.refused(move_to(ids[1], 0)).await.code, Code::Invalid);
}

#[tokio::test]
async fn an_unsound_plan_is_refused_with_its_field() {
    type Change = fn(&mut BatchPlan);
    let rig = Rig::ready(5).await;
    let create = |change: Change| {
        let mut plan = plan(1);
        change(&mut plan);
        Command::BatchCreate(plan)
    };
    let rows: [(Change, &str, Code); 5] = [
        (|p| p.count = 0, "count", Code::Invalid),
        (|p| p.count = 1001, "count", Code::Invalid),
        (
            |p| p.product = "NONE".parse().unwrap(),
            "product",
            Code::NotFound,
        ),
        (
            |p| p.venue = "NONE".parse().unwrap(),
            "venue",
            Code::NotFound,
        ),
        (
            |p| p.image = Some(ImageId([9; 32])),
            "image",
            Code::NotFound,
        ),
    ];
    for (change, field, code) in rows {
        let refusal = rig.refused(create(change)).await;
        assert_eq!(
            (refusal.field.as_deref(), refusal.code),
            (Some(field), code),
            "{refusal}"
        );
    }
}

#[tokio::test]
async fn the_certificate_lists_every_finished_board_once() {
    let rig = Rig::with_batch(2).await;
    rig.finish(1).await;
    let batch = rig.tile(1).await.batch.unwrap();
    rig.command(Command::BoardApprove {
        board: BoardId::Pi(1),
    })
    .await;
    rig.finish(1).await;
    rig.fail(2).await;
    let Answer::Certificate(certificate) = rig
        .engine
        .query(Query::Certificate { batch })
        .await
        .unwrap()
    else {
        panic!()
    };
    let rows: Vec<_> = certificate
        .boards
        .iter()
        .map(|b| (b.board, b.attempt))
        .collect();
    assert_eq!(rows, [(BoardId::Pi(1), 2)]);
    assert_eq!(certificate.images.len(), 1);
    assert_eq!(certificate.batch.counters.done, 1);
}

/// What a technician might do, in any order.
#[derive(Debug, Clone)]
enum Deed {
    Ask(u32),
    Finish(u32),
    Fail(u32),
    Retry,
    Pause,
    Resume,
    Extend,
    Release(u32),
}

fn deeds() -> impl Strategy<Value = Deed> {
    prop_oneof![
        (1..6_u32).prop_map(Deed::Ask),
        (1..6_u32).prop_map(Deed::Finish),
        (1..6_u32).prop_map(Deed::Fail),
        Just(Deed::Retry),
        Just(Deed::Pause),
        Just(Deed::Resume),
        Just(Deed::Extend),
        (1..6_u32).prop_map(Deed::Release),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_happens_counters_add_up_and_no_name_is_doubled(
        run in prop::collection::vec(deeds(), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let rig = Rig::ready(12).await;
            let batch = rig.batch(3).await;
            for deed in run {
                let ask = |n| rig.engine.check_in(address(n), board(n));
                match deed {
                    Deed::Ask(n) => {
                        let _ = ask(n).await;
                    }
                    Deed::Finish(n) => {
                        if let Ok(Order::Provision(job)) = ask(n).await {
                            rig.report(&job, work()).await;
                        }
                    }
                    Deed::Fail(n) => {
                        if let Ok(Order::Provision(job)) = ask(n).await {
                            rig.report(&job, vec![(1, failed())]).await;
                        }
                    }
                    Deed::Retry => {
                        let _ = rig.engine.command(Command::BatchRetry { batch }).await;
                    }
                    Deed::Pause => {
                        let _ = rig.engine.command(Command::BatchPause { batch }).await;
                    }
                    Deed::Resume => {
                        let _ = rig.engine.command(Command::BatchResume { batch }).await;
                    }
                    Deed::Extend => {
                        let _ = rig.engine.command(Command::BatchExtend { batch, by: 1 }).await;
                    }
                    Deed::Release(n) => {
                        let release = Command::BoardRelease {
                            board: BoardId::Pi(n),
                            reason: "gone".to_owned(),
                        };
                        let _ = rig.engine.command(release).await;
                    }
                }
                let seen = rig.see_batch(batch).await;
                let c = seen.counters;
                prop_assert!(c.done + c.running + c.failed <= c.planned, "{c:?}");
                let complete = seen.state == BatchState::Completed;
                prop_assert_eq!(complete, c.done >= c.planned, "{:?}", seen);
            }
            let Answer::Names(names) =
                rig.engine.query(Query::Names(NameFilter::default())).await.unwrap()
            else {
                panic!()
            };
            let owners: Vec<_> = names
                .iter()
                .filter(|n| n.state == NameState::Assigned)
                .map(|n| n.board.unwrap())
                .collect();
            let mut distinct = owners.clone();
            distinct.sort();
            distinct.dedup();
            prop_assert_eq!(owners.len(), distinct.len());
            Ok(())
        })?;
    }
}
