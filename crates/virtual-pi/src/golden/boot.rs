//! The boot partition: a FAT32 file system with what every model's firmware asks for.

use super::{Golden, partuuid};
use crate::chance::Chance;
use crate::slice::Slice;
use fatfs::{FatType, FileSystem, FormatVolumeOptions, FsOptions};
use std::io::{Result, Write};
use wire::image::Grow;

/// Device trees, as the vendor names them.
const DEVICE_TREES: [&str; 6] = [
    "bcm2710-rpi-3-b-plus.dtb",
    "bcm2711-rpi-4-b.dtb",
    "bcm2712-rpi-5-b.dtb",
    "bcm2712d0-rpi-5-b.dtb",
    "bcm2712-rpi-cm5-cm5io.dtb",
    "bcm2712-rpi-cm5l-cm5io.dtb",
];

const OVERLAYS: [&str; 4] = [
    "overlay_map.dtb",
    "bcm2712d0.dtbo",
    "vc4-kms-v3d.dtbo",
    "vc4-kms-v3d-pi5.dtbo",
];

const FIRMWARE: [(&str, usize); 5] = [
    ("bootcode.bin", 52_000),
    ("start.elf", 300_000),
    ("fixup.dat", 7_000),
    ("start4.elf", 220_000),
    ("fixup4.dat", 5_000),
];

const CONFIG: &str = "# For more options and information see the vendor's documentation\n\
dtparam=audio=on\ncamera_auto_detect=1\ndisplay_auto_detect=1\nauto_initramfs=1\n\
dtoverlay=vc4-kms-v3d\nmax_framebuffers=2\narm_64bit=1\ndisable_overscan=1\narm_boost=1\n\n\
[cm5]\ndtoverlay=dwc2,dr_mode=host\n\n[all]\n";

pub(super) fn make(
    mut medium: Slice<'_>,
    golden: &Golden,
    disk_id: u32,
    chance: &mut Chance,
) -> Result<()> {
    let format = FormatVolumeOptions::new()
        .fat_type(FatType::Fat32)
        .bytes_per_cluster(512)
        .volume_id(chance.draw() as u32)
        .volume_label(*b"bootfs     ");
    fatfs::format_volume(&mut medium, format)?;
    let fs = FileSystem::new(medium, FsOptions::new())?;
    {
        let root = fs.root_dir();
        let put = |name: &str, bytes: &[u8]| root.create_file(name)?.write_all(bytes);
        put("config.txt", CONFIG.as_bytes())?;
        put("cmdline.txt", cmdline(golden, disk_id).as_bytes())?;
        put(
            "issue.txt",
            b"Raspberry Pi reference, synthetic, for rehearsals\n",
        )?;
        for (name, len) in FIRMWARE {
            put(name, &noise(len, chance))?;
        }
        for name in ["kernel8.img", "kernel_2712.img"] {
            put(name, &kernel(golden.kernel_bytes as usize, chance))?;
        }
        for name in ["initramfs8", "initramfs_2712"] {
            let archive = [&[0x28, 0xb5, 0x2f, 0xfd][..], &noise(60_000, chance)].concat();
            put(name, &archive)?;
        }
        for name in DEVICE_TREES {
            put(name, &device_tree(30_000, chance))?;
        }
        root.create_dir("overlays")?;
        put(
            "overlays/README",
            b"Overlays, each a few bytes of nothing\n",
        )?;
        for name in OVERLAYS {
            put(&format!("overlays/{name}"), &device_tree(1_500, chance))?;
        }
    }
    fs.unmount()
}

fn cmdline(golden: &Golden, disk_id: u32) -> String {
    let root = partuuid(disk_id, 2);
    let grow = match golden.grow {
        Grow::Image => " resize",
        _ => "",
    };
    format!(
        "console=serial0,115200 console=tty1 root={root} rootfstype=ext4 fsck.repair=yes rootwait{grow}\n"
    )
}

fn noise(len: usize, chance: &mut Chance) -> Vec<u8> {
    let mut bytes = vec![0; len];
    chance.fill(&mut bytes);
    bytes
}

/// The header of an arm64 kernel (Documentation/arch/arm64/booting.rst) before noise.
fn kernel(len: usize, chance: &mut Chance) -> Vec<u8> {
    let mut bytes = noise(len.max(4096), chance);
    bytes[..64].fill(0);
    bytes[..4].copy_from_slice(&0x1400_0010_u32.to_le_bytes()); // branch over the header
    let size = bytes.len() as u64;
    bytes[16..24].copy_from_slice(&size.to_le_bytes());
    bytes[24..32].copy_from_slice(&0xa_u64.to_le_bytes()); // 4 KiB pages, anywhere in memory
    bytes[56..60].copy_from_slice(b"ARM\x64");
    bytes
}

/// The header of a flattened device tree (Devicetree Specification §5.2) before noise.
fn device_tree(len: usize, chance: &mut Chance) -> Vec<u8> {
    let mut bytes = noise(len, chance);
    bytes[..4].copy_from_slice(&[0xd0, 0x0d, 0xfe, 0xed]);
    bytes[4..8].copy_from_slice(&(len as u32).to_be_bytes());
    bytes
}
