//! ext2, ext3 and ext4: the superblock, and which blocks of each group are free.
//!
//! Source: the Linux kernel's description of the format, `Documentation/filesystems/ext4`.

mod groups;
mod superblock;

pub(super) use groups::{Groups, Piece};
pub(super) use superblock::Superblock;

fn le16(bytes: &[u8], at: usize) -> u16 {
    match bytes.get(at..at + 2) {
        Some(b) => u16::from_le_bytes([b[0], b[1]]),
        None => 0,
    }
}

fn le32(bytes: &[u8], at: usize) -> u32 {
    u32::from(le16(bytes, at)) | u32::from(le16(bytes, at + 2)) << 16
}
