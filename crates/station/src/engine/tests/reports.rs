//! Reports: nothing lost, nothing twice, nothing done that was not read back.

use super::*;
use wire::board::{Limit, Progress};

#[tokio::test]
async fn a_board_walks_through_its_stages_and_is_confirmed_by_its_first_boot() {
    let rig = Rig::with_batch(1).await;
    rig.engine
        .set_station_url("http://192.168.151.1:5001/".to_owned());
    let job = rig.job(7).await;
    let call = job.personalise.hello.as_ref().unwrap();
    assert_eq!(call.url, "http://192.168.151.1:5001/agent/v1/hello");
    for (seq, event) in work() {
        let expected = match &event {
            AgentEvent::Step { stage, .. } => *stage,
            _ => Stage::Done,
        };
        assert_eq!(rig.report(&job, vec![(seq, event)]).await.acked, seq);
        assert_eq!(rig.tile(7).await.stage, expected);
    }
    let row = rig.history_of(7).await.remove(0);
    assert_eq!(row.verified, Some(VerifyLevel::FullReadBack));
    assert_eq!(
        (row.bytes_read_back, row.bytes_received),
        (5_000_000, 1_000)
    );
    assert_eq!(row.transport.as_deref(), Some("http"));
    assert!(rig.hello(&job, "kxp2-coro-001").await.confirmed);
    assert!(
        rig.hello(&job, "KXP2-CORO-001").await.confirmed,
        "saying it again is fine"
    );
    assert_eq!(rig.tile(7).await.stage, Stage::FirstBootConfirmed);
    let row = rig.history_of(7).await.remove(0);
    assert_eq!(row.stage, Stage::FirstBootConfirmed);
    assert!(row.confirmed.is_some());
}

#[tokio::test]
async fn a_system_under_a_wrong_name_is_not_confirmed() {
    let rig = Rig::with_batch(1).await;
    rig.engine.set_station_url("http://x".to_owned());
    let job = rig.finish(7).await;
    assert!(!rig.hello(&job, "raspberrypi").await.confirmed);
    assert_eq!(rig.tile(7).await.stage, Stage::Done);
    assert!(
        rig.events()
            .await
            .iter()
            .any(|e| e.kind == "hello.wrong_name")
    );
    let unknown = Hello {
        secret: "guessed".to_owned(),
        hostname: "KXP2-CORO-001".to_owned(),
        machine_id: None,
    };
    assert_eq!(
        rig.engine.hello(unknown).await.unwrap_err().code,
        Code::Forbidden
    );
}

#[tokio::test]
async fn a_report_sent_twice_is_stored_once() {
    let rig = Rig::with_batch(1).await;
    let job = rig.job(7).await;
    let events = vec![
        (1, step(Stage::Writing)),
        (
            2,
            AgentEvent::Log {
                line: "hello\u{7}".to_owned(),
            },
        ),
    ];
    for _ in 0..3 {
        assert_eq!(rig.report(&job, events.clone()).await.acked, 2);
    }
    let logged: Vec<_> = rig
        .events()
        .await
        .into_iter()
        .filter(|e| e.kind == "agent.log")
        .collect();
    assert_eq!(logged.len(), 1);
    assert_eq!(logged[0].text, "hello");
    let ack = rig.report(&job, vec![(4, step(Stage::Verifying))]).await;
    assert_eq!(ack.acked, 2, "3 is missing, so 4 is not taken");
    assert_eq!(rig.tile(7).await.stage, Stage::Writing);
    rig.report(&job, work().into_iter().skip(2).collect()).await;
    assert_eq!(
        rig.report(&job, work()).await.acked,
        6,
        "after the end, too"
    );
    assert_eq!(rig.tile(7).await.stage, Stage::Done);
}

#[tokio::test]
async fn done_without_all_of_the_image_read_back_is_a_failure() {
    let rig = Rig::with_batch(2).await;
    // The image has one chunk of data, of 4 MiB.
    let rows = [
        (7, 0, "read nothing back"),
        (
            8,
            4_194_303,
            "read back 4194303 bytes from its disk where its image has 4194304",
        ),
    ];
    for (n, bytes_read_back, words) in rows {
        let job = rig.job(n).await;
        let short = Outcome {
            bytes_read_back,
            ..outcome()
        };
        let ack = rig.report(&job, vec![(1, AgentEvent::Done(short))]).await;
        assert!(ack.stop.is_some());
        let tile = rig.tile(n).await;
        assert_eq!(tile.stage, Stage::Failed);
        let what = tile.failure.unwrap().what;
        assert!(what.contains(words), "{what}");
    }
}

#[tokio::test]
async fn a_stranger_cannot_report() {
    let rig = Rig::with_batch(1).await;
    let job = rig.job(7).await;
    let mut forged = report(&job, work());
    forged.secret = "0".repeat(32);
    let refusal = rig.engine.report(forged).await.unwrap_err();
    assert_eq!(refusal.code, Code::Forbidden);
    let mut unknown = report(&job, work());
    unknown.deployment = "01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned();
    let refusal = rig.engine.report(unknown).await.unwrap_err();
    assert_eq!(refusal.code, Code::NotFound);
    assert!(refusal.message.contains("unknown deployment"), "{refusal}");
    assert_eq!(rig.tile(7).await.stage, Stage::Assigned);
}

#[tokio::test]
async fn a_failed_board_waits_for_a_retry_and_keeps_its_name() {
    let rig = Rig::with_batch(2).await;
    let job = rig.fail(7).await;
    let tile = rig.tile(7).await;
    assert_eq!(tile.failure.unwrap().next, "Replace the card.");
    assert_eq!(rig.held(7).await, Hold::NeedsApproval);
    assert_eq!(
        rig.tile(7).await.stage,
        Stage::Failed,
        "its tile still says what went wrong"
    );
    rig.command(Command::BoardRetry {
        board: BoardId::Pi(7),
    })
    .await;
    let again = rig.job(7).await;
    assert_eq!(again.hostname, job.hostname);
    rig.report(&again, work()).await;
    let batch = rig.see_batch(rig.tile(7).await.batch.unwrap()).await;
    assert_eq!((batch.counters.done, batch.counters.failed), (1, 0));
    let rows = rig.history_of(7).await;
    let outcomes: Vec<_> = rows.iter().map(|r| (r.attempt, r.stage)).collect();
    assert_eq!(outcomes, [(2, Stage::Done), (1, Stage::Failed)]);
}

#[tokio::test]
async fn the_agent_of_an_older_attempt_is_stopped() {
    let rig = Rig::with_batch(1).await;
    let old = rig.job(7).await;
    rig.ask(rebooted(7, 2, DiskContent::Blank)).await;
    let ack = rig.report(&old, work()).await;
    assert!(ack.stop.is_some());
    assert_eq!(ack.acked, 6, "it may forget");
    assert_eq!(rig.tile(7).await.stage, Stage::Assigned);
}

#[tokio::test]
async fn a_led_blinks_with_the_next_answer_and_only_once() {
    let rig = Rig::with_batch(1).await;
    let job = rig.job(7).await;
    let blink = Command::BoardIdentify {
        board: BoardId::Pi(7),
        seconds: 5,
    };
    rig.command(blink).await;
    assert_eq!(rig.report(&job, Vec::new()).await.identify_s, 5);
    assert_eq!(rig.report(&job, Vec::new()).await.identify_s, 0);
}

#[tokio::test]
async fn progress_is_shown_and_costs_no_write() {
    let rig = Rig::with_batch(1).await;
    let job = rig.job(7).await;
    rig.report(&job, vec![(1, step(Stage::Writing))]).await;
    let events = rig.events().await.len();
    for done in 1..=50 {
        let mut with = report(&job, Vec::new());
        let progress = Progress {
            done: done * 10,
            total: 500,
            rate: 10,
            limit: Limit::Disk,
        };
        with.progress = Some((Stage::Writing, progress));
        rig.engine.report(with).await.unwrap();
        rig.pass(600);
    }
    assert_eq!(rig.tile(7).await.progress.unwrap().done, 500);
    assert_eq!(rig.events().await.len(), events);
}
