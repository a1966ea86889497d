//! What can be handed to whoever helps: the packets of the servers, and all that is known of a board.

use crate::boards::check_in;
use crate::management::PAGE;
use crate::rig::Rig;
use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::process::Command;
use wire::operator::Role;
use wire::query::Answer;
use zip::ZipArchive;

/// The token in the command line that a board was given.
fn token(cmdline: &str) -> String {
    let words = cmdline.split_whitespace();
    let mut tokens = words.filter_map(|word| word.strip_prefix("punnet.token="));
    tokens.next().unwrap().to_owned()
}

/// The files of a zip, without their folder.
fn unpacked(zip: Vec<u8>) -> BTreeMap<String, Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(zip)).unwrap();
    let mut files = BTreeMap::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).unwrap();
        let name = file.name().unwrap().rsplit('/').next().unwrap().to_owned();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        files.insert(name, bytes);
    }
    files
}

#[test]
fn how_the_station_is_set_is_in_a_bundle_for_administrators_alone() {
    let rig = Rig::new();
    rig.lease(7);
    let has_settings = |zip: Vec<u8>| {
        let files = unpacked(zip);
        assert!(files.contains_key("sheet.json"));
        files.contains_key("station.toml")
    };
    let get = "GET /api/v1/boards/00000007/bundle.zip HTTP/1.1";
    let nobody = rig.operator(get, b"");
    assert!(
        !has_settings(nobody.body),
        "looking is open on the loopback"
    );
    let ask = br#"{"query":"document","document":"board_bundle","board":"00000007"}"#;
    for (name, role) in [
        ("wall", Role::Viewer),
        ("tess", Role::Operator),
        ("ada", Role::Admin),
    ] {
        rig.add_operator(name, role);
        let with = format!("{}{PAGE}", rig.login(name));
        let saved = rig.operator(&format!("{get}{with}"), b"");
        let asked = rig.operator(&format!("POST /api/v1/query HTTP/1.1{with}"), ask);
        let Answer::Document(document) = asked.as_() else {
            panic!("no document")
        };
        for zip in [saved.body, station::papers::bytes(&document).unwrap()] {
            assert_eq!(has_settings(zip), role == Role::Admin, "{name}");
        }
    }
}

#[test]
fn a_bundle_holds_all_that_is_known_of_a_board_and_no_secret() {
    let rig = Rig::with_batch();
    let from = rig.lease(7).address;
    let token = token(&rig.fetch_text(from, "cmdline.txt"));
    let introduction = check_in(7, Some(token.clone()));
    let order = rig
        .board_post(from, "/agent/v1/check-in", &introduction)
        .json();
    let secret = order["secret"].as_str().unwrap().to_owned();

    let request = "GET /api/v1/boards/00000007/bundle.zip HTTP/1.1";
    let reply = rig.operator_socket(request, b"");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/zip"));
    let saved = reply.header("content-disposition").unwrap();
    assert_eq!(saved, "attachment; filename=\"punnet-board-00000007.zip\"");
    let files = unpacked(reply.body);
    let text = |name: &str| String::from_utf8_lossy(&files[name]).into_owned();
    assert!(text("board.txt").contains("KXP2-CORO-001"));
    assert!(text("sheet.json").contains("\"timeline\""));
    assert!(text("events.json").contains("\"stage\""));
    assert!(text("network.json").contains(&from.to_string()));
    assert!(text("station.json").contains(env!("CARGO_PKG_VERSION")));
    assert!(text("station.toml").contains("deployment.address = "));
    assert!(files["packets.pcap"].len() > 24);
    let operator = rig.token();
    for (name, bytes) in &files {
        let text = String::from_utf8_lossy(bytes);
        for secret in [&token, &secret, &operator] {
            assert!(!text.contains(secret.as_str()), "{name} holds {secret}");
        }
    }
    let unknown = rig.operator("GET /api/v1/boards/0000dead/bundle.zip HTTP/1.1", b"");
    assert_eq!(unknown.status, 404);
}

#[test]
fn the_packets_of_a_boot_are_a_file_for_an_analyser() {
    let rig = Rig::with_batch();
    let from = rig.lease(7).address;
    rig.fetch_text(from, "config.txt");
    let reply = rig.operator("GET /api/v1/packets.pcap HTTP/1.1", b"");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.body[..4], [0xd4, 0xc3, 0xb2, 0xa1]);
    let has = |text: &[u8]| reply.body.windows(text.len()).any(|part| part == text);
    assert!(has(b"config.txt\0octet"), "the request for a boot file");
    assert!(has(&crate::rig::mac_of(7).0), "the board's address");

    let file = rig.folder().join("packets.pcap");
    std::fs::write(&file, &reply.body).unwrap();
    let read = Command::new("tcpdump")
        .args(["-nn", "-T", "tftp", "-r"])
        .arg(&file)
        .output();
    let Ok(read) = read else {
        println!("NOT RUN tcpdump: it is not installed");
        return;
    };
    let said = String::from_utf8_lossy(&read.stdout).into_owned();
    assert!(
        read.status.success(),
        "{}",
        String::from_utf8_lossy(&read.stderr)
    );
    assert!(said.lines().count() >= 6, "{said}");
    assert!(said.contains("\"config.txt\""), "{said}");
}
