//! What a Raspberry Pi revision code says: model, memory, board revision, processor.
//!
//! Source: the vendor's "Raspberry Pi revision codes" document. New-style codes are bit fields
//! `NOQuuuWuFMMMCCCCPPPPTTTTTTTTRRRR`; fields are decoded, whole codes never matched, so that a
//! board made after this program still reads sensibly.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A 32-bit board revision code as found in option 97, the device tree and `/proc/cpuinfo`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(transparent)]
pub struct Revision(pub u32);

/// The families of boards whose boot behaviour differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// BCM2837 and older: boot ROM, no EEPROM.
    Pi3,
    /// BCM2711: EEPROM bootloader, then `start4.elf`.
    Pi4,
    /// BCM2712: EEPROM bootloader only.
    Pi5,
    /// A processor this build does not know.
    #[serde(other)]
    Unknown,
}

impl Revision {
    /// True for a new-style code (bit 23 set); only those decode.
    pub fn is_new_style(self) -> bool {
        self.0 >> 23 & 1 == 1
    }

    /// The board type field, `TTTTTTTT`.
    pub fn board_type(self) -> u8 {
        (self.0 >> 4) as u8
    }

    /// The board revision within its type, `RRRR`: 1.0 is 0, 1.1 is 1.
    pub fn minor(self) -> u8 {
        (self.0 & 0xf) as u8
    }

    /// Memory in MiB; `None` for old-style codes and for the "other" value.
    pub fn ram_mib(self) -> Option<u32> {
        let field = self.0 >> 20 & 7;
        (self.is_new_style() && field < 7).then(|| 256 << field)
    }

    /// The boot family, from the processor field `PPPP`.
    pub fn family(self) -> Family {
        match (self.is_new_style(), self.0 >> 12 & 0xf) {
            (true, 0..=2) => Family::Pi3,
            (true, 3) => Family::Pi4,
            (true, 4) => Family::Pi5,
            _ => Family::Unknown,
        }
    }

    /// The model in the vendor's words, e.g. `Raspberry Pi 5`; a code for unknown types.
    pub fn model(self) -> String {
        let name = match self.board_type() {
            _ if !self.is_new_style() => return format!("Raspberry Pi (revision {self})"),
            0x00 => "A",
            0x01 => "B",
            0x02 => "A+",
            0x03 => "B+",
            0x04 => "2B",
            0x06 => "Compute Module 1",
            0x08 => "3B",
            0x09 => "Zero",
            0x0a => "Compute Module 3",
            0x0c => "Zero W",
            0x0d => "3B+",
            0x0e => "3A+",
            0x10 => "Compute Module 3+",
            0x11 => "4B",
            0x12 => "Zero 2 W",
            0x13 => "400",
            0x14 => "Compute Module 4",
            0x15 => "Compute Module 4S",
            0x17 => "5",
            0x18 => "Compute Module 5",
            0x19 => "500",
            0x1a => "Compute Module 5 Lite",
            0x1b => "Compute Module 0",
            other => return format!("Raspberry Pi (type 0x{other:02x})"),
        };
        format!("Raspberry Pi {name}")
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_from_the_vendor_table_decode() {
        let rows = [
            (0xd0_4170, "Raspberry Pi 5", Some(8192), Family::Pi5, 0),
            (0xe0_4171, "Raspberry Pi 5", Some(16384), Family::Pi5, 1),
            (
                0xc0_41a0,
                "Raspberry Pi Compute Module 5 Lite",
                Some(4096),
                Family::Pi5,
                0,
            ),
            (0xd0_3114, "Raspberry Pi 4B", Some(8192), Family::Pi4, 4),
            (0xa0_3111, "Raspberry Pi 4B", Some(1024), Family::Pi4, 1),
            (0xa0_20d3, "Raspberry Pi 3B+", Some(1024), Family::Pi3, 3),
        ];
        for (code, model, ram, family, minor) in rows {
            let r = Revision(code);
            let got = (r.model(), r.ram_mib(), r.family(), r.minor());
            assert_eq!(got, (model.to_owned(), ram, family, minor), "{r}");
        }
    }

    #[test]
    fn old_and_future_codes_still_read() {
        assert_eq!(Revision(0x000e).ram_mib(), None);
        assert_eq!(Revision(0x000e).family(), Family::Unknown);
        assert_eq!(Revision(0xd0_4ff0).model(), "Raspberry Pi (type 0xff)");
    }
}
