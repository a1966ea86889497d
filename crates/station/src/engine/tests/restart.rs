//! The station stops and starts; the boards do not notice.

use super::super::OpenError;
use super::*;

#[tokio::test]
async fn boards_at_work_are_where_they_were_and_marked_until_heard() {
    let rig = Rig::with_batch(2).await;
    let job = rig.job(7).await;
    rig.report(&job, vec![(1, step(Stage::Writing))]).await;
    let rig = rig.reopen().await;
    let tile = rig.tile(7).await;
    assert_eq!(tile.stage, Stage::Writing);
    assert!(tile.stalled.unwrap().advice.contains("restarted"));
    assert_eq!(tile.hostname, Some(job.hostname.clone()));
    let ack = rig
        .report(
            &job,
            vec![(1, step(Stage::Writing)), (2, step(Stage::Verifying))],
        )
        .await;
    assert_eq!(ack.acked, 2);
    let tile = rig.tile(7).await;
    assert_eq!((tile.stage, tile.stalled), (Stage::Verifying, None));
    rig.report(&job, work()).await;
    assert_eq!(rig.tile(7).await.stage, Stage::Done);
}

#[tokio::test]
async fn a_board_that_asks_again_after_a_restart_gets_the_same_job() {
    let rig = Rig::with_batch(2).await;
    let job = rig.job(7).await;
    let rig = rig.reopen().await;
    assert_eq!(rig.job(7).await, job);
}

#[tokio::test]
async fn a_quiet_board_is_marked_with_advice_and_comes_back_by_itself() {
    let rig = Rig::with_batch(1).await;
    let job = rig.job(7).await;
    rig.report(&job, vec![(1, step(Stage::Writing))]).await;
    rig.pass(31_000);
    let stalled = async {
        loop {
            if let Some(stall) = rig.tile(7).await.stalled {
                return stall;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let stall = tokio::time::timeout(std::time::Duration::from_secs(20), stalled)
        .await
        .unwrap();
    assert!(stall.advice.contains("power"), "{}", stall.advice);
    assert_eq!(
        rig.tile(7).await.stage,
        Stage::Writing,
        "the tile shows where"
    );
    rig.report(&job, Vec::new()).await;
    assert_eq!(rig.tile(7).await.stalled, None);
    let kinds: Vec<_> = rig.events().await.into_iter().map(|e| e.kind).collect();
    assert!(kinds.contains(&"stalled".to_owned()) && kinds.contains(&"heard".to_owned()));
}

#[tokio::test]
async fn a_second_engine_on_the_same_folder_is_refused_with_words() {
    let rig = Rig::empty();
    let options = Options {
        data_dir: rig.folder.path().to_owned(),
        rehearsal: false,
    };
    let error = Engine::open(options).unwrap_err();
    assert!(matches!(error, OpenError::Store(_)));
    let words = error.to_string();
    assert!(words.contains("in use by another Punnet"), "{words}");
    assert!(words.contains(&std::process::id().to_string()), "{words}");
}

#[tokio::test]
async fn an_engine_that_hangs_does_not_answer() {
    let rig = Rig::empty();
    assert!(rig.engine.answers().await);
    let (let_go, held) = std::sync::mpsc::channel::<()>();
    let (tell, hangs) = tokio::sync::oneshot::channel();
    let engine = rig.engine.clone();
    let hanging = tokio::spawn(async move {
        let hang = move |_: &mut crate::engine::turn::Turn<'_>| {
            let _ = tell.send(());
            let _ = held.recv();
            Ok(())
        };
        engine.work(hang).await
    });
    hangs.await.unwrap();
    let mut answers = std::pin::pin!(rig.engine.answers());
    assert_eq!(futures_lite::future::poll_once(&mut answers).await, None);
    drop(let_go);
    assert!(answers.await);
    hanging.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_panic_in_one_piece_of_work_changes_nothing_and_ends_nothing() {
    let rig = Rig::with_batch(2).await;
    let broken: Result<(), _> = rig
        .engine
        .work(|turn| {
            turn.tx
                .execute("DELETE FROM names WHERE state = 'reserved'", [])
                .unwrap();
            panic!("a bug");
        })
        .await;
    assert_eq!(broken.unwrap_err().code, Code::Internal);
    assert_eq!(rig.job(7).await.hostname, host("KXP2-CORO-001"));
}
