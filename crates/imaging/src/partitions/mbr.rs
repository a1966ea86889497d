//! The MBR: four entries in the first sector, and a chain of such sectors for logical partitions.

use super::{Partition, PartitionType, SECTOR, Table, TableError, TableKind, le16, le32};
use std::ops::Range;

/// Where the four entries begin in their sector.
pub(super) const ENTRIES_AT: usize = 446;
pub(super) const ENTRY_BYTES: usize = 16;

/// Most logical partitions that are followed: the Linux kernel stops far earlier.
const MAX_LOGICAL: u32 = 128;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: u8,
    pub(super) start: u32,
    pub(super) sectors: u32,
}

impl Entry {
    fn parse(sector: &[u8; SECTOR as usize], index: usize) -> Option<Self> {
        let at = ENTRIES_AT + index * ENTRY_BYTES;
        let entry = Self {
            kind: sector[at + 4],
            start: le32(sector, at + 8),
            sectors: le32(sector, at + 12),
        };
        (entry.kind != 0 && entry.sectors != 0).then_some(entry)
    }

    pub(super) fn is_container(self) -> bool {
        matches!(self.kind, 0x05 | 0x0f | 0x85)
    }

    fn range(self, base: u64) -> Range<u64> {
        let start = base + u64::from(self.start) * SECTOR;
        start..start + u64::from(self.sectors) * SECTOR
    }

    fn partition(self, number: u32, base: u64, disk_id: &str) -> Partition {
        let range = self.range(base);
        Partition {
            number,
            start: range.start,
            len: range.end - range.start,
            kind: PartitionType::Mbr(self.kind),
            name: String::new(),
            partuuid: format!("{disk_id}-{number:02x}"),
        }
    }
}

/// The first sector of a disk, taken apart.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) disk_id: u32,
    pub(super) entries: [Option<Entry>; 4],
    /// What to say when the table turns out to be empty.
    emptiness: &'static str,
}

const BARE: &str = "the first sector belongs to a file system without partitions";

pub(super) fn parse(sector: &[u8; SECTOR as usize]) -> Result<Head, TableError> {
    if le16(sector, 510) != 0xaa55 {
        return Err(TableError::NoTable("the first sector has no signature"));
    }
    // The first sector of a bare FAT or NTFS file system carries the same signature, but text where
    // the boot flags of a table would be.
    let flags_sound = (0..4).all(|i| matches!(sector[ENTRIES_AT + i * ENTRY_BYTES], 0 | 0x80));
    if !flags_sound {
        return Err(TableError::NoTable(BARE));
    }
    let bare_fat = [54, 82].iter().any(|at| sector[*at..].starts_with(b"FAT"));
    Ok(Head {
        emptiness: if bare_fat { BARE } else { "the table is empty" },
        disk_id: le32(sector, 440),
        entries: std::array::from_fn(|i| Entry::parse(sector, i)),
    })
}

impl Head {
    /// True when the table only stands guard for a GPT.
    pub(super) fn protects_gpt(&self) -> bool {
        self.entries.iter().flatten().any(|e| e.kind == 0xee)
    }

    pub(super) fn table(&self) -> Result<Table, TableError> {
        let disk_id = format!("{:08x}", self.disk_id);
        let mut partitions = Vec::new();
        let mut chain = None;
        for (number, entry) in (1..).zip(self.entries) {
            let Some(entry) = entry else { continue };
            if entry.start == 0 {
                return Err(TableError::Damaged(format!(
                    "partition {number} begins at sector 0, where the table is"
                )));
            }
            if !entry.is_container() {
                partitions.push(entry.partition(number, 0, &disk_id));
            } else if chain.is_none() {
                let container = entry.range(0);
                chain = Some(Chain {
                    next: container.start,
                    container,
                    number: 5,
                });
            }
        }
        if partitions.is_empty() && chain.is_none() {
            return Err(TableError::NoTable(self.emptiness));
        }
        Ok(Table {
            kind: TableKind::Mbr,
            disk_id,
            partitions,
            reserved: SECTOR,
            chain,
        })
    }
}

/// How far the chain of logical partitions has been followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    /// The extended partition that holds the chain.
    pub(super) container: Range<u64>,
    /// Where the next link lies.
    pub(super) next: u64,
    number: u32,
}

impl Chain {
    /// Takes one link: the logical partition it describes, and whether another link follows.
    pub(super) fn follow(
        &mut self,
        link: &[u8; SECTOR as usize],
        disk_id: &str,
    ) -> (Option<Partition>, bool) {
        if le16(link, 510) != 0xaa55 {
            return (None, false);
        }
        let at = self.next;
        let inside = |range: &Range<u64>| range.start > at && range.end <= self.container.end;
        let found = Entry::parse(link, 0)
            .filter(|e| !e.is_container() && inside(&e.range(at)))
            .map(|e| e.partition(self.number, at, disk_id));
        let more = Entry::parse(link, 1)
            .filter(|e| e.is_container())
            .map(|e| e.range(self.container.start).start)
            .filter(|next| self.container.contains(next) && *next != self.container.start);
        if found.is_some() {
            self.number += 1;
        }
        self.next = more.unwrap_or(self.next);
        (found, more.is_some() && self.number < 5 + MAX_LOGICAL)
    }
}
