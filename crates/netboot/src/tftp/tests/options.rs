//! What is granted and what is left out.

use bytes::Bytes;

use super::station::{Raw, Station, noise, slow};
use crate::tftp::What;
use crate::tftp::client::Want;

fn station() -> Station {
    Station::with(
        slow(),
        &[
            ("kernel", noise(3000, 1)),
            ("text", Bytes::from_static(b"a\nb\rc")),
        ],
    )
}

/// Asks, and expects an OACK with exactly these options.
fn granted(asked: &str, granted: &str) {
    let station = station();
    let board = Raw::new(&station);
    board.request(&format!("kernel|octet|{asked}"));
    let transfer = board.options(granted);
    board.error(transfer, 0, "Early terminate");
    station.event();
    assert_eq!(station.event().what, What::Declined);
}

#[test]
fn a_pi_5_gets_its_size_and_its_block_size() {
    granted("tsize|0|blksize|1468", "tsize|3000|blksize|1468");
}

#[test]
fn the_order_is_the_clients_and_names_know_no_case() {
    granted("BLKSIZE|1024|tsize|0", "blksize|1024|tsize|3000");
}

#[test]
fn a_block_size_is_lowered_to_the_largest_allowed_and_never_raised() {
    granted("blksize|70000", "blksize|1468");
    granted("blksize|65464", "blksize|1468");
    granted("blksize|99999999999999999999999999", "blksize|1468");
    granted("blksize|1469", "blksize|1468");
    granted("blksize|512", "blksize|512");
    granted("blksize|8", "blksize|8");
}

#[test]
fn impossible_unknown_and_repeated_options_are_left_out() {
    granted("blksize|7|tsize|0", "tsize|3000");
    granted("blksize|-1|tsize|0", "tsize|3000");
    granted("blksize||tsize|0", "tsize|3000");
    granted("multicast||tsize|0", "tsize|3000");
    granted("blksize|1024|blksize|512", "blksize|1024");
    granted("windowsize|0|timeout|0|timeout|256|tsize|0", "tsize|3000");
}

#[test]
fn timeouts_are_granted_as_asked_or_not_at_all() {
    granted("timeout|6", "timeout|6");
    granted("timeout|30|tsize|0", "timeout|30|tsize|3000");
    granted("timeout|31|tsize|0", "tsize|3000");
}

#[test]
fn without_options_the_data_comes_at_once() {
    let station = station();
    let board = Raw::new(&station);
    board.request("kernel|octet");
    let (data, transfer) = board.block(1);
    assert_eq!(data.len(), 512);
    // All options refused: the same as none asked.
    let other = Raw::new(&station);
    other.request("kernel|octet|blksize|0|wishes|3");
    assert_eq!(other.block(1).0.len(), 512);
    board.error(transfer, 0, "Early terminate");
    assert_eq!(station.end().what, What::Declined);
}

#[test]
fn the_block_size_holds_for_the_whole_file() {
    let station = station();
    for block in [
        None,
        Some(8),
        Some(9),
        Some(512),
        Some(1024),
        Some(1428),
        Some(1468),
    ] {
        let want = Want {
            max_block: block,
            ..Want::file("kernel")
        };
        assert_eq!(station.read(want), noise(3000, 1), "{block:?}");
    }
}

#[test]
fn netascii_converts_line_ends_and_tells_no_size() {
    let station = station();
    let board = Raw::new(&station);
    board.request("text|NetASCII|tsize|0");
    let (data, transfer) = board.block(1);
    assert_eq!(data, b"a\r\nb\r\0c");
    board.ack(transfer, 1);
    assert_eq!(
        station.end().what,
        What::Done {
            bytes: 5,
            resent: 0
        }
    );
}

#[test]
fn netascii_pairs_are_cut_wherever_a_block_ends() {
    let lines = Bytes::from("\n".repeat(40_000));
    let station = Station::with(slow(), &[("lines", lines)]);
    let board = Raw::new(&station);
    board.request("lines|netascii|blksize|9");
    let transfer = board.options("blksize|9");
    board.ack(transfer, 0);
    let mut text = Vec::new();
    for number in 1.. {
        let (data, _) = board.block(number);
        board.ack(transfer, number);
        text.extend_from_slice(&data);
        if data.len() < 9 {
            break;
        }
    }
    assert_eq!(text, "\r\n".repeat(40_000).as_bytes());
}
