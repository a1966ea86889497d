//! What the board is, from the device tree, the firmware's tables and sysfs.

use super::{nic, sysfs};
use std::path::{Path, PathBuf};
use uuid::Uuid;
use wire::agent::Inventory;
use wire::disk::Disk;
use wire::revision::Revision;
use wire::{BoardId, Mac, Serial};

/// Where `/sys` and `/proc` are; tests have their own.
#[derive(Debug, Clone)]
pub(crate) struct Board {
    sys: PathBuf,
    proc: PathBuf,
}

impl Board {
    pub(crate) fn new() -> Self {
        Self {
            sys: PathBuf::from("/sys"),
            proc: PathBuf::from("/proc"),
        }
    }

    fn tree(&self) -> PathBuf {
        self.sys.join("firmware/devicetree/base")
    }

    fn is_pi(&self) -> bool {
        let compatible = std::fs::read(self.tree().join("compatible")).unwrap_or_default();
        compatible
            .split(|b| *b == 0)
            .any(|name| name.starts_with(b"raspberrypi,"))
    }

    fn serial(&self) -> Option<Serial> {
        if !self.is_pi() {
            return None;
        }
        sysfs::text(&self.tree().join("serial-number"))?
            .parse()
            .ok()
    }

    fn revision(&self) -> Option<Revision> {
        if !self.is_pi() {
            return None;
        }
        number_in_tree(&self.tree().join("system/linux,revision")).map(Revision)
    }

    /// Who the board is. One that has neither a serial number nor a machine UUID (a kernel started
    /// without firmware) is known by its Ethernet address.
    pub(crate) fn id(&self, mac: Mac) -> BoardId {
        if let Some(serial) = self.serial() {
            return BoardId::Pi(serial.low());
        }
        let dmi = sysfs::text(&self.sys.join("class/dmi/id/product_uuid"));
        let uuid = dmi.and_then(|text| Uuid::try_parse(&text).ok());
        let known = uuid.filter(|u| !u.is_nil() && !u.is_max());
        BoardId::Uuid(known.unwrap_or_else(|| {
            let mut bytes = [0; 16];
            bytes[10..].copy_from_slice(&mac.0);
            uuid::Builder::from_custom_bytes(bytes).into_uuid()
        }))
    }

    fn model(&self) -> String {
        let dmi = |file: &str| sysfs::text(&self.sys.join("class/dmi/id").join(file));
        sysfs::text(&self.tree().join("model"))
            .or_else(|| match (dmi("sys_vendor"), dmi("product_name")) {
                (Some(vendor), Some(product)) => Some(format!("{vendor} {product}")),
                (vendor, product) => product.or(vendor),
            })
            .unwrap_or_else(|| "unknown machine".to_owned())
    }

    fn ram_mib(&self) -> u32 {
        let from_code = self.revision().and_then(Revision::ram_mib);
        let from_kernel = || {
            let text = std::fs::read_to_string(self.proc.join("meminfo")).ok()?;
            let line = text.lines().find_map(|l| l.strip_prefix("MemTotal:"))?;
            let kib: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
            Some((kib / 1024) as u32)
        };
        from_code.or_else(from_kernel).unwrap_or(0)
    }

    /// The bootloader's own words (`chosen/bootloader`): its version, or when it was built.
    fn eeprom_version(&self) -> Option<String> {
        let place = self.tree().join("chosen/bootloader");
        sysfs::text(&place.join("version")).or_else(|| {
            let built = number_in_tree(&place.join("build-timestamp"))?;
            Some(format!("built {built}"))
        })
    }

    /// `BOOT_ORDER` out of the bootloader's configuration, which the firmware leaves in memory: the
    /// alias `blconfig` names its node.
    fn boot_order(&self) -> Option<String> {
        let alias = sysfs::text(&self.tree().join("aliases/blconfig"))?;
        let wanted = self.tree().join(alias.trim_start_matches('/'));
        let wanted = std::fs::canonicalize(wanted).ok()?;
        let memory = sysfs::entries(&self.sys.join("bus/nvmem/devices"))
            .into_iter()
            .find(|device| {
                std::fs::canonicalize(device.join("of_node")).is_ok_and(|node| node == wanted)
            })?;
        let bytes = std::fs::read(memory.join("nvmem")).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let order = text
            .lines()
            .rev()
            .find_map(|line| line.trim().strip_prefix("BOOT_ORDER="))?;
        let order: String = order
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        (!order.is_empty()).then_some(order)
    }

    fn temperature(&self) -> Option<i32> {
        sysfs::number(&self.sys.join("class/thermal/thermal_zone0/temp"))
    }

    /// The firmware's flags where the kernel passes them on, else at least under-voltage.
    fn throttled(&self) -> Option<u32> {
        let places = [
            "soc/soc:firmware",
            "soc@107c000000/soc:firmware",
            "soc:firmware",
        ];
        for place in places {
            let file = self
                .sys
                .join("devices/platform")
                .join(place)
                .join("get_throttled");
            if let Some(text) = sysfs::text(&file) {
                return u32::from_str_radix(text.trim_start_matches("0x"), 16).ok();
            }
        }
        sysfs::entries(&self.sys.join("class/hwmon"))
            .into_iter()
            .find(|m| sysfs::text(&m.join("name")).as_deref() == Some("rpi_volt"))
            .and_then(|m| sysfs::number(&m.join("in0_lcrit_alarm")))
    }

    /// Everything but what lies on the disks, which is the caller's to look up.
    pub(crate) fn inventory(&self, mac: Mac, card: Option<&str>, disks: Vec<Disk>) -> Inventory {
        let net = self.sys.join("class/net");
        let speed = card.and_then(|c| sysfs::number::<i64>(&net.join(c).join("speed")));
        Inventory {
            board: self.id(mac),
            serial: self.serial(),
            revision: self.revision(),
            model: self.model(),
            arch: std::env::consts::ARCH.to_owned(),
            ram_mib: self.ram_mib(),
            mac,
            macs: nic::cards(&net).into_iter().map(|c| c.mac).collect(),
            // The kernel says -1 for "not known".
            link_mbit: speed.and_then(|s| u32::try_from(s).ok()).filter(|s| *s > 0),
            disks,
            eeprom_version: self.eeprom_version(),
            boot_order: self.boot_order(),
            temperature_millicelsius: self.temperature(),
            throttled: self.throttled(),
        }
    }
}

/// A number in the device tree: four bytes, most significant first.
fn number_in_tree(path: &Path) -> Option<u32> {
    let bytes = std::fs::read(path).ok()?;
    bytes.first_chunk::<4>().map(|b| u32::from_be_bytes(*b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn board(files: &[(&str, &[u8])]) -> (tempfile::TempDir, Board) {
        let dir = tempfile::tempdir().unwrap();
        for (path, bytes) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let board = Board {
            sys: dir.path().join("sys"),
            proc: dir.path().join("proc"),
        };
        (dir, board)
    }

    const MAC: Mac = Mac([0xdc, 0xa6, 0x32, 1, 2, 3]);
    const TREE: &str = "sys/firmware/devicetree/base";

    #[test]
    fn a_pi_5_says_who_it_is() {
        let at = |path: &str| format!("{TREE}/{path}");
        let files = [
            (
                at("compatible"),
                &b"raspberrypi,5-model-b\0brcm,bcm2712\0"[..],
            ),
            (at("model"), b"Raspberry Pi 5 Model B Rev 1.0\0"),
            (at("serial-number"), b"9d00ce41d137e638\0"),
            (at("system/linux,revision"), &[0, 0xd0, 0x41, 0x70]),
            (at("chosen/bootloader/version"), b"26826259\0"),
            (at("aliases/blconfig"), b"/reserved-memory/nvram@0\0"),
            (at("reserved-memory/nvram@0/x"), b""),
            (
                "sys/bus/nvmem/devices/rmem0/nvmem".to_owned(),
                b"[all]\nBOOT_UART=1\nBOOT_ORDER=0xf2461\n\xff\xff",
            ),
            (
                "sys/class/thermal/thermal_zone0/temp".to_owned(),
                b"48300\n",
            ),
            (
                "sys/devices/platform/soc/soc:firmware/get_throttled".to_owned(),
                b"50000\n",
            ),
        ];
        let files: Vec<(&str, &[u8])> = files.iter().map(|(p, b)| (p.as_str(), *b)).collect();
        let (dir, board) = board(&files);
        symlink(
            dir.path().join(TREE).join("reserved-memory/nvram@0"),
            dir.path().join("sys/bus/nvmem/devices/rmem0/of_node"),
        )
        .unwrap();
        let found = board.inventory(MAC, None, Vec::new());
        assert_eq!(found.board.to_string(), "d137e638");
        assert_eq!(found.serial.unwrap().to_string(), "9d00ce41d137e638");
        assert_eq!(found.revision, Some(Revision(0xd0_4170)));
        assert_eq!(found.model, "Raspberry Pi 5 Model B Rev 1.0");
        assert_eq!(found.ram_mib, 8192);
        assert_eq!(found.eeprom_version.as_deref(), Some("26826259"));
        assert_eq!(found.boot_order.as_deref(), Some("0xf2461"));
        assert_eq!(found.temperature_millicelsius, Some(48_300));
        assert_eq!(found.throttled, Some(0x50000));
    }

    #[test]
    fn another_machine_is_known_by_its_uuid_or_else_its_card() {
        let (_dir, firmware) = board(&[
            (
                "sys/class/dmi/id/product_uuid",
                b"c0ffee00-0000-4000-8000-000000000001\n",
            ),
            ("sys/class/dmi/id/product_name", b"QEMU Virtual Machine\n"),
            ("proc/meminfo", b"MemTotal:        1003120 kB\n"),
        ]);
        let found = firmware.inventory(MAC, None, Vec::new());
        let id = "c0ffee00-0000-4000-8000-000000000001";
        assert_eq!(found.board.to_string(), id);
        assert_eq!(
            (found.ram_mib, found.model.as_str()),
            (979, "QEMU Virtual Machine")
        );

        let (_dir, bare) = board(&[(&format!("{TREE}/compatible"), b"linux,dummy-virt\0")]);
        assert_eq!(bare.id(MAC), bare.id(MAC));
        assert_ne!(bare.id(MAC), bare.id(Mac([2, 0, 0, 0, 0, 1])));
    }
}
