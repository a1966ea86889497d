//! A board is one board, however often it asks.

use super::*;

#[tokio::test]
async fn asking_three_times_gives_the_same_job() {
    let rig = Rig::with_batch(3).await;
    let first = rig.job(7).await;
    assert_eq!(first.hostname, host("KXP2-CORO-001"));
    for _ in 0..2 {
        assert_eq!(rig.job(7).await, first, "secret and deployment included");
    }
    assert_eq!(rig.history_of(7).await.len(), 1);
    assert_eq!(rig.job(8).await.hostname, host("KXP2-CORO-002"));
}

#[tokio::test]
async fn a_restarted_board_keeps_its_name_and_counts_an_attempt() {
    let rig = Rig::with_batch(3).await;
    let first = rig.job(7).await;
    rig.report(&first, vec![(1, step(Stage::Writing))]).await;
    let unfinished = DiskContent::Unfinished {
        deployment: first.deployment.clone(),
    };
    let Order::Provision(second) = rig.ask(rebooted(7, 2, unfinished)).await else {
        panic!("no job");
    };
    assert_eq!(second.hostname, first.hostname);
    assert_ne!(second.deployment, first.deployment);
    let rows = rig.history_of(7).await;
    let seen: Vec<_> = rows.iter().map(|r| (r.attempt, r.stage)).collect();
    assert_eq!(seen, [(2, Stage::Assigned), (1, Stage::Failed)]);
    assert!(
        rows[1].error.as_deref().unwrap().starts_with("restarted"),
        "{rows:?}"
    );
    let tile = rig.tile(7).await;
    assert_eq!((tile.attempt, tile.stage), (2, Stage::Assigned));
    assert_eq!(rig.see_batch(tile.batch.unwrap()).await.counters.failed, 0);
}

#[tokio::test]
async fn a_power_cut_after_the_partition_table_was_written_is_no_foreign_system() {
    let rig = Rig::with_batch(1).await;
    let first = rig.job(7).await;
    let up_to_finishing = work().into_iter().take(5).collect();
    rig.report(&first, up_to_finishing).await;
    let Order::Provision(second) = rig.ask(rebooted(7, 2, system())).await else {
        panic!("held for our own work");
    };
    assert!(second.overwrite);
    assert_eq!(second.hostname, first.hostname);
}

#[tokio::test]
async fn another_card_in_a_restarted_board_is_held() {
    let rig = Rig::with_batch(1).await;
    let job = rig.job(7).await;
    rig.report(&job, vec![(1, step(Stage::Writing))]).await;
    let mut other = rebooted(7, 2, system());
    other.inventory.disks[0].serial = "0x9999".to_owned();
    let order = rig.ask(other).await;
    assert!(
        matches!(
            &order,
            Order::Wait {
                hold: Hold::DiskHoldsSystem { .. },
                ..
            }
        ),
        "{order:?}"
    );
    assert_eq!(rig.name("KXP2-CORO-001").await.board, Some(BoardId::Pi(7)));
    // The blank card is put back: it goes on by itself, under its name.
    let Order::Provision(job) = rig.ask(rebooted(7, 3, DiskContent::Blank)).await else {
        panic!("still held");
    };
    assert_eq!(job.hostname, host("KXP2-CORO-001"));
}

#[tokio::test]
async fn a_board_that_never_stops_restarting_is_given_up() {
    let rig = Rig::with_batch(1).await;
    for boot in 1..=10 {
        rig.ask(rebooted(7, boot, DiskContent::Blank)).await;
    }
    let order = rig.ask(rebooted(7, 11, DiskContent::Blank)).await;
    assert!(matches!(&order, Order::Wait { words, .. } if words.contains("power supply")));
    assert_eq!(rig.tile(7).await.stage, Stage::Failed);
}

#[tokio::test]
async fn without_tokens_a_board_that_has_reported_is_known_to_have_restarted() {
    let rig = Rig::with_batch(2).await;
    let tokenless = || {
        let mut check_in = board(7);
        check_in.token = None;
        check_in
    };
    let Order::Provision(first) = rig.ask(tokenless()).await else {
        panic!("no job")
    };
    let Order::Provision(again) = rig.ask(tokenless()).await else {
        panic!("no job")
    };
    assert_eq!(first, again, "the answer was lost, nothing else");
    rig.report(&first, vec![(1, step(Stage::Writing))]).await;
    let Order::Provision(anew) = rig.ask(tokenless()).await else {
        panic!("no job")
    };
    assert_ne!(anew.deployment, first.deployment);
    assert_eq!(anew.hostname, first.hostname);
    assert_eq!(
        rig.report(&anew, work()).await.acked,
        6,
        "it counts from 1 again"
    );
    assert_eq!(rig.tile(7).await.stage, Stage::Done);
}

#[tokio::test]
async fn two_boards_with_equal_ends_are_not_merged() {
    let rig = Rig::with_batch(2).await;
    let first = rig.job(7).await;
    let mut twin = board(7);
    twin.inventory.serial = Some(Serial(0x1111_1111_0000_0007));
    for _ in 0..3 {
        let order = rig.ask(twin.clone()).await;
        assert!(
            matches!(
                &order,
                Order::Wait {
                    hold: Hold::IdentityConflict { .. },
                    ..
                }
            ),
            "{order:?}"
        );
    }
    let tile = rig.tile(7).await;
    assert_eq!(tile.stage, Stage::Assigned, "the first one is left alone");
    assert_eq!(tile.hostname, Some(first.hostname));
    let events = rig.events().await;
    let told = events.iter().filter(|e| e.kind == "identity.conflict");
    assert_eq!(told.count(), 1, "told once, not at every request");
}

#[tokio::test]
async fn an_inventory_that_contradicts_itself_is_refused() {
    let rig = Rig::with_batch(1).await;
    let mut liar = board(7);
    liar.inventory.serial = Some(Serial(0x8));
    let refusal = rig.engine.check_in(address(1), liar).await.unwrap_err();
    assert_eq!(refusal.code, Code::Invalid);
    let mut nobody = board(0);
    nobody.inventory.serial = None;
    assert!(rig.engine.check_in(address(1), nobody).await.is_err());
    assert!(rig.history(HistoryFilter::default()).await.is_empty());
}
