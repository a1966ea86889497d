//! The models a virtual board can be, as data: everything in which their boot differs by a value
//! rather than by an order of steps.
//!
//! Sources: the vendor's revision-code and bootloader documents, and raw DHCP/TFTP logs of boards.

use crate::bootloader::order::BootOrder;
use std::time::Duration;
use wire::disk::DiskKind;
use wire::revision::Revision;

/// A model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Model {
    /// Raspberry Pi 3B+: boot ROM, then `bootcode.bin`, then `start.elf`.
    Pi3BPlus,
    /// Raspberry Pi 4B: boot EEPROM, then `start4.elf`.
    Pi4,
    /// Raspberry Pi 5: boot EEPROM only.
    Pi5,
    /// Compute Module 5 with eMMC: as the Pi 5.
    Cm5,
}

/// What a model is made of.
#[derive(Debug)]
pub struct Traits {
    /// Revision codes it is sold with; a board is one of them.
    pub revisions: &'static [u32],
    /// The vendor half of its Ethernet address.
    pub oui: [u8; 3],
    /// The upper 32 bits of its serial number, when they are always the same.
    pub serial_high: Option<u32>,
    /// Its boot order, set to ask the network first wherever the board lets one choose.
    pub order: BootOrder,
    /// Kind and device path of its disk.
    pub disk: (DiskKind, &'static str),
    /// Its device tree, by the name the firmware asks for.
    pub device_tree: &'static str,
    /// From power-on (or reset) to the first DISCOVER.
    pub to_network: Duration,
}

impl Model {
    /// All models, in the order in which a mixed batch deals them out.
    pub const ALL: [Self; 4] = [Self::Pi5, Self::Pi4, Self::Cm5, Self::Pi3BPlus];

    /// What plans and command lines call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pi3BPlus => "pi3b+",
            Self::Pi4 => "pi4",
            Self::Pi5 => "pi5",
            Self::Cm5 => "cm5",
        }
    }

    /// What it is made of.
    pub fn traits(self) -> &'static Traits {
        match self {
            Self::Pi3BPlus => &PI3B_PLUS,
            Self::Pi4 => &PI4,
            Self::Pi5 => &PI5,
            Self::Cm5 => &CM5,
        }
    }

    /// Kernels it looks for when the configuration names none, best first.
    pub fn kernels(self, arm_64bit: bool) -> &'static [&'static str] {
        match (self, arm_64bit) {
            (Self::Pi5 | Self::Cm5, _) => &["kernel_2712.img", "kernel8.img"],
            (Self::Pi4, true) => &["kernel8.img", "kernel7l.img", "kernel7.img", "kernel.img"],
            (Self::Pi4, false) => &["kernel7l.img", "kernel7.img", "kernel.img"],
            (Self::Pi3BPlus, true) => &["kernel8.img", "kernel7.img", "kernel.img"],
            (Self::Pi3BPlus, false) => &["kernel7.img", "kernel.img"],
        }
    }
}

impl std::str::FromStr for Model {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "pi3b+" | "pi3bplus" | "pi3" => Ok(Self::Pi3BPlus),
            "pi4" => Ok(Self::Pi4),
            "pi5" => Ok(Self::Pi5),
            "cm5" => Ok(Self::Cm5),
            _ => Err(format!(
                "{text:?} is no model of a virtual board; there are pi3b+, pi4, pi5 and cm5"
            )),
        }
    }
}

// The order of a Pi 3B+ is burnt in: SD, USB, network, and no restart (`BootOrder` has no end
// nibble here: the ROM stops for good).
static PI3B_PLUS: Traits = Traits {
    revisions: &[0xa0_20d3],
    oui: [0xb8, 0x27, 0xeb],
    serial_high: Some(0),
    order: BootOrder(0xe241),
    disk: (DiskKind::Sd, "/dev/mmcblk0"),
    device_tree: "bcm2710-rpi-3-b-plus.dtb",
    to_network: Duration::from_secs(5),
};

static PI4: Traits = Traits {
    revisions: &[0xd0_3114, 0xa0_3111, 0xc0_3115],
    oui: [0xe4, 0x5f, 0x01],
    serial_high: Some(0x1000_0000),
    order: BootOrder(0xf412),
    disk: (DiskKind::Sd, "/dev/mmcblk0"),
    device_tree: "bcm2711-rpi-4-b.dtb",
    to_network: Duration::from_secs(7),
};

static PI5: Traits = Traits {
    revisions: &[0xd0_4170, 0xb0_4171, 0xe0_4171],
    oui: [0x2c, 0xcf, 0x67],
    serial_high: None,
    order: BootOrder(0xf4612),
    disk: (DiskKind::Nvme, "/dev/nvme0n1"),
    device_tree: "bcm2712-rpi-5-b.dtb",
    to_network: Duration::from_secs(8),
};

static CM5: Traits = Traits {
    revisions: &[0xc0_4180, 0xd0_4180],
    oui: [0x88, 0xa2, 0x9e],
    serial_high: None,
    order: BootOrder(0xf4612),
    disk: (DiskKind::Emmc, "/dev/mmcblk0"),
    device_tree: "bcm2712-rpi-cm5-cm5io.dtb",
    to_network: Duration::from_secs(8),
};

/// True when the board's processor is of the D0 stepping and its kernel dies without
/// `overlays/bcm2712d0.dtbo`: Pi 5 of board revision 1.1, and every Compute Module 5.
pub fn has_d0_silicon(revision: Revision) -> bool {
    match revision.board_type() {
        0x17 => revision.minor() >= 1,
        0x18..=0x1a => true,
        _ => false,
    }
}

/// True when a Pi 4 has a separate EEPROM for its USB controller (before board revision 1.4) and
/// asks for `vl805.sig`.
pub fn has_vl805_eeprom(revision: Revision) -> bool {
    revision.board_type() == 0x11 && revision.minor() < 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::revision::Family;

    #[test]
    fn every_revision_is_of_its_models_family() {
        for model in Model::ALL {
            let family = match model {
                Model::Pi3BPlus => Family::Pi3,
                Model::Pi4 => Family::Pi4,
                Model::Pi5 | Model::Cm5 => Family::Pi5,
            };
            for code in model.traits().revisions {
                assert_eq!(Revision(*code).family(), family, "{code:06x}");
            }
        }
    }

    #[test]
    fn a_model_is_read_by_its_name() {
        for model in Model::ALL {
            assert_eq!(model.name().parse(), Ok(model));
        }
        assert!("pi2".parse::<Model>().is_err());
    }

    #[test]
    fn steppings_follow_the_revision() {
        assert!(!has_d0_silicon(Revision(0xd0_4170)));
        assert!(has_d0_silicon(Revision(0xb0_4171)));
        assert!(has_d0_silicon(Revision(0xc0_4180)));
        assert!(has_vl805_eeprom(Revision(0xa0_3111)));
        assert!(!has_vl805_eeprom(Revision(0xd0_3114)));
    }
}
