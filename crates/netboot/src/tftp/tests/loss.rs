//! Both ends on a test clock with a network between them that loses, doubles and delays.
//!
//! The network may do so in any pattern, as long as it lets something through before the retry
//! limit: since the last progress it takes away at most [`MOST_LOST`] datagrams.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

use super::station::noise;
use crate::tftp::Settings;
use crate::tftp::client::{Client, Outcome, Output, Want};
use crate::tftp::content::Content;
use crate::tftp::conversation::{Again, Conversation, Ending, Say};
use crate::tftp::packet::{HEADER, data_header};
use crate::tftp::request::{Mode, Request};
use crate::tftp::supply::Supply;
use crate::tftp::terms::Terms;

const MOST_LOST: u32 = 4;

#[derive(Debug, Clone, Copy)]
enum Fate {
    Deliver,
    Lose,
    /// Arrives twice, the second time later by so many ms.
    Double(u64),
    /// Arrives late by so many ms, after what was sent behind it.
    Delay(u64),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        3 => Just(Fate::Deliver),
        2 => Just(Fate::Lose),
        1 => (0..150_u64).prop_map(Fate::Double),
        1 => (0..150_u64).prop_map(Fate::Delay),
    ]
}

/// The station's end: what the port-69 task, a transfer and the producer do together.
struct Served {
    request: Vec<u8>,
    port: SocketAddr,
    conversation: Conversation,
    supply: Supply,
    content: Content,
    offer: Vec<u8>,
}

impl Served {
    fn new(datagram: &[u8], file: &Bytes, port: SocketAddr, now: Instant) -> Self {
        let request = Request::parse(datagram).unwrap();
        let terms = Terms::agree(&request, file.len() as u64, &Settings::default());
        Self {
            request: datagram.to_vec(),
            port,
            conversation: Conversation::new(&terms, now),
            supply: Supply::new(terms.block, terms.window, file.len(), 4096),
            content: Content::new(file.clone(), Mode::Octet),
            offer: terms.offer,
        }
    }

    fn say(&mut self, now: Instant) -> Option<Vec<u8>> {
        self.supply.release(self.conversation.delivered());
        let mut pieces = self
            .supply
            .ready()
            .div_ceil(self.supply.piece_size().into());
        while self.supply.last().is_none() && pieces < self.supply.allowance() {
            let mut buffer = self.supply.buffer();
            let length = self.content.read(&mut buffer[HEADER..]);
            self.supply.add(buffer, length);
            pieces += 1;
        }
        self.conversation
            .supplied(self.supply.ready(), self.supply.last());
        Some(match self.conversation.poll(now)? {
            Say::Offer => self.offer.clone(),
            Say::Block(number) => {
                let data = self
                    .supply
                    .block(number)
                    .expect("a block that was announced");
                [&data_header(number as u16), data].concat()
            }
        })
    }
}

/// When it arrives, a number to keep the order, from where, to where, and what.
type Datagram = (Instant, u64, SocketAddr, SocketAddr, Vec<u8>);

struct Network {
    now: Instant,
    flying: BinaryHeap<Reverse<Datagram>>,
    sent: u64,
    fates: Box<dyn Iterator<Item = Fate>>,
    lost_since_progress: u32,
}

impl Network {
    fn send(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        let trip = Duration::from_micros(200);
        let later: &[u64] = match self.fates.next() {
            Some(Fate::Lose) if self.lost_since_progress < MOST_LOST => {
                self.lost_since_progress += 1;
                &[]
            }
            Some(Fate::Double(ms)) => &[0, ms],
            Some(Fate::Delay(ms)) => &[ms],
            Some(Fate::Deliver | Fate::Lose) | None => &[0],
        };
        for ms in later {
            self.sent += 1;
            let at = self.now + trip + Duration::from_millis(*ms);
            self.flying
                .push(Reverse((at, self.sent, from, to, bytes.to_vec())));
        }
    }
}

/// What came of a read over such a network.
struct Result {
    outcome: Option<Outcome>,
    ending: Option<Ending>,
    resent: u64,
    took: Duration,
}

fn read(want: Want, file: &Bytes, fates: Vec<Fate>) -> Result {
    let well_known = SocketAddr::from(([192, 168, 151, 1], 69));
    let board = SocketAddr::from(([192, 168, 151, 100], 49152));
    let begin = Instant::now();
    let mut net = Network {
        now: begin,
        flying: BinaryHeap::new(),
        sent: 0,
        fates: Box::new(fates.into_iter().cycle()),
        lost_since_progress: 0,
    };
    let mut client = Client::new(want, well_known, begin);
    let mut served: Option<Served> = None;
    let mut next_port = 32768;
    let (mut outcome, mut delivered) = (None, 0);
    loop {
        while let Some(output) = client.poll(net.now) {
            match output {
                Output::Send { to, bytes } => net.send(board, to, &bytes),
                Output::Ended(how) => outcome = Some(how),
            }
        }
        if let Some(served) = &mut served {
            if served.conversation.delivered() > delivered {
                delivered = served.conversation.delivered();
                net.lost_since_progress = 0;
            }
            while let Some(bytes) = served.say(net.now) {
                net.send(served.port, board, &bytes);
            }
        }
        let ending = served
            .as_ref()
            .and_then(|s| s.conversation.ending())
            .cloned();
        let took = net.now - begin;
        if (outcome.is_some() && ending.is_some()) || took > Duration::from_hours(1) {
            let resent = served.map_or(0, |s| s.conversation.resent());
            return Result {
                outcome,
                ending,
                resent,
                took,
            };
        }

        let arrival = net.flying.peek().map(|Reverse(first)| first.0);
        let deadlines = [
            arrival,
            client.next_deadline(),
            served.as_ref().and_then(|s| s.conversation.next_deadline()),
        ];
        net.now = deadlines
            .into_iter()
            .flatten()
            .min()
            .map_or(net.now, |at| at.max(net.now));
        if arrival.is_some_and(|at| at <= net.now) {
            let Some(Reverse((_, _, from, to, bytes))) = net.flying.pop() else {
                continue;
            };
            if to == board {
                client.handle(&bytes, from);
            } else if to == well_known {
                let again = served.as_mut().map(|served| {
                    let same = served.request == bytes;
                    served.conversation.again(same, net.now)
                });
                if again != Some(Again::Continues) {
                    next_port += 1;
                    let port = SocketAddr::new(well_known.ip(), next_port);
                    served = Some(Served::new(&bytes, file, port, net.now));
                }
            } else if let Some(served) = served.as_mut().filter(|served| served.port == to) {
                served.conversation.handle(&bytes, net.now);
            }
            continue;
        }
        client.handle_timeout(net.now);
        if let Some(served) = &mut served {
            served.conversation.handle_timeout(net.now);
        }
    }
}

/// In the worst of patterns every block is lost a few times, at some seconds each.
fn patient(want: Want) -> Want {
    Want {
        patience: Duration::from_mins(50),
        ..want
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_lost_doubled_or_late_the_bytes_are_right(
        fates in vec(fate(), 1..200),
        length in 0..12_000_usize,
        block in prop_oneof![Just(None), Just(Some(512_u16)), Just(Some(1468)), Just(Some(100))],
        window in prop_oneof![2 => Just(None), 1 => (1..20_u16).prop_map(Some)],
    ) {
        let file = noise(length, 1);
        let want = Want { max_block: block, window, ..patient(Want::file("kernel")) };
        let result = read(want, &file, fates);
        let expected = Outcome::File { bytes: file.to_vec() };
        prop_assert_eq!(result.outcome, Some(expected));
        prop_assert!(matches!(result.ending, Some(Ending::Done)), "{:?}", result.ending);
    }

    #[test]
    fn doubles_do_not_breed(
        fates in vec(prop_oneof![Just(Fate::Deliver), Just(Fate::Double(0))], 1..50),
        window in prop_oneof![Just(None), Just(Some(4_u16))],
    ) {
        let file = noise(40_000, 2);
        let want = Want { window, ..patient(Want::file("kernel")) };
        let result = read(want, &file, fates);
        prop_assert_eq!(result.outcome, Some(Outcome::File { bytes: file.to_vec() }));
        // With a window an echo looks like a gap, but at most every other time.
        let allowed = if window.is_some() { 40_000 / 1468 } else { 0 };
        prop_assert!(result.resent <= allowed, "{}", result.resent);
    }
}

#[test]
fn the_turn_of_the_block_numbers_survives_loss() {
    let file = noise(65_600 * 8 + 3, 3);
    let fates = [
        vec![Fate::Deliver; 40],
        vec![Fate::Lose],
        vec![Fate::Double(3)],
    ]
    .concat();
    for window in [None, Some(16)] {
        let want = Want {
            max_block: Some(8),
            window,
            ..patient(Want::file("kernel"))
        };
        let result = read(want, &file, fates.clone());
        let expected = Outcome::File {
            bytes: file.to_vec(),
        };
        assert!(result.outcome == Some(expected), "{window:?}");
    }
}

#[test]
fn one_datagram_in_a_hundred_costs_a_kernel_seconds_not_minutes() {
    let file = noise(8_000_000, 4);
    let fates = [vec![Fate::Deliver; 99], vec![Fate::Lose]].concat();
    let result = read(patient(Want::file("kernel")), &file, fates);
    assert_eq!(result.ending, Some(Ending::Done));
    // 5450 blocks, 110 losses: at the full second each it would be two minutes.
    assert!(result.took < Duration::from_secs(10), "{:?}", result.took);
}
