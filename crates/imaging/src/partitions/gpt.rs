//! The GPT: a header in the second sector and a list of entries, both under a checksum.
//!
//! Only the primary copy is read. The backup lies at the end of the disk the image came from, which
//! a shrunk image has lost.

use super::{Partition, PartitionType, SECTOR, Table, TableError, TableKind, le16, le32, le64};
use flate2::Crc;
use std::ops::Range;
use uuid::Uuid;

/// Where the header lies.
pub(super) const HEADER_AT: usize = SECTOR as usize;
const SIGNATURE: &[u8] = b"EFI PART";
/// Most bytes of the list of entries: the usual list takes 16 KiB.
const MAX_LIST_BYTES: u64 = 512 << 10;
/// Sector numbers beyond this do not fit a signed 64-bit byte offset.
const MAX_LBA: u64 = i64::MAX as u64 / SECTOR;

/// A checked primary header with its list, as bytes that can be changed and written back.
#[derive(Debug)]
pub(super) struct Gpt {
    /// The header, its declared length long.
    pub(super) header: Vec<u8>,
    /// The list of entries.
    pub(super) list: Vec<u8>,
    /// Bytes of one entry.
    pub(super) entry_bytes: usize,
    /// Sector at which the list begins.
    pub(super) list_lba: u64,
}

pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn damaged<T>(what: impl Into<String>) -> Result<T, TableError> {
    Err(TableError::Damaged(what.into()))
}

pub(super) fn parse(prefix: &[u8]) -> Result<Gpt, TableError> {
    let Some(sector) = prefix.get(HEADER_AT..HEADER_AT + SECTOR as usize) else {
        return Err(TableError::TooShort(prefix.len()));
    };
    if &sector[..8] != SIGNATURE {
        if prefix.get(4096..4104) == Some(SIGNATURE) {
            return damaged("it is made for sectors of 4096 bytes, only 512 are supported");
        }
        return damaged("a GPT is announced but its header is missing");
    }
    let header_bytes = le32(sector, 12) as usize;
    if !(92..=SECTOR as usize).contains(&header_bytes) {
        return damaged(format!("a GPT header of {header_bytes} bytes"));
    }
    let header = sector[..header_bytes].to_vec();
    if header_crc(&header) != le32(&header, 16) {
        return damaged("the checksum of the GPT header is wrong");
    }
    if le64(&header, 24) != 1 {
        return damaged("the GPT header says that it lies elsewhere");
    }
    let (list_lba, count, entry_bytes) = (
        le64(&header, 72),
        le32(&header, 80),
        le32(&header, 84) as usize,
    );
    if !(128..=4096).contains(&entry_bytes) || !entry_bytes.is_multiple_of(8) {
        return damaged(format!("GPT entries of {entry_bytes} bytes"));
    }
    let list_bytes = u64::from(count) * entry_bytes as u64;
    let whole_sectors = list_bytes.next_multiple_of(SECTOR);
    let list = list_lba
        .checked_mul(SECTOR)
        .filter(|_| list_lba >= 2 && list_bytes <= MAX_LIST_BYTES)
        .and_then(|at| usize::try_from(at).ok())
        .and_then(|at| prefix.get(at..)?.get(..whole_sectors as usize));
    let Some(list) = list.map(|sectors| &sectors[..list_bytes as usize]) else {
        return damaged(format!(
            "{count} GPT entries at sector {list_lba} are out of reach"
        ));
    };
    if crc32(list) != le32(&header, 88) {
        return damaged("the checksum of the GPT entries is wrong");
    }
    Ok(Gpt {
        list: list.to_vec(),
        header,
        entry_bytes,
        list_lba,
    })
    .and_then(Gpt::checked)
}

/// The checksum of a header, which counts its own field as zero.
fn header_crc(header: &[u8]) -> u32 {
    let mut bytes = header.to_vec();
    bytes[16..20].fill(0);
    crc32(&bytes)
}

impl Gpt {
    fn checked(self) -> Result<Self, TableError> {
        for (number, lbas) in self.used() {
            let possible =
                !lbas.is_empty() && lbas.end <= MAX_LBA && lbas.start * SECTOR >= self.reserved();
            if !possible {
                return damaged(format!("GPT partition {number} has an impossible place"));
            }
        }
        Ok(self)
    }

    /// The entries in use, by partition number, as sector ranges.
    pub(super) fn used(&self) -> impl Iterator<Item = (u32, Range<u64>)> {
        (1..)
            .zip(self.list.chunks_exact(self.entry_bytes))
            .filter(|(_, e)| e[..16].iter().any(|b| *b != 0))
            .map(|(n, e)| (n, le64(e, 32)..le64(e, 40).saturating_add(1)))
    }

    /// First byte after header and list.
    pub(super) fn reserved(&self) -> u64 {
        self.list_lba * SECTOR + (self.list.len() as u64).next_multiple_of(SECTOR)
    }

    /// The entry of partition `number`.
    pub(super) fn entry_mut(&mut self, number: u32) -> &mut [u8] {
        let at = (number as usize - 1) * self.entry_bytes;
        &mut self.list[at..at + self.entry_bytes]
    }

    /// Puts the right checksums into the header.
    pub(super) fn seal(&mut self) {
        let list = crc32(&self.list);
        self.header[88..92].copy_from_slice(&list.to_le_bytes());
        let header = header_crc(&self.header);
        self.header[16..20].copy_from_slice(&header.to_le_bytes());
    }

    pub(super) fn table(&self) -> Table {
        let entry = |n: u32| &self.list[(n as usize - 1) * self.entry_bytes..];
        let partitions = self.used().map(|(number, lbas)| Partition {
            number,
            start: lbas.start * SECTOR,
            len: (lbas.end - lbas.start) * SECTOR,
            kind: PartitionType::Gpt(guid(entry(number))),
            name: name(&entry(number)[56..128]),
            partuuid: guid(&entry(number)[16..]).to_string(),
        });
        Table {
            kind: TableKind::Gpt,
            disk_id: guid(&self.header[56..]).to_string(),
            partitions: partitions.collect(),
            reserved: self.reserved(),
            chain: None,
        }
    }
}

/// A GUID as GPT stores it: the first three fields little-endian.
fn guid(bytes: &[u8]) -> Uuid {
    bytes
        .first_chunk()
        .map_or(Uuid::nil(), |b| Uuid::from_bytes_le(*b))
}

fn name(utf16: &[u8]) -> String {
    let units = utf16.chunks_exact(2).map(|u| le16(u, 0));
    char::decode_utf16(units.take_while(|u| *u != 0))
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}
