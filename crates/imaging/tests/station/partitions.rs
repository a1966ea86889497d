//! Tables as sfdisk writes and reads them.

use crate::fixture::{MIB, output, run, temp, text};
use imaging::partitions::{
    PREFIX_BYTES, PartitionType, ResizeError, Table, TableError, TableKind, resize,
};
use proptest::prelude::*;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use tempfile::TempDir;

fn sfdisk(dir: &TempDir, mib: u64, script: &str) -> PathBuf {
    let path = dir.path().join("disk");
    File::create(&path).unwrap().set_len(mib * MIB).unwrap();
    let mut child = Command::new("/usr/sbin/sfdisk")
        .args(["-q", text(&path)])
        .stdin(Stdio::piped())
        .spawn()
        .expect("sfdisk runs; install package fdisk");
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(script.as_bytes()).unwrap();
    drop(stdin);
    assert!(child.wait().unwrap().success());
    path
}

fn prefix(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let file = File::open(path).unwrap();
    file.take(PREFIX_BYTES).read_to_end(&mut bytes).unwrap();
    bytes
}

/// What sfdisk sees: (node number, start sector, sectors).
fn seen_by_sfdisk(path: &Path) -> Vec<(u32, u64, u64)> {
    let dump = run("sfdisk", &["-d", text(path)]);
    let number = |line: &str, key: &str| -> u64 {
        let rest = line.split(key).nth(1).unwrap();
        rest.trim()
            .split(',')
            .next()
            .unwrap()
            .trim()
            .parse()
            .unwrap()
    };
    dump.lines()
        .filter(|l| l.contains("start=") && !l.contains("type=5,") && !l.ends_with("type=5"))
        .filter(|l| !l.contains("type=f"))
        .map(|l| {
            let node = l.split(" :").next().unwrap().trim();
            let n = node.trim_start_matches(text(path)).parse().unwrap();
            (n, number(l, "start="), number(l, "size="))
        })
        .collect()
}

fn seen_by_us(table: &Table) -> Vec<(u32, u64, u64)> {
    let rows = table.partitions.iter();
    rows.map(|p| (p.number, p.start / 512, p.len / 512))
        .collect()
}

const PI_LAYOUT: &str =
    "label: dos\nlabel-id: 0xdeadbeef\nstart=8MiB, size=16MiB, type=c\nstart=24MiB, type=83\n";
const LOGICAL: &str = "label: dos\nstart=2048, size=10MiB, type=c\nsize=100MiB, type=5\n\
    start=120MiB, size=4MiB, type=83\nstart=125MiB, size=1MiB, type=83\n\
    size=20MiB, type=83\nsize=30MiB, type=82\nsize=5MiB, type=83\n";
const GPT: &str = "label: gpt\nlabel-id: 01234567-89AB-CDEF-0123-456789ABCDEF\n\
    start=2048, size=16MiB, type=U, name=bootfs, uuid=11111111-2222-3333-4444-555555555555\n\
    size=20MiB, type=L, name=\"root näme\"\n";

#[test]
fn the_layout_of_raspberry_pi_os() {
    let dir = temp();
    let path = sfdisk(&dir, 64, PI_LAYOUT);
    let table = Table::parse(&prefix(&path)).unwrap();
    assert_eq!(table.kind, TableKind::Mbr);
    assert_eq!(table.disk_id, "deadbeef");
    assert_eq!(seen_by_us(&table), seen_by_sfdisk(&path));
    assert_eq!(table.partitions[0].kind, PartitionType::Mbr(0x0c));
    assert_eq!(table.partitions[1].partuuid, "deadbeef-02");
    assert_eq!(table.head_bytes(), 1 << 20);
    assert_eq!(table.end(), 64 * MIB);
}

#[test]
fn logical_partitions_are_found_with_and_without_seeking() {
    let dir = temp();
    let path = sfdisk(&dir, 128, LOGICAL);
    let wanted = seen_by_sfdisk(&path);
    assert_eq!(wanted.len(), 6);

    let mut read = Table::read(&mut File::open(&path).unwrap()).unwrap();
    read.partitions.sort_by_key(|p| p.number);
    assert_eq!(seen_by_us(&read), wanted);

    let disk = fs::read(&path).unwrap();
    for chunk in [64 << 10, 4 << 20] {
        let mut streamed = Table::parse(&disk[..chunk]).unwrap();
        let link = streamed.pending().unwrap();
        assert!(link >= chunk as u64 && streamed.end() > link);
        for (i, bytes) in disk.chunks(chunk).enumerate() {
            streamed.feed((i * chunk) as u64, bytes);
        }
        assert_eq!(streamed.pending(), None);
        streamed.partitions.sort_by_key(|p| p.number);
        assert_eq!(seen_by_us(&streamed), wanted);
    }
}

#[test]
fn a_chain_that_bites_its_tail_ends() {
    let dir = temp();
    let path = sfdisk(&dir, 128, LOGICAL);
    let mut disk = fs::read(&path).unwrap();
    let first_link = Table::parse(&disk[..512]).unwrap().pending().unwrap() as usize;
    // The second entry of the first link points at the second link: make that one point at itself.
    let relative = u32::from_le_bytes(disk[first_link + 470..][..4].try_into().unwrap());
    let second = first_link + relative as usize * 512;
    let own: [u8; 16] = disk[first_link + 462..first_link + 478].try_into().unwrap();
    disk[second + 462..second + 478].copy_from_slice(&own);
    fs::write(&path, &disk).unwrap();
    let table = Table::read(&mut File::open(&path).unwrap()).unwrap();
    assert!(table.partitions.len() < 200);
}

#[test]
fn gpt_partitions_with_names() {
    let dir = temp();
    let path = sfdisk(&dir, 64, GPT);
    let table = Table::parse(&prefix(&path)).unwrap();
    assert_eq!(table.kind, TableKind::Gpt);
    assert_eq!(table.disk_id, "01234567-89ab-cdef-0123-456789abcdef");
    assert_eq!(seen_by_us(&table), seen_by_sfdisk(&path));
    let names: Vec<_> = table.partitions.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["bootfs", "root näme"]);
    let first = &table.partitions[0];
    assert_eq!(first.partuuid, "11111111-2222-3333-4444-555555555555");
    let efi = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b".parse().unwrap();
    assert_eq!(first.kind, PartitionType::Gpt(efi));
    assert!(table.head_bytes() >= 34 * 512);
}

#[test]
fn every_flipped_byte_of_a_gpt_is_noticed() {
    let dir = temp();
    let good = prefix(&sfdisk(&dir, 64, GPT));
    for at in (512..512 + 92).chain(1024..1024 + 256) {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        let e = Table::parse(&bad).unwrap_err();
        assert!(matches!(e, TableError::Damaged(_)), "byte {at}: {e}");
    }
}

#[test]
fn what_is_no_table_says_so() {
    let dir = temp();
    let fat = dir.path().join("fat");
    File::create(&fat).unwrap().set_len(64 * MIB).unwrap();
    run("mkfs.fat", &["-F", "32", text(&fat)]);
    let no_table = |bytes: &[u8]| {
        let e = Table::parse(bytes).unwrap_err();
        assert!(matches!(e, TableError::NoTable(_)), "{e}");
        e.to_string()
    };
    assert!(no_table(&prefix(&fat)).contains("file system without partitions"));
    assert!(no_table(&[0; 4096]).contains("no signature"));
    let mut empty = [0; 4096];
    empty[510..512].copy_from_slice(&[0x55, 0xaa]);
    assert!(no_table(&empty).contains("empty"));
    assert!(matches!(
        Table::parse(&[0; 100]),
        Err(TableError::TooShort(100))
    ));
}

/// Applies the patches to a copy on a larger disk, the start of the disk last.
fn on_larger_disk(path: &Path, disk_bytes: u64, grow: bool) -> Table {
    let resized = resize(&prefix(path), disk_bytes, grow).unwrap();
    let mut disk = File::options().read(true).write(true).open(path).unwrap();
    disk.set_len(disk_bytes).unwrap();
    for patch in &resized.patches {
        disk.write_all_at(&patch.bytes, patch.offset).unwrap();
    }
    disk.seek(SeekFrom::Start(0)).unwrap();
    let table = Table::read(&mut disk).unwrap();
    if let Some(grown) = &resized.grown {
        assert!(table.partitions.contains(grown));
    }
    let verdict = output("sfdisk", &["--verify", text(path)]);
    let words = String::from_utf8_lossy(&verdict.stdout).into_owned()
        + &String::from_utf8_lossy(&verdict.stderr);
    assert!(words.contains("No errors detected"), "{words}");
    table
}

#[test]
fn an_mbr_grows_to_the_end_of_the_disk() {
    let dir = temp();
    let path = sfdisk(&dir, 64, PI_LAYOUT);
    let table = on_larger_disk(&path, 200 * MIB + 1536, true);
    assert_eq!(table.end(), 200 * MIB);
    assert_eq!(table.partitions[0].len, 16 * MIB, "the others stay");
    assert_eq!(seen_by_us(&table), seen_by_sfdisk(&path));

    let three_tib = 3 << 40;
    let head = prefix(&path);
    let grown = resize(&head, three_tib, true).unwrap().grown.unwrap();
    assert!(
        grown.end() <= u64::from(u32::MAX) * 512,
        "32-bit sectors end there"
    );
    assert!(resize(&head, three_tib, false).unwrap().patches.is_empty());
    let too_small = resize(&head, 100 * MIB, true).unwrap_err();
    assert!(matches!(too_small, ResizeError::TooSmall { .. }));
}

#[test]
fn a_logical_last_partition_is_left_alone() {
    let dir = temp();
    let script = "label: dos\nstart=2048, size=10MiB, type=c\nstart=11MiB, size=1MiB, type=83\n\
        start=12MiB, size=1MiB, type=83\nstart=13MiB, type=5\nsize=20MiB, type=83\n";
    let head = prefix(&sfdisk(&dir, 64, script));
    let e = resize(&head, 128 * MIB, true).unwrap_err();
    assert!(matches!(e, ResizeError::Logical), "{e}");
    // What has not been seen of the chain is asked for all the same.
    assert_eq!(Table::parse(&head).unwrap().end(), 13 * MIB + 512);
}

#[test]
fn a_gpt_moves_its_backup_and_grows_when_asked() {
    for grow in [false, true] {
        let dir = temp();
        let path = sfdisk(&dir, 64, GPT);
        let before = Table::parse(&prefix(&path)).unwrap();
        let table = on_larger_disk(&path, 300 * MIB, grow);
        assert_eq!(table.disk_id, before.disk_id);
        if grow {
            assert!(table.end() > 299 * MIB && table.end().is_multiple_of(4096));
        } else {
            assert_eq!(table.partitions, before.partitions);
        }
        // The backup is whole too: lose the primary and let sfdisk repair it.
        let disk = File::options().write(true).open(&path).unwrap();
        disk.write_all_at(&[0; 512], 512).unwrap();
        let dump = run("sfdisk", &["-d", text(&path)]);
        assert!(dump.contains("bootfs"), "{dump}");
    }
}

proptest! {
    #[test]
    fn hostile_tables_never_panic(
        gpt in any::<bool>(),
        spoils in prop::collection::vec((0_usize..2048, any::<u8>()), 0..40),
        disk_bytes in any::<u64>(),
    ) {
        static HEADS: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
            [LOGICAL, GPT].map(|script| prefix(&sfdisk(&temp(), 128, script)))
        });
        let mut head = HEADS[usize::from(gpt)].clone();
        for (at, byte) in spoils {
            head[at] = byte;
        }
        if gpt {
            // Make the checksums right again, so that the spoiled numbers are looked at.
            seal(&mut head);
        }
        if let Ok(table) = Table::parse(&head) {
            prop_assert!(table.head_bytes() >= 512 && table.head_bytes() <= 1 << 20);
            prop_assert!(table.partitions.iter().all(|p| p.start >= 512));
        }
        let _ = resize(&head, disk_bytes, true);
        let _ = Table::parse(&head[..head.len().min(700)]);
    }
}

fn seal(head: &mut [u8]) {
    let crc = |bytes: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        crc.sum().to_le_bytes()
    };
    let list = crc(&head[1024..1024 + 128 * 128]);
    head[512 + 88..512 + 92].copy_from_slice(&list);
    head[512 + 16..512 + 20].fill(0);
    let header = crc(&head[512..512 + 92]);
    head[512 + 16..512 + 20].copy_from_slice(&header);
}
