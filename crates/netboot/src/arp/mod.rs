//! Is the station's address free, and does it stay ours? RFC 5227 as a pure conversation.
//!
//! A gateway with the station's own address is the commonest way to lose a whole batch: boards get
//! their boot files from one machine and their image from another. So the address is probed before
//! anything is served, announced when it is free, and watched and defended from then on; whoever
//! else uses it is named by Ethernet address. [`Arp`] is the conversation, [`ArpSocket`] its shell.

mod frame;
mod socket;

pub use socket::{ArpError, ArpSocket, probe};

use frame::Frame;
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::time::Duration;
use wire::{Mac, Millis};

/// The pauses of RFC 5227 §1.1. The RFC's own are made for a whole campus and take seven seconds; a
/// deployment wire is one switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How many probes are sent.
    pub probes: u32,
    /// Pause between two probes.
    pub spacing: Duration,
    /// Pause after the last probe before the address counts as free. Whoever answers later is heard
    /// as a conflict with an address in use.
    pub hearing: Duration,
    /// How many announcements follow.
    pub announcements: u32,
    /// Pause between two announcements.
    pub announce_spacing: Duration,
    /// Least time between two defences, and between two reports of the same rival.
    pub defend_pause: Duration,
}

impl Timing {
    /// Time from the first probe until an address counts as free.
    pub const fn probing(&self) -> Duration {
        let pauses = self.probes.saturating_sub(1);
        self.spacing
            .saturating_mul(pauses)
            .saturating_add(self.hearing)
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            probes: 3,
            spacing: Duration::from_millis(200),
            hearing: Duration::from_millis(200),
            announcements: 2,
            announce_spacing: Duration::from_secs(2),
            defend_pause: Duration::from_secs(10),
        }
    }
}

/// Somebody else uses the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict {
    /// Who.
    pub mac: Mac,
}

/// What the conversation wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send this Ethernet frame.
    Send(Vec<u8>),
    /// Nobody answered: the address is free.
    Free,
    /// Somebody else uses the address. While probing this ends the conversation.
    Conflict(Conflict),
}

#[derive(Debug, Clone, Copy)]
enum State {
    Probing { left: u32, next: Millis },
    Announcing { left: u32, next: Millis },
    Holding,
    Taken,
}

/// The conversation about one address.
#[derive(Debug)]
pub struct Arp {
    ip: Ipv4Addr,
    mac: Mac,
    timing: Timing,
    state: State,
    defended: Option<Millis>,
    told: Option<(Mac, Millis)>,
    output: VecDeque<Output>,
}

impl Arp {
    /// Begins to probe for `ip` from the NIC with this Ethernet address.
    pub fn new(ip: Ipv4Addr, mac: Mac, timing: Timing, now: Millis) -> Self {
        let left = timing.probes;
        Self::begin(ip, mac, timing, State::Probing { left, next: now })
    }

    /// Begins with an address that is ours already: announces it, then watches and defends.
    pub fn holding(ip: Ipv4Addr, mac: Mac, timing: Timing, now: Millis) -> Self {
        let left = timing.announcements;
        Self::begin(ip, mac, timing, State::Announcing { left, next: now })
    }

    fn begin(ip: Ipv4Addr, mac: Mac, timing: Timing, state: State) -> Self {
        let (defended, told, output) = (None, None, VecDeque::new());
        Self {
            ip,
            mac,
            timing,
            state,
            defended,
            told,
            output,
        }
    }

    /// What to do next, until there is nothing more.
    pub fn poll(&mut self) -> Option<Output> {
        self.output.pop_front()
    }

    /// When [`Arp::handle_timeout`] has something to do next.
    pub fn next_deadline(&self) -> Option<Millis> {
        match self.state {
            State::Probing { next, .. } | State::Announcing { next, .. } => Some(next),
            State::Holding | State::Taken => None,
        }
    }

    /// Sends the next probe or announcement that is due.
    pub fn handle_timeout(&mut self, now: Millis) {
        match self.state {
            State::Probing { left: 0, next } if next <= now => {
                self.output.push_back(Output::Free);
                self.state = State::Announcing {
                    left: self.timing.announcements,
                    next: now,
                };
            }
            State::Probing { left, next } if next <= now => {
                self.send(Frame::probe(self.mac, self.ip));
                let pause = match left {
                    1 => self.timing.hearing,
                    _ => self.timing.spacing,
                };
                let next = after(now, pause);
                self.state = State::Probing {
                    left: left - 1,
                    next,
                };
            }
            State::Announcing { left: 0, next } if next <= now => self.state = State::Holding,
            State::Announcing { left, next } if next <= now => {
                self.send(Frame::announcement(self.mac, self.ip));
                let next = after(now, self.timing.announce_spacing);
                self.state = State::Announcing {
                    left: left - 1,
                    next,
                };
            }
            _ => {}
        }
    }

    /// Takes one Ethernet frame. Never panics, whatever the bytes.
    pub fn handle(&mut self, frame: &[u8], now: Millis) {
        let Some(heard) = Frame::parse(frame).filter(|heard| heard.sender_mac != self.mac) else {
            return;
        };
        let uses = heard.sender_ip == self.ip;
        let mac = heard.sender_mac;
        match self.state {
            // Another machine's probe for the same address counts as well: RFC 5227 §2.1.1.
            State::Probing { .. } if uses || heard.is_probe_for(self.ip) => {
                self.state = State::Taken;
                self.output.push_back(Output::Conflict(Conflict { mac }));
            }
            State::Announcing { .. } | State::Holding if uses => self.defend(mac, now),
            _ => {}
        }
    }

    /// A station is infrastructure: it defends its address for as long as it serves (RFC 5227
    /// §2.4 (c)), and tells the operator, who can do more about it than a frame can.
    fn defend(&mut self, mac: Mac, now: Millis) {
        let recent = |at: Millis| now < after(at, self.timing.defend_pause);
        let told = self
            .told
            .is_some_and(|(whom, at)| whom == mac && recent(at));
        if !self.defended.is_some_and(recent) {
            self.defended = Some(now);
            self.send(Frame::announcement(self.mac, self.ip));
        }
        if !told {
            self.told = Some((mac, now));
            self.output.push_back(Output::Conflict(Conflict { mac }));
        }
    }

    fn send(&mut self, frame: Frame) {
        self.output.push_back(Output::Send(frame.to_bytes()));
    }
}

fn after(now: Millis, pause: Duration) -> Millis {
    now.plus(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const IP: Ipv4Addr = Ipv4Addr::new(192, 168, 151, 1);
    const OURS: Mac = Mac([0x02, 0, 0, 0, 0, 1]);
    const GATEWAY: Mac = Mac([0x74, 0xac, 0xb9, 0, 0, 9]);

    fn frames(arp: &mut Arp) -> (Vec<Frame>, Vec<Output>) {
        let all: Vec<_> = std::iter::from_fn(|| arp.poll()).collect();
        let sent = all.iter().filter_map(|output| match output {
            Output::Send(bytes) => Frame::parse(bytes),
            _ => None,
        });
        let sent = sent.collect();
        let told = all
            .into_iter()
            .filter(|output| !matches!(output, Output::Send(_)));
        (sent, told.collect())
    }

    /// Lets time pass until nothing is due any more; returns what was done and when.
    fn run(arp: &mut Arp) -> Vec<(i64, Output)> {
        let mut done = Vec::new();
        while let Some(now) = arp.next_deadline() {
            arp.handle_timeout(now);
            done.extend(std::iter::from_fn(|| arp.poll()).map(|output| (now.0, output)));
        }
        done
    }

    #[test]
    fn a_free_address_is_probed_three_times_then_announced_twice() {
        let timing = Timing {
            hearing: Duration::from_millis(40),
            ..Timing::default()
        };
        let mut arp = Arp::new(IP, OURS, timing, Millis(0));
        let done = run(&mut arp);
        assert_eq!(timing.probing(), Duration::from_millis(440));
        let (probe, announcement) = (Frame::probe(OURS, IP), Frame::announcement(OURS, IP));
        let sent = |frame: Frame| Output::Send(frame.to_bytes());
        assert_eq!(
            done,
            [
                (0, sent(probe)),
                (200, sent(probe)),
                (400, sent(probe)),
                (440, Output::Free),
                (440, sent(announcement)),
                (2440, sent(announcement)),
            ]
        );
    }

    #[test]
    fn the_machine_that_answers_is_named_and_nothing_is_announced() {
        let mut arp = Arp::new(IP, OURS, Timing::default(), Millis(0));
        arp.handle_timeout(Millis(0));
        let answer = Frame::answer(GATEWAY, IP, OURS);
        arp.handle(&answer.to_bytes(), Millis(3));
        let (_, told) = frames(&mut arp);
        assert_eq!(told, [Output::Conflict(Conflict { mac: GATEWAY })]);
        assert_eq!(run(&mut arp), []);
    }

    #[test]
    fn a_machine_probing_for_the_same_address_is_a_conflict() {
        let mut arp = Arp::new(IP, OURS, Timing::default(), Millis(0));
        arp.handle(&Frame::probe(OURS, IP).to_bytes(), Millis(1));
        assert_eq!(frames(&mut arp).1, [], "an echo of our own probe is none");
        arp.handle(&Frame::probe(GATEWAY, IP).to_bytes(), Millis(2));
        assert_eq!(
            frames(&mut arp).1,
            [Output::Conflict(Conflict { mac: GATEWAY })]
        );
    }

    #[test]
    fn a_held_address_is_defended_but_not_in_a_war() {
        let mut arp = Arp::holding(IP, OURS, Timing::default(), Millis(0));
        run(&mut arp);
        let claim = Frame::announcement(GATEWAY, IP).to_bytes();
        for ms in (10_000..20_000).step_by(10) {
            arp.handle(&claim, Millis(ms));
        }
        let (sent, told) = frames(&mut arp);
        assert_eq!(sent, [Frame::announcement(OURS, IP)]);
        assert_eq!(told, [Output::Conflict(Conflict { mac: GATEWAY })]);
        arp.handle(&claim, Millis(20_000));
        assert_eq!(frames(&mut arp).0.len(), 1, "again after the pause");
    }

    #[test]
    fn others_using_other_addresses_are_none_of_our_business() {
        let mut arp = Arp::new(IP, OURS, Timing::default(), Millis(0));
        let other = Ipv4Addr::new(192, 168, 151, 100);
        arp.handle(&Frame::announcement(GATEWAY, other).to_bytes(), Millis(1));
        let asks = Frame {
            sender_ip: other,
            ..Frame::announcement(GATEWAY, IP)
        };
        arp.handle(&asks.to_bytes(), Millis(2));
        assert_eq!(frames(&mut arp).1, []);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(frame in proptest::collection::vec(any::<u8>(), 0..80)) {
            let mut arp = Arp::holding(IP, OURS, Timing::default(), Millis(0));
            arp.handle(&frame, Millis(1));
        }

        #[test]
        fn mutated_frames_are_survived(at in 0_usize..42, byte: u8, cut in 0_usize..61) {
            let mut bytes = Frame::answer(GATEWAY, IP, OURS).to_bytes();
            bytes[at] = byte;
            bytes.truncate(cut);
            let mut arp = Arp::new(IP, OURS, Timing::default(), Millis(0));
            arp.handle(&bytes, Millis(1));
        }
    }
}
