//! Boot files out of images, sound and otherwise.

use crate::fixture::{run, temp, text};
use crate::golden::{
    self, BOOT_AT, BOOT_BYTES, GOLDEN, KERNEL_VERSION, ROOT_AT, Recipe, arm64_kernel,
};
use imaging::boot::{Arch, BootError, BootSet, LOAD_ORDER};
use proptest::prelude::*;
use std::fs::{self, File};
use std::io::Cursor;
use std::path::Path;
use std::process::{Command, Stdio};
use wire::image::Grow;
use wire::revision::Family;

fn boot_set(disk: &Path) -> Result<BootSet, BootError> {
    BootSet::read(File::open(disk).unwrap())
}

#[test]
fn the_boot_partition_comes_out_whole() {
    let set = boot_set(&GOLDEN).unwrap();
    assert_eq!((set.partition(), set.root_partition()), (1, Some(2)));
    let paths: Vec<_> = set.files().keys().map(String::as_str).collect();
    let wanted = [
        "bcm2711-rpi-4-b.dtb",
        "bcm2712-rpi-5-b.dtb",
        "cmdline.txt",
        "config.txt",
        "kernel8.img",
        "kernel_2712.img",
        "overlays/README",
        "overlays/a rather long name.dtbo",
    ];
    assert_eq!(paths, wanted);
    assert_eq!(
        set.files()["kernel8.img"],
        arm64_kernel("6.12.25+rpt-rpi-v8")
    );
    assert!(set.command_line().starts_with("console=tty1"));
    assert_eq!(set.os(), "Debian GNU/Linux 13 (trixie)");
    assert!(set.skipped().is_empty());
}

#[test]
fn each_family_gets_a_kernel_with_its_modules() {
    let set = boot_set(&GOLDEN).unwrap();
    let five = set.kernel(Family::Pi5).unwrap();
    assert_eq!(five.path, "kernel_2712.img");
    assert_eq!(
        (five.arch, five.version.as_deref()),
        (Some(Arch::Arm64), Some(KERNEL_VERSION))
    );
    let modules = five.modules.as_ref().unwrap();
    assert_eq!(modules.version, KERNEL_VERSION);
    assert_eq!(
        modules.names,
        ["failover", "net_failover", "virtio_net", "vfat"]
    );
    assert!(
        !modules.missing.contains(&"nvme".to_owned()),
        "built in is not missing"
    );
    assert!(modules.missing.contains(&"igc".to_owned()));

    let four = set.kernel(Family::Pi4).unwrap();
    assert_eq!(four.path, "kernel8.img");
    assert!(
        four.modules.is_none(),
        "modules of another version are not mixed in"
    );
}

#[test]
fn the_modules_unpack_as_the_kernel_would_unpack_them() {
    let set = boot_set(&GOLDEN).unwrap();
    let modules = set.kernel(Family::Pi5).unwrap().modules.clone().unwrap();
    let dir = temp();
    let mut cpio = Command::new("cpio")
        .args(["-i", "-d", "--quiet"])
        .current_dir(dir.path())
        .stdin(Stdio::piped())
        .spawn()
        .expect("cpio runs; install package cpio");
    std::io::Write::write_all(&mut cpio.stdin.take().unwrap(), &modules.cpio).unwrap();
    assert!(cpio.wait().unwrap().success());
    let order = fs::read_to_string(dir.path().join(&LOAD_ORDER[1..])).unwrap();
    let lines: Vec<_> = order.lines().collect();
    assert_eq!(lines.len(), 4);
    for (line, name) in lines.iter().zip(&modules.names) {
        let module = fs::read_to_string(dir.path().join(&line[1..])).unwrap();
        assert_eq!(
            module,
            format!("the module {name}"),
            "decompressed, in order"
        );
    }
}

fn grow_of(recipe: &Recipe) -> Grow {
    let dir = temp();
    boot_set(&golden::make(dir.path(), recipe)).unwrap().grow()
}

#[test]
fn images_that_grow_themselves_are_recognised() {
    let with_line = |cmdline| Recipe {
        cmdline,
        ..Recipe::default()
    };
    let with_files = |extra| Recipe {
        extra,
        ..Recipe::default()
    };
    assert_eq!(
        grow_of(&with_line("root=/dev/mmcblk0p2 rootwait resize")),
        Grow::Image
    );
    let firstboot = "quiet init=/usr/lib/raspberrypi-sys-mods/firstboot";
    assert_eq!(grow_of(&with_line(firstboot)), Grow::Image);
    assert_eq!(
        grow_of(&with_line("root=/dev/x resize_later noresize")),
        Grow::Agent
    );
    let growpart = with_files(&[
        ("etc/cloud/cloud.cfg", "cloud_init_modules:\n  - growpart\n"),
        ("usr/bin/cloud-init", ""),
        ("usr/bin/growpart", ""),
    ]);
    assert_eq!(grow_of(&growpart), Grow::Image);
    let always = with_files(&[
        (
            "usr/lib/systemd/system/rpi-resize.service",
            "[Service]\nExecStart=/bin/true\n",
        ),
        (
            "etc/systemd/system/multi-user.target.wants/rpi-resize.service",
            "",
        ),
    ]);
    assert_eq!(grow_of(&always), Grow::Image);
    let on_request = with_files(&[
        (
            "usr/lib/systemd/system/rpi-resize.service",
            "[Unit]\nConditionKernelCommandLine=resize\n",
        ),
        (
            "etc/systemd/system/multi-user.target.wants/rpi-resize.service",
            "",
        ),
    ]);
    assert_eq!(grow_of(&on_request), Grow::Agent);
}

/// Linux reads a FAT32 of few clusters, and image builders do make them.
#[test]
fn a_fat32_that_is_smaller_than_the_specification_allows_is_read() {
    let dir = temp();
    let mut disk = fs::read(&*GOLDEN).unwrap();
    let sectors = |at: usize| at + 32..at + 36;
    for at in [BOOT_AT as usize, BOOT_AT as usize + 6 * 512] {
        disk[sectors(at)].copy_from_slice(&60_000_u32.to_le_bytes());
    }
    let path = dir.path().join("small.img");
    fs::write(&path, &disk).unwrap();
    let set = boot_set(&path).unwrap();
    assert_eq!(set.files(), boot_set(&GOLDEN).unwrap().files());
}

#[test]
fn a_card_without_a_boot_partition_says_so() {
    let dir = temp();
    let path = dir.path().join("disk");
    let mut disk = fs::read(&*GOLDEN).unwrap();
    disk[BOOT_AT as usize..][..512].fill(0);
    fs::write(&path, disk).unwrap();
    assert!(matches!(boot_set(&path), Err(BootError::NoBootPartition)));
}

#[test]
fn of_several_fat_partitions_the_one_with_a_kernel_counts() {
    let dir = temp();
    let empty = dir.path().join("first");
    crate::fixture::fill_with_garbage(&empty, 20 << 20, 1);
    run("mkfs.fat", &["-F", "16", text(&empty)]);
    fs::write(dir.path().join("autoboot.txt"), "[all]\nboot_partition=2\n").unwrap();
    run(
        "mcopy",
        &[
            "-i",
            text(&empty),
            text(&dir.path().join("autoboot.txt")),
            "::/",
        ],
    );
    let path = dir.path().join("disk");
    let mut disk = File::create(&path).unwrap();
    let boot = golden::boot_fs(dir.path(), &Recipe::default());
    let (first, second) = (1 << 20, 32 << 20);
    crate::fixture::write_mbr(
        &mut disk,
        &[(0x0c, first, 20 << 20), (0x0c, second, BOOT_BYTES)],
    );
    crate::fixture::copy_into(&mut disk, first, &empty);
    crate::fixture::copy_into(&mut disk, second, &boot);
    let set = boot_set(&path).unwrap();
    assert_eq!(set.partition(), 2);
    assert_eq!(set.grow(), Grow::Never, "nothing here can be grown");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    /// Boot sector, tables and folders spoilt at random: an answer comes, of whatever kind.
    #[test]
    fn a_hostile_boot_partition_neither_panics_nor_hangs(
        sector in prop::collection::vec((0_usize..90, any::<u8>()), 0..4),
        table in prop::collection::vec((0_u64..4000, any::<u32>()), 0..30),
        folder in prop::collection::vec((0_u64..2000, any::<u8>()), 0..30),
    ) {
        let mut disk = GOLDEN_BYTES.clone();
        let boot = BOOT_AT as usize;
        let reserved = usize::from(u16::from_le_bytes([disk[boot + 14], disk[boot + 15]])) * 512;
        let table_bytes = u32::from_le_bytes(disk[boot + 36..boot + 40].try_into().unwrap()) * 512;
        for (at, value) in table {
            // Small numbers make circles, large ones lead outside.
            let value = if value % 2 == 0 { value % 3000 } else { value };
            let place = boot + reserved + at as usize * 4;
            disk[place..place + 4].copy_from_slice(&value.to_le_bytes());
        }
        let data = boot + reserved + 2 * table_bytes as usize;
        for (at, byte) in folder {
            disk[data + at as usize] = byte;
        }
        for (at, byte) in sector {
            disk[boot + at] = byte;
        }
        let _ = BootSet::read(Cursor::new(disk));
    }

    #[test]
    fn a_hostile_root_file_system_neither_panics_nor_hangs(
        spoils in prop::collection::vec((0_u64..2_000_000, any::<u8>()), 1..400),
        start in prop::collection::vec((1024_usize..9000, any::<u8>()), 0..8),
    ) {
        let mut disk = GOLDEN_BYTES.clone();
        for (at, byte) in spoils {
            disk[(ROOT_AT + at) as usize] = byte;
        }
        for (at, byte) in start {
            disk[ROOT_AT as usize + at] = byte;
        }
        let set = BootSet::read(Cursor::new(disk)).unwrap();
        prop_assert_eq!(set.files().len(), 8);
    }
}

static GOLDEN_BYTES: std::sync::LazyLock<Vec<u8>> =
    std::sync::LazyLock::new(|| fs::read(&*GOLDEN).unwrap());

#[test]
fn a_folder_that_contains_itself_is_not_followed_for_ever() {
    let mut disk = GOLDEN_BYTES.clone();
    let boot = BOOT_AT as usize;
    let reserved = usize::from(u16::from_le_bytes([disk[boot + 14], disk[boot + 15]])) * 512;
    // The chain of the root folder leads back to its own beginning, and all of its entries are
    // marked as deleted, so that a reader finds neither an end nor an entry.
    let table_bytes = u32::from_le_bytes(disk[boot + 36..boot + 40].try_into().unwrap()) * 512;
    let table = boot + reserved;
    disk[table + 8..table + 12].copy_from_slice(&2_u32.to_le_bytes());
    let data = boot + reserved + 2 * table_bytes as usize;
    for entry in disk[data..data + 512].chunks_mut(32) {
        entry[0] = 0xe5;
    }
    let e = BootSet::read(Cursor::new(disk)).unwrap_err();
    assert!(e.to_string().contains("circles"), "{e}");
}
