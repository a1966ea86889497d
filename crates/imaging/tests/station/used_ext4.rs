//! Every block that e2fsprogs calls used is kept, for every layout that mke2fs makes.

use crate::fixture::{
    Dice, MIB, contents, disk_with, fill_with_garbage, output, random_tree, run, temp, text,
};
use imaging::partitions::Table;
use imaging::used::{FileSystemKind, UsedMap};
use proptest::prelude::*;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use tempfile::TempDir;

/// Where the file system lies on the test disks: not aligned to chunks, on purpose.
const AT: u64 = MIB + 512 * 7;

struct Disk {
    dir: TempDir,
    /// The file system alone.
    fs: PathBuf,
}

/// Makes a file system on garbage, puts files on it and takes some away again.
fn make(options: &[&str], mib: u64, seed: u64) -> Disk {
    let dir = temp();
    let fs = dir.path().join("fs");
    let tree = dir.path().join("tree");
    fs::create_dir(&tree).unwrap();
    random_tree(&tree, 60, 700_000, seed);
    fill_with_garbage(&fs, mib * MIB, seed);
    let mut args = vec!["-q", "-F", "-E", "nodiscard", "-L", "rootfs"];
    if !options.contains(&"-t") {
        args.extend(["-t", "ext4"]);
    }
    args.extend(["-d", text(&tree)]);
    args.extend(options);
    args.push(text(&fs));
    run("mke2fs", &args);

    let mut dice = Dice::new(seed);
    let late = dir.path().join("late");
    fs::write(&late, dice.bytes(3_000_000)).unwrap();
    let write = |name| format!("write {} {name}", text(&late));
    let remove = |n| format!("rm dir{}/file{n}.bin", n % 7);
    let mut script = vec![write("late")];
    script.extend((0..60).step_by(5).map(remove));
    script.push(write("later"));
    let commands = dir.path().join("commands");
    fs::write(&commands, script.join("\n") + "\n").unwrap();
    run("debugfs", &["-w", "-f", text(&commands), text(&fs)]);
    Disk { dir, fs }
}

impl Disk {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn whole_disk(&self) -> Vec<u8> {
        disk_with(0x83, AT, &self.fs)
    }
}

/// Streams a disk through the map; returns the free ranges and the disk with them zeroed.
fn stream(disk: &[u8], chunk: usize) -> (UsedMap, Vec<Range<u64>>, Vec<u8>) {
    let mut map = UsedMap::new(Table::parse(&disk[..chunk.max(512)]).unwrap());
    let mut all_free = Vec::new();
    let mut zeroed = disk.to_vec();
    for (i, bytes) in disk.chunks(chunk).enumerate() {
        let start = (i * chunk) as u64;
        map.feed(start, bytes);
        let free = map.free(start, bytes.len() as u64);
        let mut at = start;
        for range in free {
            assert!(
                range.start >= at && !range.is_empty(),
                "{range:?} before {at}"
            );
            at = range.end;
            assert!(at <= start + bytes.len() as u64);
            zeroed[range.start as usize..range.end as usize].fill(0);
            all_free.push(range);
        }
    }
    (map, all_free, zeroed)
}

/// The free blocks as dumpe2fs lists them, and the block size.
fn dumpe2fs(fs: &Path) -> (u64, Vec<Range<u64>>) {
    let listing = run("dumpe2fs", &[text(fs)]);
    let size = listing
        .lines()
        .find_map(|l| l.strip_prefix("Block size:"))
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    let mut free = Vec::new();
    for list in listing
        .lines()
        .filter_map(|l| l.strip_prefix("  Free blocks: "))
    {
        for part in list.split(", ").filter(|p| !p.trim().is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            free.push(first.trim().parse().unwrap()..last.trim().parse::<u64>().unwrap() + 1);
        }
    }
    (size, free)
}

fn covered(ranges: &[Range<u64>], by: &[Range<u64>]) -> Result<(), Range<u64>> {
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in by {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range.clone()),
        }
    }
    let inside = |r: &Range<u64>| joined.iter().any(|j| j.start <= r.start && r.end <= j.end);
    ranges
        .iter()
        .find(|r| !inside(r))
        .map_or(Ok(()), |r| Err(r.clone()))
}

fn bytes_in(ranges: &[Range<u64>]) -> u64 {
    ranges.iter().map(|r| r.end - r.start).sum()
}

/// Checks everything that must hold for one file system and one chunk size.
fn check(disk: &Disk, chunk: usize, least_found: f64, what: &str) {
    let whole = disk.whole_disk();
    let (map, free, zeroed) = stream(&whole, chunk);
    let seen = map.file_systems().next().unwrap();
    assert_eq!(seen.kind, FileSystemKind::Ext4, "{what}");
    assert_eq!(
        (seen.label.as_str(), seen.all_used),
        ("rootfs", None),
        "{what}"
    );

    let (size, listed) = dumpe2fs(&disk.fs);
    let listed: Vec<_> = listed
        .iter()
        .map(|r| AT + r.start * size..AT + r.end * size)
        .collect();
    if let Err(range) = covered(&free, &listed) {
        panic!("{what}: {range:?} is in use and would be lost");
    }
    let found = bytes_in(&free) as f64 / bytes_in(&listed) as f64;
    assert!(
        found >= least_found,
        "{what}: only {:.1} % of the free space was found",
        found * 100.0
    );

    let copy = disk.path("zeroed");
    fs::write(&copy, &zeroed[AT as usize..]).unwrap();
    let verdict = output("e2fsck", &["-f", "-n", text(&copy)]);
    assert!(
        verdict.status.success(),
        "{what}: {}",
        String::from_utf8_lossy(&verdict.stdout)
    );
    for (fs, to) in [(&disk.fs, "before"), (&copy, "after")] {
        let to = disk.path(to);
        fs::create_dir_all(&to).unwrap();
        run(
            "debugfs",
            &["-R", &format!("rdump / {}", text(&to)), text(fs)],
        );
    }
    let (before, after) = (
        contents(&disk.path("before")),
        contents(&disk.path("after")),
    );
    assert!(before.len() > 40, "{what}: {} files", before.len());
    assert!(before == after, "{what}: files changed");
}

#[test]
fn no_used_block_is_lost_in_any_layout() {
    // The share of the free space that must be found is lower where a bitmap follows data that it
    // describes: those blocks count as used.
    let layouts: &[(&[&str], u64, f64)] = &[
        (&[], 200, 0.99),
        (&["-O", "^64bit"], 64, 0.99),
        (&["-O", "^flex_bg"], 200, 0.99),
        (&["-O", "meta_bg,^resize_inode"], 200, 0.99),
        (
            &["-O", "meta_bg,^resize_inode,^flex_bg", "-b", "1024"],
            100,
            0.95,
        ),
        (&["-O", "^metadata_csum,uninit_bg"], 300, 0.99),
        (
            &["-O", "^metadata_csum,uninit_bg,^flex_bg", "-b", "1024"],
            64,
            0.99,
        ),
        (&["-O", "sparse_super2"], 200, 0.99),
        (&["-O", "sparse_super2", "-b", "1024"], 100, 0.99),
        (&["-O", "^sparse_super,^resize_inode"], 200, 0.99),
        (
            &["-O", "^sparse_super,^resize_inode", "-b", "1024"],
            100,
            0.99,
        ),
        (&["-t", "ext2"], 64, 0.99),
        (&["-t", "ext2", "-r", "0", "-b", "1024"], 64, 0.99),
        (&["-t", "ext3", "-b", "2048"], 64, 0.99),
        (&["-b", "1024"], 100, 0.99),
        (&["-b", "1024", "-g", "1024"], 64, 0.99),
        (&["-b", "65536"], 200, 0.99),
        (&["-b", "16384", "-O", "^64bit"], 200, 0.99),
        (
            &["-b", "1024", "-E", "nodiscard,stride=64,stripe_width=64"],
            64,
            0.8,
        ),
        (&["-O", "inline_data,project"], 64, 0.99),
        (&["-G", "64", "-b", "1024"], 200, 0.99),
        (&["-O", "^has_journal"], 64, 0.99),
        (&["-O", "metadata_csum_seed,large_dir,ea_inode"], 64, 0.99),
    ];
    for (i, (options, mib, least)) in layouts.iter().enumerate() {
        let disk = make(options, *mib, i as u64 + 1);
        let chunk = [4 << 20, 64 << 10, 100 << 10][i % 3];
        check(&disk, chunk, *least, &format!("{options:?}"));
    }
}

#[test]
fn what_cannot_be_trusted_is_kept_whole() {
    // How it is made, what debugfs does to it, and what is said about it.
    let spoils: [(&[&str], &str, &str); 4] = [
        (&["-O", "bigalloc", "-C", "16384"], "stats", "clusters"),
        (&[], "feature needs_recovery", "cleanly"),
        (&[], "ssv state 0", "cleanly"),
        (&[], "ssv state 3", "cleanly"),
    ];
    for (options, spoil, why) in spoils {
        let disk = make(options, 48, 5);
        run("debugfs", &["-w", "-R", spoil, text(&disk.fs)]);
        let whole = disk.whole_disk();
        let (map, free, _) = stream(&whole, 1 << 20);
        let seen = map.file_systems().next().unwrap();
        assert!(seen.all_used.unwrap().contains(why), "{seen:?}");
        assert!(free.is_empty(), "{why}");
    }
}

#[test]
fn a_bitmap_that_contradicts_its_descriptor_frees_nothing() {
    let disk = make(&["-b", "1024", "-O", "^metadata_csum"], 32, 9);
    // Free one used block in the bitmap of the third group and leave the descriptor as it is.
    let listing = run("dumpe2fs", &[text(&disk.fs)]);
    let at = listing.split("Block bitmap at ").nth(3).unwrap();
    let block: usize = at.split([' ', '\n']).next().unwrap().parse().unwrap();
    let mut whole = disk.whole_disk();
    let (_, before, _) = stream(&whole, 1 << 20);
    whole[AT as usize + block * 1024] &= !1;
    let (_, after, _) = stream(&whole, 1 << 20);
    let third_group = AT + (2 * 8192 + 1) * 1024..AT + (3 * 8192 + 1) * 1024;
    let in_group = |free: &[Range<u64>]| {
        let inside = free.iter().filter(|r| third_group.contains(&r.start));
        inside.count()
    };
    assert!(in_group(&before) > 0);
    assert_eq!(in_group(&after), 0);
    assert!(!after.is_empty(), "other groups are not affected");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn random_file_systems_survive(
        seed in 1_u64..1_000_000,
        block in prop::sample::select(vec!["1024", "2048", "4096"]),
        feature in prop::sample::select(vec!["64bit", "^64bit", "^flex_bg", "sparse_super2"]),
        chunk in prop::sample::select(vec![4096_usize, 20_480, 1 << 16, 1 << 20]),
    ) {
        let disk = make(&["-b", block, "-O", feature], 32, seed);
        check(&disk, chunk, 0.9, &format!("seed {seed}, {block}, {feature}"));
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]
    /// Whatever is in the file, nothing panics and nothing outside of the disk is free.
    #[test]
    fn damaged_file_systems_do_no_harm(
        wide in any::<bool>(),
        anywhere in prop::collection::vec((0_usize..20_000, any::<u8>()), 0..40),
        superblock in prop::collection::vec((1024_usize..1536, any::<u8>()), 0..4),
        descriptors in prop::collection::vec((2048_usize..2176, any::<u8>()), 0..30),
    ) {
        let mut whole = DAMAGED[usize::from(wide)].clone();
        for (at, byte) in anywhere.into_iter().chain(superblock).chain(descriptors) {
            whole[AT as usize + at] = byte;
        }
        let _ = stream(&whole, 1 << 16);
    }
}

/// What gets damaged: a small disk with short descriptors, and one with long ones.
static DAMAGED: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
    ["^64bit", "64bit"].map(|width| make(&["-b", "1024", "-O", width], 16, 1).whole_disk())
});
