//! How the station itself is: its servers, the wire, and what the pre-flight found.

use crate::event::Level;
use crate::time::Millis;
use serde::{Deserialize, Serialize};

/// A server of the deployment side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum ServerKind {
    /// Addresses.
    Dhcp,
    /// Boot files.
    Tftp,
    /// The door for boards.
    Http,
}

impl ServerKind {
    /// All of them, in starting order.
    pub const ALL: [Self; 3] = [Self::Http, Self::Tftp, Self::Dhcp];

    /// The spelling used in JSON and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dhcp => "dhcp",
            Self::Tftp => "tftp",
            Self::Http => "http",
        }
    }
}

/// The state of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ServerState {
    /// Stopped by the operator, or not started yet.
    Stopped,
    /// The NIC has no carrier or no address yet.
    WaitingForLink,
    /// Looking for duplicate addresses and rival servers.
    Probing,
    /// Serving.
    Serving,
    /// Crashed and about to be started again.
    Restarting {
        /// Why it ended.
        why: String,
        /// How often it was restarted since it last served for a minute.
        times: u32,
    },
    /// Will not serve, with the reason and what to do.
    Refused {
        /// The reason.
        why: String,
    },
    /// A state this build does not know.
    #[serde(other)]
    Unknown,
}

/// One server with its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct ServerStatus {
    /// Which.
    pub server: ServerKind,
    /// How it is.
    #[serde(flatten)]
    pub state: ServerState,
    /// Where it listens, e.g. `192.168.151.1:67 on eth1`.
    #[serde(default)]
    pub listen: Option<String>,
    /// Since when.
    pub since: Millis,
}

/// Something the pre-flight or the continuous checks found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Finding {
    /// What was checked, e.g. `rival_dhcp`, `duplicate_address`, `default_route`, `carrier`.
    pub check: String,
    /// How bad it is.
    pub level: Level,
    /// What was found, in words.
    pub text: String,
    /// What to do.
    #[serde(default)]
    pub next: Option<String>,
    /// When.
    pub at: Millis,
}

/// One subsystem in `/ready`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Subsystem {
    /// Its name: `database`, `disk`, `nic`, `dhcp`, `tftp`, `http`, `image`, `pool`.
    pub name: String,
    /// Fit to serve?
    pub ready: bool,
    /// One sentence.
    pub detail: String,
}

/// The body of `GET /ready`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Ready {
    /// True when every subsystem is.
    pub ready: bool,
    /// Each subsystem.
    pub subsystems: Vec<Subsystem>,
    /// When.
    pub at: Millis,
}

/// A lease of the deployment side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Lease {
    /// Who has it.
    pub mac: crate::board::Mac,
    /// Which board that is, when known.
    #[serde(default)]
    pub board: Option<crate::board::BoardId>,
    /// The address.
    pub ip: std::net::Ipv4Addr,
    /// Until when it is promised; it stays this board's favourite afterwards.
    pub until: Millis,
}

/// What the servers are doing at this moment, and what they live on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Works {
    /// Files and chunks on their way to boards.
    pub transfers: Vec<Transfer>,
    /// The disk that holds the data folder.
    pub disk: DiskRoom,
    /// Where the station listens.
    pub sockets: Vec<Listening>,
    /// Memory the station uses, in bytes.
    pub memory: u64,
    /// How long it has run, in milliseconds.
    pub up_ms: i64,
}

/// A file or an image on its way to a board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Transfer {
    /// By which server.
    pub server: ServerKind,
    /// To which board, when known.
    #[serde(default)]
    pub board: Option<crate::board::BoardId>,
    /// To which address.
    pub ip: std::net::Ipv4Addr,
    /// What: a path, or the short id of an image.
    pub what: String,
    /// Bytes sent.
    pub sent: u64,
    /// Bytes in all, when known.
    #[serde(default)]
    pub total: Option<u64>,
    /// Since when.
    pub since: Millis,
}

/// Room on a disk, in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct DiskRoom {
    /// In all.
    pub total: u64,
    /// Free for the station.
    pub free: u64,
    /// Taken by packs.
    pub packs: u64,
    /// Taken by the database.
    pub database: u64,
}

/// An open door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Listening {
    /// What for, in words: "DHCP", "the page", "the command line".
    pub what: String,
    /// Where: `192.168.151.1:67 on eth1`, or the path of a Unix socket.
    pub at: String,
}
