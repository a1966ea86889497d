//! What the tests are built from: the tools, and disks made with them.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

pub(crate) const MIB: u64 = 1 << 20;

/// Runs a tool and returns what it printed; panics with its words when it fails.
pub(crate) fn run(program: &str, args: &[&str]) -> String {
    let output = output(program, args);
    assert!(
        output.status.success(),
        "{program} {args:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs a tool and returns whatever it did; panics with the package to install when it is missing.
pub(crate) fn output(program: &str, args: &[&str]) -> Output {
    let package = match program {
        "mke2fs" | "debugfs" | "dumpe2fs" | "e2fsck" => "e2fsprogs",
        "mkfs.fat" | "fsck.fat" => "dosfstools",
        "mcopy" | "mmd" | "mdel" => "mtools",
        "sfdisk" => "fdisk",
        "xz" => "xz-utils",
        other => other,
    };
    // The tools of the system lie in folders that are not on everybody's path.
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    Command::new(program)
        .args(args)
        .env("PATH", path)
        .env("MTOOLS_SKIP_CHECK", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|e| panic!("{program} cannot be run ({e}); install package {package}"))
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("test folders have plain names")
}

/// A small generator of bytes and numbers: the same seed gives the same sequence.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.number() % limit
    }

    pub(crate) fn bytes(&mut self, count: u64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(count as usize + 8);
        while (bytes.len() as u64) < count {
            bytes.extend_from_slice(&self.number().to_le_bytes());
        }
        bytes.truncate(count as usize);
        bytes
    }
}

/// Fills a file with bytes that no file system would have written, and that pack quickly.
pub(crate) fn fill_with_garbage(path: &Path, bytes: u64, seed: u64) {
    let mut block = b"left over from an earlier life; ".repeat(MIB as usize / 32);
    for (line, bytes) in block
        .chunks_mut(512)
        .zip(Dice::new(seed).bytes(MIB).chunks(8))
    {
        line[0..8].copy_from_slice(bytes);
    }
    let mut file = File::create(path).unwrap();
    let mut left = bytes;
    while left > 0 {
        let part = left.min(MIB);
        file.write_all(&block[..part as usize]).unwrap();
        left -= part;
    }
}

/// A folder tree with files of many sizes.
pub(crate) fn random_tree(folder: &Path, files: u64, largest: u64, seed: u64) {
    let mut dice = Dice::new(seed);
    for n in 0..files {
        let sub = folder.join(format!("dir{}", n % 7));
        fs::create_dir_all(&sub).unwrap();
        let size = match n % 3 {
            0 => dice.below(200),
            1 => dice.below(20_000),
            _ => dice.below(largest),
        };
        let bytes = dice.bytes(size);
        fs::write(sub.join(format!("file{n}.bin")), bytes).unwrap();
    }
}

/// An MBR with these partitions: (type, start, length), in bytes.
pub(crate) fn mbr(partitions: &[(u8, u64, u64)]) -> [u8; 512] {
    let mut sector = [0; 512];
    sector[440..444].copy_from_slice(&0x1234_abcd_u32.to_le_bytes());
    for (i, (kind, start, len)) in partitions.iter().enumerate() {
        let at = 446 + 16 * i;
        sector[at + 4] = *kind;
        sector[at + 8..at + 12].copy_from_slice(&((start / 512) as u32).to_le_bytes());
        sector[at + 12..at + 16].copy_from_slice(&((len / 512) as u32).to_le_bytes());
    }
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    sector
}

/// A disk in memory with one partition at its end, which holds this file system.
pub(crate) fn disk_with(kind: u8, at: u64, fs: &Path) -> Vec<u8> {
    let len = fs.metadata().unwrap().len();
    let mut disk = mbr(&[(kind, at, len)]).to_vec();
    disk.resize(at as usize, 0);
    File::open(fs).unwrap().read_to_end(&mut disk).unwrap();
    disk
}

/// Writes an MBR with these partitions.
pub(crate) fn write_mbr(disk: &mut File, partitions: &[(u8, u64, u64)]) {
    disk.seek(SeekFrom::Start(0)).unwrap();
    disk.write_all(&mbr(partitions)).unwrap();
}

/// Copies a file into another at an offset.
pub(crate) fn copy_into(disk: &mut File, offset: u64, from: &Path) {
    disk.seek(SeekFrom::Start(offset)).unwrap();
    std::io::copy(&mut File::open(from).unwrap(), disk).unwrap();
}

/// Copies part of a file out of another.
pub(crate) fn copy_out(disk: &Path, offset: u64, len: u64, to: &Path) {
    let mut from = File::open(disk).unwrap();
    from.seek(SeekFrom::Start(offset)).unwrap();
    std::io::copy(&mut from.take(len), &mut File::create(to).unwrap()).unwrap();
}

/// All files below a folder with their contents, sorted.
pub(crate) fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_owned();
                found.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

pub(crate) fn temp() -> TempDir {
    tempfile::tempdir().unwrap()
}
