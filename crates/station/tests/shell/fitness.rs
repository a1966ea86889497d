//! Is the station fit? What the plans and the library can be short of; the cable, the disk and the
//! database are tested where there are namespaces.

use crate::rig::Rig;
use station::store::{Store, names};
use wire::Millis;
use wire::health::{Ready, Subsystem};

/// A part of the station, as both doors tell it.
fn part(rig: &Rig, name: &str) -> Subsystem {
    let operator = rig.operator("GET /ready HTTP/1.1", b"");
    let board = rig.board([127, 0, 0, 1].into(), "GET /ready HTTP/1.1", b"");
    assert_eq!(operator.status, board.status);
    let ready: Ready = operator.as_();
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
