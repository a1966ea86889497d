//! Fitting a table to the disk it now lies on: the last partition grows, a GPT moves its backup.
//!
//! Nothing is written here. The caller gets the bytes and where they belong, because on a board the
//! first bytes of the disk must be the last to be written.

use super::{Partition, SECTOR, Table, TableError, gpt, mbr, sector_at};

/// Bytes that belong at a place of the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// Where, in bytes from the start of the disk.
    pub offset: u64,
    /// What.
    pub bytes: Vec<u8>,
}

/// The changes that fit a table to a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resized {
    /// What to write. Those at the start of the disk come last.
    pub patches: Vec<Patch>,
    /// The last partition at its new size, when it grew.
    pub grown: Option<Partition>,
}

/// Why a table cannot be fitted to a disk.
#[derive(Debug, thiserror::Error)]
pub enum ResizeError {
    /// The table itself is unusable.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The disk ends before the last partition does.
    #[error("the partitions need {needed} bytes, the disk has {disk}")]
    TooSmall {
        /// Bytes the table needs.
        needed: u64,
        /// Bytes of the disk.
        disk: u64,
    },
    /// The last partition is a logical one, whose entry lies elsewhere on the disk.
    #[error("the last partition is a logical one, which cannot be grown")]
    Logical,
}

/// Sectors to which the end of a grown partition is rounded down: whole 4 KiB blocks.
const ALIGN: u64 = 8;

/// Fits the table in `head` (the first bytes of the disk, at least [`Table::head_bytes`]) to a disk
/// of `disk_bytes`. A GPT always gets its backup at the end of the disk; the last partition grows
/// to the end only when `grow` says so, and never shrinks.
pub fn resize(head: &[u8], disk_bytes: u64, grow: bool) -> Result<Resized, ResizeError> {
    let table = Table::parse(head)?;
    if table.end() > disk_bytes {
        return Err(ResizeError::TooSmall {
            needed: table.end(),
            disk: disk_bytes,
        });
    }
    match table.kind {
        super::TableKind::Gpt => resize_gpt(head, disk_bytes, grow),
        super::TableKind::Mbr if grow => resize_mbr(head, disk_bytes),
        super::TableKind::Mbr => Ok(Resized {
            patches: Vec::new(),
            grown: None,
        }),
    }
}

fn resize_mbr(head: &[u8], disk_bytes: u64) -> Result<Resized, ResizeError> {
    let mut sector = *sector_at(head, 0).ok_or(TableError::TooShort(head.len()))?;
    let entries = mbr::parse(&sector)?.entries;
    let end = |e: &mbr::Entry| u64::from(e.start) + u64::from(e.sectors);
    let last = (0..4)
        .filter_map(|i| entries[i].map(|e| (i, e)))
        .max_by_key(|(_, e)| end(e));
    let unchanged = Resized {
        patches: Vec::new(),
        grown: None,
    };
    let Some((index, entry)) = last else {
        return Ok(unchanged);
    };
    if entry.is_container() {
        return Err(ResizeError::Logical);
    }
    // 32-bit sector numbers end at 2 TiB; a larger disk is used up to there.
    let wanted = (disk_bytes / SECTOR).min(u64::from(u32::MAX)) / ALIGN * ALIGN;
    if wanted <= end(&entry) {
        return Ok(unchanged);
    }
    let at = mbr::ENTRIES_AT + index * mbr::ENTRY_BYTES;
    let sectors = (wanted - u64::from(entry.start)) as u32;
    sector[at + 5..at + 8].copy_from_slice(&chs(wanted - 1));
    sector[at + 12..at + 16].copy_from_slice(&sectors.to_le_bytes());
    let number = index as u32 + 1;
    let table = Table::parse(&sector)?;
    Ok(Resized {
        grown: table.partitions.into_iter().find(|p| p.number == number),
        patches: vec![Patch {
            offset: 0,
            bytes: sector.to_vec(),
        }],
    })
}

/// The old cylinder, head, sector form of a sector number, or its "beyond" value.
fn chs(lba: u64) -> [u8; 3] {
    let (heads, sectors) = (255, 63);
    let cylinder = lba / (heads * sectors);
    if cylinder > 1023 {
        return [0xfe, 0xff, 0xff];
    }
    let head = (lba / sectors % heads) as u8;
    let sector = (lba % sectors + 1) as u8;
    [head, sector | (cylinder >> 8 << 6) as u8, cylinder as u8]
}

fn resize_gpt(head: &[u8], disk_bytes: u64, grow: bool) -> Result<Resized, ResizeError> {
    let mut gpt = gpt::parse(head)?;
    let total = disk_bytes / SECTOR;
    let list_sectors = (gpt.list.len() as u64).div_ceil(SECTOR);
    let last_used = gpt.used().map(|(_, lbas)| lbas.end).max().unwrap_or(0);
    let needed = last_used.max(gpt.reserved() / SECTOR) + list_sectors + 1;
    if needed > total {
        return Err(ResizeError::TooSmall {
            needed: needed * SECTOR,
            disk: disk_bytes,
        });
    }
    let backup_lba = total - 1;
    let backup_list_lba = backup_lba - list_sectors;

    let last = gpt.used().max_by_key(|(_, lbas)| lbas.end);
    let mut grown = None;
    if let Some((number, lbas)) = last.filter(|_| grow) {
        let end = backup_list_lba / ALIGN * ALIGN;
        if end > lbas.end {
            gpt.entry_mut(number)[40..48].copy_from_slice(&(end - 1).to_le_bytes());
            grown = Some(number);
        }
    }

    gpt.header[32..40].copy_from_slice(&backup_lba.to_le_bytes());
    gpt.header[48..56].copy_from_slice(&(backup_list_lba - 1).to_le_bytes());
    gpt.seal();
    let primary = primary_bytes(head, &gpt, total);
    let table = gpt.table();
    let list = gpt.list.clone();

    gpt.header[24..32].copy_from_slice(&backup_lba.to_le_bytes());
    gpt.header[32..40].copy_from_slice(&1_u64.to_le_bytes());
    gpt.header[72..80].copy_from_slice(&backup_list_lba.to_le_bytes());
    gpt.seal();
    let mut backup = list;
    backup.resize((list_sectors * SECTOR) as usize, 0);
    backup.extend_from_slice(&gpt.header);
    backup.resize(((list_sectors + 1) * SECTOR) as usize, 0);

    Ok(Resized {
        patches: vec![
            Patch {
                offset: backup_list_lba * SECTOR,
                bytes: backup,
            },
            Patch {
                offset: 0,
                bytes: primary,
            },
        ],
        grown: grown.and_then(|n| table.partitions.into_iter().find(|p| p.number == n)),
    })
}

/// The start of the disk with the new header and list, and a guarding MBR that covers the disk.
fn primary_bytes(head: &[u8], gpt: &gpt::Gpt, total: u64) -> Vec<u8> {
    let mut bytes = head[..gpt.reserved() as usize].to_vec();
    bytes[gpt::HEADER_AT..gpt::HEADER_AT + gpt.header.len()].copy_from_slice(&gpt.header);
    let at = (gpt.list_lba * SECTOR) as usize;
    bytes[at..at + gpt.list.len()].copy_from_slice(&gpt.list);
    let sectors = u32::try_from(total - 1).unwrap_or(u32::MAX);
    for index in 0..4 {
        let entry = mbr::ENTRIES_AT + index * mbr::ENTRY_BYTES;
        // A hybrid table has other entries beside the guard, which are left as they are.
        if bytes[entry + 4] == 0xee && bytes[entry + 8..entry + 12] == [1, 0, 0, 0] {
            bytes[entry + 12..entry + 16].copy_from_slice(&sectors.to_le_bytes());
        }
    }
    bytes
}
