//! A small golden image: a partition table and a FAT boot partition with the files that matter.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

const START: u64 = 1 << 20;
const BOOT: u64 = 24 << 20;

/// The kernel's bytes: long enough to take several blocks, with the magic of an arm64 image.
pub(crate) fn kernel() -> Vec<u8> {
    let mut kernel: Vec<u8> = (0..300_000_u32).map(|n| (n * 7 % 251) as u8).collect();
    kernel[56..60].copy_from_slice(b"ARM\x64");
    kernel
}

/// Writes the image to `path`. `seed` makes its content differ from another's.
pub(crate) fn make(path: &Path, seed: u8) {
    make_with(path, seed, b"");
}

/// Bytes that do not compress.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"noise");
    let mut bytes = vec![0; length];
    hasher.finalize_xof().fill(&mut bytes);
    bytes
}

/// The same with a file of these bytes, when there are any.
pub(crate) fn make_with(path: &Path, seed: u8, more: &[u8]) {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
        .unwrap();
    file.set_len(START + BOOT + (1 << 20)).unwrap();
    let mut part = Part(file);
    part.0.write_all(&mbr()).unwrap();
    part.seek(SeekFrom::Start(0)).unwrap();
    fatfs::format_volume(&mut part, fatfs::FormatVolumeOptions::new()).unwrap();
    let system = fatfs::FileSystem::new(part, fatfs::FsOptions::new()).unwrap();
    let root = system.root_dir();
    root.create_dir("overlays").unwrap();
    let put = |name: &str, bytes: &[u8]| {
        root.create_file(name).unwrap().write_all(bytes).unwrap();
    };
    put("config.txt", b"[all]\nkernel=kernel8.img\n");
    put("cmdline.txt", b"root=/dev/mmcblk0p2 rootwait\n");
    put("kernel8.img", &kernel());
    put("bcm2712-rpi-5-b.dtb", &[seed; 2000]);
    put("bcm2711-rpi-4-b.dtb", b"four");
    put("start4.elf", &[4; 5000]);
    put("overlays/README", b"overlays");
    put("overlays/overlay_map.dtb", b"map");
    put("pieeprom.sig", b"must not be served");
    put("autoboot.txt", b"must not be served");
    if !more.is_empty() {
        put("noise", more);
    }
}

fn mbr() -> [u8; 512] {
    let mut sector = [0; 512];
    sector[440..444].copy_from_slice(&0xfeed_0001_u32.to_le_bytes());
    let entry = &mut sector[446..462];
    entry[4] = 0x0c;
    entry[8..12].copy_from_slice(&((START / 512) as u32).to_le_bytes());
    entry[12..16].copy_from_slice(&((BOOT / 512) as u32).to_le_bytes());
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    sector
}

/// The partition as a file of its own.
struct Part(File);

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Part {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Seek for Part {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(at) => SeekFrom::Start(START + at),
            SeekFrom::End(by) => SeekFrom::Start((START + BOOT).checked_add_signed(by).unwrap()),
            SeekFrom::Current(by) => SeekFrom::Current(by),
        };
        Ok(self.0.seek(to)? - START)
    }
}
