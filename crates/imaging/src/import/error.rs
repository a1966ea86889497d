//! Why an import is refused, in words for the operator.

use super::words;
use crate::boot::BootError;
use crate::pack::PackError;
use crate::partitions::TableError;
use crate::source::SourceError;
use std::path::PathBuf;

/// Why an image was not imported. Nothing is left behind.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read or decompressed.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// What is in the file is no disk image.
    #[error("this is not a disk image: {0}; give the image of a whole disk")]
    NotAnImage(String),
    /// The partition table is missing or damaged.
    #[error("this is not an image of a whole disk: {0}")]
    Partitions(#[from] TableError),
    /// No partition can hold boot files.
    #[error(
        "the image has no boot partition: none of its partitions holds a FAT file system, so no \
         Raspberry Pi can boot from it"
    )]
    NoBootPartition,
    /// The image ends before its last partition does.
    #[error(
        "the image is cut short: its partitions need {}, it has {}; copy or download it again",
        words::size(*needed),
        words::size(*have)
    )]
    Truncated {
        /// Bytes up to the end of the last partition.
        needed: u64,
        /// Bytes there are.
        have: u64,
    },
    /// The boot partition cannot be read.
    #[error(transparent)]
    Boot(#[from] BootError),
    /// Not enough space for the pack.
    #[error(
        "the disk of {folder} is full: about {} more are needed; free some space or remove images \
         that are not used any more",
        words::size(*missing)
    )]
    DiskFull {
        /// Folder of the packs.
        folder: PathBuf,
        /// Bytes that are missing, estimated from what has been packed so far.
        missing: u64,
    },
    /// The pack cannot be written.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// A chunk size that no board would accept.
    #[error("chunks of {0} bytes are not possible")]
    ChunkSize(u32),
    /// Cancelled by the operator.
    #[error("the import was cancelled")]
    Cancelled,
    /// A fault of this program.
    #[error("the import failed inside ({0}); please report this")]
    Internal(&'static str),
}
