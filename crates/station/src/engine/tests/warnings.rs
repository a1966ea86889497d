//! Preferences, and what the station says by itself because of them.

use super::*;
use tokio_stream::StreamExt as _;
use wire::settings::Preferences;
use wire::update::{Snapshot, Update};

async fn snapshot(rig: &Rig) -> Snapshot {
    match rig.engine.watch().next().await {
        Some(Update::Snapshot(snapshot)) => *snapshot,
        other => panic!("{other:?}"),
    }
}

async fn prefer(rig: &Rig, preferences: Preferences) {
    rig.command(Command::PreferencesSet(preferences)).await;
}

async fn said(rig: &Rig, kind: &str) -> Vec<Event> {
    let events = rig.events().await.into_iter();
    events.filter(|e| e.kind == kind).collect()
}

#[tokio::test]
async fn preferences_are_kept_and_told() {
    let rig = Rig::empty();
    assert_eq!(snapshot(&rig).await.preferences, Preferences::default());
    let mut stream = rig.engine.watch();
    stream.next().await;
    let quiet = Preferences {
        quiet: true,
        names_low: 9,
        disk_low: 1,
    };
    prefer(&rig, quiet.clone()).await;
    assert_eq!(
        stream.next().await,
        Some(Update::Preferences(quiet.clone()))
    );
    let rig = rig.reopen().await;
    assert_eq!(snapshot(&rig).await.preferences, quiet);
    assert!(!snapshot(&rig).await.is_rehearsal);
    let refusal = rig
        .refused(Command::PreferencesSet(Preferences {
            names_low: 10_000,
            ..quiet
        }))
        .await;
    assert_eq!(refusal.field.as_deref(), Some("names_low"));
}

#[tokio::test]
async fn whoever_shows_plans_is_told_that_they_changed() {
    let rig = Rig::ready(3).await;
    let batch = rig.batch(1).await;
    let mut stream = rig.engine.watch();
    stream.next().await;
    let mut plans = 0;
    rig.venue("ARIA").await;
    rig.import("4-5").await;
    rig.command(Command::BatchExtend { batch, by: 1 }).await;
    rig.job(7).await;
    let told = async {
        while let Some(update) = stream.next().await {
            plans += u32::from(update == Update::Plans);
            if plans == 4 {
                return;
            }
        }
    };
    let waited = tokio::time::timeout(std::time::Duration::from_secs(20), told).await;
    assert!(
        waited.is_ok(),
        "only {plans} of venue, names, batch and claim"
    );
}

#[tokio::test]
async fn a_pool_that_runs_low_is_said_once_per_crossing() {
    let rig = Rig::ready(7).await;
    assert_eq!(said(&rig, "names.low").await.len(), 0, "no batch uses them");
    let batch = rig.batch(2).await;
    assert_eq!(said(&rig, "names.low").await.len(), 0, "5 of 5 are left");
    rig.command(Command::BatchExtend { batch, by: 1 }).await;
    let first = said(&rig, "names.low").await;
    assert_eq!((first.len(), first[0].batch), (1, Some(batch)));
    assert!(first[0].text.contains("Only 4 KXP2"), "{}", first[0].text);
    rig.command(Command::BatchExtend { batch, by: 1 }).await;
    let rig = rig.reopen().await;
    rig.command(Command::BatchExtend { batch, by: 1 }).await;
    assert_eq!(said(&rig, "names.low").await.len(), 1);
    rig.import("8-20").await;
    rig.command(Command::BatchExtend { batch, by: 12 }).await;
    assert_eq!(
        said(&rig, "names.low").await.len(),
        2,
        "it was filled between"
    );
}

#[tokio::test]
async fn a_disk_with_little_room_is_said_once() {
    let rig = Rig::empty();
    let demand = |disk_low| Preferences {
        disk_low,
        ..Preferences::default()
    };
    prefer(&rig, demand(1)).await;
    rig.engine.query(Query::Ready).await.unwrap();
    assert_eq!(said(&rig, "disk.low").await.len(), 0);
    prefer(&rig, demand(1_000_000_000_000_000)).await;
    for _ in 0..3 {
        rig.engine.query(Query::Ready).await.unwrap();
    }
    assert_eq!(said(&rig, "disk.low").await.len(), 1);
}

#[tokio::test]
async fn a_place_is_kept_with_its_board() {
    let rig = Rig::with_batch(1).await;
    rig.job(7).await;
    let place = |text: &str| Command::BoardPlace {
        board: BoardId::Pi(7),
        place: text.to_owned(),
    };
    rig.command(place(" switch 1, port 14 ")).await;
    let rig = rig.reopen().await;
    assert_eq!(
        rig.tile(7).await.place.as_deref(),
        Some("switch 1, port 14")
    );
    let refusal = rig.refused(place(&"x".repeat(33))).await;
    assert_eq!(refusal.field.as_deref(), Some("place"));
    rig.command(place("")).await;
    assert_eq!(rig.tile(7).await.place, None);
}
