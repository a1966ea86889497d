//! The receiving half of a TFTP read: what a client says, block by block.
//!
//! Pure. [`Download::handle`] takes a datagram and hands back the data of a block that is new and
//! in order, borrowed from that datagram; what to say to the server comes out of
//! [`Download::poll`]. It keeps no file: the virtual board's client collects the blocks, the
//! station's own fetch from the block producer uses them in place. Sources: RFC 1350 §2–6,
//! RFC 2347–2349, RFC 7440.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::packet::{
    self, DEFAULT_BLOCK, Packet, READ_REQUEST, SMALLEST_BLOCK, ack, code, message_text,
};
use super::request::{Asked, Fields, decimal, pairs};

/// The options to ask for; those absent are not named in the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Wish {
    pub(super) block: Option<u16>,
    pub(super) window: Option<u16>,
    pub(super) size: bool,
}

/// One read as the client sees it.
#[derive(Debug)]
pub(super) struct Download {
    server: SocketAddr,
    /// The port the server chose for this transfer, learnt from its first answer.
    peer: Option<SocketAddr>,
    request: Vec<u8>,
    wish: Wish,
    block: usize,
    window: u64,
    /// Blocks received in order.
    received: u64,
    /// Up to where the server knows it.
    acknowledged: u64,
    /// The server was told about a gap and nothing new came since.
    gap_told: bool,
    /// The server repeated older blocks and nothing was said since.
    older_repeated: bool,
    phase: Phase,
    say: Option<Say>,
    resend: Duration,
    said_at: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Asking,
    Receiving,
    /// Everything is here; repeated last blocks are still acknowledged.
    Complete,
    Over,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Say {
    Request,
    Ack,
    Error(u16, &'static str),
}

/// What a datagram brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard<'a> {
    /// Nothing new.
    Nothing,
    /// The server granted options; the size if it told one.
    Options { size: Option<u64> },
    /// The next block in order.
    Block { data: &'a [u8], last: bool },
    /// The server reports an error; it is over.
    Refused { code: u16, message: String },
    /// The server granted what was not asked for; it was told so and it is over.
    BadOptions,
}

impl Download {
    /// Will ask `server` for `path` in octet mode and repeat itself every `resend`.
    pub(super) fn new(
        server: SocketAddr,
        path: &str,
        wish: Wish,
        resend: Duration,
        now: Instant,
    ) -> Self {
        Self {
            server,
            peer: None,
            request: request(path, wish),
            wish,
            block: usize::from(DEFAULT_BLOCK),
            window: 1,
            received: 0,
            acknowledged: 0,
            gap_told: false,
            older_repeated: false,
            phase: Phase::Asking,
            say: Some(Say::Request),
            resend,
            said_at: now,
        }
    }

    /// Takes in a datagram. Those from strangers are not heard.
    pub(super) fn handle<'a>(&mut self, datagram: &'a [u8], from: SocketAddr) -> Heard<'a> {
        let known = match self.peer {
            Some(peer) => from == peer,
            None => from.ip() == self.server.ip(),
        };
        if !known || self.phase == Phase::Over {
            return Heard::Nothing;
        }
        let Some(packet) = Packet::parse(datagram) else {
            return Heard::Nothing;
        };
        if self.phase == Phase::Asking && !matches!(packet, Packet::Ack(_)) {
            self.peer = Some(from);
        }
        match packet {
            Packet::Data { block, data } => self.data(block, data),
            Packet::Options(granted) => self.options(granted),
            Packet::Error { code, message } => {
                self.phase = Phase::Over;
                self.say = None;
                Heard::Refused {
                    code,
                    message: message_text(message),
                }
            }
            Packet::Ack(_) => Heard::Nothing,
        }
    }

    /// The next datagram to send and where to.
    pub(super) fn poll(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<SocketAddr> {
        let say = self.say.take()?;
        self.said_at = now;
        out.clear();
        match say {
            Say::Request => out.extend_from_slice(&self.request),
            // Modulo 65536 is how block numbers travel.
            Say::Ack => {
                self.acknowledged = self.received;
                out.extend_from_slice(&ack(self.received as u16));
            }
            Say::Error(code, message) => out.extend(packet::error(code, message)),
        }
        Some(self.peer.unwrap_or(self.server))
    }

    /// The newest block was acknowledged before it came: nothing needs to be said about it.
    pub(super) fn is_acknowledged(&mut self) {
        if self.say == Some(Say::Ack) {
            self.say = None;
            self.acknowledged = self.received;
        }
    }

    /// When to say the last thing again.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Asking | Phase::Receiving => Some(self.said_at + self.resend),
            Phase::Complete | Phase::Over => None,
        }
    }

    /// Says the last thing again if its time has come.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.next_deadline().is_some_and(|at| now >= at) && self.say.is_none() {
            self.say = Some(match self.phase {
                Phase::Asking => Say::Request,
                Phase::Receiving | Phase::Complete | Phase::Over => Say::Ack,
            });
        }
    }

    /// Ends it with an error to the server.
    pub(super) fn refuse(&mut self, code: u16, message: &'static str) {
        self.phase = Phase::Over;
        self.say = Some(Say::Error(code, message));
    }

    /// Ends it without a word.
    pub(super) fn fall_silent(&mut self) {
        self.phase = Phase::Over;
        self.say = None;
    }

    /// Blocks received in order.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    fn options(&mut self, granted: &[u8]) -> Heard<'static> {
        match self.phase {
            Phase::Asking => {}
            Phase::Receiving if self.received == 0 => {
                self.say = Some(Say::Ack);
                return Heard::Nothing;
            }
            Phase::Receiving | Phase::Complete | Phase::Over => return Heard::Nothing,
        }
        let mut size = None;
        for (name, value) in pairs(Fields(granted)) {
            let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
            let value = decimal(value);
            let within = |asked: Option<u16>, least: u16| {
                let value = u16::try_from(value?).ok()?;
                (value >= least && value <= asked?).then_some(value)
            };
            let accepted = if is(Asked::BLOCK_SIZE) {
                within(self.wish.block, SMALLEST_BLOCK).map(|v| self.block = usize::from(v))
            } else if is(Asked::WINDOW_SIZE) {
                within(self.wish.window, 1).map(|v| self.window = u64::from(v))
            } else if is(Asked::TRANSFER_SIZE) && self.wish.size {
                value.map(|v| size = Some(v))
            } else {
                None
            };
            if accepted.is_none() {
                self.refuse(code::OPTIONS_REFUSED, "BAD OACK");
                return Heard::BadOptions;
            }
        }
        self.phase = Phase::Receiving;
        self.say = Some(Say::Ack);
        Heard::Options { size }
    }

    fn data<'a>(&mut self, number: u16, data: &'a [u8]) -> Heard<'a> {
        if self.phase == Phase::Asking {
            // No OACK: the server does not know options, so none are in force.
            self.phase = Phase::Receiving;
        }
        let ahead = number.wrapping_sub(self.received as u16);
        if ahead != 1 || self.phase == Phase::Complete {
            self.out_of_order(ahead);
            return Heard::Nothing;
        }
        if data.len() > self.block {
            self.refuse(code::ILLEGAL, "block is longer than agreed");
            return Heard::BadOptions;
        }
        self.received += 1;
        self.gap_told = false;
        self.older_repeated = false;
        let last = data.len() < self.block;
        if last {
            self.phase = Phase::Complete;
        }
        if last || self.received - self.acknowledged >= self.window {
            self.say = Some(Say::Ack);
        }
        Heard::Block { data, last }
    }

    /// The newest block again is acknowledged again if the server may not have heard it: because
    /// that block was acknowledged before, or because older ones were repeated in front of it. A
    /// gap in a window is reported once.
    fn out_of_order(&mut self, ahead: u16) {
        if ahead > u16::MAX / 2 {
            self.older_repeated = true;
            return;
        }
        let gap = ahead > 1 && u64::from(ahead) <= self.window && !self.gap_told;
        let unheard = self.older_repeated || self.received == self.acknowledged;
        if gap || (ahead == 0 && unheard) {
            self.gap_told |= gap;
            self.older_repeated = false;
            self.say = Some(Say::Ack);
        }
    }
}

fn request(path: &str, wish: Wish) -> Vec<u8> {
    let mut bytes = READ_REQUEST.to_be_bytes().to_vec();
    bytes.extend(path.bytes().filter(|b| *b != 0));
    bytes.extend(b"\0octet\0");
    if wish.size {
        packet::push_option(&mut bytes, Asked::TRANSFER_SIZE, 0);
    }
    if let Some(block) = wish.block {
        packet::push_option(&mut bytes, Asked::BLOCK_SIZE, u64::from(block));
    }
    if let Some(window) = wish.window {
        packet::push_option(&mut bytes, Asked::WINDOW_SIZE, u64::from(window));
    }
    bytes
}
