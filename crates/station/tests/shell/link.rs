//! One suite, two worlds: the handle behaves the same whether the engine is here or there.

use crate::rig::Rig;
use station::link::Station;
use tokio_stream::StreamExt as _;
use wire::command::{Command, Receipt};
use wire::query::{Answer, Query};
use wire::refusal::Code;
use wire::update::{Snapshot, Update};

fn both(test: &impl AsyncFn(&Rig, &Station)) {
    let rig = Rig::new();
    rig.wait(test(&rig, &rig.station().station()));
    let rig = Rig::new();
    let there = rig.wait(Station::attach(&rig.at.socket)).unwrap();
    assert!(matches!(there, Station::There(_)));
    rig.wait(test(&rig, &there));
}

fn venue(code: &str) -> Command {
    Command::VenueAdd {
        code: code.parse().unwrap(),
        name: "A \"quoted\" näme".to_owned(),
        location: String::new(),
        contact: String::new(),
    }
}

#[test]
fn a_change_gives_its_receipt_and_can_be_asked_about() {
    both(&async |_, station| {
        let receipt = station.command(venue("CORO")).await.unwrap();
        assert!(matches!(receipt, Receipt::Venue(v) if v.name == "A \"quoted\" näme"));
        let Answer::Venues(venues) = station.query(Query::Venues).await.unwrap() else {
            panic!("another answer")
        };
        assert_eq!(venues.len(), 1);
    });
}

#[test]
fn a_refusal_arrives_whole() {
    both(&async |_, station| {
        station.command(venue("CORO")).await.unwrap();
        let refusal = station.command(venue("CORO")).await.unwrap_err();
        assert_eq!(refusal.code, Code::Conflict);
        assert_eq!(refusal.field.as_deref(), Some("code"));
        assert!(refusal.message.contains("CORO"), "{refusal}");
        let unknown = station.query(Query::Unknown).await.unwrap_err();
        assert_eq!(unknown.code, Code::Invalid);
    });
}

#[test]
fn folding_the_watch_gives_the_stations_state() {
    both(&async |rig, station| {
        let mut watch = station.watch().await.unwrap();
        let mut folded = Snapshot::default();
        let first = watch.next().await.unwrap();
        assert!(matches!(first, Update::Snapshot(_)));
        folded.fold(first);
        assert_eq!(folded.protocol, wire::PROTOCOL);
        for number in 0..50 {
            rig.station()
                .engine()
                .findings_changed(vec![wire::health::Finding {
                    check: "test".to_owned(),
                    level: wire::event::Level::Info,
                    text: number.to_string(),
                    next: None,
                    at: wire::Millis(number),
                }]);
        }
        while folded.findings.first().is_none_or(|f| f.text != "49") {
            folded.fold(watch.next().await.unwrap());
        }
        let mut fresh = station.watch().await.unwrap();
        let Some(Update::Snapshot(now)) = fresh.next().await else {
            panic!("no snapshot")
        };
        assert_eq!(now.findings, folded.findings);
        assert_eq!(now.servers.len(), 3);
    });
}

#[test]
fn a_station_that_is_gone_is_said_to_be() {
    let mut rig = Rig::new();
    let there = rig.wait(Station::attach(&rig.at.socket)).unwrap();
    let socket = rig.at.socket.clone();
    rig.stop();
    let refusal = rig.wait(there.query(Query::Venues)).unwrap_err();
    assert_eq!(refusal.code, Code::Unavailable);
    let nobody = rig.wait(Station::attach(&socket)).unwrap_err();
    assert!(nobody.to_string().contains("punnet.sock"), "{nobody}");
}
