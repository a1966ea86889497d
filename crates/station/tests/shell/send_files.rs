//! What goes out of files without a copy arrives as it lies there, whoever reads it and how.

use crate::rig::{PATIENCE, Rig, converse};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Instant;
use wire::query::{Answer, Query};

const HERE: Ipv4Addr = Ipv4Addr::new(127, 64, 0, 77);

/// A station with an image of noise, and the paths of its pack and its reconstruction with their
/// bytes.
struct Large {
    rig: Rig,
    ip: Ipv4Addr,
    served: Vec<(String, Vec<u8>)>,
    pack_file: std::path::PathBuf,
}

fn large() -> Large {
    let rig = Rig::new();
    rig.stock();
    let source = rig.noisy_image("noise.img");
    let id = rig.import(&source, true);
    rig.start_batch(1);
    let board = rig.at_work(7);
    let pack_file = rig.folder().join(format!("data/packs/{id}.pack"));
    let pack = std::fs::read(&pack_file).unwrap();
    assert!(pack.len() > 16 << 20);
    let image = rig.board(board.ip, &format!("GET /images/{id}.img HTTP/1.0"), b"");
    let Answer::Images(images) = rig.query(Query::Images).unwrap() else {
        panic!("no images")
    };
    assert_eq!(hex::encode(Sha256::digest(&image.body)), images[0].sha256);
    let path = |path: String, headers: &str| format!("GET {path} HTTP/1.1{headers}");
    let served = vec![
        (path(board.pack(), &board.session()), pack),
        (path(format!("/images/{id}.img"), ""), image.body),
    ];
    Large {
        rig,
        ip: board.ip,
        served,
        pack_file,
    }
}

/// Begins a download and leaves it after the first bytes of the body.
fn begin(large: &Large, request: &str) -> (TcpStream, usize, Vec<u8>) {
    let mut stream = large.rig.call(large.ip);
    let head = format!("{request}\r\nHost: station\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut got = Vec::new();
    let end = loop {
        let mut piece = [0; 4096];
        let n = stream.read(&mut piece).unwrap();
        assert!(n > 0, "the station hung up");
        got.extend_from_slice(&piece[..n]);
        if let Some(at) = got.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let head = String::from_utf8(got[..end].to_vec())
        .unwrap()
        .to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    (stream, length.unwrap().parse().unwrap(), got.split_off(end))
}

fn until_nothing_is_under_way(rig: &Rig) {
    let limit = Instant::now() + PATIENCE;
    loop {
        match rig.query(Query::Works).unwrap() {
            Answer::Works(works) if works.transfers.is_empty() => return,
            Answer::Works(works) => assert!(Instant::now() < limit, "{:?}", works.transfers),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn any_range_is_the_bytes_of_the_file() {
    let large = large();
    let lengths: Vec<u64> = large.served.iter().map(|(_, b)| b.len() as u64).collect();
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(40)
    };
    proptest!(config, |(
        which in 0..2_usize, place in 0..1000_u64, length in prop_oneof![1..5000_u64, 1..12_000_000_u64]
    )| {
        let (request, bytes) = &large.served[which];
        let start = lengths[which] * place / 1000 + place % 7;
        let end = (start + length).min(lengths[which]);
        let request = format!("{request}\r\nRange: bytes={start}-{}", end - 1);
        let part = large.rig.board(large.ip, &request, b"");
        prop_assert_eq!(part.status, 206);
        prop_assert!(part.body == bytes[start as usize..end as usize]);
    });
    until_nothing_is_under_way(&large.rig);
}

#[test]
fn several_answers_on_one_connection_follow_each_other() {
    let large = large();
    let mut stream = large.rig.call(large.ip);
    let mut expected = Vec::new();
    let mut requests = String::new();
    for (request, bytes) in &large.served {
        requests += &format!("{request}\r\nHost: x\r\nRange: bytes=70000-5000000\r\n\r\n");
        requests += "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n";
        expected.push(&bytes[70_000..=5_000_000]);
    }
    // All at once: the second waits while the first goes out.
    let last = requests.rfind("\r\n\r\n").unwrap();
    requests.insert_str(last, "\r\nConnection: close");
    stream.write_all(requests.as_bytes()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut got = Vec::new();
    stream.read_to_end(&mut got).unwrap();
    for bytes in expected {
        let found = got.windows(64).position(|w| w == &bytes[..64]).unwrap();
        assert!(got[found..].starts_with(bytes));
        got.drain(..found + bytes.len());
        assert!(got.starts_with(b"HTTP/1.1 404 "));
    }
}

#[test]
fn a_reader_that_takes_its_time_gets_everything_and_holds_up_nobody() {
    let large = large();
    for (request, bytes) in &large.served {
        let (mut slow, length, mut got) = begin(&large, request);
        assert_eq!(length, bytes.len());
        // While that one does not read, others are served.
        let other = large
            .rig
            .board(large.ip, &format!("{request}\r\nRange: bytes=0-99"), b"");
        assert_eq!(other.body, &bytes[..100]);
        let mut piece = vec![0; 17_011];
        loop {
            match slow.read(&mut piece).unwrap() {
                0 => break,
                n => got.extend_from_slice(&piece[..n]),
            }
        }
        assert!(got == *bytes);
    }
    until_nothing_is_under_way(&large.rig);
}

#[test]
fn a_reader_that_goes_away_leaves_nothing_behind() {
    let large = large();
    for (request, _) in &large.served {
        for _ in 0..10 {
            drop(begin(&large, request));
        }
    }
    until_nothing_is_under_way(&large.rig);
    let (request, bytes) = &large.served[0];
    assert!(large.rig.board(large.ip, request, b"").body == *bytes);
}

#[test]
fn a_file_that_is_cut_short_under_way_ends_the_connection() {
    let large = large();
    let (request, bytes) = &large.served[0];
    let (mut stream, length, mut got) = begin(&large, request);
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(&large.pack_file);
    file.unwrap().set_len(1 << 20).unwrap();
    // Either the end comes early, or a reset does.
    let _ = stream.read_to_end(&mut got);
    assert!(got.len() < length, "{} of {length}", got.len());
    assert!(bytes.starts_with(&got), "what came is what was there");
    until_nothing_is_under_way(&large.rig);
    let health = large.rig.board(HERE, "GET /health HTTP/1.1", b"");
    assert_eq!(health.json()["status"], "healthy");
}

#[test]
fn the_socket_of_operators_and_the_door_for_boards_read_alike() {
    let large = large();
    // A request with a body, answered while files go out on other connections.
    let (_under_way, ..) = begin(&large, &large.served[0].0);
    let stream = large.rig.call(HERE);
    let reply = converse(stream, "GET /ready HTTP/1.1", "station", b"ignored");
    assert_eq!(reply.json()["ready"], reply.status == 200);
}
