//! The bench of a rehearsal beside the station, here and there. Its station is a real one; only boards
//! are missing.

use crate::rig::{PATIENCE, Rig, config};
use station::link::Station;
use station::rehearsal::{RehearsalStage, Rehearsals};
use station::service::{Mode, RunningStation, run};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio_stream::StreamExt as _;
use wire::command::Command;
use wire::query::{Answer, Query};
use wire::refusal::Code;
use wire::rehearsal::{RehearsalPlan, RehearsalState};
use wire::update::{Snapshot, Update};

/// Rehearses without boards.
struct Empty {
    runtime: Handle,
    stand: Mutex<Option<(RunningStation, TempDir, RehearsalStage)>>,
}

impl Rehearsals for Empty {
    fn models(&self) -> Vec<String> {
        vec!["pi5".to_owned()]
    }

    fn start(&self, _: RehearsalPlan, stage: RehearsalStage) {
        let folder = tempfile::tempdir().unwrap();
        let station = run(config(folder.path()), Mode::Rehearsal);
        let station = self.runtime.block_on(station).unwrap();
        stage.running(station.engine().clone());
        *self.stand.lock().unwrap() = Some((station, folder, stage));
    }

    fn stop(&self) {
        if let Some((station, _folder, _stage)) = self.stand.lock().unwrap().take() {
            self.runtime.block_on(station.stop());
        }
    }
}

fn rig() -> Rig {
    Rig::beside(|runtime| {
        Some(Arc::new(Empty {
            runtime: runtime.handle().clone(),
            stand: Mutex::default(),
        }))
    })
}

async fn until(station: &Station, is: fn(&RehearsalState) -> bool) {
    let mut watch = station.watch().await.unwrap();
    let mut now = Snapshot::default();
    while !now.rehearsal.as_ref().is_some_and(|r| is(&r.state)) {
        let update = tokio::time::timeout(PATIENCE, watch.next()).await;
        now.fold(update.unwrap().unwrap());
    }
}

async fn bench_is_watched_and_commanded(station: &Station) {
    let none = match station.rehearsal() {
        Ok(bench) => bench.watch().await.map(drop).unwrap_err(),
        Err(refusal) => refusal,
    };
    assert_eq!(none.code, Code::Unavailable);
    assert!(none.message.contains("No rehearsal"), "{none}");

    let start = Command::RehearsalStart(RehearsalPlan::default());
    station.command(start.clone()).await.unwrap();
    until(station, |state| *state == RehearsalState::Running).await;
    let bench = station.rehearsal().unwrap();
    let mut watch = bench.watch().await.unwrap();
    assert!(matches!(watch.next().await, Some(Update::Snapshot(all)) if all.is_rehearsal));
    let venue = Command::VenueAdd {
        code: "LOOP".parse().unwrap(),
        name: "Loopback".to_owned(),
        location: String::new(),
        contact: String::new(),
    };
    bench.command(venue).await.unwrap();
    let venues = async |of: &Station| match of.query(Query::Venues).await.unwrap() {
        Answer::Venues(venues) => venues.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!((venues(&bench).await, venues(station).await), (1, 0));

    // A rehearsal has none of its own.
    assert!(bench.rehearsal().is_err());
    let refusal = bench.command(start).await.unwrap_err();
    assert_eq!(refusal.code, Code::Unavailable, "{refusal}");

    station.command(Command::RehearsalStop).await.unwrap();
    until(station, |state| {
        matches!(state, RehearsalState::Stopped { .. })
    })
    .await;
    while watch.next().await.is_some() {}
    let gone = match station.rehearsal() {
        Ok(bench) => bench.query(Query::Venues).await.unwrap_err(),
        Err(refusal) => refusal,
    };
    assert_eq!(gone.code, Code::Unavailable);
}

#[test]
fn the_bench_is_watched_and_commanded_in_process() {
    let rig = rig();
    rig.wait(bench_is_watched_and_commanded(&rig.station().station()));
}

#[test]
fn the_bench_is_watched_and_commanded_from_another_process() {
    let rig = rig();
    let there = rig.wait(Station::attach(&rig.at.socket)).unwrap();
    rig.wait(bench_is_watched_and_commanded(&there));
}

#[test]
fn the_http_door_asks_for_the_token_before_the_bench_is_changed() {
    let rig = rig();
    let body = br#"{"command":"rehearsal_stop"}"#;
    let bare = rig.operator("POST /api/v1/rehearsal/command HTTP/1.1", body);
    assert_eq!(bare.status, 401);
    let head = format!(
        "POST /api/v1/rehearsal/command HTTP/1.1\r\nauthorization: Bearer {}",
        rig.token()
    );
    let nobody = rig.operator(&head, body);
    assert_eq!(nobody.status, 503);
    assert_eq!(nobody.json()["message"], "No rehearsal is running.");
    let watch = rig.operator("GET /api/v1/rehearsal/watch HTTP/1.1", b"");
    assert_eq!(watch.status, 503);
}
