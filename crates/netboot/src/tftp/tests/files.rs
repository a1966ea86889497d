//! Whole files, compared byte for byte.

use std::time::Duration;

use bytes::Bytes;

use super::station::{LATE, Raw, Station, fetch, noise, slow};
use crate::tftp::client::{Outcome, Want};
use crate::tftp::{Settings, What};

#[test]
fn files_of_every_awkward_size() {
    // Around the block size and around what is fetched from the producer at a time.
    let pieces = 32 * 1024;
    let piece = pieces / 1468 * 1468 + 1468;
    let sizes = [
        0,
        1,
        511,
        512,
        513,
        1467,
        1468,
        1469,
        2935,
        2936,
        2937,
        10 * 512,
        pieces - 1,
        pieces,
        pieces + 1,
        piece - 1468,
        piece - 1,
        piece,
        piece + 1,
        2 * piece,
        3 * piece - 1,
        3 * piece,
        4 * piece + 1,
    ];
    let files: Vec<(String, Bytes)> = sizes
        .iter()
        .map(|size| (format!("f{size}"), noise(*size, *size as u64)))
        .collect();
    let named: Vec<(&str, Bytes)> = files.iter().map(|(n, b)| (n.as_str(), b.clone())).collect();
    let station = Station::with(slow(), &named);
    for (name, bytes) in &files {
        for (block, window) in [(None, None), (Some(1468), None), (Some(1468), Some(16))] {
            let want = Want {
                max_block: block,
                window,
                ..Want::file(name)
            };
            assert_eq!(station.read(want), *bytes, "{name} {block:?} {window:?}");
            let done = What::Done {
                bytes: bytes.len() as u64,
                resent: 0,
            };
            assert_eq!(station.end().what, done);
        }
    }
    station.until_nothing_is_left();
}

#[test]
fn block_numbers_go_on_after_65535() {
    let long = noise(65_536 * 512 + 100_000, 1);
    let station = Station::with(Settings::default(), &[("long", long.clone())]);
    let want = Want {
        max_block: None,
        ..Want::file("long")
    };
    assert!(station.read(want.clone()) == long);
    // Firmware that cannot count on gives up, and its closed port is noticed.
    let old = Want {
        rollover: false,
        ..want
    };
    assert_eq!(station.fetch(old), Outcome::RolledOver);
    assert!(matches!(station.end().what, What::Done { .. }));
    let What::Failed { why, .. } = station.end().what else {
        panic!("not a failure")
    };
    assert!(why.contains("closed its port"), "{why}");
}

#[test]
fn double_slashes_mean_one_and_case_means_something() {
    let (config, other) = (Bytes::from_static(b"config"), Bytes::from_static(b"CONFIG"));
    let station = Station::with(
        slow(),
        &[
            ("d137e638/config.txt", config.clone()),
            ("d137e638/CONFIG.TXT", other.clone()),
        ],
    );
    for path in [
        "d137e638/config.txt",
        "d137e638//config.txt",
        "/d137e638///config.txt",
    ] {
        assert_eq!(station.read(Want::file(path)), config, "{path}");
    }
    assert_eq!(station.read(Want::file("./d137e638/CONFIG.TXT")), other);
    assert_eq!(
        station.fetch(Want::file("D137E638/config.txt")),
        Outcome::NotFound
    );
    let Outcome::Refused { code: 2, .. } = station.fetch(Want::file("d137e638/../config.txt"))
    else {
        panic!("a way out of the tree");
    };
}

#[test]
fn a_hundred_boards_at_a_time_each_get_their_own_bytes() {
    let files: Vec<(String, Bytes)> = (0..100)
        .map(|n| (format!("board-{n}"), noise(300_000 + n, n as u64)))
        .collect();
    let named: Vec<(&str, Bytes)> = files.iter().map(|(n, b)| (n.as_str(), b.clone())).collect();
    // They share one address here.
    let settings = Settings {
        per_client: 200,
        ..Settings::default()
    };
    let station = Station::with(settings, &named);
    std::thread::scope(|scope| {
        for (name, bytes) in &files {
            let address = station.address;
            scope.spawn(move || {
                assert_eq!(
                    fetch(address, Want::probe(name)),
                    Outcome::Present {
                        size: Some(bytes.len() as u64)
                    }
                );
                let Outcome::File { bytes: got } = fetch(address, Want::file(name)) else {
                    panic!("{name} did not arrive");
                };
                assert!(got == *bytes, "{name} arrived with other bytes");
            });
        }
    });
    let ends: Vec<What> = (0..200).map(|_| station.end().what).collect();
    assert_eq!(
        ends.iter().filter(|end| **end == What::Declined).count(),
        100
    );
    assert_eq!(
        ends.iter()
            .filter(|end| matches!(end, What::Done { .. }))
            .count(),
        100
    );
    station.until_nothing_is_left();
}

#[test]
fn a_probe_tells_the_size_and_leaves_nothing() {
    let station = Station::with(slow(), &[("kernel", noise(1_000_000, 1))]);
    for tsize in [true, false] {
        for max_block in [Some(1024), None] {
            let want = Want {
                max_block,
                tsize,
                ..Want::probe("kernel")
            };
            let size = tsize.then_some(1_000_000);
            assert_eq!(station.fetch(want), Outcome::Present { size });
            assert_eq!(station.end().what, What::Declined);
        }
    }
    station.until_nothing_is_left();
}

#[test]
fn progress_is_told_while_a_file_is_on_its_way() {
    let station = Station::with(slow(), &[("kernel", noise(33_000_000, 1))]);
    let board = Raw::new(&station);
    board.request("kernel|octet");
    let (_, transfer) = board.block(1);
    let mut number: u16 = 1;
    let sent = loop {
        board.ack(transfer, number);
        number += 1;
        board.block(number);
        if let Some(sent) = station.progress() {
            break sent;
        }
    };
    assert!(
        sent > 0 && sent <= u64::from(number) * 512 && sent % 512 == 0,
        "{sent}"
    );
    board.error(transfer, 0, "Early terminate");
}

#[test]
fn a_file_that_is_not_known_yet_is_served_when_the_client_asks_again() {
    let bytes = noise(5000, 1);
    let station = Station::with(slow(), &[(LATE, bytes.clone())]);
    let want = Want {
        resend: Duration::from_millis(50),
        ..Want::file(LATE)
    };
    assert_eq!(station.read(want), bytes);
    let done = What::Done {
        bytes: 5000,
        resent: 0,
    };
    assert_eq!(station.end().what, done);
}
