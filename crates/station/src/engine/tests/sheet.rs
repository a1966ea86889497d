//! The sheet of a board says what happened to it, also after the station was restarted.

use super::*;
use netboot::tftp::{TftpEvent, What};
use wire::board::{Limit, Progress};
use wire::sheet::Sheet;

async fn sheet(rig: &Rig, n: u32) -> Sheet {
    let board = BoardId::Pi(n);
    match rig.engine.query(Query::Sheet { board }).await.unwrap() {
        Answer::Sheet(sheet) => *sheet,
        other => panic!("{other:?}"),
    }
}

async fn fetch(rig: &Rig, n: u32, path: &str, what: What) {
    rig.engine.tftp(TftpEvent {
        client: (address(n), 1024).into(),
        transfer: 1,
        path: path.to_owned(),
        what,
    });
    rig.caught_up().await;
}

/// Board `n` boots over the network, a second for each stretch.
async fn boot(rig: &Rig, n: u32) {
    rig.discover(n).await;
    rig.pass(1000);
    rig.lease(n).await;
    rig.pass(1000);
    let size = 100;
    fetch(rig, n, "00000007/kernel_2712.img", What::Started { size }).await;
    rig.pass(1000);
}

fn stretches(sheet: &Sheet) -> Vec<(Stage, i64)> {
    let began = |s: &wire::sheet::Step| (s.stage, s.began.0 - 1_000_000);
    sheet.timeline.iter().map(began).collect()
}

async fn progress(rig: &Rig, job: &Job, stage: Stage, done: u64) {
    let mut with = report(job, Vec::new());
    let progress = Progress {
        done,
        total: 100,
        rate: done * 1000,
        limit: Limit::Disk,
    };
    with.progress = Some((stage, progress));
    rig.engine.report(with).await.unwrap();
}

#[tokio::test]
async fn the_way_from_the_first_packet_to_the_first_boot_survives_a_restart() {
    let rig = Rig::with_batch(1).await;
    rig.engine
        .set_station_url("http://192.168.151.1:5001".to_owned());
    boot(&rig, 7).await;
    let job = rig.job(7).await;
    let names = [
        Stage::PreparingStorage,
        Stage::Writing,
        Stage::Verifying,
        Stage::Personalising,
        Stage::Finishing,
    ];
    for (seq, stage) in (1..).zip(names) {
        rig.pass(1000);
        let detail = Some(format!("step {seq}"));
        rig.report(&job, vec![(seq, AgentEvent::Step { stage, detail })])
            .await;
        for done in [0, 40, 100] {
            progress(&rig, &job, stage, done).await;
        }
    }
    rig.pass(1000);
    rig.report(&job, vec![(6, AgentEvent::Done(outcome()))])
        .await;
    rig.pass(1000);
    rig.hello(&job, "KXP2-CORO-001").await;
    let rig = rig.reopen().await;
    let sheet = sheet(&rig, 7).await;
    let expected = [
        (Stage::Seen, 0),
        (Stage::Addressed, 1000),
        (Stage::LoadingBootFiles, 2000),
        (Stage::CheckedIn, 3000),
        (Stage::Assigned, 3000),
        (Stage::PreparingStorage, 4000),
        (Stage::Writing, 5000),
        (Stage::Verifying, 6000),
        (Stage::Personalising, 7000),
        (Stage::Finishing, 8000),
        (Stage::Done, 9000),
        (Stage::FirstBootConfirmed, 10_000),
    ];
    assert_eq!(stretches(&sheet), expected);
    let details: Vec<_> = sheet.timeline.iter().map(|s| s.detail.as_deref()).collect();
    assert_eq!(details[1], Some(address(7).to_string().as_str()));
    assert_eq!(details[2], Some("00000007/kernel_2712.img"));
    assert_eq!(details[3], Some("agent 0.1.0"));
    assert_eq!(details[6], Some("step 2"));
    assert!(sheet.timeline.iter().all(|s| s.ended.is_some()));
    let written: Vec<_> = sheet.curve.write.iter().map(|s| (s.at, s.rate)).collect();
    assert_eq!(written, [(0, 0), (40, 40_000), (100, 100_000)]);
    assert_eq!(sheet.curve.read.len(), 3);
    assert_eq!(sheet.inventory.unwrap().ram_mib, 8192);
    assert_eq!(sheet.deployments.len(), 1);
    assert!(sheet.advice.is_empty(), "{:?}", sheet.advice);
}

#[tokio::test]
async fn a_board_under_way_shows_how_far_it_is() {
    let rig = Rig::with_batch(1).await;
    boot(&rig, 7).await;
    let early = sheet(&rig, 7).await;
    let last = early.timeline.last().unwrap();
    assert_eq!((last.stage, last.ended), (Stage::LoadingBootFiles, None));
    assert_eq!(last.detail.as_deref(), Some("00000007/kernel_2712.img"));
    let job = rig.job(7).await;
    rig.report(&job, vec![(1, step(Stage::Writing))]).await;
    progress(&rig, &job, Stage::Writing, 30).await;
    let now = sheet(&rig, 7).await;
    let last = now.timeline.last().unwrap();
    assert_eq!((last.stage, last.ended), (Stage::Writing, None));
    assert_eq!(now.curve.write.len(), 1, "it is told before it is stored");
}

#[tokio::test]
async fn a_second_boot_follows_the_failed_attempt_before_it() {
    let rig = Rig::with_batch(1).await;
    boot(&rig, 7).await;
    rig.fail(7).await;
    rig.pass(60_000);
    let board = BoardId::Pi(7);
    rig.command(Command::BoardRetry { board }).await;
    rig.discover(7).await;
    let stages: Vec<_> = stretches(&sheet(&rig, 7).await);
    let tail = [
        (Stage::Writing, 3000),
        (Stage::Failed, 3000),
        (Stage::Seen, 63_000),
    ];
    assert_eq!(stages[stages.len() - 3..], tail);
}

#[tokio::test]
async fn the_tile_says_the_first_of_what_the_sheet_says() {
    let rig = Rig::with_batch(1).await;
    rig.discover(7).await;
    rig.engine.dhcp(DhcpEvent::Rival {
        server: [192, 168, 1, 1].into(),
        mac: None,
        client: Some(mac(7)),
        how: format!("{} accepted an address from 192.168.1.1", mac(7)),
    });
    rig.caught_up().await;
    rig.pass(40_000);
    let looked = rig.engine.at_desk(|desk| {
        desk.tick();
        Ok(())
    });
    looked.await.unwrap();
    let sheet = sheet(&rig, 7).await;
    let first = &sheet.advice[0];
    assert_eq!(first.rule, "rival_answered");
    let mark = sheet.board.stalled.unwrap();
    assert_eq!(mark.advice, format!("{} {}", first.observed, first.next));
    let events = rig.events().await;
    let rival = events.iter().find(|e| e.kind == "dhcp.rival").unwrap();
    assert_eq!(rival.board, Some(BoardId::Pi(7)));
}

#[tokio::test]
async fn the_newest_state_of_the_power_is_known_without_a_write_for_each_check_in() {
    let rig = Rig::ready(1).await;
    for (throttled, celsius) in [(0, 40), (0, 41), (0x1_0001, 42)] {
        let mut check_in = board(7);
        check_in.inventory.throttled = Some(throttled);
        check_in.inventory.temperature_millicelsius = Some(celsius * 1000);
        rig.ask(check_in).await;
    }
    let said = sheet(&rig, 7).await;
    assert_eq!(
        said.inventory.unwrap().temperature_millicelsius,
        Some(42_000)
    );
    let rules: Vec<_> = said.advice.iter().map(|a| a.rule.as_str()).collect();
    assert_eq!(rules, ["held", "under_voltage"]);
    let rig = rig.reopen().await;
    let kept = sheet(&rig, 7).await.inventory.unwrap();
    assert_eq!(kept.throttled, Some(0x1_0001), "under-voltage is kept");
}

#[tokio::test]
async fn a_board_that_nobody_knows_has_no_sheet() {
    let rig = Rig::empty();
    let board = BoardId::Pi(9);
    let refusal = rig.engine.query(Query::Sheet { board }).await.unwrap_err();
    assert_eq!(
        (refusal.code, refusal.field.as_deref()),
        (Code::NotFound, Some("board"))
    );
}
