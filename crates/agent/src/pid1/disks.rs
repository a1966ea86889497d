//! The disks of a board, as sysfs lists them.

use super::{kernel, sysfs};
use imaging::target::{BlockDevice, inspect};
use std::path::{Path, PathBuf};
use wire::disk::{Disk, DiskContent, DiskKind};

/// Every disk, with what lies on it. eMMC boot and RPMB areas are no disks.
pub(crate) fn disks() -> Vec<Disk> {
    list(Path::new("/sys/block"))
        .into_iter()
        .map(|mut disk| {
            disk.content = match BlockDevice::open_to_look(Path::new(&disk.path)) {
                Ok(mut device) => inspect(&mut device),
                Err(e) => DiskContent::Unreadable { why: e.to_string() },
            };
            disk
        })
        .collect()
}

/// Opens a disk for writing.
pub(crate) fn open(disk: &Disk) -> std::io::Result<BlockDevice> {
    BlockDevice::open(Path::new(&disk.path), Some(kernel::discard))
}

fn list(block: &Path) -> Vec<Disk> {
    sysfs::entries(block)
        .into_iter()
        .filter_map(|path| disk(&path))
        .collect()
}

fn disk(path: &Path) -> Option<Disk> {
    let name = sysfs::name(path);
    let kind = kind(&name, path)?;
    let sectors: u64 = sysfs::number(&path.join("size"))?;
    // A card reader without a card.
    if sectors == 0 {
        return None;
    }
    let device = path.join("device");
    let first = |files: &[&str]| {
        let found = files.iter().find_map(|f| sysfs::text(&device.join(f)));
        found.unwrap_or_default()
    };
    let yes = |file: &str| sysfs::number::<u32>(&path.join(file)) == Some(1);
    Some(Disk {
        path: format!("/dev/{name}"),
        kind,
        // sysfs counts in 512 bytes whatever the disk does.
        bytes: sectors * 512,
        sector: sysfs::number(&path.join("queue/logical_block_size")).unwrap_or(512),
        model: first(&["model", "name"]),
        serial: match sysfs::text(&path.join("serial")) {
            Some(serial) => serial,
            None => first(&["serial", "wwid"]),
        },
        removable: yes("removable"),
        read_only: yes("ro"),
        content: DiskContent::Unknown,
    })
}

/// The kind of a block device; `None` when it is no disk.
fn kind(name: &str, path: &Path) -> Option<DiskKind> {
    let device = path.join("device");
    if !device.exists() {
        return None;
    }
    if let Some(number) = name.strip_prefix("mmcblk") {
        // mmcblk0boot0, mmcblk0rpmb: areas of an eMMC that are no disks.
        let plain = number.bytes().all(|b| b.is_ascii_digit());
        return plain.then(|| match sysfs::text(&device.join("type")).as_deref() {
            Some("MMC") => DiskKind::Emmc,
            Some("SD") => DiskKind::Sd,
            _ => DiskKind::Unknown,
        });
    }
    if name.starts_with("nvme") {
        return Some(DiskKind::Nvme);
    }
    if name.starts_with("vd") || name.starts_with("xvd") {
        return Some(DiskKind::Virtual);
    }
    if name.starts_with("sd") {
        let place = std::fs::canonicalize(path).unwrap_or_else(|_| PathBuf::from(path));
        let usb = place.components().any(|c| {
            let part = c.as_os_str().to_string_lossy();
            part.strip_prefix("usb")
                .is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
        });
        let vendor = sysfs::text(&device.join("vendor"));
        return Some(match (usb, vendor.as_deref()) {
            (true, _) => DiskKind::Usb,
            (false, Some("QEMU")) => DiskKind::Virtual,
            (false, _) => DiskKind::Unknown,
        });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn make(block: &Path, name: &str, files: &[(&str, &str)]) {
        let path = block.join(name);
        fs::create_dir_all(path.join("queue")).unwrap();
        fs::write(path.join("queue/logical_block_size"), "512\n").unwrap();
        for (file, text) in files {
            let file = path.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
    }

    #[test]
    fn a_compute_module_has_an_emmc_and_an_nvme_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let block = dir.path();
        let emmc: &[(&str, &str)] = &[
            ("size", "61071360\n"),
            ("ro", "0\n"),
            ("removable", "0\n"),
            ("device/type", "MMC\n"),
            ("device/name", "BJTD4R\n"),
            ("device/serial", "0x1a2b3c4d\n"),
        ];
        make(block, "mmcblk0", emmc);
        make(block, "mmcblk0boot0", emmc);
        make(block, "mmcblk0rpmb", emmc);
        make(
            block,
            "nvme0n1",
            &[
                ("size", "976773168\n"),
                ("device/model", "Example SSD 500GB       \n"),
                ("device/serial", "S5H9\n"),
            ],
        );
        make(block, "loop0", &[("size", "0\n")]);
        make(block, "ram0", &[("size", "8192\n")]);
        make(
            block,
            "sda",
            &[
                ("size", "0\n"),
                ("removable", "1\n"),
                ("device/vendor", "Generic\n"),
            ],
        );
        let found = list(block);
        let paths: Vec<_> = found.iter().map(|d| (d.path.as_str(), d.kind)).collect();
        assert_eq!(
            paths,
            [
                ("/dev/mmcblk0", DiskKind::Emmc),
                ("/dev/nvme0n1", DiskKind::Nvme)
            ]
        );
        assert_eq!(found[0].bytes, 61_071_360 * 512);
        assert_eq!(found[0].serial, "0x1a2b3c4d");
        assert_eq!(found[1].model, "Example SSD 500GB");
    }

    #[test]
    fn a_stick_is_usb_and_a_card_may_be_protected() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().join("devices/pci0/usb1/1-1/host0/block");
        make(
            &real,
            "sda",
            &[
                ("size", "1000\n"),
                ("removable", "1\n"),
                ("device/vendor", "Some\n"),
            ],
        );
        let block = dir.path().join("block");
        fs::create_dir(&block).unwrap();
        std::os::unix::fs::symlink(real.join("sda"), block.join("sda")).unwrap();
        make(
            &block,
            "mmcblk0",
            &[("size", "1000\n"), ("ro", "1\n"), ("device/type", "SD\n")],
        );
        let found = list(&block);
        assert_eq!((found[0].kind, found[0].read_only), (DiskKind::Sd, true));
        assert_eq!((found[1].kind, found[1].removable), (DiskKind::Usb, true));
    }
}
