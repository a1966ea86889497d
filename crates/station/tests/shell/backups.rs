//! A station, its backup, and the station that comes of it.

use crate::rig::{Rig, config};
use station::backup::archive::{Source, write};
use station::backup::restore::restore;
use std::net::Ipv4Addr;
use std::path::Path;
use tokio_stream::StreamExt as _;
use wire::backup::Backups;
use wire::command::{Command, ImportState};
use wire::image::{Image, PackFault};
use wire::query::{Answer, Query};
use wire::update::Update;

const FROM: Ipv4Addr = Ipv4Addr::new(127, 64, 0, 9);
const ASKS: &str = r#"{"product_type":"KXP2","venue_code":"CORO",
    "serial_number":"9d00ce41d137e638","mac_address":"2c:cf:67:00:11:22"}"#;

/// The name that a board with this serial number gets.
fn name_of(rig: &Rig, serial: &str) -> String {
    let body = ASKS.replace("9d00ce41d137e638", serial);
    let reply = rig.board(FROM, "POST /api/config HTTP/1.0", body.as_bytes());
    assert_eq!(reply.status, 200, "{}", reply.json());
    reply.json()["hostname"].as_str().unwrap().to_owned()
}

fn images(rig: &Rig) -> Vec<Image> {
    match rig.query(Query::Images).unwrap() {
        Answer::Images(images) => images,
        other => panic!("{other:?}"),
    }
}

fn backups(rig: &Rig) -> Backups {
    match rig.query(Query::Backups).unwrap() {
        Answer::Backups(backups) => backups,
        other => panic!("{other:?}"),
    }
}

/// Has a backup made while the station runs, and waits for it.
fn back_up(rig: &Rig) {
    let station = rig.station().station();
    rig.wait(async {
        let mut watch = station.watch().await.unwrap();
        station.command(Command::BackupNow).await.unwrap();
        loop {
            if let Update::Backup(state) = watch.next().await.unwrap()
                && state.running.is_none()
            {
                assert_eq!(state.trouble, None);
                break;
            }
        }
    });
}

/// The archive of a station, without packs.
fn archive(rig: &Rig) -> std::path::PathBuf {
    back_up(rig);
    let now = backups(rig);
    let newest = &now.list[0];
    let to = rig.folder().join("archive");
    let source = Source {
        snapshot: &Path::new(&now.folder).join(&newest.file),
        made: newest.at,
        data_dir: &rig.folder().join("data"),
        settings: None,
        packs: false,
    };
    write(&source, &to, &|_, _| {}).unwrap();
    to
}

#[test]
fn a_board_keeps_its_name_on_another_machine_and_a_missing_pack_is_healed() {
    let rig = Rig::open_to_installers();
    rig.prepare(5);
    let first = name_of(&rig, "9d00ce41d137e638");
    let golden = rig.folder().join("kart.img");
    let file = archive(&rig);
    let key = std::fs::read(rig.folder().join("data/station.key")).unwrap();
    let mut other = Rig::open_to_installers();
    other.stop();
    let data = config(other.folder()).data_dir;
    let restored = restore(&file, &data, true, &|_, _| {}).unwrap();
    assert_eq!(restored.missing.len(), 1, "the pack was left out");
    assert_eq!(std::fs::read(data.join("station.key")).unwrap(), key);
    other.restart();

    let image = &images(&other)[0];
    assert!(image.pack_fault == Some(PackFault::Missing) && image.active);
    let ready = other.operator("GET /api/v1/ready HTTP/1.1", b"").json();
    let parts = ready["subsystems"].as_array().unwrap();
    let part = parts.iter().find(|p| p["name"] == "image").unwrap();
    let detail = part["detail"].as_str().unwrap();
    assert!(detail.contains("import kart.img again"), "{detail}");
    // The same file again, and all is as it was.
    let healed = other.try_import(&golden, false);
    let ImportState::Done { image: id } = healed else {
        panic!("{healed:?}")
    };
    assert_eq!(id, image.id);
    let image = &images(&other)[0];
    assert!(image.pack_fault.is_none() && image.active);
    assert_eq!(name_of(&other, "9d00ce41d137e638"), first);
    let new = name_of(&other, "9d00ce4100000003");
    assert_ne!(new, first);
}

#[test]
fn nothing_is_restored_under_a_station_that_runs() {
    let rig = Rig::open_to_installers();
    rig.prepare(5);
    let file = archive(&rig);
    let data = config(rig.folder()).data_dir;
    let refused = restore(&file, &data, true, &|_, _| {}).unwrap_err();
    assert!(
        refused.to_string().contains("Stop the station first"),
        "{refused}"
    );
    assert_eq!(name_of(&rig, "9d00ce41d137e638"), "KXP2-CORO-001");
}

#[test]
fn backups_are_listed_and_the_last_one_is_remembered() {
    let mut rig = Rig::with_batch();
    assert!(backups(&rig).list.is_empty());
    back_up(&rig);
    let last = rig.station().engine().backup_state().last.unwrap();
    assert_eq!(backups(&rig).list[0].at, last);
    rig.restart();
    assert_eq!(rig.station().engine().backup_state().last, Some(last));
}
