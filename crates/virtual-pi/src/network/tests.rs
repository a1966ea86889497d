//! Boards against the real servers of `netboot`, over loopback.

use super::*;
use crate::bootloader::{Answer, Ask, Firmware, Options};
use crate::identity::Identity;
use crate::model::Model;
use crate::pace::Pace;
use crate::testing::{Boot, board};
use bytes::Bytes;
use std::collections::HashMap;

fn fetcher<'a>(boot: &Boot, power: &'a Power, firmware: Firmware, wire: Wire) -> Fetcher<'a> {
    Fetcher {
        address: Ipv4Addr::new(127, 64, 1, 1),
        server: boot.doors().tftp.into(),
        firmware,
        wire,
        pace: Pace::HURRIED,
        power,
        chance: Chance::new(11, 1),
    }
}

fn files(names: &[(&str, usize)]) -> HashMap<String, Bytes> {
    let file = |len: usize| Bytes::from((0..len).map(|n| (n % 251) as u8).collect::<Vec<_>>());
    names
        .iter()
        .map(|(name, len)| ((*name).to_owned(), file(*len)))
        .collect()
}

fn ask(path: &str, probe: bool, options: Options) -> Ask {
    Ask {
        path: path.to_owned(),
        probe,
        options,
    }
}

fn lease_as(board: &Identity, boot: &Boot, wire: Wire) -> Result<Ipv4Addr, Refused> {
    let power = Power::default();
    let mut chance = Chance::new(1, 2);
    let mut socket = Socket::bind(board.address(), wire, &mut chance).unwrap();
    lease(&mut socket, &power, |now| {
        crate::board::lessee(board, boot.doors().network(), Pace::HURRIED, 5, now)
    })
    .map(|grant| grant.address)
}

#[test]
fn every_model_gets_an_address_and_keeps_it() {
    let boot = Boot::start(HashMap::new());
    for model in Model::ALL {
        let board = board(model, 1);
        let first = lease_as(&board, &boot, Wire::default()).unwrap();
        assert_eq!(first.octets()[..2], [127, 64], "{model:?}");
        assert_eq!(lease_as(&board, &boot, Wire::default()).unwrap(), first);
    }
}

#[test]
fn a_lossy_wire_only_costs_time() {
    let wire = Wire {
        loss: 0.05,
        duplicates: 0.5,
    };
    let boot = Boot::start(files(&[("big.img", 100_000)]));
    lease_as(&board(Model::Pi5, 2), &boot, wire).unwrap();
    let power = Power::default();
    let mut fetcher = fetcher(&boot, &power, Firmware::default(), wire);
    // The time for a whole file is the real one: what is lost is said again by the server.
    fetcher.pace = Pace::REAL;
    for _ in 0..3 {
        let answer = fetcher
            .fetch(&ask("big.img", false, Options::SizeAndBlock(1468)))
            .unwrap();
        let Answer::File {
            bytes,
            acknowledged,
        } = answer
        else {
            panic!("{answer:?}");
        };
        assert!(acknowledged && bytes == files(&[("big.img", 100_000)])["big.img"]);
    }
}

#[test]
fn probes_missing_files_and_plain_requests_are_told_apart() {
    let boot = Boot::start(files(&[("a/config.txt", 700)]));
    let power = Power::default();
    let mut fetcher = fetcher(&boot, &power, Firmware::default(), Wire::default());
    let block = Options::SizeAndBlock(1468);
    let mut fetch = |path, probe, options| fetcher.fetch(&ask(path, probe, options)).unwrap();
    assert_eq!(fetch("a/config.txt", true, block), Answer::There);
    assert_eq!(fetch("a/none.txt", true, block), Answer::NotFound);
    assert_eq!(fetch("a/none.txt", false, Options::None), Answer::NotFound);
    let plain = fetch("a//config.txt", false, Options::None);
    let Answer::File {
        bytes,
        acknowledged,
    } = plain
    else {
        panic!("{plain:?}");
    };
    assert_eq!((bytes.len(), acknowledged), (700, false));
}

#[test]
fn old_firmware_stops_at_the_last_block_it_can_count() {
    // 65535 blocks of 512 bytes and one byte more.
    let boot = Boot::start(files(&[("big.img", 65_535 * 512 + 1)]));
    let power = Power::default();
    let mut old = fetcher(&boot, &power, Firmware::OLD, Wire::default());
    old.pace = Pace::REAL;
    let answer = old.fetch(&ask("big.img", false, Options::Size)).unwrap();
    let Answer::Failed(why) = answer else {
        panic!("{answer:?}");
    };
    assert!(why.contains("65535 blocks"), "{why}");
}

#[test]
fn nobody_there_is_an_answer_too() {
    let boot = Boot::start(HashMap::new());
    let power = Power::default();
    let mut fetcher = fetcher(&boot, &power, Firmware::default(), Wire::default());
    fetcher.pace.retries = 0.01;
    fetcher.server.set_port(9);
    let answer = fetcher
        .fetch(&ask("x", true, Options::SizeAndBlock(1468)))
        .unwrap();
    assert_eq!(answer, Answer::Failed("no answer".to_owned()));
}
