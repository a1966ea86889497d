//! Packs: an image as one immutable file of independent, hashed, compressed chunks.
//!
//! [`Writer`] makes one and [`Pack`] reads one; a chunk that travels alone is checked by
//! [`decode_chunk`], and [`Pack::image`] gives the image back, holes as zeros; [`Unpacked`] does so for
//! many at once.
//!
//! The file, all numbers little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `PUNNETPK` |
//! | 4 | version, 1 |
//! | 4 | zero |
//! | … | zstd frames of the data chunks, in the order of the chunks, without gaps |
//! | m | the manifest: JSON of [`wire::manifest::Manifest`]; frame places count from the file's start |
//! | 64 | Ed25519 signature over the manifest, zeros when there is no key |
//! | 8 | where the manifest begins |
//! | 8 | m |
//! | 32 | BLAKE3 hash of the manifest: the image's id |
//! | 8 | `PUNNETND` |
//!
//! The footer has one possible place and both numbers have one possible value for a given file
//! length, so a file that was cut short or padded is never mistaken for a pack.

mod chunk;
mod image;
mod read;
mod unpacked;
mod writer;

pub use chunk::{ChunkError, decode_chunk, decode_chunk_into};
pub use image::Image;
pub use read::Pack;
pub use unpacked::Unpacked;
pub use writer::{Sealed, Writer, clean};

use std::io;
use std::path::PathBuf;
use wire::manifest::ManifestError;

const MAGIC: &[u8; 8] = b"PUNNETPK";
const END_MAGIC: &[u8; 8] = b"PUNNETND";
const VERSION: u32 = 1;
const HEADER_BYTES: u64 = 16;
const SIGNATURE_BYTES: u64 = 64;
const FOOTER_BYTES: u64 = 56;

/// Largest manifest that is read: it describes about two tebibytes of 4 MiB chunks.
pub const MAX_MANIFEST_BYTES: u64 = 64 << 20;

/// Why a pack cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// Reading or writing failed.
    #[error("{path} cannot be {act}: {source}")]
    Io {
        /// The pack.
        path: PathBuf,
        /// `read` or `written`.
        act: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// The file is no pack, or not a whole one.
    #[error("{path} is not a whole pack: {why}")]
    NotAPack {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The manifest breaks its rules.
    #[error("{path}: {source}")]
    Manifest {
        /// The pack.
        path: PathBuf,
        /// The rule.
        source: ManifestError,
    },
    /// A chunk does not decode to what the manifest says.
    #[error("{path}: {source}; import the image again")]
    Chunk {
        /// The pack.
        path: PathBuf,
        /// Which, and how.
        source: ChunkError,
    },
    /// A range outside the file was asked for.
    #[error("bytes {start} to {end} are outside of the pack, which has {length}")]
    OutOfRange {
        /// First byte asked for.
        start: u64,
        /// First byte after.
        end: u64,
        /// Length of the pack.
        length: u64,
    },
}

impl PackError {
    /// Is it the file that is at fault? What is wrong only with this moment, too many open files say,
    /// is no damage.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::NotAPack { .. } | Self::Manifest { .. } | Self::Chunk { .. } => true,
            Self::Io { source, .. } => {
                let bad_medium = source.raw_os_error() == Some(nix::errno::Errno::EIO as i32);
                bad_medium || source.kind() == io::ErrorKind::UnexpectedEof
            }
            Self::OutOfRange { .. } => false,
        }
    }
}
