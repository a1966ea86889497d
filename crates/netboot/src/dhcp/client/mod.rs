//! A DHCP client as a pure conversation: DISCOVER → REQUEST → bound → renewed, or, in the voice of
//! a Pi 3, DISCOVER → bound.
//!
//! The agent speaks it to get and keep its address; virtual boards speak it in the voice of their
//! bootloader ([`Persona`]). As bootloaders do, it joins two OFFERs into one answer when one server
//! gives the address and another (a proxy) says where to boot from. States and timers of the plain
//! part: RFC 2131 §4.4.

mod answer;
mod persona;
mod shell;

pub(crate) use answer::Answer;
pub use persona::{Needs, Persona, ROM_XID, Timing, Xid};
pub use shell::Conversation;

use super::draft::Draft;
use super::{SERVER_PORT, packet};
use dhcproto::v4::{MessageType, Opcode, OptionCode};
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;
use wire::{Mac, Millis};

/// How often a REQUEST is sent before the client starts anew.
const REQUEST_TRIES: u32 = 3;
/// Pause after a NAK, so that two servers that disagree do not drive the client in circles.
const AFTER_NAK: Duration = Duration::from_secs(1);
/// Shortest pause between two attempts to renew.
const RENEW_PAUSE_MS: i64 = 5_000;

/// Where a client's packets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// To everybody on port 67; to renew, to the server on port 67.
    Broadcast,
    /// Always to this one: rehearsals over loopback.
    Only(SocketAddrV4),
}

/// What a client was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Its address.
    pub address: Ipv4Addr,
    /// The network mask; 255.255.255.0 when the server did not say.
    pub mask: Ipv4Addr,
    /// The router, when there is one.
    pub router: Option<Ipv4Addr>,
    /// The server that gave the address.
    pub server: Ipv4Addr,
    /// The TFTP server to boot from.
    pub tftp: Ipv4Addr,
    /// The boot file, when one was named.
    pub file: Option<String>,
    /// How long the address is promised.
    pub lease: Duration,
}

/// What a client wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send these bytes.
    Send {
        /// Where to.
        to: SocketAddrV4,
        /// The message.
        bytes: Vec<u8>,
    },
    /// Tell the owner.
    Event(Event),
}

/// Something that happened to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It has an address.
    Bound(Grant),
    /// The same address for another while.
    Renewed(Grant),
    /// The address must not be used any more; the client asks anew by itself.
    Lost {
        /// Why.
        why: &'static str,
    },
    /// Nobody gave what it needs; it has stopped.
    GaveUp {
        /// What was missing.
        why: &'static str,
    },
}

#[derive(Debug)]
enum State {
    /// Collecting OFFERs until `again`.
    Discovering {
        tries: u32,
        again: Millis,
        offers: Vec<Answer>,
    },
    /// Waiting for the ACK to a REQUEST.
    Requesting {
        tries: u32,
        again: Millis,
        chosen: Box<Answer>,
        boot: Box<Answer>,
    },
    /// Bound; renews at `again`, at first to the server, past `rebind` to everybody.
    Bound {
        grant: Grant,
        again: Millis,
        rebind: Millis,
        end: Millis,
    },
    /// Given up, or bound without a need to renew.
    Still,
}

/// One client.
#[derive(Debug)]
pub struct Lessee {
    persona: Persona,
    mac: Mac,
    network: Network,
    seed: u64,
    xid: u32,
    began: Millis,
    state: State,
    output: VecDeque<Output>,
}

impl Lessee {
    /// A client that begins to ask at once. `seed` decides its random numbers.
    pub fn new(persona: Persona, mac: Mac, network: Network, seed: u64, now: Millis) -> Self {
        let mut lessee = Self {
            persona,
            mac,
            network,
            seed,
            xid: 0,
            began: now,
            state: State::Still,
            output: VecDeque::new(),
        };
        lessee.xid = lessee.next_xid();
        lessee.discover(1, now);
        lessee
    }

    /// What to do next, until there is nothing more.
    pub fn poll(&mut self) -> Option<Output> {
        self.output.pop_front()
    }

    /// When [`Lessee::handle_timeout`] has something to do next.
    pub fn next_deadline(&self) -> Option<Millis> {
        match &self.state {
            State::Discovering { again, .. } | State::Requesting { again, .. } => Some(*again),
            State::Bound { again, end, .. } => Some(*again.min(end)),
            State::Still => None,
        }
    }

    /// Takes one datagram.
    pub fn handle(&mut self, bytes: &[u8], from: SocketAddrV4, now: Millis) {
        let answer = match Answer::parse(bytes, *from.ip()) {
            Ok(answer) if answer.is_to(self.xid, self.mac) => answer,
            Ok(_) => return,
            Err(why) => return tracing::trace!(%from, %why, "ignored"),
        };
        match (answer.kind(), &mut self.state) {
            (MessageType::Offer, State::Discovering { offers, .. }) if offers.len() < 16 => {
                offers.push(answer);
                self.weigh(now);
            }
            (MessageType::Ack, State::Requesting { chosen, boot, .. })
                if answer.server() == chosen.server() && answer.address().is_some() =>
            {
                let boot = boot.clone();
                self.bind(&answer, &boot, now);
            }
            (MessageType::Ack, State::Bound { grant, .. })
                if answer.address() == Some(grant.address) =>
            {
                self.renewed(&answer, now);
            }
            (MessageType::Nak, State::Requesting { chosen, .. })
                if answer.server() == chosen.server() =>
            {
                self.restart(now);
            }
            (MessageType::Nak, State::Bound { grant, .. }) if answer.server() == grant.server => {
                self.lose("the server took the address back", now);
            }
            _ => {}
        }
    }

    /// Asks again, renews, or gives up, whichever is due.
    pub fn handle_timeout(&mut self, now: Millis) {
        if self.next_deadline().is_none_or(|due| due > now) {
            return;
        }
        match &mut self.state {
            State::Discovering { tries, offers, .. } => {
                let (tries, heard) = (*tries, !offers.is_empty());
                if self.may_try_again(tries, now) {
                    self.discover(tries + 1, now);
                } else {
                    let why = if heard {
                        "no reply named a boot server"
                    } else {
                        "no reply"
                    };
                    self.state = State::Still;
                    self.output.push_back(Output::Event(Event::GaveUp { why }));
                }
            }
            State::Requesting { tries, chosen, .. } => {
                if *tries < REQUEST_TRIES {
                    *tries += 1;
                    let chosen = chosen.clone();
                    self.send_request(&chosen);
                    let pause = self.persona.timing.resend;
                    if let State::Requesting { again, .. } = &mut self.state {
                        *again = after(now, pause);
                    }
                } else {
                    self.restart(now);
                }
            }
            State::Bound { end, .. } if *end <= now => self.lose("the lease ended", now),
            State::Bound { .. } => self.renew(now),
            State::Still => {}
        }
    }

    fn may_try_again(&self, tries: u32, now: Millis) -> bool {
        let timing = &self.persona.timing;
        let late = timing
            .total
            .is_some_and(|total| after(self.began, total) <= now);
        !late && timing.tries.is_none_or(|most| tries < most)
    }

    fn discover(&mut self, tries: u32, now: Millis) {
        if self.persona.xid == Xid::EachTry {
            self.xid = self.next_xid();
        }
        let doubled = 2_u32.saturating_pow(tries.saturating_sub(1).min(16));
        let Timing {
            resend, slowest, ..
        } = self.persona.timing;
        let again = after(now, resend.saturating_mul(doubled).min(slowest.max(resend)));
        self.state = State::Discovering {
            tries,
            again,
            offers: Vec::new(),
        };
        let mut draft = Draft::new(
            Opcode::BootRequest,
            MessageType::Discover,
            self.xid,
            self.mac,
        );
        self.persona.introduce(&mut draft);
        self.send(draft, None);
    }

    /// Goes on as soon as the OFFERs at hand give an address and satisfy the need.
    fn weigh(&mut self, now: Millis) {
        let State::Discovering { offers, .. } = &self.state else {
            return;
        };
        let address = offers.iter().find(|offer| offer.address().is_some());
        let boot = offers
            .iter()
            .find(|offer| offer.satisfies(&self.persona.needs));
        let (Some(address), Some(boot)) = (address.cloned(), boot.cloned()) else {
            return;
        };
        if self.persona.requests {
            self.send_request(&address);
            self.state = State::Requesting {
                tries: 1,
                again: after(now, self.persona.timing.resend),
                chosen: Box::new(address),
                boot: Box::new(boot),
            };
        } else {
            self.bind(&address, &boot, now);
        }
    }

    fn send_request(&mut self, chosen: &Answer) {
        let mut draft = Draft::new(
            Opcode::BootRequest,
            MessageType::Request,
            self.xid,
            self.mac,
        );
        let address = chosen.address().unwrap_or(Ipv4Addr::UNSPECIFIED);
        draft.push(OptionCode::RequestedIpAddress, address.octets());
        draft.push(OptionCode::ServerIdentifier, chosen.server().octets());
        self.introduce_in_request(&mut draft);
        self.send(draft, None);
    }

    fn bind(&mut self, answer: &Answer, boot: &Answer, now: Millis) {
        let (Some(address), [lease, ..]) = (answer.address(), answer.times()) else {
            return;
        };
        let grant = Grant {
            address,
            mask: answer.mask().unwrap_or(Ipv4Addr::new(255, 255, 255, 0)),
            router: answer.router(),
            server: answer.server(),
            tftp: boot.tftp(),
            file: boot.file(),
            lease,
        };
        self.settle(grant.clone(), answer, now);
        self.output.push_back(Output::Event(Event::Bound(grant)));
    }

    fn renewed(&mut self, answer: &Answer, now: Millis) {
        let State::Bound { grant, .. } = &self.state else {
            return;
        };
        let (server, [lease, ..]) = (answer.server(), answer.times());
        let grant = Grant {
            server,
            lease,
            ..grant.clone()
        };
        self.settle(grant.clone(), answer, now);
        self.output.push_back(Output::Event(Event::Renewed(grant)));
    }

    fn settle(&mut self, grant: Grant, answer: &Answer, now: Millis) {
        let [lease, t1, t2] = answer.times().map(|time| after(now, time));
        self.state = if self.persona.renews {
            State::Bound {
                grant,
                again: t1,
                rebind: t2,
                end: lease,
            }
        } else {
            State::Still
        };
    }

    fn renew(&mut self, now: Millis) {
        self.xid = self.next_xid();
        let State::Bound {
            grant,
            again,
            rebind,
            end,
        } = &mut self.state
        else {
            return;
        };
        // RFC 2131 §4.4.5: half of what is left, until the next border.
        let border = if now < *rebind { *rebind } else { *end };
        let pause = (border.since(now) / 2).max(RENEW_PAUSE_MS);
        *again = now.plus(pause).min(border).max(now.plus(1));
        let server = (now < *rebind).then_some(grant.server);
        let mut draft = Draft::new(
            Opcode::BootRequest,
            MessageType::Request,
            self.xid,
            self.mac,
        );
        draft.ciaddr = grant.address;
        self.introduce_in_request(&mut draft);
        self.send(draft, server);
    }

    fn lose(&mut self, why: &'static str, now: Millis) {
        self.output.push_back(Output::Event(Event::Lost { why }));
        self.restart(now);
    }

    fn restart(&mut self, now: Millis) {
        self.xid = self.next_xid();
        self.began = now;
        let again = after(now, AFTER_NAK);
        self.state = State::Discovering {
            tries: 0,
            again,
            offers: Vec::new(),
        };
    }

    fn introduce_in_request(&self, draft: &mut Draft) {
        if self.persona.introduces {
            self.persona.introduce(draft);
        } else if let Some(class) = &self.persona.vendor_class {
            draft.push(OptionCode::ClassIdentifier, class.as_bytes());
        }
    }

    /// Sends to one server, or to everybody.
    fn send(&mut self, mut draft: Draft, server: Option<Ipv4Addr>) {
        if self.persona.broadcast && draft.ciaddr.is_unspecified() {
            draft.flags = 0x8000;
        }
        let to = match self.network {
            Network::Only(to) => to,
            Network::Broadcast => {
                SocketAddrV4::new(server.unwrap_or(Ipv4Addr::BROADCAST), SERVER_PORT)
            }
        };
        match draft.encode(packet::MAX_PACKET) {
            Ok(bytes) => self.output.push_back(Output::Send { to, bytes }),
            Err(why) => tracing::error!(mac = %self.mac, %why, "packet not written"),
        }
    }

    /// The next number for an exchange: SplitMix64, which needs no more than one word of state.
    fn next_xid(&mut self) -> u32 {
        if let Xid::Constant(xid) = self.persona.xid {
            return xid;
        }
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed >> 32) as u32
    }
}

fn after(now: Millis, pause: Duration) -> Millis {
    now.plus(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX))
}
