//! A screen that folds the watch shows the truth, however late it looks.

use super::*;
use tokio_stream::StreamExt as _;
use wire::update::{Snapshot, Update};

/// Folds what has come so far, until the stream has nothing more.
async fn fold(stream: &mut (impl tokio_stream::Stream<Item = Update> + Unpin)) -> Snapshot {
    let mut screen = Snapshot::default();
    let mut first = true;
    while let Ok(Some(update)) =
        tokio::time::timeout(std::time::Duration::from_millis(200), stream.next()).await
    {
        assert!(
            !first || matches!(update, Update::Snapshot(_)),
            "a snapshot comes first"
        );
        first = false;
        screen.fold(update);
    }
    screen
}

fn alike(mut screen: Snapshot, mut truth: Snapshot) {
    screen.at = Millis(0);
    truth.at = Millis(0);
    assert_eq!(screen, truth);
}

async fn fresh(rig: &Rig) -> Snapshot {
    let mut stream = rig.engine.watch();
    match stream.next().await {
        Some(Update::Snapshot(snapshot)) => *snapshot,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn folding_every_update_gives_the_stations_state() {
    let rig = Rig::ready(9).await;
    let mut stream = rig.engine.watch();
    let a = rig.batch(2).await;
    let b = rig.batch(3).await;
    rig.command(Command::BatchReorder { batch: b, rank: 1 })
        .await;
    rig.discover(1).await;
    rig.finish(1).await;
    rig.fail(2).await;
    rig.job(3).await;
    rig.image("KXP2", 2).await.unwrap();
    rig.command(Command::BatchCancel { batch: a }).await;
    rig.command(Command::BoardRelease {
        board: BoardId::Pi(1),
        reason: "sold".to_owned(),
    })
    .await;
    let screen = fold(&mut stream).await;
    assert!(!screen.boards.iter().any(|b| b.id == BoardId::Pi(1)));
    alike(screen, fresh(&rig).await);
}

#[tokio::test]
async fn a_reader_that_falls_behind_gets_a_fresh_snapshot() {
    let rig = Rig::ready(1).await;
    let mut stream = rig.engine.watch();
    let venue = |name: String| Command::VenueEdit {
        code: "CORO".parse().unwrap(),
        name: Some(name),
        location: None,
        contact: None,
    };
    for n in 0..1500 {
        rig.command(venue(format!("venue {n}"))).await;
    }
    rig.held(7).await;
    let mut snapshots = 0;
    let mut screen = Snapshot::default();
    while let Ok(Some(update)) =
        tokio::time::timeout(std::time::Duration::from_millis(200), stream.next()).await
    {
        snapshots += u32::from(matches!(update, Update::Snapshot(_)));
        screen.fold(update);
    }
    assert!(snapshots >= 2, "it was behind by more than the line holds");
    alike(screen, fresh(&rig).await);
}

#[tokio::test]
async fn progress_comes_at_most_twice_a_second_and_the_newest_is_not_lost() {
    let rig = Rig::with_batch(1).await;
    let job = rig.job(7).await;
    rig.report(&job, vec![(1, step(Stage::Writing))]).await;
    let mut stream = rig.engine.watch();
    stream.next().await;
    for done in 1..=100 {
        let mut with = report(&job, Vec::new());
        let progress = wire::board::Progress {
            done,
            total: 100,
            rate: 1,
            limit: wire::board::Limit::Disk,
        };
        with.progress = Some((Stage::Writing, progress));
        rig.engine.report(with).await.unwrap();
        rig.pass(10);
    }
    rig.pass(1000);
    let mut told = Vec::new();
    while let Ok(Some(update)) =
        tokio::time::timeout(std::time::Duration::from_millis(900), stream.next()).await
    {
        if let Update::Board(tile) = update {
            told.extend(tile.progress.map(|p| p.done));
        }
    }
    assert!(told.len() <= 5, "{told:?}");
    assert_eq!(told.last(), Some(&100));
}

#[tokio::test]
async fn a_watch_ends_with_the_engine() {
    let rig = Rig::ready(1).await;
    let mut stream = rig.engine.watch();
    let other = rig.engine.clone();
    rig.engine.close().await;
    while stream.next().await.is_some() {}
    let refusal = other.command(import("1", true)).await.unwrap_err();
    assert_eq!(refusal.code, Code::Unavailable);
}
