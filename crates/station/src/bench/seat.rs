//! A seat: everything the bench knows about one board.

use super::attempt::Attempt;
use super::files::Files;
use serde::{Deserialize, Serialize};
use wire::agent::Inventory;
use wire::board::Mac;
use wire::name::Hostname;
use wire::revision::Family;
use wire::sheet::{Curve, Step};
use wire::{Board, BoardId, Millis, Stage};

/// What kind of machine a board is, as far as boot files care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Machine {
    /// A Raspberry Pi; the family decides kernel and firmware.
    Pi {
        /// The family.
        family: Family,
    },
    /// A UEFI machine; the processor decides the loader.
    Uefi {
        /// The processor.
        arch: Arch,
    },
}

/// A processor, as images and boot loaders are built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arch {
    /// 64-bit ARM.
    Arm64,
    /// 64-bit x86.
    X86_64,
}

impl Arch {
    /// The processor that an agent calls `text` (`uname -m`).
    pub fn of_agent(text: &str) -> Option<Self> {
        match text {
            "aarch64" | "arm64" => Some(Self::Arm64),
            "x86_64" => Some(Self::X86_64),
            _ => None,
        }
    }

    /// The processor of DHCP option 93 (RFC 4578 §2.1 and its IANA registry).
    pub fn of_option_93(arch: u16) -> Option<Self> {
        match arch {
            11 | 19 => Some(Self::Arm64),
            7 | 9 | 16 => Some(Self::X86_64),
            _ => None,
        }
    }

    /// The word that [`wire::image::ImageContents::arch`] uses for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        }
    }
}

/// What an operator has allowed a board; used up when a deployment begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Permit {
    /// Nothing.
    #[default]
    None,
    /// Another attempt after a failure.
    Retry,
    /// Take over the name it was given, wherever its batch stands.
    Replace,
    /// Be provisioned whatever is on the disk and whatever was before.
    Approve,
}

impl Permit {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::None, Self::Retry, Self::Replace, Self::Approve];

    /// The spelling used in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Retry => "retry",
            Self::Replace => "replace",
            Self::Approve => "approve",
        }
    }
}

/// The network boot a board is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boot {
    /// The token that its command line carries.
    pub token: String,
    /// The Ethernet address that booted.
    pub mac: Mac,
    /// When its bootloader last asked for an address.
    pub discovered: Millis,
}

/// How a board stands with us, from its newest deployment.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing<'a> {
    /// Never provisioned.
    New,
    /// Being provisioned.
    Open(&'a Attempt),
    /// Provisioned and finished.
    Finished {
        /// Its name.
        hostname: &'a Hostname,
        /// When it was finished.
        at: Millis,
    },
    /// Its last attempt failed or was cancelled.
    Failed(&'a Attempt),
    /// The operator let it go.
    Released,
}

/// Everything known about one board.
#[derive(Debug, Clone, PartialEq)]
pub struct Seat {
    /// What a tile shows of it.
    pub tile: Board,
    /// When it was first seen.
    pub first_seen: Millis,
    /// What kind of machine it is.
    pub machine: Option<Machine>,
    /// Every Ethernet address it spoke with.
    pub macs: Vec<Mac>,
    /// What its agent found, the last time it said.
    pub inventory: Option<Box<Inventory>>,
    /// Version of its agent.
    pub agent: Option<String>,
    /// What the operator allowed.
    pub permit: Permit,
    /// The operator let it go; it needs approval to come back.
    pub released: bool,
    /// The operator put it on hold.
    pub withheld: bool,
    /// Its agent, or an installer, has spoken at least once.
    pub checked_in: bool,
    /// False while only its Ethernet address is known: such a seat is kept in memory alone.
    pub stored: bool,
    /// Its present or last deployment.
    pub last: Option<Attempt>,
    /// The network boot it is in.
    pub boot: Option<Boot>,
    /// The stretches of its newest network boot, up to its check-in.
    pub way: Vec<Step>,
    /// The boot files of its newest network boot.
    pub files: Files,
    /// How fast the disk of its present or last deployment went, as far as this run has seen it.
    pub curve: Curve,
    /// Lines that its agent logged while the station ran.
    pub logged: u32,
    /// Seconds for which its LED is to blink, to be told with the next answer.
    pub identify_s: u32,
}

impl Seat {
    /// A seat for a board that was just seen for the first time.
    pub fn new(id: BoardId, mac: Mac, now: Millis) -> Self {
        Self {
            tile: Board {
                id,
                serial: None,
                mac,
                ip: None,
                revision: None,
                model: String::new(),
                ram_mib: None,
                stage: Stage::Seen,
                stage_since: now,
                last_seen: now,
                hostname: None,
                batch: None,
                deployment: None,
                attempt: 0,
                progress: None,
                hold: None,
                failure: None,
                stalled: None,
                disk: None,
                detail: None,
                place: None,
                rehearsal: false,
            },
            first_seen: now,
            machine: None,
            macs: if mac == NO_MAC { Vec::new() } else { vec![mac] },
            inventory: None,
            agent: None,
            permit: Permit::None,
            released: false,
            withheld: false,
            checked_in: false,
            stored: true,
            last: None,
            boot: None,
            way: Vec::new(),
            files: Files::default(),
            curve: Curve::default(),
            logged: 0,
            identify_s: 0,
        }
    }

    /// How the board stands with us.
    pub fn standing(&self) -> Standing<'_> {
        match &self.last {
            Some(attempt) if attempt.is_open() => Standing::Open(attempt),
            _ if self.released => Standing::Released,
            None => Standing::New,
            Some(attempt) if attempt.stage.is_finished() => Standing::Finished {
                hostname: &attempt.hostname,
                at: attempt.ended.unwrap_or(attempt.started),
            },
            Some(attempt) => Standing::Failed(attempt),
        }
    }

    /// The deployment under way.
    pub fn open(&self) -> Option<&Attempt> {
        self.last.as_ref().filter(|a| a.is_open())
    }

    /// The deployment under way, to be changed.
    pub fn open_mut(&mut self) -> Option<&mut Attempt> {
        self.last.as_mut().filter(|a| a.is_open())
    }

    /// Finished, and nobody asked for it to be imaged again.
    pub fn is_settled(&self) -> bool {
        self.permit != Permit::Approve && matches!(self.standing(), Standing::Finished { .. })
    }

    /// How people call it: its name, else its id.
    pub fn called(&self) -> String {
        match &self.tile.hostname {
            Some(hostname) => format!("{hostname} ({})", self.tile.id),
            None => format!("board {}", self.tile.id),
        }
    }

    /// Remembers an address it spoke with.
    pub fn learn_mac(&mut self, mac: Mac) {
        if mac != NO_MAC && !self.macs.contains(&mac) && self.macs.len() < MAX_MACS {
            self.macs.push(mac);
        }
    }

    /// How long it has been quiet, in milliseconds.
    pub fn quiet(&self, now: Millis) -> i64 {
        now.since(self.tile.last_seen)
    }

    /// True while a deployment is under way and the board is alive: its name and its disk must be
    /// left alone.
    pub fn is_at_work(&self, now: Millis) -> bool {
        self.open().is_some() && self.quiet(now) < PRESUMED_DEAD_MS
    }
}

/// Stands for an Ethernet address that nobody has said yet.
pub const NO_MAC: Mac = Mac([0; 6]);

/// Addresses remembered of one board; no board has more ports.
pub const MAX_MACS: usize = 16;

/// A working board that says nothing for this long may be released: 10 minutes.
pub const PRESUMED_DEAD_MS: i64 = 10 * 60 * 1000;

impl Seat {
    /// True when nothing changed that is kept when the station stops: signs of life, progress,
    /// the file being fetched and the temperature are not worth a write.
    pub fn keeps_as(&self, old: &Self) -> bool {
        let mut same = old.clone();
        same.tile.last_seen = self.tile.last_seen;
        same.tile.progress = self.tile.progress;
        same.tile.stalled.clone_from(&self.tile.stalled);
        same.boot.clone_from(&self.boot);
        same.last.clone_from(&self.last);
        same.identify_s = self.identify_s;
        same.logged = self.logged;
        same.files.clone_from(&self.files);
        same.curve.clone_from(&self.curve);
        if let (Some(old), Some(new)) = (&mut same.inventory, &self.inventory) {
            old.temperature_millicelsius = new.temperature_millicelsius;
            // The low half says how it is at this moment, the high half what ever happened.
            let ever = |flags: Option<u32>| flags.map(|f| f >> 16);
            if ever(old.throttled) == ever(new.throttled) {
                old.throttled = new.throttled;
            }
        }
        if self.tile.stage == Stage::LoadingBootFiles {
            same.tile.detail.clone_from(&self.tile.detail);
        }
        same == *self
    }
}
