//! Who is asking? Recognised from the very first DISCOVER, before any byte is served.
//!
//! A Raspberry Pi's machine identifier (option 97) holds a four-character code, the revision, the
//! end of the MAC address and the low half of the serial number; older firmware and the boot ROM
//! send the serial number four times, the plain 3B ROM sixteen times `0x44`. Vendor sources: the
//! bootloader configuration page (`DHCP_OPTION97`), the network boot page, and captures. Address
//! prefixes of makers (OUI) decide nothing, new ones appear every year; neither does the vendor
//! class alone, which any PC's boot ROM shares.

use super::packet::Request;
use uuid::Uuid;
use wire::revision::{Family, Revision};
use wire::{BoardId, Mac};

/// Vendor class by which the board agent makes itself known.
pub const AGENT_CLASS: &str = "punnet-agent";

/// Vendor class of every Raspberry Pi bootloader. Some PCs send the same, so it proves nothing.
pub const PI_CLASS: &str = "PXEClient:Arch:00000:UNDI:002001";

/// What bootloaders from EEPROM ask for (option 55): fourteen items in this order, on Pi 4 and 5.
pub const EEPROM_WANTS: [u8; 14] = [1, 3, 43, 60, 66, 67, 128, 129, 130, 131, 132, 133, 134, 135];

/// What the boot ROM of a Pi 3 asks for: twelve items in this order.
pub const ROM_WANTS: [u8; 12] = [43, 60, 67, 128, 129, 130, 131, 132, 133, 134, 135, 66];

/// What `bootcode.bin` on a card asks for: the ROM's list with 1 and 3 after it.
const BOOTCODE_WANTS: [u8; 14] = [43, 60, 67, 128, 129, 130, 131, 132, 133, 134, 135, 66, 1, 3];

/// UEFI on x86-64 (RFC 4578 §2.1, as implemented and as corrected by the registry).
pub const ARCH_X64: u16 = 7;
/// UEFI on 64-bit ARM.
pub const ARCH_ARM64: u16 = 11;

/// Who sent a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// The bootloader of a Raspberry Pi that says which one it is.
    Pi(PiIdentity),
    /// The bootloader of a Raspberry Pi that does not: a plain 3B ROM, or one recognised only by
    /// its exact list of wanted options.
    PiUnknown,
    /// UEFI firmware of another machine, or QEMU.
    Uefi {
        /// Processor architecture, [`ARCH_ARM64`] or [`ARCH_X64`].
        arch: u16,
        /// Machine UUID, spelled as `/sys/class/dmi/id/product_uuid` spells it.
        uuid: Uuid,
    },
    /// The Punnet agent, running on a board.
    Agent {
        /// The board, when the agent knows it already.
        board: Option<BoardId>,
    },
    /// Anything else: a laptop, a printer, or the system installed on a finished board.
    Other,
}

/// What a Raspberry Pi says about itself in option 97.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PiIdentity {
    /// The identity the station keys it by.
    pub board: BoardId,
    /// Low 32 bits of the serial number.
    pub serial_low: u32,
    /// Revision code: model, memory, board revision. Absent where the serial is sent four times.
    pub revision: Option<Revision>,
    /// Last four bytes of the MAC address, where they are sent.
    pub mac_tail: Option<[u8; 4]>,
}

impl PiIdentity {
    fn bare(serial_low: u32) -> Self {
        Self {
            board: BoardId::Pi(serial_low),
            serial_low,
            revision: None,
            mac_tail: None,
        }
    }
}

impl Client {
    /// Recognises the sender of a packet.
    pub fn of(request: &Request) -> Self {
        if request.vendor_class().as_deref() == Some(AGENT_CLASS) {
            let board = request.machine_id().and_then(board_of);
            return Self::Agent { board };
        }
        let pc = request.architectures().any(|arch| arch != 0);
        if let Some(id) = request.machine_id() {
            if let Some(pi) = coded(id) {
                return Self::Pi(pi);
            }
            if !pc && let Some(pi) = recoded(id, request) {
                return Self::Pi(pi);
            }
            if !pc && boots_by_pxe(request) {
                if id == [0x44; 16] {
                    return Self::PiUnknown;
                }
                if let Some(serial) = four_times(id) {
                    return Self::Pi(PiIdentity::bare(serial));
                }
            }
        }
        if !pc && [&EEPROM_WANTS[..], &ROM_WANTS, &BOOTCODE_WANTS].contains(&request.wanted()) {
            return Self::PiUnknown;
        }
        let uefi = request
            .architectures()
            .find(|a| [ARCH_ARM64, ARCH_X64].contains(a));
        match (uefi, request.machine_id().and_then(machine_uuid)) {
            (Some(arch), Some(uuid)) => Self::Uefi { arch, uuid },
            _ => Self::Other,
        }
    }

    /// The identity the station keys the sender by, as far as it is known.
    pub fn board(&self) -> Option<BoardId> {
        match self {
            Self::Pi(pi) => Some(pi.board),
            Self::Uefi { uuid, .. } => Some(BoardId::Uuid(*uuid)),
            Self::Agent { board } => *board,
            Self::PiUnknown | Self::Other => None,
        }
    }

    /// True for the bootloader of a Raspberry Pi.
    pub fn is_pi(&self) -> bool {
        matches!(self, Self::Pi(_) | Self::PiUnknown)
    }

    /// True for boards that may start using an offered address without ever requesting it: Pi 3
    /// and anything that could be one.
    pub fn may_skip_request(&self) -> bool {
        match self {
            Self::Pi(pi) => !matches!(
                pi.revision.map(Revision::family),
                Some(Family::Pi4 | Family::Pi5)
            ),
            Self::PiUnknown => true,
            Self::Uefi { .. } | Self::Agent { .. } | Self::Other => false,
        }
    }
}

/// True for the ROM of a Pi 3, which wants the boot menu's name followed by three blanks.
pub(super) fn is_rom(request: &Request) -> bool {
    request.wanted() == ROM_WANTS || request.machine_id() == Some([0x44; 16])
}

/// Machine identifier that says which board this is: the UUID as firmware sends it, or a Pi's
/// serial number four times.
pub fn machine_id_of(board: BoardId) -> [u8; 16] {
    match board {
        BoardId::Uuid(uuid) => uuid.to_bytes_le(),
        BoardId::Pi(serial) => {
            let [a, b, c, d] = serial.to_le_bytes();
            [a, b, c, d, a, b, c, d, a, b, c, d, a, b, c, d]
        }
    }
}

/// Machine identifier as the bootloader of a Pi 4 or 5 writes it. The code is `RPi4`, `4iPR`,
/// `RPi5` or `5iPR`, whichever the firmware's build date brings.
pub fn machine_id_of_pi(code: [u8; 4], revision: Revision, mac: Mac, serial_low: u32) -> [u8; 16] {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&code);
    id[4..8].copy_from_slice(&revision.0.to_le_bytes());
    id[8..12].copy_from_slice(&mac.0[2..]);
    id[12..].copy_from_slice(&serial_low.to_le_bytes());
    id
}

fn board_of(id: [u8; 16]) -> Option<BoardId> {
    let pi = coded(id).map(|pi| pi.board);
    pi.or_else(|| four_times(id).map(BoardId::Pi))
        .or_else(|| machine_uuid(id).map(BoardId::Uuid))
}

/// The layout with a four-character code, in either byte order.
fn coded(id: [u8; 16]) -> Option<PiIdentity> {
    match id[..4] {
        [b'R', b'P', b'i', n] | [n, b'i', b'P', b'R'] if n.is_ascii_digit() => Some(fields(id)),
        _ => None,
    }
}

/// The same layout under a code that the owner chose (`DHCP_OPTION97`): believed only when the end
/// of the MAC address stands where it belongs, beside a revision code that decodes.
fn recoded(id: [u8; 16], request: &Request) -> Option<PiIdentity> {
    let pi = fields(id);
    let decodes = pi.revision.is_some_and(|r| r.family() != Family::Unknown);
    let same = pi
        .mac_tail
        .is_some_and(|tail| request.mac().0.ends_with(&tail));
    (decodes && same && request.vendor_class().as_deref() == Some(PI_CLASS)).then_some(pi)
}

fn fields(id: [u8; 16]) -> PiIdentity {
    let [_, _, _, _, r0, r1, r2, r3, m0, m1, m2, m3, s0, s1, s2, s3] = id;
    let tail = [m0, m1, m2, m3];
    PiIdentity {
        revision: Some(Revision(u32::from_le_bytes([r0, r1, r2, r3]))),
        // Images before March 2020 left it zero.
        mac_tail: (tail != [0; 4]).then_some(tail),
        ..PiIdentity::bare(u32::from_le_bytes([s0, s1, s2, s3]))
    }
}

/// The serial number, when it is sent four times. One byte repeated sixteen times is filler that
/// PC makers leave in their tables, not a serial number.
fn four_times(id: [u8; 16]) -> Option<u32> {
    let [a, b, c, d, ..] = id;
    let serial = u32::from_le_bytes([a, b, c, d]);
    let filler = [b, c, d].iter().all(|byte| *byte == a);
    (!filler && id == machine_id_of(BoardId::Pi(serial))).then_some(serial)
}

/// Firmware sends the first three fields of the UUID in little-endian order, as SMBIOS stores them.
fn machine_uuid(id: [u8; 16]) -> Option<Uuid> {
    let uuid = Uuid::from_bytes_le(id);
    (!uuid.is_nil() && !uuid.is_max()).then_some(uuid)
}

fn boots_by_pxe(request: &Request) -> bool {
    request
        .vendor_class()
        .is_some_and(|class| class.starts_with("PXEClient"))
}
