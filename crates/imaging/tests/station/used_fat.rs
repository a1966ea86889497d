//! Every cluster that a FAT calls used is kept.

use crate::fixture::{
    Dice, MIB, contents, disk_with, fill_with_garbage, output, random_tree, run, temp, text,
};
use imaging::partitions::Table;
use imaging::used::{FileSystemKind, UsedMap};
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const AT: u64 = MIB;

fn make(dir: &TempDir, options: &[&str], mib: u64, seed: u64) -> PathBuf {
    let fs = dir.path().join("fs");
    let tree = dir.path().join("tree");
    fs::create_dir_all(&tree).unwrap();
    random_tree(&tree, 40, 300_000, seed);
    fill_with_garbage(&fs, mib * MIB, seed);
    let mut args = vec!["-n", "BOOTFS", "-i", "1234abcd"];
    args.extend(options);
    args.push(text(&fs));
    run("mkfs.fat", &args);
    run("mcopy", &["-i", text(&fs), "-s", text(&tree), "::/"]);
    for n in (0..40).step_by(4) {
        let name = format!("::/tree/dir{}/file{n}.bin", n % 7);
        run("mdel", &["-i", text(&fs), &name]);
    }
    let late = dir.path().join("late");
    fs::write(&late, Dice::new(seed).bytes(2_000_000)).unwrap();
    run("mcopy", &["-i", text(&fs), text(&late), "::/late"]);
    fs
}

/// Zeroes what the map calls free; returns the map, the bytes that were free, and the rest.
fn stream(disk: &[u8], chunk: usize) -> (UsedMap, u64, Vec<u8>) {
    let mut map = UsedMap::new(Table::parse(&disk[..chunk]).unwrap());
    let (mut count, mut zeroed) = (0, disk.to_vec());
    for (i, bytes) in disk.chunks(chunk).enumerate() {
        let start = (i * chunk) as u64;
        map.feed(start, bytes);
        for range in map.free(start, bytes.len() as u64) {
            count += range.end - range.start;
            zeroed[range.start as usize..range.end as usize].fill(0);
        }
    }
    (map, count, zeroed)
}

fn files_of(fs: &Path, to: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    fs::create_dir_all(to).unwrap();
    run("mcopy", &["-s", "-n", "-i", text(fs), "::/*", text(to)]);
    contents(to)
}

#[test]
fn no_used_cluster_is_lost() {
    let layouts: &[(&[&str], u64)] = &[
        (&["-F", "16"], 64),
        (&["-F", "16", "-s", "1"], 20),
        (&["-F", "32", "-s", "1"], 64),
        (&["-F", "32", "-s", "8"], 300),
        (&["-F", "32", "-f", "1", "-s", "1"], 64),
        (&["-F", "32", "-S", "4096"], 300),
        (&["-F", "16", "-R", "8"], 64),
    ];
    for (i, (options, mib)) in layouts.iter().enumerate() {
        let dir = temp();
        let fs = make(&dir, options, *mib, i as u64 + 1);
        let disk = disk_with(0x0c, AT, &fs);
        let (map, free, zeroed) = stream(&disk, [4 << 20, 64 << 10, 1 << 20][i % 3]);
        let seen = map.file_systems().next().unwrap();
        let name = (seen.kind, seen.label.as_str(), seen.all_used);
        assert_eq!(name, (FileSystemKind::Fat, "BOOTFS", None), "{options:?}");
        assert!(
            free > (mib - 12) * MIB,
            "{options:?}: only {free} bytes free"
        );

        let copy = dir.path().join("zeroed");
        fs::write(&copy, &zeroed[AT as usize..]).unwrap();
        let verdict = output("fsck.fat", &["-n", text(&copy)]);
        let words = String::from_utf8_lossy(&verdict.stdout).into_owned();
        assert!(verdict.status.success(), "{options:?}: {words}");
        let before = files_of(&fs, &dir.path().join("before"));
        let after = files_of(&copy, &dir.path().join("after"));
        assert!(before.len() == 31 && before == after, "{options:?}");
    }
}

#[test]
fn a_cluster_is_free_only_when_both_tables_say_so() {
    let dir = temp();
    let fs = make(&dir, &["-F", "32", "-s", "1"], 64, 2);
    let mut disk = disk_with(0x0c, AT, &fs);
    let (_, before, _) = stream(&disk, 1 << 20);
    let boot = AT as usize;
    let table_bytes = u32::from_le_bytes(disk[boot + 36..boot + 40].try_into().unwrap()) * 512;
    let second = boot + 32 * 512 + table_bytes as usize;
    // The last thousand clusters that an entry stands for are used in the second table alone.
    let entries = second + table_bytes as usize - 2 * 4096;
    disk[entries..entries + 4000].fill(1);
    let (_, after, _) = stream(&disk, 1 << 20);
    assert_eq!(before - after, 1000 * 512);
}

#[test]
fn a_dirty_a_small_and_a_disagreeing_one_are_kept_whole() {
    let poke = |fs: &Path, at: u64, bytes: &[u8]| {
        let mut file = File::options().write(true).open(fs).unwrap();
        file.seek(SeekFrom::Start(at)).unwrap();
        file.write_all(bytes).unwrap();
    };
    let check = |options: &[&str], mib, spoil: &dyn Fn(&Path), why: &str| {
        let dir = temp();
        let fs = make(&dir, options, mib, 3);
        spoil(&fs);
        let (map, free, _) = stream(&disk_with(0x0c, AT, &fs), 1 << 20);
        let seen = map.file_systems().next().unwrap();
        assert!(seen.all_used.unwrap().contains(why), "{seen:?}");
        assert_eq!(free, 0, "{why}");
    };
    let reserved = 32 * 512;
    check(&["-F", "12"], 12, &|_| {}, "FAT12");
    check(&["-F", "32"], 64, &|fs| poke(fs, 65, &[1]), "cleanly");
    check(&["-F", "16"], 64, &|fs| poke(fs, 37, &[1]), "cleanly");
    check(
        &["-F", "32"],
        64,
        &|fs| poke(fs, reserved + 4, &[0xff, 0xff, 0xff, 0x07]),
        "cleanly",
    );
    check(&["-F", "32"], 64, &|fs| poke(fs, 40, &[0x81]), "copies");
}
