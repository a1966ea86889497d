//! Why an image did not get onto a disk.

use crate::personalise::PersonaliseError;
use std::io;

/// Why an image did not get onto a disk. Sector numbers count in the disk's own sectors.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The image is larger than the disk. Nothing was written.
    #[error("the image needs {image_bytes} bytes and the disk has {disk_bytes}")]
    TooSmall {
        /// Size of the disk.
        disk_bytes: u64,
        /// Size of the image.
        image_bytes: u64,
    },
    /// The partition table cannot be used on this disk. Nothing was written.
    #[error("the image's partition table cannot be put on this disk: {0}")]
    Table(String),
    /// The first chunk is not the one the manifest names. Nothing was written.
    #[error("the first chunk of the image is not the one its manifest names")]
    FirstChunk,
    /// The manifest breaks its own bounds. Nothing was written.
    #[error(transparent)]
    Manifest(#[from] wire::manifest::ManifestError),
    /// The medium refused a write twice.
    #[error("writing sectors {first} to {last} failed twice: {source}")]
    Write {
        /// First sector of the failed piece.
        first: u64,
        /// Last sector of the failed piece.
        last: u64,
        /// What the kernel said.
        source: io::Error,
    },
    /// The medium does not hold what was written, also at the second attempt.
    #[error("sectors {first} to {last} did not read back as written, twice: {what}")]
    ReadBack {
        /// First sector that differs.
        first: u64,
        /// Last sector that differs.
        last: u64,
        /// How they differ.
        what: String,
    },
    /// The medium did not confirm that what was written survives a power cut.
    #[error("the disk did not flush its cache: {0}")]
    Flush(io::Error),
    /// The chunks ended early, or one did not fit its place.
    #[error("{0}")]
    Chunks(String),
    /// Somebody said stop.
    #[error("stopped: {0}")]
    Stopped(String),
    /// The installed system could not be personalised.
    #[error(transparent)]
    Personalise(#[from] PersonaliseError),
}
