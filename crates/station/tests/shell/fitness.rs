//! Is the station fit? What the plans and the library can be short of; the cable, the disk and the
//! database are tested where there are namespaces.

use crate::rig::{PATIENCE, Rig};
use station::store::{Store, names};
use std::net::Ipv4Addr;
use std::time::Instant;
use wire::Millis;
use wire::command::Command;
use wire::health::{Ready, ServerKind, ServerState, Subsystem};

const BOARD: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// A part of the station, as both doors tell it: to boards only whether it is fit.
fn part(rig: &Rig, name: &str) -> Subsystem {
    let operator = rig.operator("GET /ready HTTP/1.1", b"");
    let board = rig.board(BOARD, "GET /ready HTTP/1.1", b"");
    assert_eq!(operator.status, board.status);
    let ready: Ready = operator.as_();
    let told = board.as_::<Ready>().subsystems.into_iter();
    let bare = ready.subsystems.iter().map(|part| Subsystem {
        detail: String::new(),
        ..part.clone()
    });
    assert!(told.eq(bare), "{}", board.json());
    assert_eq!(operator.status, if ready.ready { 200 } else { 503 });
    let found = ready.subsystems.into_iter().find(|s| s.name == name);
    found.unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn a_pack_that_is_gone_from_the_disk_is_told() {
    let mut rig = Rig::with_batch();
    assert!(part(&rig, "image").ready);
    let packs = rig.folder().join("data/packs");
    rig.stop();
    for entry in std::fs::read_dir(packs).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    rig.restart();
    let image = part(&rig, "image");
    assert!(
        !image.ready && image.detail.contains("import kart.img again"),
        "{image:?}"
    );
    // Work for the operator, not illness.
    assert_eq!(rig.operator("GET /health HTTP/1.1", b"").status, 200);
}

#[test]
fn a_batch_whose_names_were_taken_away_is_told() {
    let mut rig = Rig::with_batch();
    assert!(part(&rig, "pool").ready);
    rig.stop();
    // No command does this to a batch that runs; a restored backup can.
    let mut store = Store::open(&rig.folder().join("data")).unwrap();
    let tx = store.begin().unwrap();
    for number in 1..=10 {
        let hostname = format!("KXP2-CORO-{number:03}").parse().unwrap();
        names::retire(&tx, &hostname, Millis(1)).unwrap();
    }
    tx.commit().unwrap();
    drop(store);
    rig.restart();
    let pool = part(&rig, "pool");
    assert!(
        !pool.ready && pool.detail.contains("short of 5 names"),
        "{pool:?}"
    );
}

#[test]
fn boards_are_told_which_server_is_down_and_operators_why() {
    let rig = Rig::new();
    let server = ServerKind::Tftp;
    rig.command(Command::ServerStop { server }).unwrap();
    let begun = Instant::now();
    let stopped = || {
        let servers = rig.station().servers();
        let mut stopped = servers.iter().filter(|s| s.state == ServerState::Stopped);
        stopped.any(|s| s.server == server)
    };
    while !stopped() {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::yield_now();
    }
    let board = rig.board(BOARD, "GET /health HTTP/1.1", b"");
    let operator = rig.operator("GET /health HTTP/1.1", b"");
    assert_eq!((board.status, operator.status), (503, 503));
    assert_eq!(board.json()["reasons"], serde_json::json!(["tftp"]));
    let reasons = serde_json::json!(["tftp: stopped"]);
    assert_eq!(operator.json()["reasons"], reasons);
}
