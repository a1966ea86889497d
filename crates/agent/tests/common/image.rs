//! One small golden image, imported once for all tests of a run.

use ed25519_dalek::SigningKey;
use imaging::import::{Options, import};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use wire::manifest::Manifest;

pub(crate) struct Golden {
    _dir: tempfile::TempDir,
    pub(crate) pack: PathBuf,
    pub(crate) manifest: Manifest,
    pub(crate) root_start: u64,
    pub(crate) key: [u8; 32],
}

impl Golden {
    /// A data chunk in the middle of the image.
    pub(crate) fn middle_chunk(&self) -> usize {
        let data = |i: &usize| self.manifest.chunks[*i].hash.is_some();
        let all: Vec<usize> = (0..self.manifest.chunks.len()).filter(data).collect();
        all[all.len() / 2]
    }
}

fn signing_key() -> SigningKey {
    SigningKey::from_bytes(&[42; 32])
}

pub(crate) fn other_key() -> [u8; 32] {
    SigningKey::from_bytes(&[43; 32]).verifying_key().to_bytes()
}

pub(crate) fn golden() -> &'static Golden {
    static GOLDEN: OnceLock<Golden> = OnceLock::new();
    GOLDEN.get_or_init(make)
}

const BOOT_START: u64 = 4 << 20;
const ROOT_START: u64 = 40 << 20;
const ROOT_BYTES: u64 = 48 << 20;

fn tool(name: &str, args: &[&str]) {
    let output = Command::new(name)
        .env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin")
        .args(args)
        .output()
        .unwrap_or_else(|e| panic!("{name}: {e}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} {args:?}: {said}");
}

fn noise(bytes: usize, mut seed: u64) -> Vec<u8> {
    let word = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed.to_le_bytes()
    };
    std::iter::repeat_with(word).flatten().take(bytes).collect()
}

fn make() -> Golden {
    let dir = tempfile::tempdir().unwrap();
    let image = dir.path().join("golden.img");
    let file = File::create(&image).unwrap();
    file.set_len(ROOT_START + ROOT_BYTES).unwrap();
    let mut table = [0; 512];
    let entries = [
        (0x0c_u8, BOOT_START, ROOT_START - BOOT_START),
        (0x83, ROOT_START, ROOT_BYTES),
    ];
    for (i, (kind, start, len)) in entries.into_iter().enumerate() {
        let at = 446 + 16 * i;
        table[at + 4] = kind;
        table[at + 8..at + 12].copy_from_slice(&((start / 512) as u32).to_le_bytes());
        table[at + 12..at + 16].copy_from_slice(&((len / 512) as u32).to_le_bytes());
    }
    table[510..].copy_from_slice(&[0x55, 0xaa]);
    file.write_all_at(&table, 0).unwrap();
    boot(dir.path(), &file);
    root(dir.path(), &image);

    let packs = dir.path().join("packs");
    fs::create_dir(&packs).unwrap();
    let key = signing_key();
    let options = Options {
        chunk_bytes: 256 << 10,
        key: Some(&key),
        ..Options::default()
    };
    let imported = import(&image, &packs, &options, &|_| {}, &AtomicBool::new(false)).unwrap();
    Golden {
        pack: imported.path,
        manifest: imported.manifest,
        root_start: ROOT_START,
        key: key.verifying_key().to_bytes(),
        _dir: dir,
    }
}

fn boot(dir: &Path, image: &File) {
    let part = dir.join("boot.fat");
    let file = File::create(&part).unwrap();
    file.set_len(ROOT_START - BOOT_START).unwrap();
    tool("mkfs.fat", &["-F", "32", "-s", "1", part.to_str().unwrap()]);
    let disk = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&part)
        .unwrap();
    let fat = fatfs::FileSystem::new(disk, fatfs::FsOptions::new()).unwrap();
    for (name, bytes) in [
        ("kernel8.img", noise(3 << 20, 5)),
        ("kernel_2712.img", noise(3 << 20, 6)),
        ("bcm2712-rpi-5-b.dtb", noise(70_000, 7)),
        ("config.txt", b"arm_64bit=1\n".to_vec()),
        ("cmdline.txt", b"root=/dev/mmcblk0p2\n".to_vec()),
    ] {
        let mut file = fat.root_dir().create_file(name).unwrap();
        std::io::Write::write_all(&mut file, &bytes).unwrap();
    }
    fat.unmount().unwrap();
    image
        .write_all_at(&fs::read(&part).unwrap(), BOOT_START)
        .unwrap();
}

fn root(dir: &Path, image: &Path) {
    let root = dir.join("root");
    for folder in ["etc/ssh", "usr/bin", "usr/lib/systemd", "var/log"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    let put = |path: &str, bytes: &[u8]| fs::write(root.join(path), bytes).unwrap();
    put("etc/passwd", b"root:x:0:0::/root:/bin/sh\n");
    put("etc/hostname", b"golden\n");
    put("etc/hosts", b"127.0.0.1\tlocalhost\n127.0.1.1\tgolden\n");
    put("etc/machine-id", b"0123456789abcdef0123456789abcdef\n");
    put("etc/os-release", b"PRETTY_NAME=\"Golden 1\"\n");
    put("etc/ssh/ssh_host_rsa_key", b"secret");
    put("usr/bin/ssh-keygen", b"");
    put("usr/lib/systemd/systemd", b"");
    put("usr/bin/noise", &noise(9 << 20, 8));
    put("usr/bin/zeros", &vec![0; 2 << 20]);
    let offset = format!("offset={ROOT_START}");
    let kib = format!("{}k", ROOT_BYTES / 1024);
    let (root, image) = (root.to_str().unwrap(), image.to_str().unwrap());
    tool(
        "mke2fs",
        &[
            "-q", "-t", "ext4", "-b", "4096", "-E", &offset, "-d", root, image, &kib,
        ],
    );
}
