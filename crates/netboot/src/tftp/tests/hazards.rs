//! One test for each thing that the bare async-tftp crate would do to a board.

use std::net::{Ipv4Addr, UdpSocket};

use bytes::Bytes;

use super::station::{Raw, Station, noise, slow};
use crate::tftp::client::{Outcome, Want};
use crate::tftp::{ServeError, What};

const FIRST: Bytes = Bytes::from_static(b"the first file");
const SECOND: Bytes = Bytes::from_static(b"the second one");

fn two_files() -> Station {
    Station::with(slow(), &[("first", FIRST), ("second", SECOND)])
}

#[test]
fn an_error_from_the_client_ends_the_transfer_at_once() {
    let station = two_files();
    let board = Raw::new(&station);
    board.request("first|octet|tsize|0");
    let transfer = board.options("tsize|14");
    assert_eq!(station.event().what, What::Started { size: 14 });
    board.error(transfer, 0, "Early terminate");
    assert_eq!(station.event().what, What::Declined);
    station.until_nothing_is_left();
    board.hears_nothing();
}

#[test]
fn an_error_in_the_middle_of_a_file_frees_everything() {
    let station = Station::with(slow(), &[("big", noise(5_000_000, 1))]);
    let board = Raw::new(&station);
    board.request("big|octet");
    let (_, transfer) = board.block(1);
    for number in 1..100 {
        board.ack(transfer, number);
        board.block(number + 1);
    }
    board.error(transfer, 3, "Disk full");
    let What::Failed { why, .. } = station.end().what else {
        panic!("not a failure")
    };
    assert!(
        why.contains("Disk full") && why.contains("error 3"),
        "{why}"
    );
    station.until_nothing_is_left();
    board.hears_nothing();
}

#[test]
fn after_an_error_the_same_port_gets_the_new_file() {
    let station = two_files();
    let board = Raw::new(&station);
    for _ in 0..200 {
        board.request("first|octet|tsize|0");
        let probe = board.options("tsize|14");
        // The error and the next request race to two different sockets.
        board.error(probe, 0, "Early terminate");
        board.request("second|octet|blksize|1468");
        let transfer = board.options("blksize|1468");
        board.ack(transfer, 0);
        assert_eq!(board.block(1), (SECOND.to_vec(), transfer));
        board.ack(transfer, 1);
        assert_eq!(station.end().what, What::Declined);
        assert_eq!(
            station.end().what,
            What::Done {
                bytes: 14,
                resent: 0
            }
        );
    }
    station.until_nothing_is_left();
}

#[test]
fn after_an_error_the_same_port_gets_the_same_file_from_its_beginning() {
    let station = two_files();
    let board = Raw::new(&station);
    for _ in 0..200 {
        board.request("first|octet|tsize|0");
        let probe = board.options("tsize|14");
        board.error(probe, 0, "Early terminate");
        board.request("first|octet|tsize|0");
        let transfer = board.options("tsize|14");
        board.ack(transfer, 0);
        assert_eq!(board.block(1), (FIRST.to_vec(), transfer));
        board.ack(transfer, 1);
        assert_eq!(station.end().what, What::Declined);
        assert_eq!(
            station.end().what,
            What::Done {
                bytes: 14,
                resent: 0
            }
        );
    }
}

#[test]
fn a_board_that_was_reset_gets_its_new_file_from_the_same_port() {
    let station = Station::with(slow(), &[("big", noise(100_000, 2)), ("second", SECOND)]);
    let board = Raw::new(&station);
    board.request("big|octet");
    let (_, old) = board.block(1);
    board.ack(old, 1);
    board.block(2);
    board.request("second|octet");
    let (data, new) = board.block(1);
    assert_eq!(data, SECOND);
    assert_ne!(old, new);
    // The old transfer does not say a word any more, whatever it is told.
    board.ack(old, 2);
    board.ack(new, 1);
    let What::Failed { why, .. } = station.end().what else {
        panic!("not a failure")
    };
    assert!(why.contains("started anew after 512 bytes"), "{why}");
    assert_eq!(
        station.end().what,
        What::Done {
            bytes: 14,
            resent: 0
        }
    );
    station.until_nothing_is_left();
    board.hears_nothing();
}

#[test]
fn a_request_sent_twice_gets_the_same_answer_from_the_same_port() {
    let station = two_files();
    let board = Raw::new(&station);
    board.request("first|octet|tsize|0");
    let transfer = board.options("tsize|14");
    board.request("first|octet|tsize|0");
    assert_eq!(board.options("tsize|14"), transfer);
    board.ack(transfer, 0);
    assert_eq!(board.block(1), (FIRST.to_vec(), transfer));
    board.ack(transfer, 1);
    assert_eq!(station.event().what, What::Started { size: 14 });
    assert_eq!(
        station.event().what,
        What::Done {
            bytes: 14,
            resent: 0
        }
    );
    station.until_nothing_is_left();
    board.hears_nothing();
}

#[test]
fn a_late_copy_of_a_request_does_not_disturb_the_transfer() {
    let station = Station::with(slow(), &[("big", noise(1000, 3))]);
    let board = Raw::new(&station);
    for _ in 0..100 {
        board.request("big|octet|blksize|900");
        let transfer = board.options("blksize|900");
        board.request("big|octet|blksize|900");
        board.ack(transfer, 0);
        let (answer, from) = board.hear();
        assert_eq!(from, transfer);
        // The copy may have been read before or after the acknowledgement.
        if answer[1] == 6 {
            board.block(1);
        }
        board.ack(transfer, 1);
        board.block(2);
        board.ack(transfer, 2);
        assert!(matches!(station.end().what, What::Done { bytes: 1000, .. }));
    }
}

#[test]
fn a_board_that_stalls_holds_up_nobody() {
    let big = noise(2_000_000, 4);
    let station = Station::with(slow(), &[("big", big.clone())]);
    let stalled: Vec<Raw> = (0..20).map(|_| Raw::new(&station)).collect();
    for board in &stalled {
        // Far enough that the producer waits in the middle of the file.
        board.request("big|octet");
        let (_, transfer) = board.block(1);
        board.ack(transfer, 1);
        board.block(2);
    }
    assert_eq!(station.read(Want::file("big")), big);
    assert!(station.live() >= stalled.len());
}

#[test]
fn a_lost_first_block_of_a_window_is_said_again_at_once() {
    let station = Station::with(slow(), &[("big", noise(100_000, 5))]);
    let board = Raw::new(&station);
    board.request("big|octet|windowsize|4");
    let transfer = board.options("windowsize|4");
    board.ack(transfer, 0);
    for number in 1..=4 {
        board.block(number);
    }
    board.ack(transfer, 4);
    for number in 5..=8 {
        board.block(number);
    }
    // As if block 5 had not arrived: the last block in order was 4.
    board.ack(transfer, 4);
    for number in 5..=8 {
        board.block(number);
    }
    board.error(transfer, 0, "Early terminate");
}

#[test]
fn a_lost_middle_block_of_a_window_is_said_again_at_once() {
    let station = Station::with(slow(), &[("big", noise(100_000, 6))]);
    let board = Raw::new(&station);
    board.request("big|octet|windowsize|4");
    let transfer = board.options("windowsize|4");
    board.ack(transfer, 0);
    for number in 1..=4 {
        board.block(number);
    }
    board.ack(transfer, 2);
    for number in 3..=6 {
        board.block(number);
    }
    board.error(transfer, 0, "Early terminate");
}

#[test]
fn a_window_is_never_larger_than_the_setting() {
    let station = Station::with(slow(), &[("big", noise(100_000, 7))]);
    let board = Raw::new(&station);
    board.request("big|octet|windowsize|65535");
    let transfer = board.options("windowsize|16");
    board.ack(transfer, 0);
    for number in 1..=16 {
        board.block(number);
    }
    board.ack(transfer, 16);
    board.block(17);
    board.error(transfer, 0, "Early terminate");
    assert_eq!(station.end().what, What::Declined);
}

#[test]
fn names_and_modes_that_mean_nothing_are_answered() {
    let station = two_files();
    let board = Raw::new(&station);
    board.to_port(b"\0\x01\xff\xfe\0octet\0");
    board.refused(1);
    assert_eq!(station.event().what, What::NotFound);
    board.request("first|mail");
    assert!(board.refused(4).contains("mode"));
    let What::Failed { why, .. } = station.event().what else {
        panic!("not a failure")
    };
    assert!(why.contains("mode"), "{why}");
    board.to_port(b"\0\x01first\0octet");
    board.refused(4);
    board.to_port(b"\0\x01first");
    board.refused(4);
    board.to_port(b"\0\x01");
    board.refused(4);
    assert_eq!(station.live(), 0);
}

#[test]
fn a_missing_file_is_refused_at_once_and_told() {
    let station = two_files();
    assert_eq!(
        station.fetch(Want::probe("d137e638/config.txt")),
        Outcome::NotFound
    );
    let event = station.event();
    assert_eq!(
        (event.path.as_str(), event.what),
        ("d137e638/config.txt", What::NotFound)
    );
    assert_eq!(station.live(), 0);
}

#[test]
fn completion_is_told_with_the_path_as_it_was_looked_up() {
    let station = Station::with(slow(), &[("d137e638/config.txt", FIRST)]);
    assert_eq!(station.read(Want::file("d137e638//config.txt")), FIRST);
    let (started, done) = (station.event(), station.event());
    assert_eq!(started.what, What::Started { size: 14 });
    assert_eq!(
        done.what,
        What::Done {
            bytes: 14,
            resent: 0
        }
    );
    assert_eq!(done.path, "d137e638/config.txt");
    assert_eq!(
        (done.transfer, done.client),
        (started.transfer, started.client)
    );
}

#[test]
fn transfers_are_bound_to_the_interface() {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let station = Station::on(socket, Some("lo"), slow(), &[("first", FIRST)]);
    assert_eq!(station.read(Want::file("first")), FIRST);

    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let nowhere = Station::on(socket, Some("nosuchnic0"), slow(), &[]);
    let error = nowhere.stop().unwrap_err();
    assert!(matches!(&error, ServeError::Device { device, .. } if device == "nosuchnic0"));
}

#[test]
fn a_socket_without_an_address_is_refused() {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let station = Station::on(socket, None, slow(), &[]);
    assert!(matches!(
        station.stop().unwrap_err(),
        ServeError::NoAddress(_)
    ));
}
