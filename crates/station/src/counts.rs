//! What the servers have done since the station started, counted. Numbers only grow; clones share
//! them. Who reads them and asks again later knows what happened between.

use netboot::dhcp::DhcpEvent;
use netboot::tftp::{TftpEvent, What};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A door of the station.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// For boards.
    Boards,
    /// For operators.
    Operators,
}

impl Door {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Boards, Self::Operators];

    /// Its name in figures.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Boards => "boards",
            Self::Operators => "operators",
        }
    }
}

/// What the DHCP server tells of, by its name in figures.
const DHCP: [&str; 8] = [
    "seen",
    "offered",
    "leased",
    "released",
    "declined",
    "pool_full",
    "not_ours",
    "rival",
];

/// How requests for boot files end.
const TFTP: [&str; 4] = ["done", "looked", "not_found", "failed"];

/// Classes of HTTP statuses, from 100 on.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The counters.
#[derive(Debug, Clone, Default)]
pub struct Counts(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    dhcp: [AtomicU64; DHCP.len()],
    tftp: [AtomicU64; TFTP.len()],
    tftp_bytes: AtomicU64,
    tftp_resent: AtomicU64,
    http: [[AtomicU64; CLASSES.len()]; Door::ALL.len()],
    http_bytes: AtomicU64,
}

/// A reading: each number with its name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// What the DHCP server told of.
    pub dhcp: Vec<(&'static str, u64)>,
    /// How requests for boot files ended.
    pub tftp: Vec<(&'static str, u64)>,
    /// Blocks of boot files that had to be sent again.
    pub tftp_resent: u64,
    /// Bytes that went to boards, by transport.
    pub bytes: Vec<(&'static str, u64)>,
    /// Answers by door and class of status.
    pub http: Vec<(&'static str, &'static str, u64)>,
}

impl Counts {
    /// The DHCP server told something.
    pub fn dhcp(&self, event: &DhcpEvent) {
        let which = match event {
            DhcpEvent::Seen { .. } => 0,
            DhcpEvent::Offered { .. } => 1,
            DhcpEvent::Leased { .. } => 2,
            DhcpEvent::Released { .. } => 3,
            DhcpEvent::Declined { .. } => 4,
            DhcpEvent::PoolFull { .. } => 5,
            DhcpEvent::NotOurs { .. } => 6,
            DhcpEvent::Rival { .. } => 7,
        };
        add(&self.0.dhcp[which], 1);
    }

    /// The TFTP server told something.
    pub fn tftp(&self, event: &TftpEvent) {
        let (which, bytes, resent) = match &event.what {
            What::Started { .. } | What::Progress { .. } => return,
            What::Done { bytes, resent } => (0, *bytes, *resent),
            What::Declined => (1, 0, 0),
            What::NotFound => (2, 0, 0),
            What::Failed { sent, .. } => (3, *sent, 0),
        };
        add(&self.0.tftp[which], 1);
        add(&self.0.tftp_bytes, bytes);
        add(&self.0.tftp_resent, resent);
    }

    /// Bytes of an image were read for a board.
    pub fn sent(&self, bytes: u64) {
        add(&self.0.http_bytes, bytes);
    }

    /// A door answered.
    pub fn answered(&self, door: Door, status: u16) {
        let class = usize::from(status / 100).saturating_sub(1);
        if let Some(counter) = self.0.http[door as usize].get(class) {
            add(counter, 1);
        }
    }

    /// How much it is by now.
    pub fn read(&self) -> Tally {
        let named = |names: &[&'static str], counters: &[AtomicU64]| {
            let pairs = names.iter().zip(counters);
            pairs.map(|(name, counter)| (*name, get(counter))).collect()
        };
        let inner = &*self.0;
        let of_door = |door: Door| {
            let row = CLASSES.iter().zip(&inner.http[door as usize]);
            row.map(move |(class, counter)| (door.as_str(), *class, get(counter)))
        };
        Tally {
            dhcp: named(&DHCP, &inner.dhcp),
            tftp: named(&TFTP, &inner.tftp),
            tftp_resent: get(&inner.tftp_resent),
            bytes: vec![
                ("tftp", get(&inner.tftp_bytes)),
                ("http", get(&inner.http_bytes)),
            ],
            http: Door::ALL.into_iter().flat_map(of_door).collect(),
        }
    }
}

fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
