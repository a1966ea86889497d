//! In whose voice a client speaks: what it sends, what it needs to hear, when it gives up.
//!
//! The values are those of captures and of the vendor's configuration page: the boot ROM of a Pi 3,
//! the EEPROM bootloader of Pi 4 and 5, UEFI firmware, and the agent that runs on a board.

use crate::dhcp::draft::Draft;
use crate::dhcp::identify::{
    AGENT_CLASS, ARCH_ARM64, EEPROM_WANTS, PI_CLASS, ROM_WANTS, machine_id_of, machine_id_of_pi,
};
use dhcproto::v4::OptionCode;
use std::time::Duration;
use uuid::Uuid;
use wire::revision::{Family, Revision};
use wire::{BoardId, Mac};

/// The number that a Pi 3 ROM puts on every exchange.
pub const ROM_XID: u32 = 0x26f3_0339;

/// A client's habits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Persona {
    /// Vendor class (option 60).
    pub vendor_class: Option<String>,
    /// Machine identifier (option 97) without its type byte, which is 0.
    pub machine_id: Option<[u8; 16]>,
    /// Processor architecture (option 93); with it goes option 94, UNDI 2.1.
    pub arch: Option<u16>,
    /// Options asked for (option 55).
    pub wants: Vec<u8>,
    /// How exchanges are numbered.
    pub xid: Xid,
    /// What a reply must hold besides an address.
    pub needs: Needs,
    /// Requests what it is offered. A Pi 3 does not.
    pub requests: bool,
    /// Says who it is in a REQUEST too. Bootloaders send option 60 only.
    pub introduces: bool,
    /// Asks for replies to everybody, because its address is not set up yet.
    pub broadcast: bool,
    /// Renews its lease. Bootloaders never live that long.
    pub renews: bool,
    /// When it asks again and when it gives up.
    pub timing: Timing,
}

/// How exchanges are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Xid {
    /// The same for ever.
    Constant(u32),
    /// A new one for each DISCOVER.
    EachTry,
    /// One for all DISCOVERs of an exchange.
    EachExchange,
}

/// What a reply must hold besides an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// A TFTP server, named by option 66 or by a PXE boot menu that contains this text.
    Menu(String),
    /// A TFTP server, and a boot menu entry that *is* this text; option 66 alone is not enough.
    ExactMenu(String),
    /// A boot file.
    File,
}

/// When a client asks again and when it gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Time to the first retry.
    pub resend: Duration,
    /// The time doubles with each retry up to this.
    pub slowest: Duration,
    /// DISCOVERs before it gives up; `None`: never.
    pub tries: Option<u32>,
    /// Time before it gives up; `None`: never.
    pub total: Option<Duration>,
}

impl Persona {
    /// The boot ROM of a plain Pi 3B: no serial number, one xid for ever, a menu name with three
    /// blanks, never a REQUEST.
    pub fn rom_3b() -> Self {
        Self {
            vendor_class: Some(PI_CLASS.to_owned()),
            machine_id: Some([0x44; 16]),
            arch: Some(0),
            wants: ROM_WANTS.to_vec(),
            xid: Xid::Constant(ROM_XID),
            needs: Needs::ExactMenu("Raspberry Pi Boot   ".to_owned()),
            requests: false,
            introduces: false,
            broadcast: false,
            renews: false,
            timing: Timing {
                resend: Duration::from_secs(5),
                slowest: Duration::from_secs(5),
                tries: Some(5),
                total: None,
            },
        }
    }

    /// The boot ROM of a Pi 3B+: like [`Persona::rom_3b`], with the serial number four times.
    pub fn rom_3b_plus(serial_low: u32) -> Self {
        Self {
            machine_id: Some(machine_id_of(BoardId::Pi(serial_low))),
            needs: Needs::Menu("Raspberry Pi Boot".to_owned()),
            ..Self::rom_3b()
        }
    }

    /// The EEPROM bootloader of a Pi 4 or 5 with its default timers. The code in option 97 is that
    /// of the board's family, in the byte order of older images, or swapped as in later ones.
    pub fn eeprom(revision: Revision, mac: Mac, serial_low: u32, swapped: bool) -> Self {
        let mut code = match revision.family() {
            Family::Pi5 => *b"RPi5",
            Family::Pi3 | Family::Pi4 | Family::Unknown => *b"RPi4",
        };
        if swapped {
            code.reverse();
        }
        Self {
            machine_id: Some(machine_id_of_pi(code, revision, mac, serial_low)),
            wants: EEPROM_WANTS.to_vec(),
            xid: Xid::EachTry,
            needs: Needs::Menu("Raspberry Pi Boot".to_owned()),
            requests: true,
            timing: Timing {
                resend: Duration::from_secs(4),
                slowest: Duration::from_secs(4),
                tries: None,
                total: Some(Duration::from_secs(45)),
            },
            ..Self::rom_3b()
        }
    }

    /// UEFI firmware booting from the network.
    pub fn uefi(arch: u16, machine: Uuid) -> Self {
        let class_arch = if arch == ARCH_ARM64 { "00011" } else { "00007" };
        Self {
            vendor_class: Some(format!("PXEClient:Arch:{class_arch}:UNDI:003000")),
            machine_id: Some(machine_id_of(BoardId::Uuid(machine))),
            arch: Some(arch),
            wants: vec![1, 3, 43, 54, 60, 66, 67, 97],
            xid: Xid::EachExchange,
            needs: Needs::File,
            requests: true,
            introduces: true,
            timing: Timing {
                resend: Duration::from_secs(4),
                slowest: Duration::from_secs(32),
                tries: Some(4),
                total: None,
            },
            ..Self::rom_3b()
        }
    }

    /// The agent on a board: keeps asking for as long as it takes, and keeps its lease.
    pub fn agent(board: Option<BoardId>) -> Self {
        Self {
            vendor_class: Some(AGENT_CLASS.to_owned()),
            machine_id: board.map(machine_id_of),
            arch: None,
            wants: vec![1, 28, 51, 54, 58, 59],
            xid: Xid::EachExchange,
            needs: Needs::Nothing,
            requests: true,
            introduces: true,
            broadcast: true,
            renews: true,
            timing: Timing {
                resend: Duration::from_secs(2),
                slowest: Duration::from_secs(16),
                tries: None,
                total: None,
            },
        }
    }

    /// Writes who is asking and for what, in the order of captured packets.
    pub(in crate::dhcp) fn introduce(&self, draft: &mut Draft) {
        draft.push(OptionCode::ParameterRequestList, self.wants.as_slice());
        if let Some(arch) = self.arch {
            draft.push(OptionCode::ClientSystemArchitecture, arch.to_be_bytes());
            draft.push(OptionCode::ClientNetworkInterface, [1, 2, 1]);
        }
        if let Some(id) = self.machine_id {
            draft.push(
                OptionCode::ClientMachineIdentifier,
                [&[0], &id[..]].concat(),
            );
        }
        if let Some(class) = &self.vendor_class {
            draft.push(OptionCode::ClassIdentifier, class.as_bytes());
        }
    }
}
