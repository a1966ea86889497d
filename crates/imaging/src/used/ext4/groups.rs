//! The block groups: their descriptors, their bitmaps, and from both the free blocks.

use super::super::ranges::{RangeSet, clear_runs};
use super::superblock::Superblock;
use super::{le16, le32};
use std::collections::BTreeMap;
use std::ops::Range;

/// Flag of a descriptor: the bitmap was never written, because nothing but metadata is in use.
const BLOCK_UNINIT: u16 = 0x2;

/// A piece that tells more about the groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::used) enum Piece {
    /// A block of descriptors, the first of which is that of this group.
    Descriptors(u64),
    /// The bitmap of this group.
    Bitmap(u64),
}

#[derive(Debug)]
enum Known {
    /// The descriptor is known and the bitmap has this many clear bits, if it is to be believed.
    Expected(u64),
    /// The bitmap.
    Bitmap(Vec<u8>),
    /// Nothing but metadata is in use.
    OnlyMetadata,
}

/// What is known of the groups that have not passed yet.
#[derive(Debug)]
pub(in crate::used) struct Groups {
    superblock: Superblock,
    known: BTreeMap<u64, Known>,
    /// Metadata named by any descriptor: never free, whatever a bitmap says.
    metadata: RangeSet,
}

impl Groups {
    /// For a superblock that is [`Superblock::mappable`].
    pub(in crate::used) fn new(superblock: Superblock) -> Self {
        Self {
            superblock,
            known: BTreeMap::new(),
            metadata: RangeSet::default(),
        }
    }

    /// The pieces to wait for first, as byte ranges of the partition.
    pub(in crate::used) fn first_pieces(&self) -> Vec<(Range<u64>, Piece)> {
        self.superblock
            .descriptor_blocks()
            .map(|(block, group)| (self.bytes_of(block), Piece::Descriptors(group)))
            .collect()
    }

    fn bytes_of(&self, block: u64) -> Range<u64> {
        let size = self.superblock.block_bytes();
        block * size..(block + 1) * size
    }

    /// Takes a piece; returns the pieces to wait for because of it.
    pub(in crate::used) fn learn(
        &mut self,
        piece: Piece,
        bytes: &[u8],
    ) -> Vec<(Range<u64>, Piece)> {
        match piece {
            Piece::Descriptors(first) => self.learn_descriptors(first, bytes),
            Piece::Bitmap(group) => {
                self.learn_bitmap(group, bytes);
                Vec::new()
            }
        }
    }

    fn learn_descriptors(&mut self, first: u64, bytes: &[u8]) -> Vec<(Range<u64>, Piece)> {
        let size = self.superblock.descriptor_bytes() as usize;
        let count = self.superblock.groups();
        let descriptors: Vec<_> = (first..count)
            .zip(bytes.chunks_exact(size))
            .map(|(group, bytes)| (group, Descriptor::parse(bytes)))
            .collect();
        let table_blocks = self.superblock.inode_table_blocks();
        for (group, descriptor) in &descriptors {
            for range in descriptor.metadata(table_blocks) {
                self.metadata.insert(range);
            }
            let leading = self.superblock.leading_metadata(*group);
            self.metadata.insert(leading);
        }
        let mut wanted = Vec::new();
        for (group, descriptor) in descriptors {
            let unwritten =
                self.superblock.has_uninitialised_groups() && descriptor.flags & BLOCK_UNINIT != 0;
            if unwritten {
                let blocks = self.superblock.group(group);
                let metadata: u64 = self
                    .metadata
                    .inside(blocks.clone())
                    .map(|r| r.end - r.start)
                    .sum();
                if descriptor.free == blocks.end - blocks.start - metadata {
                    self.known.insert(group, Known::OnlyMetadata);
                }
            } else if (self.superblock.first_data_block..self.superblock.blocks)
                .contains(&descriptor.block_bitmap)
            {
                self.known.insert(group, Known::Expected(descriptor.free));
                wanted.push((self.bytes_of(descriptor.block_bitmap), Piece::Bitmap(group)));
            }
        }
        wanted
    }

    /// A bitmap counts only when it has as many free blocks as its descriptor says: the two are
    /// written together, so a difference means that one of them is not to be believed.
    fn learn_bitmap(&mut self, group: u64, bytes: &[u8]) {
        let blocks = self.superblock.group(group);
        let runs = clear_runs(bytes, 0..blocks.end - blocks.start);
        let free: u64 = runs.iter().map(|r| r.end - r.start).sum();
        match self.known.get_mut(&group) {
            Some(known @ Known::Expected(_)) => {
                let believed = matches!(known, Known::Expected(expected) if *expected == free);
                if believed {
                    *known = Known::Bitmap(bytes.to_vec());
                }
            }
            Some(Known::Bitmap(_) | Known::OnlyMetadata) | None => {}
        }
    }

    /// Forgets the groups that lie wholly before byte `at`, and their bitmaps.
    pub(in crate::used) fn forget_before(&mut self, at: u64) {
        let block = at / self.superblock.block_bytes();
        let passed = block.saturating_sub(self.superblock.first_data_block);
        self.known = self
            .known
            .split_off(&(passed / self.superblock.blocks_per_group));
    }

    /// The free bytes within a byte range of the partition.
    pub(in crate::used) fn free(&self, asked: Range<u64>) -> Vec<Range<u64>> {
        let size = self.superblock.block_bytes();
        let first = (asked.start / size).max(self.superblock.first_data_block);
        let last = asked.end.div_ceil(size).min(self.superblock.blocks);
        let mut free = Vec::new();
        let mut at = first;
        while at < last {
            let group = (at - self.superblock.first_data_block) / self.superblock.blocks_per_group;
            let blocks = self.superblock.group(group);
            let part = at..last.min(blocks.end);
            at = part.end;
            match self.known.get(&group) {
                None | Some(Known::Expected(_)) => {}
                Some(Known::OnlyMetadata) => self.metadata.subtract_from(part, &mut free),
                Some(Known::Bitmap(bitmap)) => {
                    let bits = part.start - blocks.start..part.end - blocks.start;
                    for run in clear_runs(bitmap, bits) {
                        let run = run.start + blocks.start..run.end + blocks.start;
                        self.metadata.subtract_from(run, &mut free);
                    }
                }
            }
        }
        free.into_iter()
            .map(|r| (r.start * size).max(asked.start)..(r.end * size).min(asked.end))
            .collect()
    }
}

/// A group descriptor, as far as it says where things are.
#[derive(Debug)]
struct Descriptor {
    block_bitmap: u64,
    inode_bitmap: u64,
    inode_table: u64,
    free: u64,
    flags: u16,
}

impl Descriptor {
    fn parse(bytes: &[u8]) -> Self {
        // The upper halves exist in long descriptors only.
        let long = bytes.len() >= 64;
        let high = |at| {
            if long {
                u64::from(le32(bytes, at)) << 32
            } else {
                0
            }
        };
        let free_high = if long {
            u64::from(le16(bytes, 0x2c)) << 16
        } else {
            0
        };
        Self {
            block_bitmap: u64::from(le32(bytes, 0x0)) | high(0x20),
            inode_bitmap: u64::from(le32(bytes, 0x4)) | high(0x24),
            inode_table: u64::from(le32(bytes, 0x8)) | high(0x28),
            free: u64::from(le16(bytes, 0xc)) | free_high,
            flags: le16(bytes, 0x12),
        }
    }

    fn metadata(&self, table_blocks: u64) -> [Range<u64>; 3] {
        let range = |start: u64, len| start..start.saturating_add(len);
        [
            range(self.block_bitmap, 1),
            range(self.inode_bitmap, 1),
            range(self.inode_table, table_blocks),
        ]
    }
}
