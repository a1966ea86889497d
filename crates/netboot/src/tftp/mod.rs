//! TFTP as boards need it, with async-tftp as the block producer and a guard of our own in front.
//!
//! A Raspberry Pi's firmware asks for twenty files, one port per file, looks at many of them first
//! and aborts ("Early terminate"), waits for every block, and gives a boot mode up when one file
//! takes too long. What it needs from a server is an answer at once, whatever the answer is.
//!
//! ```text
//!             NIC:69 ─▶ front ── request, terms, Files ──▶ one transfer per request
//!                         │ refuses at once                        │
//!   board ◀──▶ socket of the transfer (NIC, own port, on the device)
//!                         │  conversation: OACK, DATA, ACK, ERROR, deadlines
//!                         │  supply: pieces of 32 KiB, cut into the board's blocks
//!                         ▼
//!              lane (loopback socket of the transfer) ◀──▶ async-tftp on loopback
//!                                                             └ source: bytes in memory
//! ```
//!
//! [`serve`] runs all of this on one thread. `request`, `terms`, `conversation`, `pace`, `supply`
//! and `download` are pure; `port`, `front`, `transfer` and `upstream` carry them out. [`client`]
//! is the other end, for virtual boards.
//!
//! # What the crate lacks, and where it is covered
//!
//! | async-tftp 0.4.2 | here |
//! |---|---|
//! | ignores an ERROR from the client and keeps sending for minutes | it talks to nobody but our lane; the board's ERROR ends the `conversation`, and the source's gate ends the crate's side |
//! | answers a request from a port it still serves out of the old transfer, with the old file | every request is a transfer with sockets and a name of its own; a request from the same port supersedes the old transfer before anything is answered (`transfer`, `table`) |
//! | one slow open blocks every other | opening is a look-up in memory, done in `front`; the crate's handler only hands a prepared source over |
//! | binds its sockets to no device, and to whatever address the system likes | `port` binds each to the NIC's address and device; a wildcard address is refused |
//! | silence for names that are not UTF-8 and for unknown modes | `request` parses strictly and every refusal is an ERROR at once |
//! | any window is granted, its memory per client with it | `terms` bounds windows in blocks and bytes; the crate itself is asked for windows of one |
//! | a lost first block of a window is repeated only after the full timeout | `conversation` goes back at once, once per two windows |
//! | a fixed timeout, with which a client whose timer is longer never comes to repeat a lost answer | `pace` follows the measured round trip and doubles |
//! | netascii is sent as octet | `content` converts while reading |
//! | `blksize` above 65464 is ignored | `terms` lowers it |
//! | no word about progress, completion or failure | [`TftpEvent`] |
//! | no limit to the number of transfers | [`Settings::transfers`], [`Settings::per_client`] |
//! | any error of its socket ends it silently | [`serve`] returns a [`ServeError`]; `upstream::health` notices a crate that hangs |
//! | reads into memory it has not initialised | `lane` compares every piece with the file before it may be said |
//!
//! What this relies on in the crate: the block producer reads a source in order, packs it into
//! blocks of the size that was agreed, numbers and repeats them, and tells the end by a short one.
//!
//! # What the guard costs
//!
//! Measured with curl as client over a pair of virtual cards on a virtual machine with two busy
//! processors, best of several rounds that took turns; the processor time is the server's alone.
//! For one client, server and client had a processor each. The last line is what a hundred boards
//! fetch, over a link of 1 Gbit/s.
//!
//! | | here | dnsmasq 2.90 | the bare crate |
//! |---|---|---|---|
//! | 50 MB, one client, blocks of 1468 | 38 MB/s, 0.8 s | 36 MB/s, 0.9 s | 32 MB/s, 1.1 s |
//! | 50 MB, one client, blocks of 512 | 12 MB/s, 2.6 s | 12 MB/s, 2.7 s | 12 MB/s, 3.8 s |
//! | 4 MB each, 100 clients, blocks of 1468 | 81 MB/s, 3.1 s | 85 MB/s, 2.6 s | 58 MB/s, 5.5 s |
//! | 18.8 MB each, 100 clients, blocks of 1468 | 96 MB/s | 103 MB/s | |
//!
//! What one client gets is the time in which two processes wake each other: on the same machine the
//! first line was between 25 and 85 MB/s for every server, wherever the system put them. So the
//! guard does not cost, it saves: the bare crate wakes its reactor's thread for every block, behind
//! the guard for every second piece of 22 blocks. With many clients it is 4 to 7 % behind dnsmasq
//! and spends up to a fifth more processor time, for two more copies and a comparison of every
//! byte. Nine tenths of that time is the kernel's, which both have alike.
//!
//! What was tried: fetching from the crate block by block with a window of 32, instead of in
//! pieces, gave 0.3 to 0.45 of dnsmasq's throughput for twice to four times the processor time,
//! because every block then crosses the loopback twice. Pieces of 16, 32 and 64 KiB made no
//! difference. Acknowledging the pieces before they are there (`upstream::line`) took a tenth off
//! the processor time and 7 % off the time of 100 clients.

pub mod client;
mod content;
mod conversation;
mod download;
mod front;
mod live;
mod pace;
mod packet;
mod port;
mod request;
mod serve;
mod supply;
mod table;
mod telling;
mod terms;
#[cfg(test)]
mod tests;
mod transfer;
mod upstream;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

pub use self::serve::{ServeError, serve, serve_watched};

/// What a request for a file gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// These bytes.
    Found(Bytes),
    /// There is no such file for this client. It is told at once.
    NotFound,
    /// The answer is not known yet. Silence makes the client ask again: after 1 s to 4 s, depending
    /// on its firmware.
    NotYet,
}

impl From<Option<Bytes>> for Opened {
    fn from(found: Option<Bytes>) -> Self {
        found.map_or(Self::NotFound, Self::Found)
    }
}

/// Where the files come from.
pub trait Files: Send + Sync + 'static {
    /// What this client gets for `path`.
    ///
    /// `path` is UTF-8, relative, with single slashes, without `.` and `..`, case as asked. This is
    /// called between two datagrams: it must answer from memory.
    fn open(&self, client: SocketAddr, path: &str) -> Opened;
}

/// How to serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The largest block size to grant, in bytes. 1468 fills an Ethernet frame.
    pub max_block: u16,
    /// The largest window to grant (RFC 7440), in blocks.
    pub max_window: u16,
    /// The shortest wait before something unanswered is said again, however quick the client is.
    pub soonest: Duration,
    /// The wait before something unanswered is said again, as long as the client's round trips are
    /// not known; a client may ask for another (RFC 2349).
    pub timeout: Duration,
    /// As far as the wait doubles while nothing is heard (RFC 1123 §4.2.3.2). It has to be longer
    /// than the clients' own timers: one whose answer was lost may wait for a silence of that
    /// length before it gives the answer again (atftp: 5 s).
    pub longest: Duration,
    /// A client that is silent for this long is given up: it has to be several times the longest
    /// wait. Firmware gives up a whole file after 30 s.
    pub patience: Duration,
    /// Transfers at a time, at most.
    pub transfers: usize,
    /// Transfers at a time with one client's address, at most.
    pub per_client: usize,
    /// Requests that one client's address may make at once; what exceeds it meets silence.
    pub burst: u32,
    /// Requests a second that it may make for ever.
    pub rate: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_block: 1468,
            max_window: 16,
            soonest: Duration::from_millis(50),
            timeout: Duration::from_secs(1),
            longest: Duration::from_secs(6),
            patience: Duration::from_secs(30),
            transfers: 256,
            per_client: 128,
            burst: 1000,
            rate: 100,
        }
    }
}

/// Something that happened with one file for one client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TftpEvent {
    /// The client's address and the port it uses for this file.
    pub client: SocketAddr,
    /// Counts requests since the server started; the same for all events of one request.
    pub transfer: u64,
    /// The path that was asked for, cleaned as for [`Files::open`]; for requests that could not be
    /// read, what is printable of it.
    pub path: String,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The file is there and the first answer was sent.
    Started {
        /// Bytes of the file.
        size: u64,
    },
    /// The transfer goes on. At most four a second; left out when nobody keeps up.
    Progress {
        /// Bytes acknowledged.
        sent: u64,
    },
    /// The client has the whole file.
    Done {
        /// Bytes of the file.
        bytes: u64,
        /// Blocks that had to be said again, counting each time.
        resent: u64,
    },
    /// The client only looked whether the file is there (ERROR 0 "Early terminate"). Normal.
    Declined,
    /// There is no such file for this client; it was told at once.
    NotFound,
    /// The client does not have the file.
    Failed {
        /// In words.
        why: String,
        /// Bytes acknowledged.
        sent: u64,
    },
}
