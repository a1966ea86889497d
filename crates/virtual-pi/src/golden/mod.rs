//! A synthetic golden image: small, mostly holes, laid out like Raspberry Pi OS.
//!
//! A rehearsal needs an image when the operator gives none. This one has what every part of the
//! product looks for in a real one: an MBR with a FAT boot partition and an ext4 root, firmware,
//! kernels and device trees by their real names, a systemd layout with hostname, hosts, machine-id
//! and SSH host keys, and a few MiB that cannot be compressed away. Only the programs are dummies.
//! It is made without any rights: the FAT file system in this process, the ext4 one by `mke2fs -d`.

mod boot;
mod root;

use crate::chance::Chance;
use crate::slice::Slice;
use crate::tool::{Tool, ToolError};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use wire::image::Grow;

/// The hostname inside, which no board may keep.
pub const HOSTNAME: &str = "golden";

/// What to make. Sizes are in bytes and multiples of 1 MiB.
#[derive(Debug, Clone, Copy)]
pub struct Golden {
    /// Decides every random byte in it.
    pub seed: u64,
    /// Size of the boot partition; at least 36 MiB, as a FAT32 file system cannot be smaller.
    pub boot_bytes: u64,
    /// Size of the root partition.
    pub root_bytes: u64,
    /// Random bytes in the root file system.
    pub payload_bytes: u64,
    /// Size of each kernel: what a bootloader fetches by TFTP, beside the agent.
    pub kernel_bytes: u64,
    /// Who is to grow the root partition: only whether the image says that it does it itself.
    pub grow: Grow,
}

impl Default for Golden {
    fn default() -> Self {
        Self {
            seed: 1,
            boot_bytes: 40 << 20,
            root_bytes: 72 << 20,
            payload_bytes: 6 << 20,
            kernel_bytes: 1 << 20,
            grow: Grow::Agent,
        }
    }
}

/// Why no image was made.
#[derive(Debug, thiserror::Error)]
pub enum GoldenError {
    /// The boot partition cannot hold a FAT32 file system.
    #[error("a boot partition of {0} bytes is too small, FAT32 needs {MIN_BOOT}")]
    BootTooSmall(u64),
    /// A file could not be written.
    #[error("the rehearsal image could not be written: {0}")]
    Io(#[from] io::Error),
    /// A tool of e2fsprogs is missing or failed.
    #[error(transparent)]
    Tool(#[from] ToolError),
}

/// Where the partitions lie, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    boot: (u64, u64),
    root: (u64, u64),
}

const SECTOR: u64 = 512;
const FIRST: u64 = 4 << 20;
// 65525 clusters of one sector, the reserved sectors and two tables.
const MIN_BOOT: u64 = 36 << 20;

impl Golden {
    /// Size of the whole image in bytes.
    pub fn bytes(&self) -> u64 {
        let layout = self.layout();
        layout.root.0 + layout.root.1
    }

    /// Makes the image at `path`, replacing what is there.
    pub fn make(&self, path: &Path) -> Result<(), GoldenError> {
        if self.boot_bytes < MIN_BOOT {
            return Err(GoldenError::BootTooSmall(self.boot_bytes));
        }
        let mut chance = Chance::new(self.seed, 0x60);
        let disk_id = chance.draw() as u32;
        let layout = self.layout();
        File::create(path)?.set_len(self.bytes())?;
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        file.write_all_at(&mbr(disk_id, &layout), 0)?;
        let (start, len) = layout.boot;
        boot::make(Slice::new(&file, start, len), self, disk_id, &mut chance)?;
        root::make(path, layout.root, self, disk_id, &mut chance)?;
        file.sync_all()?;
        Ok(())
    }

    fn layout(&self) -> Layout {
        Layout {
            boot: (FIRST, self.boot_bytes),
            root: (FIRST + self.boot_bytes, self.root_bytes),
        }
    }
}

/// The name of a root partition on the kernel command line, `PARTUUID=<disk id>-<number>`.
fn partuuid(disk_id: u32, number: u8) -> String {
    format!("PARTUUID={disk_id:08x}-{number:02}")
}

// Classic MBR: disk id at 440, four entries of 16 bytes from 446, 55 aa at the end. The CHS fields
// say "beyond" (fe ff ff), as modern tools write them.
fn mbr(disk_id: u32, layout: &Layout) -> [u8; 512] {
    let mut sector = [0; 512];
    sector[440..444].copy_from_slice(&disk_id.to_le_bytes());
    for (index, (kind, (start, len))) in [(0x0c, layout.boot), (0x83, layout.root)]
        .into_iter()
        .enumerate()
    {
        let entry = &mut sector[446 + 16 * index..462 + 16 * index];
        entry[1..4].copy_from_slice(&[0xfe, 0xff, 0xff]);
        entry[4] = kind;
        entry[5..8].copy_from_slice(&[0xfe, 0xff, 0xff]);
        entry[8..12].copy_from_slice(&((start / SECTOR) as u32).to_le_bytes());
        entry[12..16].copy_from_slice(&((len / SECTOR) as u32).to_le_bytes());
    }
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    sector
}

/// Fails early, with the package to install, when a tool that image or checks need is missing.
pub fn tools_are_there() -> Result<(), ToolError> {
    [Tool::Mke2fs, Tool::Debugfs, Tool::E2fsck]
        .into_iter()
        .try_for_each(Tool::look)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::fs::MetadataExt;

    fn made(golden: &Golden) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("golden.img");
        golden.make(&path).unwrap();
        (dir, path)
    }

    #[test]
    fn the_image_reads_like_one_of_the_vendors() {
        let golden = Golden::default();
        let (_dir, path) = made(&golden);
        let meta = std::fs::metadata(&path).unwrap();
        assert_eq!(meta.len(), golden.bytes());
        assert!(
            meta.blocks() * 512 < 24 << 20,
            "{} on disk",
            meta.blocks() * 512
        );

        let file = File::open(&path).unwrap();
        let (start, len) = golden.layout().boot;
        let fat =
            fatfs::FileSystem::new(Slice::new(&file, start, len), fatfs::FsOptions::new()).unwrap();
        assert_eq!(fat.fat_type(), fatfs::FatType::Fat32);
        let mut cmdline = String::new();
        let mut f = fat.root_dir().open_file("cmdline.txt").unwrap();
        f.read_to_string(&mut cmdline).unwrap();
        assert!(cmdline.contains("root=PARTUUID="), "{cmdline}");
        for name in [
            "kernel8.img",
            "kernel_2712.img",
            "start4.elf",
            "overlays/bcm2712d0.dtbo",
        ] {
            assert!(fat.root_dir().open_file(name).is_ok(), "{name} is missing");
        }

        let at = golden.layout().root.0;
        Tool::E2fsck
            .run(["-fn", &format!("{}?offset={at}", path.display())])
            .unwrap();
        let stat = Tool::Debugfs
            .run([
                "-R",
                "stat /etc/hostname",
                &format!("{}?offset={at}", path.display()),
            ])
            .unwrap();
        assert!(stat.contains("User:     0"), "{stat}");
        let caps = Tool::Debugfs
            .run([
                "-R",
                "ea_list /usr/bin/ping",
                &format!("{}?offset={at}", path.display()),
            ])
            .unwrap();
        assert!(caps.contains("security.capability (20)"), "{caps}");
    }

    #[test]
    fn too_small_a_boot_partition_is_an_error() {
        let golden = Golden {
            boot_bytes: 4 << 20,
            ..Golden::default()
        };
        let dir = tempfile::tempdir().unwrap();
        let e = golden.make(&dir.path().join("x.img")).unwrap_err();
        assert!(matches!(e, GoldenError::BootTooSmall(_)), "{e}");
    }
}
