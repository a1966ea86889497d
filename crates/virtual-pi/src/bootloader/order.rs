//! `BOOT_ORDER`: where a bootloader looks for a system, one hexadecimal digit per place, read from
//! the right (vendor's EEPROM bootloader document).

use std::fmt;

/// A place to look for a system, or what to do when all were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// SD card or eMMC (digit 1).
    Sd,
    /// The network (digit 2).
    Network,
    /// USB mass storage (digit 4).
    Usb,
    /// NVMe (digit 6).
    Nvme,
    /// Begin again (digit f).
    Restart,
    /// Stop and show an error (digit e).
    Stop,
    /// A digit without meaning for a virtual board (HTTP, rpiboot); passed over.
    Other(u8),
}

/// A boot order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BootOrder(pub u32);

impl BootOrder {
    /// The places in the order in which they are tried. The vendor's firmware treats the end of
    /// the digits like "stop".
    pub fn modes(self) -> Vec<Mode> {
        let mut rest = self.0;
        let mut modes = Vec::new();
        while rest != 0 {
            modes.push(match rest & 0xf {
                1 => Mode::Sd,
                2 => Mode::Network,
                4 => Mode::Usb,
                6 => Mode::Nvme,
                0xe => Mode::Stop,
                0xf => Mode::Restart,
                other => Mode::Other(other as u8),
            });
            rest >>= 4;
        }
        if !matches!(modes.last(), Some(Mode::Restart | Mode::Stop)) {
            modes.push(Mode::Stop);
        }
        modes
    }
}

impl fmt::Display for BootOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_from_the_right() {
        use Mode::{Network, Nvme, Restart, Sd, Stop, Usb};
        assert_eq!(
            BootOrder(0xf4612).modes(),
            [Network, Sd, Nvme, Usb, Restart]
        );
        assert_eq!(BootOrder(0x21).modes(), [Sd, Network, Stop]);
        assert_eq!(BootOrder(0xf461).to_string(), "0xf461");
    }
}
