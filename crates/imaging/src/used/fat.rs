//! FAT16 and FAT32: the boot sector, and which clusters are free.
//!
//! FAT12, which only the smallest partitions use, is recognised and counts as used. Source: the
//! FAT specification of Microsoft, version 1.03.

use super::ranges::clear_runs;
use std::ops::Range;

/// Largest table that is followed, in bytes: 512 GiB of 32 KiB clusters.
const MAX_TABLE_BYTES: u64 = 64 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    Fat12,
    Fat16,
    Fat32,
}

/// The numbers of a boot sector, checked.
#[derive(Debug, Clone)]
pub(crate) struct Geometry {
    width: Width,
    sector_bytes: u64,
    cluster_bytes: u64,
    reserved_sectors: u64,
    copies: u8,
    table_sectors: u64,
    root_sectors: u64,
    total_sectors: u64,
    label: String,
    dirty: bool,
    mirrored: bool,
}

impl Geometry {
    /// Takes the boot sector out of a partition's first bytes, when it is one of FAT.
    pub(crate) fn parse(first: &[u8]) -> Option<Self> {
        let b: &[u8; 512] = first.first_chunk()?;
        let le16 = |at: usize| u64::from(u16::from_le_bytes([b[at], b[at + 1]]));
        let le32 = |at: usize| le16(at) | le16(at + 2) << 16;
        let nonzero = |short: u64, long: u64| if short == 0 { long } else { short };

        let sector_bytes = le16(11);
        let cluster_sectors = u64::from(b[13]);
        let (reserved_sectors, copies, root_entries) = (le16(14), b[16], le16(17));
        let wide = le16(22) == 0;
        let table_sectors = nonzero(le16(22), le32(36));
        let total_sectors = nonzero(le16(19), le32(32));
        let sound = matches!(sector_bytes, 512 | 1024 | 2048 | 4096)
            && cluster_sectors.is_power_of_two()
            && reserved_sectors > 0
            && (1..=2).contains(&copies)
            && (b[21] == 0xf0 || b[21] >= 0xf8)
            && table_sectors > 0
            && (root_entries == 0) == wide;
        if !sound {
            return None;
        }
        let root_sectors = (root_entries * 32).div_ceil(sector_bytes);
        let before_data = reserved_sectors + u64::from(copies) * table_sectors + root_sectors;
        let clusters = total_sectors.checked_sub(before_data)? / cluster_sectors;
        let width = match clusters {
            0 => return None,
            _ if wide => Width::Fat32,
            1..4085 => Width::Fat12,
            _ => Width::Fat16,
        };
        let (state_at, label_at) = if wide { (65, 71) } else { (37, 43) };
        let label = if b[label_at - 5] == 0x29 {
            String::from_utf8_lossy(&b[label_at..label_at + 11])
                .trim_end()
                .to_owned()
        } else {
            String::new()
        };
        Some(Self {
            width,
            sector_bytes,
            cluster_bytes: cluster_sectors * sector_bytes,
            reserved_sectors,
            copies,
            table_sectors,
            root_sectors,
            total_sectors,
            label: if label == "NO NAME" {
                String::new()
            } else {
                label
            },
            // Linux sets bit 0 while mounted, bit 1 asks for a check of the medium.
            dirty: b[state_at] & 3 != 0,
            mirrored: !wide || le16(40) & 0x80 == 0,
        })
    }

    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    pub(crate) fn clusters(&self) -> u64 {
        let sectors = self.total_sectors - self.data_at() / self.sector_bytes;
        sectors / (self.cluster_bytes / self.sector_bytes)
    }

    /// Size of the file system in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.total_sectors * self.sector_bytes
    }

    /// True for a FAT32 with fewer clusters than Microsoft allows, which Linux reads all the same.
    pub(crate) fn is_small_fat32(&self) -> bool {
        self.width == Width::Fat32 && self.clusters() < 65_525
    }

    /// Sectors that a FAT32 of this layout must have for its number of clusters to be a lawful one.
    pub(crate) fn lawful_sectors(&self) -> u64 {
        let data = self.data_at() / self.sector_bytes;
        data + 65_525 * (self.cluster_bytes / self.sector_bytes)
    }

    pub(super) fn mappable(&self, partition_bytes: u64) -> Result<(), &'static str> {
        if self.dirty {
            return Err("it was not cleanly unmounted");
        }
        let bits = match self.width {
            Width::Fat12 => return Err("it is a FAT12"),
            Width::Fat16 => 16,
            Width::Fat32 => 32,
        };
        if !self.mirrored {
            return Err("its two tables are not copies of each other");
        }
        let table_bytes = self.table_sectors * self.sector_bytes;
        let entries = table_bytes * 8 / bits;
        let most = if bits == 16 { 65_524 } else { 0x0fff_fff4 };
        if self.clusters() > most || entries < self.clusters() + 2 {
            return Err("it contradicts itself");
        }
        if table_bytes > MAX_TABLE_BYTES {
            return Err("its table is too large");
        }
        if self.bytes() > partition_bytes {
            return Err("it is larger than its partition");
        }
        Ok(())
    }

    pub(super) fn copies(&self) -> u8 {
        self.copies
    }

    /// The bytes of one copy of the table.
    pub(super) fn table(&self, copy: u8) -> Range<u64> {
        let start = self.reserved_sectors + u64::from(copy) * self.table_sectors;
        start * self.sector_bytes..(start + self.table_sectors) * self.sector_bytes
    }

    fn data_at(&self) -> u64 {
        let tables = u64::from(self.copies) * self.table_sectors;
        (self.reserved_sectors + tables + self.root_sectors) * self.sector_bytes
    }
}

/// Which clusters are free: those that every copy of the table says are.
#[derive(Debug)]
pub(super) struct Clusters {
    geometry: Geometry,
    /// A bit per cluster, set when it is used.
    used: Vec<u8>,
    learnt: u8,
}

impl Clusters {
    pub(super) fn new(geometry: Geometry) -> Self {
        Self {
            used: Vec::new(),
            geometry,
            learnt: 0,
        }
    }

    /// Takes one copy of the table. An error says why the file system counts as used after all.
    pub(super) fn learn(&mut self, table: &[u8]) -> Result<(), &'static str> {
        let wide = self.geometry.width == Width::Fat32;
        let bytes = if wide { 4 } else { 2 };
        let mut values = table.chunks_exact(bytes).map(|e| {
            let high = if wide {
                u32::from(e[2]) << 16 | u32::from(e[3]) << 24
            } else {
                0
            };
            (u32::from(e[0]) | u32::from(e[1]) << 8 | high) & 0x0fff_ffff
        });
        // The second entry has a bit for "cleanly unmounted" and one for "no errors".
        let sound = if wide { 0x0c00_0000 } else { 0xc000 };
        if values.nth(1).is_none_or(|flags| flags & sound != sound) {
            return Err("it was not cleanly unmounted");
        }
        let clusters = self.geometry.clusters() as usize;
        self.used.resize(clusters.div_ceil(8), 0);
        for (cluster, value) in values.take(clusters).enumerate() {
            if value != 0 {
                self.used[cluster / 8] |= 1 << (cluster % 8);
            }
        }
        self.learnt += 1;
        Ok(())
    }

    /// The free bytes within a byte range of the partition.
    pub(super) fn free(&self, asked: Range<u64>) -> Vec<Range<u64>> {
        if self.learnt < self.geometry.copies {
            return Vec::new();
        }
        let (base, size) = (self.geometry.data_at(), self.geometry.cluster_bytes);
        let first = asked.start.saturating_sub(base) / size;
        let last = asked.end.saturating_sub(base).div_ceil(size);
        let last = last.min(self.geometry.clusters());
        clear_runs(&self.used, first..last)
            .into_iter()
            .map(|r| {
                let (start, end) = (base + r.start * size, base + r.end * size);
                start.max(asked.start)..end.min(asked.end)
            })
            .collect()
    }
}
