//! TFTP towards boards (stub documentation, filled in below).

pub mod client;
mod content;
mod conversation;
mod download;
mod front;
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

pub use self::serve::{ServeError, serve};

/// Where the files come from.
pub trait Files: Send + Sync + 'static {
    /// The bytes of a file for this client; `None` if there is no such file for it.
    ///
    /// `path` is UTF-8, relative, with single slashes, without `.` and `..`, case as asked. This is
    /// called between two datagrams: it must answer from memory.
    fn open(&self, client: SocketAddr, path: &str) -> Option<Bytes>;
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
    /// The longest wait before something unanswered is said again.
    pub timeout: Duration,
    /// A client that is silent for `timeout × (retries + 1)` is given up.
    pub retries: u32,
    /// Transfers at a time, at most.
    pub transfers: usize,
    /// Transfers at a time with one client's address, at most.
    pub per_client: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_block: 1468,
            max_window: 16,
            soonest: Duration::from_millis(50),
            timeout: Duration::from_secs(1),
            retries: 5,
            transfers: 256,
            per_client: 128,
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
    },
}
