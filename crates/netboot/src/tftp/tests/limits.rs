//! How many at a time, how long, and how it ends.

use std::time::Duration;

use bytes::Bytes;

use super::station::{Raw, Station, noise, slow};
use crate::tftp::client::{Outcome, Want};
use crate::tftp::{Settings, What};

#[test]
fn what_exceeds_the_limit_is_told_so_and_comes_in_later() {
    let settings = Settings {
        transfers: 2,
        ..slow()
    };
    let station = Station::with(settings, &[("kernel", noise(10_000, 1))]);
    let (first, second, third) = (Raw::new(&station), Raw::new(&station), Raw::new(&station));
    first.request("kernel|octet|tsize|0");
    let transfer = first.options("tsize|10000");
    second.request("kernel|octet");
    second.block(1);
    third.request("kernel|octet");
    assert!(third.refused(0).contains("too many"));
    let What::Failed { why, .. } = station.end().what else {
        panic!("not a failure")
    };
    assert!(why.contains("too many transfers"), "{why}");
    // A second request from the first client's port takes no second place.
    first.request("kernel|octet|tsize|0");
    first.options("tsize|10000");
    first.error(transfer, 0, "Early terminate");
    assert_eq!(station.end().what, What::Declined);
    third.request("kernel|octet");
    third.block(1);
}

#[test]
fn one_client_cannot_take_every_place() {
    let settings = Settings {
        per_client: 1,
        ..slow()
    };
    let station = Station::with(settings, &[("kernel", noise(10_000, 1))]);
    let (first, second) = (Raw::new(&station), Raw::new(&station));
    first.request("kernel|octet");
    first.block(1);
    second.request("kernel|octet");
    assert!(second.refused(0).contains("one client"));
    let other = std::net::UdpSocket::bind("127.0.0.2:0").unwrap();
    other.set_read_timeout(Some(super::station::SOON)).unwrap();
    other
        .send_to(b"\0\x01kernel\0octet\0", station.address)
        .unwrap();
    let mut datagram = [0; 1000];
    assert_eq!(other.recv(&mut datagram).unwrap(), 516);
    assert_eq!(datagram[..4], [0, 3, 0, 1]);
}

#[test]
fn a_flood_of_requests_meets_silence_and_hurts_nobody_else() {
    let settings = Settings {
        burst: 20,
        rate: 1,
        ..slow()
    };
    let station = Station::with(settings, &[("kernel", noise(10_000, 1))]);
    let flood = Raw::new(&station);
    for _ in 0..200 {
        flood.request("nothing|octet");
    }
    let other = std::net::UdpSocket::bind("127.0.0.2:0").unwrap();
    other.set_read_timeout(Some(super::station::SOON)).unwrap();
    other
        .send_to(b"\0\x01kernel\0octet\0", station.address)
        .unwrap();
    let mut datagram = [0; 1000];
    assert_eq!(other.recv(&mut datagram).unwrap(), 516);
    // The other's answer came after all of the flood was read.
    let answered = std::iter::from_fn(|| station.told())
        .filter(|event| event.what == What::NotFound)
        .count();
    assert!((20..30).contains(&answered), "{answered} were answered");
}

#[test]
fn a_silent_board_is_said_everything_again_and_then_given_up() {
    let settings = Settings {
        soonest: Duration::from_millis(5),
        timeout: Duration::from_millis(20),
        patience: Duration::from_millis(80),
        ..Settings::default()
    };
    let station = Station::with(settings, &[("kernel", noise(10_000, 1))]);
    let board = Raw::new(&station);
    board.request("kernel|octet|tsize|0");
    let transfer = board.options("tsize|10000");
    board.options("tsize|10000");
    board.ack(transfer, 0);
    while board.hear().0[1] == 6 {}
    board.block(1);
    let What::Failed { why, .. } = station.end().what else {
        panic!("not a failure")
    };
    assert!(why.contains("fell silent after 0 bytes"), "{why}");
    station.until_nothing_is_left();
}

#[test]
fn a_closed_port_is_noticed_at_the_first_resend() {
    let settings = Settings {
        soonest: Duration::from_millis(1),
        ..slow()
    };
    let station = Station::with(settings, &[("kernel", noise(10_000, 1))]);
    let board = Raw::new(&station);
    board.request("kernel|octet|tsize|0");
    let transfer = board.options("tsize|10000");
    board.ack(transfer, 0);
    drop(board);
    let What::Failed { why, .. } = station.end().what else {
        panic!("not a failure")
    };
    assert!(why.contains("closed its port"), "{why}");
    station.until_nothing_is_left();
}

#[test]
fn a_lost_last_acknowledgement_and_a_closed_port_mean_done() {
    let settings = Settings {
        soonest: Duration::from_millis(1),
        ..slow()
    };
    let station = Station::with(settings, &[("small", Bytes::from_static(b"small"))]);
    let board = Raw::new(&station);
    board.request("small|octet|tsize|0");
    let transfer = board.options("tsize|5");
    board.ack(transfer, 0);
    board.block(1);
    drop(board);
    assert!(matches!(station.end().what, What::Done { bytes: 5, .. }));
}

#[test]
fn stopping_tells_every_board() {
    let station = Station::with(slow(), &[("kernel", noise(1_000_000, 1))]);
    let boards: Vec<Raw> = (0..10).map(|_| Raw::new(&station)).collect();
    for board in &boards {
        board.request("kernel|octet");
        let (_, transfer) = board.block(1);
        board.ack(transfer, 1);
        board.block(2);
    }
    station.stop().unwrap();
    for board in &boards {
        board.refused(0);
    }
}

#[test]
fn a_board_that_was_given_up_can_ask_again() {
    let station = Station::with(slow(), &[("kernel", noise(10_000, 1))]);
    for _ in 0..3 {
        let want = Want {
            limit: 5000,
            ..Want::file("kernel")
        };
        assert_eq!(station.fetch(want), Outcome::TooLarge);
        let What::Failed { why, .. } = station.end().what else {
            panic!("not a failure")
        };
        assert!(why.contains("too large"), "{why}");
        assert_eq!(station.read(Want::file("kernel")), noise(10_000, 1));
        assert_eq!(
            station.end().what,
            What::Done {
                bytes: 10_000,
                resent: 0
            }
        );
    }
}
