//! Partition tables, read from the first bytes of an image and edited for a larger disk.
//!
//! [`Table::parse`] takes the first bytes of a disk (the first chunk of an image that streams by)
//! and returns every partition it can see. Logical partitions of an MBR hang on a chain of sectors
//! spread over the disk; [`Table::pending`] says where the next link lies and [`Table::feed`] takes
//! it when it passes. [`Table::read`] does all of that on something that can seek.
//!
//! [`resize`] returns the bytes that make a table fit a larger disk; it writes nothing itself.
//!
//! Every number is checked before it is used: tables come from files of unknown origin. Only
//! 512-byte sectors are understood, which is what images of SD cards, eMMC and NVMe drives have.
//! Sources: UEFI specification 2.10 §5 (GPT), and for MBR the layout the Linux kernel reads
//! (`block/partitions/msdos.c`).

mod gpt;
mod mbr;
mod resize;

pub use resize::{Patch, ResizeError, Resized, resize};

use std::io::{self, Read, Seek, SeekFrom};
use uuid::Uuid;

/// Bytes of a sector, the unit of both kinds of table.
pub const SECTOR: u64 = 512;

/// How much of the start of an image [`Table::parse`] should see: one mebibyte.
pub const PREFIX_BYTES: u64 = 1 << 20;

/// The kind of a partition table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableKind {
    /// The table of the PC BIOS, four entries and a chain.
    Mbr,
    /// A GUID partition table.
    Gpt,
}

impl std::fmt::Display for TableKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Mbr => "mbr",
            Self::Gpt => "gpt",
        })
    }
}

/// What a partition says it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionType {
    /// The type byte of an MBR entry, e.g. `0x0c` for FAT32.
    Mbr(u8),
    /// The type GUID of a GPT entry.
    Gpt(Uuid),
}

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Its number as the Linux kernel counts: the 2 of `mmcblk0p2`.
    pub number: u32,
    /// First byte.
    pub start: u64,
    /// Length in bytes.
    pub len: u64,
    /// What it says it is for.
    pub kind: PartitionType,
    /// Name in the table; empty on an MBR.
    pub name: String,
    /// What `root=PARTUUID=` calls it.
    pub partuuid: String,
}

impl Partition {
    /// First byte after it.
    pub fn end(&self) -> u64 {
        self.start + self.len
    }
}

/// A partition table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its kind.
    pub kind: TableKind,
    /// The disk's identity: 8 hex digits on an MBR, a GUID on a GPT.
    pub disk_id: String,
    /// The partitions by number. The container of logical partitions is not one of them.
    pub partitions: Vec<Partition>,
    /// First byte after the table itself, as far as it lies at the start of the disk.
    reserved: u64,
    chain: Option<mbr::Chain>,
}

/// Why there is no usable partition table.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// Fewer bytes than a table takes.
    #[error("{0} bytes are too few for a partition table")]
    TooShort(usize),
    /// No table at all.
    #[error("there is no partition table ({0})")]
    NoTable(&'static str),
    /// A table that contradicts itself.
    #[error("the partition table is damaged: {0}")]
    Damaged(String),
    /// The image could not be read.
    #[error("the partition table cannot be read: {0}")]
    Read(#[from] io::Error),
}

impl Table {
    /// Reads the table from the first bytes of a disk; give it [`PREFIX_BYTES`] where there are
    /// as many.
    pub fn parse(prefix: &[u8]) -> Result<Self, TableError> {
        let sector = sector_at(prefix, 0).ok_or(TableError::TooShort(prefix.len()))?;
        let head = mbr::parse(sector)?;
        let mut table = if head.protects_gpt() {
            gpt::parse(prefix)?.table()
        } else {
            head.table()?
        };
        table.feed(0, prefix);
        Ok(table)
    }

    /// Reads the table of anything that can seek, logical partitions included.
    pub fn read(image: &mut (impl Read + Seek)) -> Result<Self, TableError> {
        let mut prefix = Vec::new();
        image.seek(SeekFrom::Start(0))?;
        image.take(PREFIX_BYTES).read_to_end(&mut prefix)?;
        let mut table = Self::parse(&prefix)?;
        while let Some(at) = table.pending() {
            let mut link = [0; SECTOR as usize];
            image.seek(SeekFrom::Start(at))?;
            match image.read_exact(&mut link) {
                Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => break,
                other => other?,
            }
            table.feed(at, &link);
        }
        Ok(table)
    }

    /// Where the next link of the chain of logical partitions lies, when one is still missing.
    pub fn pending(&self) -> Option<u64> {
        self.chain.as_ref().map(|c| c.next)
    }

    /// Follows the chain of logical partitions through `bytes`, which lie at `start`.
    /// Returns true when partitions were added.
    pub fn feed(&mut self, start: u64, bytes: &[u8]) -> bool {
        let before = self.partitions.len();
        while let Some(chain) = &mut self.chain {
            let at = chain.next.checked_sub(start);
            let Some(link) = at.and_then(|at| sector_at(bytes, usize::try_from(at).ok()?)) else {
                break;
            };
            let (found, more) = chain.follow(link, &self.disk_id);
            self.partitions.extend(found);
            if !more {
                self.chain = None;
            }
        }
        self.partitions.len() > before
    }

    /// Where the first partition begins, in bytes.
    pub fn first_start(&self) -> Option<u64> {
        let container = self.chain.as_ref().map(|c| c.container.start);
        let starts = self.partitions.iter().map(|p| p.start);
        starts.chain(container).min()
    }

    /// Where the last partition ends, in bytes: what an image must at least hold. A link of the
    /// chain that was announced and has not been seen counts as well.
    pub fn end(&self) -> u64 {
        let link = self.pending().map(|at| at + SECTOR);
        let ends = self.partitions.iter().map(Partition::end);
        ends.chain(link).max().unwrap_or(0)
    }

    /// How many bytes at the start make the disk bootable and belong to no partition: they are
    /// written last. A multiple of 512, at least 512 and at most one mebibyte.
    pub fn head_bytes(&self) -> u32 {
        let until = self.first_start().unwrap_or(SECTOR).min(PREFIX_BYTES);
        (until.max(self.reserved) / SECTOR * SECTOR) as u32
    }
}

fn sector_at(bytes: &[u8], at: usize) -> Option<&[u8; SECTOR as usize]> {
    bytes.get(at..)?.first_chunk()
}

fn le16(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn le32(bytes: &[u8], at: usize) -> u32 {
    u32::from(le16(bytes, at)) | u32::from(le16(bytes, at + 2)) << 16
}

fn le64(bytes: &[u8], at: usize) -> u64 {
    u64::from(le32(bytes, at)) | u64::from(le32(bytes, at + 4)) << 32
}
