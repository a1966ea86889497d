//! What the station says to one board about one file, and when: RFC 1350 as sender, with options
//! (RFC 2347) and windows (RFC 7440).
//!
//! Pure: datagrams and the time go in through [`Conversation::handle`] and
//! [`Conversation::handle_timeout`], what to say comes out of [`Conversation::poll`], and
//! [`Conversation::next_deadline`] names the moment at which to come back. The conversation knows
//! blocks by number only; whoever carries it out holds the bytes and tells through
//! [`Conversation::supplied`] how far they reach.
//!
//! What it holds to:
//! - an ERROR from the client ends everything at once;
//! - a repeated ACK is never answered with data in lock-step (the sorcerer's apprentice, RFC 1123
//!   §4.2.3.1); with a window it means that the first block of the window is missing, and that is
//!   mended at once, but at most once per two windows so that an echo cannot feed itself;
//! - block numbers are counted in 64 bits and go over the wire modulo 65536, on to 0 after 65535;
//! - a request that arrives again before anything was acknowledged gets the same first answer from
//!   the same port again.

use std::time::{Duration, Instant};

use super::pace::Pace;
use super::packet::{Packet, code, message_text};
use super::terms::Terms;

/// A second copy of a request may still be on its way when the first one is already answered and
/// acknowledged. It says nothing as long as the client was heard this recently: a board that
/// starts anew is silent for longer, and asks again if it was not.
const ECHO: Duration = Duration::from_secs(1);

/// The state of one transfer, seen from the station.
#[derive(Debug)]
pub(super) struct Conversation {
    window: u64,
    patience: Duration,
    pace: Pace,
    phase: Phase,
    /// The first block that the client has not acknowledged; the first of all is 1.
    base: u64,
    /// The block to be said next.
    next: u64,
    /// The highest block ever said.
    high: u64,
    /// The highest block that could be said.
    ready: u64,
    /// The number of the last block, as soon as it is known.
    last: Option<u64>,
    /// When the client was last waited for from the beginning; `None` while it owes nothing.
    waiting_since: Option<Instant>,
    /// When something was last said.
    said_at: Instant,
    /// A block said once only, and when.
    timed: Option<(u64, Instant)>,
    /// The first block of the window that was last repeated because of a repeated ACK.
    went_back: Option<u64>,
    /// When the client last acknowledged something.
    heard_at: Option<Instant>,
    resent: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    /// The OACK is to be said (`true`) or was said.
    Offering(bool),
    Sending,
    Over(Ending),
}

/// Something to say to the client now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Say {
    /// The OACK of the terms.
    Offer,
    /// The block with this number, counted from 1. On the wire it is this modulo 65536.
    Block(u64),
}

/// How a conversation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// Every block was acknowledged.
    Done,
    /// The client looked at the answer and does not want the file now.
    Declined,
    /// The client reported an error.
    Refused { code: u16, message: String },
    /// Nothing was heard for the agreed patience.
    Silent,
    /// The client's port is closed.
    Gone,
}

/// What a request that arrives again from the same address and port means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// The same request: this conversation goes on and says its first answer again if need be.
    Continues,
    /// The client started anew: this conversation no longer has anybody to talk to.
    Superseded,
}

impl Conversation {
    /// Begins: with the OACK if there are options to grant, otherwise with the first block.
    pub(super) fn new(terms: &Terms, now: Instant) -> Self {
        let offering = !terms.offer.is_empty();
        Self {
            window: u64::from(terms.window.max(1)),
            patience: terms.patience,
            pace: Pace::new(terms.soonest, terms.timeout, terms.longest),
            phase: if offering {
                Phase::Offering(true)
            } else {
                Phase::Sending
            },
            base: 1,
            next: 1,
            high: 0,
            ready: 0,
            last: None,
            waiting_since: None,
            said_at: now,
            timed: None,
            went_back: None,
            heard_at: None,
            resent: 0,
        }
    }

    /// Takes in a datagram from the client.
    pub(super) fn handle(&mut self, datagram: &[u8], now: Instant) {
        if self.ending().is_some() {
            return;
        }
        match Packet::parse(datagram) {
            Some(Packet::Ack(number)) => self.acknowledged(number, now),
            Some(Packet::Error { code, message }) => self.refused(code, message),
            // A client sends nothing else; noise must not end a transfer.
            Some(Packet::Data { .. } | Packet::Options(_)) | None => {}
        }
    }

    /// The client's port turned out to be closed.
    pub(super) fn gone(&mut self) {
        if self.ending().is_none() {
            self.phase = Phase::Over(Ending::Gone);
        }
    }

    /// Blocks up to `ready` can be said; `last` is the number of the last one once it is known.
    pub(super) fn supplied(&mut self, ready: u64, last: Option<u64>) {
        self.ready = ready;
        self.last = last;
    }

    /// A request arrived again from this client's address and port; `same` if it is byte for byte
    /// the one that began this conversation.
    pub(super) fn again(&mut self, same: bool, now: Instant) -> Again {
        if !same || self.ending().is_some() {
            return Again::Superseded;
        }
        match self.heard_at {
            None => {
                self.repeat();
                Again::Continues
            }
            Some(at) if now.saturating_duration_since(at) < ECHO => Again::Continues,
            Some(_) => Again::Superseded,
        }
    }

    /// The next thing to say, if there is one now.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Say> {
        let say = match self.phase {
            Phase::Offering(true) => {
                if self.waiting_since.is_none() {
                    self.timed = Some((0, now));
                }
                self.phase = Phase::Offering(false);
                Say::Offer
            }
            Phase::Sending if self.next <= self.ready && self.next < self.base + self.window => {
                let block = self.next;
                self.next += 1;
                if block > self.high {
                    self.high = block;
                    self.timed = Some((block, now));
                } else {
                    self.resent += 1;
                    self.timed = None;
                }
                Say::Block(block)
            }
            Phase::Offering(false) | Phase::Sending | Phase::Over(_) => return None,
        };
        self.waiting_since.get_or_insert(now);
        self.said_at = now;
        Some(say)
    }

    /// When [`Conversation::handle_timeout`] wants to be called; `None` while the client owes
    /// nothing.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        if self.ending().is_some() {
            return None;
        }
        let since = self.waiting_since?;
        Some((self.said_at + self.pace.wait()).min(since + self.patience))
    }

    /// The time has come to give up or to say something again.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.next_deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        if self
            .waiting_since
            .is_some_and(|since| now >= since + self.patience)
        {
            self.phase = Phase::Over(Ending::Silent);
            return;
        }
        self.pace.missed();
        self.repeat();
    }

    /// How it ended, if it has.
    pub(super) fn ending(&self) -> Option<&Ending> {
        match &self.phase {
            Phase::Over(ending) => Some(ending),
            Phase::Offering(_) | Phase::Sending => None,
        }
    }

    /// Whether blocks are wanted yet: not before the client accepted the options.
    pub(super) fn wants_blocks(&self) -> bool {
        self.phase == Phase::Sending
    }

    /// How many blocks the client has acknowledged.
    pub(super) fn delivered(&self) -> u64 {
        self.base - 1
    }

    /// Whether everything was said and only the last acknowledgement is missing.
    pub(super) fn only_last_is_missing(&self) -> bool {
        self.last == Some(self.base) && self.high == self.base
    }

    /// How many blocks were said more than once, counting each time.
    pub(super) fn resent(&self) -> u64 {
        self.resent
    }

    fn acknowledged(&mut self, number: u16, now: Instant) {
        let heard = match self.phase {
            Phase::Offering(_) if number == 0 => {
                self.phase = Phase::Sending;
                0
            }
            Phase::Sending => {
                // Modulo 65536 on purpose: the distance from the last acknowledged block.
                let ahead = u64::from(number.wrapping_sub(self.delivered() as u16));
                let heard = self.delivered() + ahead;
                if heard > self.high {
                    return;
                }
                if ahead == 0 {
                    self.repeated_ack();
                    return;
                }
                heard
            }
            Phase::Offering(_) | Phase::Over(_) => return,
        };
        self.heard_at = Some(now);
        if let Some((block, at)) = self.timed.take()
            && block == heard
        {
            self.pace.measured(now.saturating_duration_since(at));
        }
        self.base = heard + 1;
        // An ACK in the middle of a window says that what follows it did not arrive.
        self.next = self.base;
        self.waiting_since = None;
        if self.last == Some(heard) {
            self.phase = Phase::Over(Ending::Done);
        }
    }

    /// In lock-step an echo. With a window the client misses the first block of it.
    fn repeated_ack(&mut self) {
        let recently = self
            .went_back
            .is_some_and(|back| self.base <= back + self.window);
        if self.window == 1 || self.high < self.base || recently {
            return;
        }
        self.went_back = Some(self.base);
        self.repeat();
    }

    fn repeat(&mut self) {
        match self.phase {
            Phase::Offering(_) => {
                self.timed = None;
                self.phase = Phase::Offering(true);
            }
            Phase::Sending => self.next = self.base,
            Phase::Over(_) => {}
        }
    }

    /// Firmware looks whether a file is there by asking for it and then refusing the answer: a Pi
    /// with code 0 "Early terminate", UEFI with code 8. Once data was taken it is a failure,
    /// unless it calls itself an early end.
    fn refused(&mut self, number: u16, message: &[u8]) {
        let message = message_text(message);
        let untouched = self.delivered() == 0;
        let declined = match number {
            code::SEE_MESSAGE => untouched || message.eq_ignore_ascii_case("early terminate"),
            code::OPTIONS_REFUSED => untouched,
            _ => false,
        };
        self.phase = Phase::Over(if declined {
            Ending::Declined
        } else {
            Ending::Refused {
                code: number,
                message,
            }
        });
    }
}
