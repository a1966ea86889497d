//! A TFTP client as a board's firmware runs it, for virtual boards: pure, one file per client.
//!
//! Feed it datagrams and the time, send what [`Client::poll`] gives, and come back at
//! [`Client::next_deadline`]. Take a fresh local port for every client, as firmware does. What a
//! Pi does (`RRQ … octet tsize 0 blksize 1468`, the probe that ends with ERROR 0 "Early
//! terminate", the request repeated every 2 s, 30 s per file) is [`Want::probe`] and
//! [`Want::file`]; older firmware is made by changing the fields.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::download::{Download, Heard, Wish};
use super::packet::code;

/// One file as one kind of firmware asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// The path exactly as it goes over the wire.
    pub path: String,
    /// The block size to ask for; `None` names none and takes 512 bytes. Pi 4 asked for 1024 until
    /// 2022, Pi 4 and 5 ask for 1468 since, a Pi 3 asks for none.
    pub max_block: Option<u16>,
    /// Whether to ask for the size (`tsize 0`). A Pi 3's boot ROM does not.
    pub tsize: bool,
    /// The window to ask for (RFC 7440). No Pi does.
    pub window: Option<u16>,
    /// Only look whether the file is there: ERROR 0 "Early terminate" after the first answer.
    pub probe: bool,
    /// Whether block numbers go on at 0 after 65535. Firmware before 2025-09-23 stops there.
    pub rollover: bool,
    /// After this long without an answer the request or the last ACK is said again.
    pub resend: Duration,
    /// The firmware's limit for one file.
    pub patience: Duration,
    /// The most bytes to take in.
    pub limit: usize,
}

/// One read of one file.
#[derive(Debug)]
pub struct Client {
    want: Want,
    download: Download,
    body: Vec<u8>,
    size: Option<u64>,
    give_up: Instant,
    outcome: Option<Outcome>,
    told: bool,
}

/// Something for the carrier of the client to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send this datagram.
    Send {
        /// Where to.
        to: SocketAddr,
        /// The whole datagram.
        bytes: Vec<u8>,
    },
    /// The read is over. After a [`Outcome::File`] the carrier may keep feeding datagrams for a
    /// moment: a repeated last block is still acknowledged.
    Ended(Outcome),
}

/// How a read ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The probe found the file; its size in bytes if the server told it.
    Present {
        /// From `tsize`.
        size: Option<u64>,
    },
    /// The whole file.
    File {
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// The server has no such file (ERROR 1).
    NotFound,
    /// The server reported another error.
    Refused {
        /// The TFTP error code.
        code: u16,
        /// The server's words, bounded and printable.
        message: String,
    },
    /// The firmware's time for this file ran out.
    TimedOut {
        /// Bytes received until then.
        received: u64,
    },
    /// Block 65535 was not the last and this firmware cannot count on.
    RolledOver,
    /// The server granted options that were not asked for, or sent a block longer than agreed.
    BadAnswer,
    /// The file is longer than this client takes.
    TooLarge,
    /// The file ended at another size than the server had told.
    WrongSize {
        /// Bytes announced.
        told: u64,
        /// Bytes received.
        received: u64,
    },
}

impl Want {
    /// A full read as a Pi 4 or 5 with current firmware does it.
    pub fn file(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            max_block: Some(1468),
            tsize: true,
            window: None,
            probe: false,
            rollover: true,
            resend: Duration::from_secs(2),
            patience: Duration::from_secs(30),
            limit: 1 << 30,
        }
    }

    /// The look whether a file is there that goes before many reads.
    pub fn probe(path: impl Into<String>) -> Self {
        Self {
            probe: true,
            ..Self::file(path)
        }
    }
}

impl Client {
    /// Will read from the server at `server` (its well-known port).
    pub fn new(want: Want, server: SocketAddr, now: Instant) -> Self {
        let wish = Wish {
            block: want.max_block,
            window: want.window,
            size: want.tsize,
        };
        Self {
            download: Download::new(server, &want.path, wish, want.resend, now),
            give_up: now + want.patience,
            want,
            body: Vec::new(),
            size: None,
            outcome: None,
            told: false,
        }
    }

    /// Takes in a datagram that arrived at this client's port.
    pub fn handle(&mut self, datagram: &[u8], from: SocketAddr) {
        match self.download.handle(datagram, from) {
            Heard::Nothing => {}
            Heard::Options { size } => {
                self.size = size;
                if self.want.probe {
                    self.end_probe();
                }
            }
            Heard::Block { .. } if self.want.probe => self.end_probe(),
            Heard::Block { data, last } => {
                if self.body.len() + data.len() > self.want.limit {
                    self.download.refuse(code::SEE_MESSAGE, "File is too large");
                    self.outcome = Some(Outcome::TooLarge);
                    return;
                }
                self.body.extend_from_slice(data);
                if last {
                    self.complete();
                } else if self.download.received() == 65535 && !self.want.rollover {
                    self.download.fall_silent();
                    self.outcome = Some(Outcome::RolledOver);
                }
            }
            Heard::Refused {
                code: code::NOT_FOUND,
                ..
            } => self.outcome = Some(Outcome::NotFound),
            Heard::Refused { code, message } => {
                self.outcome = Some(Outcome::Refused { code, message });
            }
            Heard::BadOptions => self.outcome = Some(Outcome::BadAnswer),
        }
    }

    /// The next thing to do.
    pub fn poll(&mut self, now: Instant) -> Option<Output> {
        let mut bytes = Vec::new();
        if let Some(to) = self.download.poll(now, &mut bytes) {
            return Some(Output::Send { to, bytes });
        }
        if self.told {
            return None;
        }
        let outcome = self.outcome.take()?;
        self.told = true;
        Some(Output::Ended(outcome))
    }

    /// When [`Client::handle_timeout`] wants to be called; `None` once it is over.
    pub fn next_deadline(&self) -> Option<Instant> {
        if self.told || self.outcome.is_some() {
            return None;
        }
        let resend = self.download.next_deadline();
        Some(resend.map_or(self.give_up, |at| at.min(self.give_up)))
    }

    /// The time has come to say something again or to give up.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.told || self.outcome.is_some() {
            return;
        }
        if now >= self.give_up {
            self.download.fall_silent();
            self.outcome = Some(Outcome::TimedOut {
                received: self.body.len() as u64,
            });
            return;
        }
        self.download.handle_timeout(now);
    }

    fn end_probe(&mut self) {
        self.download.refuse(code::SEE_MESSAGE, "Early terminate");
        self.outcome = Some(Outcome::Present { size: self.size });
    }

    fn complete(&mut self) {
        let bytes = std::mem::take(&mut self.body);
        let received = bytes.len() as u64;
        self.outcome = Some(match self.size {
            Some(told) if told != received => Outcome::WrongSize { told, received },
            _ => Outcome::File { bytes },
        });
    }
}
