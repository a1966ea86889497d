//! Bytes that mean no good.

use proptest::collection::vec;
use proptest::prelude::*;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::station::{Raw, Station, noise, slow};
use crate::tftp::Settings;
use crate::tftp::client::{Client, Want};
use crate::tftp::conversation::Conversation;
use crate::tftp::packet::Packet;
use crate::tftp::request::{Rejected, Request};
use crate::tftp::terms::Terms;

/// Datagrams that are nearly right more often than chance would have it.
fn datagram() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop_oneof![
        vec(any::<u8>(), 0..40),
        Just(vec![0]),
        Just(vec![0, 1]),
        prop::sample::select(vec![
            "octet",
            "netascii",
            "mail",
            "blksize",
            "tsize",
            "timeout",
            "windowsize",
            "1468",
            "0",
            "99999999999999999999",
            "-1",
            "a/b",
            "//",
            "..",
            "../../etc/passwd",
            "a\u{7f}b",
        ])
        .prop_map(|word| [word.as_bytes(), b"\0"].concat()),
    ];
    (
        prop_oneof![Just(1_u8), Just(2), 0..9_u8],
        vec(pieces, 0..12),
    )
        .prop_map(|(kind, pieces)| [vec![0, kind], pieces.concat()].concat())
}

proptest! {
    #[test]
    fn requests_are_clean_or_refused(bytes in datagram()) {
        match Request::parse(&bytes) {
            Ok(request) => {
                prop_assert!(!request.path.is_empty() && request.path.len() <= 255);
                prop_assert!(!request.path.starts_with('/') && !request.path.contains("//"));
                prop_assert!(request.path.split('/').all(|part| part != ".." && part != "."));
                prop_assert!(!request.path.chars().any(char::is_control));
                prop_assert!(request.asked.len() <= 4);
                let settings = Settings::default();
                let terms = Terms::agree(&request, u64::MAX, &settings);
                prop_assert!((8..=settings.max_block.max(512)).contains(&terms.block));
                prop_assert!((1..=settings.max_window).contains(&terms.window));
                prop_assert!(terms.offer.len() < 128);
                prop_assert!(terms.patience <= Duration::from_mins(3));
            }
            Err(Rejected::NotARequest) => prop_assert!(bytes[1] != 1 && bytes[1] != 2),
            Err(Rejected::Answer { shown, .. }) => {
                prop_assert!(shown.chars().count() <= 120);
                prop_assert!(!shown.chars().any(char::is_control));
            }
        }
    }

    #[test]
    fn nothing_parses_into_a_panic(bytes in vec(any::<u8>(), 0..600)) {
        let _ = Packet::parse(&bytes);
        let _ = Request::parse(&bytes);
    }

    #[test]
    fn a_conversation_survives_any_client(
        datagrams in vec(prop_oneof![
            vec(any::<u8>(), 0..8),
            (0..40_u16).prop_map(|n| [&[0, 4][..], &n.to_be_bytes()].concat()),
            any::<u16>().prop_map(|n| [&[0, 4][..], &n.to_be_bytes()].concat()),
        ], 0..60),
        window in 1..20_u16,
        last in 1..50_u64,
    ) {
        let terms = Terms {
            block: 512,
            window,
            soonest: Duration::from_millis(50),
            timeout: Duration::from_secs(1),
            longest: Duration::from_secs(6),
            patience: Duration::from_secs(30),
            offer: vec![0, 6],
        };
        let mut now = Instant::now();
        let mut conversation = Conversation::new(&terms, now);
        conversation.supplied(last, Some(last));
        for datagram in datagrams {
            let mut said = 0;
            while conversation.poll(now).is_some() {
                said += 1;
            }
            prop_assert!(said <= u64::from(window).max(1));
            conversation.handle(&datagram, now);
            now += Duration::from_millis(7);
            conversation.handle_timeout(now);
            prop_assert!(conversation.delivered() <= last);
        }
    }

    #[test]
    fn a_client_survives_any_server(datagrams in vec(datagram(), 0..60), probe: bool) {
        let server = SocketAddr::from(([127, 0, 0, 1], 69));
        let mut now = Instant::now();
        let want = Want { probe, limit: 10_000, ..Want::file("kernel") };
        let mut client = Client::new(want, server, now);
        for mut datagram in datagrams {
            while client.poll(now).is_some() {}
            // Answers rather than requests.
            datagram[1] = datagram[1].wrapping_add(2);
            client.handle(&datagram, server);
            now += Duration::from_millis(100);
            client.handle_timeout(now);
        }
    }
}

#[test]
fn a_flood_of_nonsense_leaves_the_server_serving() {
    let kernel = noise(100_000, 1);
    let station = Station::with(slow(), &[("kernel", kernel.clone())]);
    let stranger = Raw::new(&station);
    for length in 0..1500 {
        let mut bytes = noise(length, length as u64).to_vec();
        if length % 3 == 0 && length > 2 {
            bytes[0] = 0;
            bytes[1] = (length / 3 % 7) as u8;
        }
        stranger.to_port(&bytes);
    }
    assert_eq!(station.read(Want::file("kernel")), kernel);
}

#[test]
fn errors_and_acknowledgements_to_the_port_are_met_with_silence() {
    let station = Station::with(slow(), &[("kernel", noise(600, 1))]);
    let stranger = Raw::new(&station);
    for bytes in [
        &b"\0\x05\0\0loop\0"[..],
        b"\0\x04\0\0",
        b"\0\x03\0\x01x",
        b"\0\x06",
        b"",
        b"\0",
    ] {
        stranger.to_port(bytes);
    }
    // The first thing heard is the answer to the first request.
    stranger.request("kernel|octet|tsize|0");
    let transfer = stranger.options("tsize|600");
    stranger.error(transfer, 0, "Early terminate");
}
