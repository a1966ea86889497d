//! The superblock: the geometry, and whether the file system may be trusted at all.

use super::{le16, le32};
use std::ops::Range;

/// Where the superblock lies in its partition.
const AT: usize = 1024;
const MAGIC: u16 = 0xef53;

/// Features, by their bits in the three feature words.
mod feature {
    pub(super) const COMPAT_SPARSE_SUPER2: u32 = 0x200;

    pub(super) const INCOMPAT_RECOVER: u32 = 0x4;
    pub(super) const INCOMPAT_META_BG: u32 = 0x10;
    pub(super) const INCOMPAT_64BIT: u32 = 0x80;
    /// filetype, recover, meta_bg, extents, 64bit, mmp, flex_bg, ea_inode, dirdata, csum_seed,
    /// large_dir, inline_data, encrypt, casefold: none but those above changes where blocks are.
    pub(super) const INCOMPAT_KNOWN: u32 = 0x3_f7d6;

    pub(super) const RO_SPARSE_SUPER: u32 = 0x1;
    pub(super) const RO_GDT_CSUM: u32 = 0x10;
    pub(super) const RO_BIGALLOC: u32 = 0x200;
    pub(super) const RO_METADATA_CSUM: u32 = 0x400;
    pub(super) const RO_ORPHAN_PRESENT: u32 = 0x1_0000;
    /// sparse_super, large_file, btree_dir, huge_file, gdt_csum, dir_nlink, extra_isize, quota,
    /// bigalloc, metadata_csum, read-only, project, shared_blocks, verity, orphan_present.
    pub(super) const RO_KNOWN: u32 = 0x1_f77f;
}

/// Most block groups that are followed: 32 TiB of 4 KiB blocks.
const MAX_GROUPS: u64 = 1 << 18;

#[derive(Debug)]
pub(in crate::used) struct Superblock {
    label: String,
    state: u16,
    compat: u32,
    incompat: u32,
    ro_compat: u32,
    log_block_size: u32,
    pub(super) blocks: u64,
    pub(super) first_data_block: u64,
    pub(super) blocks_per_group: u64,
    inodes_per_group: u64,
    inode_bytes: u64,
    reserved_gdt_blocks: u64,
    descriptor_bytes: u64,
    first_meta_bg: u64,
    backup_groups: [u64; 2],
}

impl Superblock {
    /// Takes the superblock out of a partition's first bytes, when there is one.
    pub(in crate::used) fn parse(first: &[u8]) -> Option<Self> {
        let b = first.get(AT..AT + 1024)?;
        if le16(b, 0x38) != MAGIC {
            return None;
        }
        let (compat, incompat, ro_compat) = match le32(b, 0x4c) {
            0 => (0, 0, 0),
            _ => (le32(b, 0x5c), le32(b, 0x60), le32(b, 0x64)),
        };
        let wide = incompat & feature::INCOMPAT_64BIT != 0;
        let blocks_high = if wide { le32(b, 0x150) } else { 0 };
        let label = b[0x78..0x88].split(|c| *c == 0).next().unwrap_or_default();
        Some(Self {
            label: String::from_utf8_lossy(label).into_owned(),
            state: le16(b, 0x3a),
            compat,
            incompat,
            ro_compat,
            log_block_size: le32(b, 0x18),
            blocks: u64::from(le32(b, 0x4)) | u64::from(blocks_high) << 32,
            first_data_block: le32(b, 0x14).into(),
            blocks_per_group: le32(b, 0x20).into(),
            inodes_per_group: le32(b, 0x28).into(),
            inode_bytes: if le32(b, 0x4c) == 0 {
                128
            } else {
                le16(b, 0x58).into()
            },
            reserved_gdt_blocks: le16(b, 0xce).into(),
            descriptor_bytes: if wide { le16(b, 0xfe).into() } else { 32 },
            first_meta_bg: le32(b, 0x104).into(),
            backup_groups: [le32(b, 0x24c).into(), le32(b, 0x250).into()],
        })
    }

    pub(in crate::used) fn label(&self) -> &str {
        &self.label
    }

    /// Whether the bitmaps can be believed; the reason when not.
    pub(in crate::used) fn mappable(&self, partition_bytes: u64) -> Result<(), &'static str> {
        // Bit 0: cleanly unmounted; bit 1: errors detected; bit 2: orphans being recovered.
        if self.incompat & feature::INCOMPAT_RECOVER != 0 || self.state & 7 != 1 {
            return Err("it was not cleanly unmounted");
        }
        if self.ro_compat & feature::RO_ORPHAN_PRESENT != 0 {
            return Err("it was not cleanly unmounted");
        }
        if self.ro_compat & feature::RO_BIGALLOC != 0 {
            return Err("it allocates clusters of blocks");
        }
        let unknown =
            self.incompat & !feature::INCOMPAT_KNOWN | self.ro_compat & !feature::RO_KNOWN;
        if unknown != 0 {
            return Err("it has features that are not known here");
        }
        let contradiction = Err("it contradicts itself");
        if self.log_block_size > 6 {
            return contradiction;
        }
        let size = self.block_bytes();
        let bits = 8 * size;
        let descriptor = self.descriptor_bytes;
        let sound = (self.first_data_block == u64::from(size == 1024))
            && (8..=bits).contains(&self.blocks_per_group)
            && self.blocks_per_group.is_multiple_of(8)
            && (1..=bits).contains(&self.inodes_per_group)
            && (128..=size).contains(&self.inode_bytes)
            && (32..=1024).contains(&descriptor)
            && descriptor.is_power_of_two()
            && (descriptor >= 64) == (self.incompat & feature::INCOMPAT_64BIT != 0)
            && self.reserved_gdt_blocks <= size / 4
            && self.blocks > self.first_data_block
            && self.groups() <= MAX_GROUPS;
        if !sound {
            return contradiction;
        }
        match self.blocks.checked_mul(size) {
            Some(bytes) if bytes <= partition_bytes => Ok(()),
            _ => Err("it is larger than its partition"),
        }
    }

    pub(super) fn block_bytes(&self) -> u64 {
        1024 << self.log_block_size
    }

    pub(super) fn groups(&self) -> u64 {
        let blocks = self.blocks.saturating_sub(self.first_data_block);
        blocks.div_ceil(self.blocks_per_group)
    }

    /// The blocks of a group.
    pub(super) fn group(&self, index: u64) -> Range<u64> {
        let start = self.first_data_block + index * self.blocks_per_group;
        start..(start + self.blocks_per_group).min(self.blocks)
    }

    pub(super) fn descriptor_bytes(&self) -> u64 {
        self.descriptor_bytes
    }

    pub(super) fn descriptors_per_block(&self) -> u64 {
        self.block_bytes() / self.descriptor_bytes
    }

    /// Blocks of an inode table.
    pub(super) fn inode_table_blocks(&self) -> u64 {
        (self.inodes_per_group * self.inode_bytes).div_ceil(self.block_bytes())
    }

    /// True when a group's bitmap may be left unwritten (`BLOCK_UNINIT` counts).
    pub(super) fn has_uninitialised_groups(&self) -> bool {
        self.ro_compat & (feature::RO_GDT_CSUM | feature::RO_METADATA_CSUM) != 0
    }

    /// How many blocks of descriptors lie together behind the superblock; the rest, with
    /// `meta_bg`, lie one by one in the groups they describe.
    pub(super) fn joint_descriptor_blocks(&self) -> u64 {
        let all = self.groups().div_ceil(self.descriptors_per_block());
        if self.incompat & feature::INCOMPAT_META_BG == 0 {
            all
        } else {
            self.first_meta_bg.min(all)
        }
    }

    /// Every block that holds descriptors, with the first group that it describes.
    pub(super) fn descriptor_blocks(&self) -> impl Iterator<Item = (u64, u64)> {
        let per_block = self.descriptors_per_block();
        let all = self.groups().div_ceil(per_block);
        let joint = self.joint_descriptor_blocks();
        (0..all).map(move |i| {
            let first_group = i * per_block;
            let block = if i < joint {
                self.first_data_block + 1 + i
            } else {
                self.group(first_group).start + u64::from(self.has_backup(first_group))
            };
            (block, first_group)
        })
    }

    /// True when a group begins with a superblock.
    fn has_backup(&self, group: u64) -> bool {
        let power_of = |base: u64| {
            let mut n = group;
            while n > 1 && n.is_multiple_of(base) {
                n /= base;
            }
            n == 1
        };
        if group == 0 {
            true
        } else if self.compat & feature::COMPAT_SPARSE_SUPER2 != 0 {
            self.backup_groups.contains(&group)
        } else if self.ro_compat & feature::RO_SPARSE_SUPER != 0 {
            power_of(3) || power_of(5) || power_of(7)
        } else {
            true
        }
    }

    /// The blocks at the start of a group that hold copies of superblock and descriptors. A group
    /// whose bitmap was never written does not list them.
    pub(super) fn leading_metadata(&self, group: u64) -> Range<u64> {
        let blocks = self.group(group);
        let backup = u64::from(self.has_backup(group));
        let per_block = self.descriptors_per_block();
        let joint = self.joint_descriptor_blocks();
        let count = if group / per_block < joint {
            backup * (1 + joint + self.reserved_gdt_blocks)
        } else {
            let copy = [0, 1, per_block - 1].contains(&(group % per_block));
            backup + u64::from(copy)
        };
        blocks.start..(blocks.start + count).min(blocks.end)
    }
}
