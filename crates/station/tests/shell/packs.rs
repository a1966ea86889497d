//! Packs that were damaged, deleted or replaced behind the station's back.

use crate::rig::{Reply, Rig};
use imaging::pack::Pack;
use std::net::Ipv4Addr;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use tokio_stream::StreamExt as _;
use wire::command::ImportState;
use wire::event::Event;
use wire::image::{Image, PackFault};
use wire::query::{Answer, EventFilter, Query};
use wire::update::Update;

const FROM: Ipv4Addr = Ipv4Addr::new(127, 64, 0, 9);
const ASKS: &[u8] = br#"{"product_type":"KXP2","venue_code":"CORO",
    "serial_number":"9d00ce41d137e638","mac_address":"2c:cf:67:00:11:22"}"#;

fn image(rig: &Rig) -> Image {
    match rig.query(Query::Images).unwrap() {
        Answer::Images(mut images) => images.remove(0),
        other => panic!("{other:?}"),
    }
}

fn pack(rig: &Rig) -> PathBuf {
    let name = format!("data/packs/{}.pack", image(rig).id);
    rig.folder().join(name)
}

/// Writes other bytes into the first chunk of a pack, as a bad disk does.
fn damage(pack: &PathBuf) {
    let manifest = Pack::open(pack).unwrap().manifest().clone();
    let chunk = manifest.chunks.iter().find(|c| c.packed > 0).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(pack).unwrap();
    let place = chunk.offset + chunk.packed / 2;
    file.write_all_at(b"damaged", place).unwrap();
}

fn events(rig: &Rig, kind: &str) -> Vec<Event> {
    match rig.query(Query::Events(EventFilter::default())).unwrap() {
        Answer::Events(all) => all.into_iter().filter(|e| e.kind == kind).collect(),
        other => panic!("{other:?}"),
    }
}

/// What the station says of its image: fit or not, and why.
fn ready(rig: &Rig) -> (bool, String) {
    let Answer::Ready(ready) = rig.query(Query::Ready).unwrap() else {
        panic!("another answer")
    };
    let mut parts = ready.subsystems.into_iter();
    let part = parts.find(|s| s.name == "image").unwrap();
    (part.ready, part.detail)
}

fn ask_for_a_name(rig: &Rig) -> Reply {
    rig.board(FROM, "POST /api/config HTTP/1.0", ASKS)
}

/// Imports the file of the image again.
fn import_again(rig: &Rig) {
    let id = image(rig).id;
    let golden = rig.folder().join("kart.img");
    assert_eq!(
        rig.try_import(&golden, false),
        ImportState::Done { image: id }
    );
    assert_eq!(image(rig).pack_fault, None);
    assert_eq!(events(rig, "image.pack_back").len(), 1);
    assert!(ready(rig).0);
}

#[test]
fn a_damaged_pack_is_found_before_a_board_gets_it_and_healed_by_its_file() {
    let mut rig = Rig::open_to_installers();
    rig.prepare(5);
    let pack = pack(&rig);
    let good = std::fs::read(&pack).unwrap();
    rig.stop();
    damage(&pack);
    rig.restart();
    let station = rig.station().station();
    rig.wait(async {
        let mut watch = station.watch().await.unwrap();
        let marked = |images: &[Image]| images[0].pack_fault == Some(PackFault::Damaged);
        loop {
            match watch.next().await.unwrap() {
                Update::Snapshot(all) if marked(&all.images) => break,
                Update::Images(images) if marked(&images) => break,
                _ => {}
            }
        }
    });
    let (fit, words) = ready(&rig);
    assert!(
        !fit && words.contains("is damaged: import kart.img again"),
        "{words}"
    );
    let told = events(&rig, "image.pack_damaged");
    assert!(
        told[0].text.contains("is damaged. Import kart.img again."),
        "{told:?}"
    );
    let refused = ask_for_a_name(&rig);
    assert_ne!(refused.status, 200);
    assert!(
        refused.json().to_string().contains("its pack is damaged"),
        "{}",
        refused.json()
    );

    import_again(&rig);
    assert!(std::fs::read(&pack).unwrap() == good);
    assert_eq!(ask_for_a_name(&rig).status, 200);
}

#[test]
fn a_pack_that_is_damaged_while_boards_fetch_it_is_healed_for_the_next_range() {
    let rig = Rig::with_batch();
    let board = rig.at_work(7);
    let request = format!("GET {} HTTP/1.1{}", board.pack(), board.session());
    let fetch = || rig.board(board.ip, &request, b"").body;
    let good = fetch();
    damage(&pack(&rig));
    assert!(fetch() != good);
    import_again(&rig);
    assert!(fetch() == good);
}

#[test]
fn a_pack_that_is_deleted_under_a_running_station_is_missed_at_once() {
    let rig = Rig::with_batch();
    assert!(ready(&rig).0);
    std::fs::remove_file(pack(&rig)).unwrap();
    let (fit, words) = ready(&rig);
    assert!(!fit && words.contains("Import the image again"), "{words}");
    import_again(&rig);
}
