//! What already lies on a disk, and the marker that says a deployment of ours was interrupted.

use super::Target;
use crate::partitions::{PartitionType, Table, TableError};
use wire::disk::DiskContent;

/// Size of the marker in bytes: the whole first sector of any disk.
pub const MARKER_BYTES: usize = 4096;

const MAGIC: &[u8] = b"PUNNET unfinished deployment 1\n";
const ADVICE: &str = "This disk is being written. It is left unbootable until every byte of it \
                      has been read back and found right.\n";

/// The marker that takes the place of the partition table while a deployment is under way: a magic
/// line, the deployment, a sentence for whoever dumps the sector, and no boot signature.
pub fn marker(deployment: &str) -> Vec<u8> {
    let mut sector = Vec::with_capacity(MARKER_BYTES);
    sector.extend_from_slice(MAGIC);
    // Bounded, so that the whole marker stays within the first 512 bytes.
    sector.extend(deployment.bytes().filter(u8::is_ascii_graphic).take(128));
    sector.push(b'\n');
    sector.extend_from_slice(ADVICE.as_bytes());
    sector.resize(MARKER_BYTES, 0);
    sector
}

/// The deployment whose marker stands at the start of `first`.
pub fn is_marker(first: &[u8]) -> Option<String> {
    let rest = first.strip_prefix(MAGIC)?;
    let end = rest.iter().take(129).position(|b| *b == b'\n')?;
    let name = rest.get(..end)?;
    name.iter()
        .all(u8::is_ascii_graphic)
        .then(|| String::from_utf8_lossy(name).into_owned())
}

/// Bytes looked at: as far in as the farthest signature (btrfs, 64 KiB + 64).
const LOOKED_AT: usize = 72 * 1024;

/// Signatures of file systems and containers that live on a bare disk: place, bytes, name.
/// Places from the on-disk format descriptions that `blkid` knows them by.
const SIGNATURES: &[(usize, &[u8], &str)] = &[
    (0, b"XFSB", "an XFS file system"),
    (0, b"LUKS\xba\xbe", "an encrypted volume (LUKS)"),
    (0, b"hsqs", "a squashfs file system"),
    (3, b"NTFS    ", "an NTFS file system"),
    (3, b"EXFAT   ", "an exFAT file system"),
    (54, b"FAT1", "a FAT file system"),
    (82, b"FAT32", "a FAT file system"),
    (512, b"EFI PART", "a damaged partition table (GPT)"),
    (512, b"LABELONE", "an LVM volume"),
    (536, b"LVM2 001", "an LVM volume"),
    (1024, &[0x10, 0x20, 0xf5, 0xf2], "an F2FS file system"),
    (1024, &[0xe2, 0xe1, 0xf5, 0xe0], "an EROFS file system"),
    (1080, &[0x53, 0xef], "an ext file system"),
    (4086, b"SWAPSPACE2", "swap space"),
    (
        4096,
        b"EFI PART",
        "a partition table (GPT, 4096-byte sectors)",
    ),
    (4096, &[0xfc, 0x4e, 0x2b, 0xa9], "a member of a Linux RAID"),
    (32_769, b"CD001", "an ISO 9660 file system"),
    (65_600, b"_BHRfS_M", "a btrfs file system"),
    (510, &[0x55, 0xaa], "a boot sector"),
];

/// Looks at the start of a disk and says what lies on it. Reads only.
pub fn inspect(target: &mut dyn Target) -> DiskContent {
    let len = target.bytes().min(LOOKED_AT as u64) as usize;
    let mut first = vec![0; len];
    if let Err(e) = target.read_back(0, &mut first) {
        return DiskContent::Unreadable { why: e.to_string() };
    }
    content_of(&first)
}

fn content_of(first: &[u8]) -> DiskContent {
    if let Some(deployment) = is_marker(first) {
        return DiskContent::Unfinished { deployment };
    }
    match Table::parse(first) {
        Ok(table) if !table.partitions.is_empty() => {
            let found = in_words(&table);
            return DiskContent::System { found };
        }
        Err(TableError::Damaged(_)) => {
            let found = "a damaged partition table".to_owned();
            return DiskContent::System { found };
        }
        Ok(_) | Err(_) => {}
    }
    let known = SIGNATURES
        .iter()
        .find(|(at, bytes, _)| first.get(*at..*at + bytes.len()) == Some(bytes));
    match known {
        Some((_, _, name)) => DiskContent::System {
            found: (*name).to_owned(),
        },
        None => DiskContent::Blank,
    }
}

/// Partitions named one by one; the rest is counted.
const NAMED: usize = 8;

fn in_words(table: &Table) -> String {
    let count = table.partitions.len();
    let mut kinds: Vec<String> = table
        .partitions
        .iter()
        .take(NAMED)
        .map(|p| kind_in_words(&p.kind, &p.name))
        .collect();
    if count > NAMED {
        kinds.push(format!("{} more", count - NAMED));
    }
    let plural = if count == 1 { "" } else { "s" };
    format!(
        "a partition table with {count} partition{plural} ({})",
        kinds.join(", ")
    )
}

/// Type bytes that boards and laptops really have on their disks.
fn kind_in_words(kind: &PartitionType, name: &str) -> String {
    let PartitionType::Mbr(byte) = kind else {
        // Names are the installer's own words, cut to something a tile can show.
        let name: String = name.chars().filter(|c| !c.is_control()).take(24).collect();
        return if name.is_empty() {
            "unnamed".to_owned()
        } else {
            name
        };
    };
    match byte {
        0x01 | 0x04 | 0x06 | 0x0b | 0x0c | 0x0e => "FAT".to_owned(),
        0x07 => "NTFS or exFAT".to_owned(),
        0x82 => "swap".to_owned(),
        0x83 => "Linux".to_owned(),
        0x8e => "LVM".to_owned(),
        0xef => "EFI".to_owned(),
        0xfd => "RAID".to_owned(),
        other => format!("type 0x{other:02x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::MemoryTarget;

    fn disk_with(at: usize, bytes: &[u8]) -> DiskContent {
        let mut disk = MemoryTarget::new(1 << 20, 512, 0);
        disk.tamper(at, bytes);
        inspect(&mut disk)
    }

    fn found(content: DiskContent) -> String {
        match content {
            DiskContent::System { found } => found,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_empty_disk_is_blank() {
        assert_eq!(disk_with(0, &[]), DiskContent::Blank);
    }

    #[test]
    fn our_marker_names_the_deployment_and_does_not_boot() {
        let mark = marker("01J8ZK");
        assert_eq!(mark.len(), MARKER_BYTES);
        assert_ne!(mark[510..512], [0x55, 0xaa]);
        let deployment = "01J8ZK".to_owned();
        assert_eq!(disk_with(0, &mark), DiskContent::Unfinished { deployment });
    }

    #[test]
    fn a_long_or_strange_deployment_does_not_spoil_the_marker() {
        let mark = marker(&format!("a\nb {}", "x".repeat(9000)));
        assert_eq!(is_marker(&mark[..512]).unwrap().len(), 128);
        assert!(mark[400..].iter().all(|b| *b == 0));
        assert_eq!(is_marker(b"PUNNET unfinished deployment 1\n"), None);
    }

    #[test]
    fn a_card_with_a_system_says_what_it_holds() {
        let mut sector = [0; 512];
        for (i, (kind, start)) in [(0x0c_u8, 8192_u32), (0x83, 16384)].into_iter().enumerate() {
            let at = 446 + 16 * i;
            sector[at + 4] = kind;
            sector[at + 8..at + 12].copy_from_slice(&start.to_le_bytes());
            sector[at + 12..at + 16].copy_from_slice(&8192_u32.to_le_bytes());
        }
        sector[510..].copy_from_slice(&[0x55, 0xaa]);
        assert_eq!(
            found(disk_with(0, &sector)),
            "a partition table with 2 partitions (FAT, Linux)"
        );
    }

    #[test]
    fn file_systems_without_a_table_are_seen() {
        assert_eq!(found(disk_with(1080, &[0x53, 0xef])), "an ext file system");
        assert_eq!(found(disk_with(65_600, b"_BHRfS_M")), "a btrfs file system");
        assert_eq!(found(disk_with(510, &[0x55, 0xaa])), "a boot sector");
    }

    #[test]
    fn a_disk_that_cannot_be_read_says_why() {
        use crate::target::{Fault, FaultyTarget};
        let bad = Fault::ReadError {
            range: 0..512,
            times: 1,
        };
        let mut disk = FaultyTarget::new(MemoryTarget::new(1 << 20, 512, 0), vec![bad]);
        let DiskContent::Unreadable { why } = inspect(&mut disk) else {
            panic!("a disk that cannot be read passed");
        };
        assert!(why.contains("medium error"), "{why}");
    }
}
