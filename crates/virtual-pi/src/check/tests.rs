//! A checker is worth what it finds: each test damages a good disk in one way.

use super::*;
use crate::golden::{self, Golden};
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use wire::manifest::{Chunk, ChunkClass, Hash32, Manifest};

const CHUNK: u32 = 1 << 20;

/// An image, its reference, and a disk that was personalised as asked.
struct Bench {
    dir: tempfile::TempDir,
    reference: Reference,
    disk: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let image = dir.path().join("golden.img");
        Golden::default().make(&image).unwrap();
        let reference = Reference::open(&image, manifest(&image)).unwrap();
        let disk = dir.path().join("disk");
        fs::copy(&image, &disk).unwrap();
        let bench = Self {
            dir,
            reference,
            disk,
        };
        bench.put("/etc/hostname", "RHRS-LAB1-007\n");
        bench.put(
            "/etc/hosts",
            "127.0.0.1\tlocalhost\n127.0.1.1\tRHRS-LAB1-007\n",
        );
        bench.debugfs(&["rm /etc/ssh/ssh_host_rsa_key"]);
        bench
    }

    fn expected() -> Expected {
        Expected {
            hostname: "RHRS-LAB1-007".parse().unwrap(),
            changed: ["/etc/hostname", "/etc/hosts", "/etc/ssh/ssh_host_rsa_key"]
                .map(str::to_owned)
                .to_vec(),
        }
    }

    fn debugfs(&self, commands: &[&str]) {
        let script = self.dir.path().join("script");
        fs::write(&script, commands.join("\n")).unwrap();
        let script = script.display().to_string();
        let disk = tool::at(&self.disk, self.reference.root.start);
        Tool::Debugfs.run(["-w", "-f", &script, &disk]).unwrap();
    }

    fn put(&self, path: &str, text: &str) {
        let file = self.dir.path().join("text");
        fs::write(&file, text).unwrap();
        let write = format!("write {} {path}", file.display());
        self.debugfs(&[&format!("rm {path}"), &write]);
    }

    fn flip(&self, at: u64) {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&self.disk)
            .unwrap();
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 0x10], at).unwrap();
    }

    /// First byte of a file's first block on the disk.
    fn place(&self, path: &str) -> u64 {
        let disk = tool::at(&self.disk, self.reference.root.start);
        let out = Tool::Debugfs
            .run(["-R", &format!("blocks {path}"), &disk])
            .unwrap();
        let block: u64 = out.split_whitespace().next().unwrap().parse().unwrap();
        self.reference.root.start + block * self.reference.root.block
    }

    /// What is wrong, in one text.
    fn verdict(&self) -> String {
        match check(&self.reference, &self.disk, &Self::expected()) {
            Ok(()) => "right".to_owned(),
            Err(wrong) => wrong.join(" | "),
        }
    }
}

fn manifest(image: &Path) -> Manifest {
    let bytes = fs::read(image).unwrap();
    let chunks = bytes.chunks(CHUNK as usize).map(|chunk| {
        let empty = chunk.iter().all(|b| *b == 0);
        Chunk {
            class: if empty {
                ChunkClass::Hole
            } else {
                ChunkClass::Data
            },
            hash: (!empty).then(|| Hash32(*blake3::hash(chunk).as_bytes())),
            offset: 0,
            packed: u64::from(!empty),
        }
    });
    Manifest {
        format: 1,
        raw_bytes: bytes.len() as u64,
        chunk_bytes: CHUNK,
        head_bytes: 1 << 20,
        chunks: chunks.collect(),
    }
}

#[test]
fn a_disk_that_is_right_passes() {
    assert_eq!(Bench::new().verdict(), "right");
}

#[test]
fn a_flipped_byte_in_a_file_is_found_and_its_file_named() {
    let bench = Bench::new();
    let path = "/usr/lib/rehearsal/noise.bin";
    bench.flip(bench.place(path) + 5);
    let verdict = bench.verdict();
    assert!(
        verdict.contains(&format!("{path} has another content")),
        "{verdict}"
    );
    assert!(verdict.contains("belong to no declared file"), "{verdict}");
}

#[test]
fn a_flipped_byte_in_the_boot_partition_is_found_by_its_sector() {
    let bench = Bench::new();
    bench.flip(bench.reference.table.partitions[0].start + 512 * 40 + 3);
    let verdict = bench.verdict();
    assert!(verdict.contains("the first is 8232"), "{verdict}");
}

#[test]
fn a_file_that_nobody_declared_may_not_change_in_any_way() {
    let changes: [(&str, &str); 4] = [
        (
            "set_inode_field /etc/shadow mode 0100644",
            "/etc/shadow has another mode",
        ),
        (
            "set_inode_field /usr/bin/sudo uid 1000",
            "/usr/bin/sudo has another owner",
        ),
        ("rm /etc/fstab", "/etc/fstab is gone"),
        ("mkdir /etc/surprise", "/etc/surprise is new"),
    ];
    let bench = Bench::new();
    let good = fs::read(&bench.disk).unwrap();
    for (command, found) in changes {
        bench.debugfs(&[command]);
        let verdict = bench.verdict();
        assert!(verdict.contains(found), "{command}: {verdict}");
        fs::write(&bench.disk, &good).unwrap();
    }
}

#[test]
fn a_declared_file_must_hold_what_was_asked() {
    let bench = Bench::new();
    bench.put("/etc/hostname", "RHRS-LAB1-008\n");
    let verdict = bench.verdict();
    assert!(verdict.contains("it should be RHRS-LAB1-007"), "{verdict}");
    bench.put("/etc/hostname", "RHRS-LAB1-007\n");
    bench.put("/etc/hosts", &format!("127.0.1.1 {}\n", golden::HOSTNAME));
    let verdict = bench.verdict();
    assert!(verdict.contains("does not know RHRS-LAB1-007"), "{verdict}");
    assert!(verdict.contains("still knows golden"), "{verdict}");
}

#[test]
fn a_damaged_file_system_and_a_damaged_table_are_found() {
    let bench = Bench::new();
    let good = fs::read(&bench.disk).unwrap();
    let root = bench.reference.root;
    let file = OpenOptions::new().write(true).open(&bench.disk).unwrap();
    // The group descriptors follow the superblock's block.
    file.write_all_at(&[0xff; 64], root.start + root.block)
        .unwrap();
    let verdict = bench.verdict();
    assert!(
        verdict.contains("the root file system is damaged"),
        "{verdict}"
    );

    fs::write(&bench.disk, &good).unwrap();
    bench.flip(440);
    assert!(bench.verdict().contains("another kind or disk"));
    fs::write(&bench.disk, &good).unwrap();
    bench.flip(100);
    assert!(bench.verdict().contains("boot code"));
    fs::write(&bench.disk, &good).unwrap();
    bench.flip(446 + 8);
    assert!(
        bench
            .verdict()
            .contains("partition 1 is not that of the image")
    );
    fs::write(&bench.disk, &good).unwrap();
    bench.flip(510);
    assert!(bench.verdict().contains("the partition table"));
}

#[test]
fn a_disk_of_nothing_is_not_right() {
    let bench = Bench::new();
    File::create(&bench.disk)
        .unwrap()
        .set_len(bench.reference.bytes())
        .unwrap();
    assert!(bench.verdict().contains("no partition table"));
}

#[test]
fn an_image_that_does_not_match_its_manifest_is_no_reference() {
    let bench = Bench::new();
    let manifest = bench.reference.manifest.clone();
    let e = Reference::open(&bench.disk, manifest).unwrap_err();
    assert!(matches!(e, ReferenceError::Chunk(_)), "{e}");
}
