//! The manifest of a pack: which chunk of the image lies where, and what it must hash to.
//!
//! A pack is a sequence of independent zstd frames, one per chunk of data, and this manifest. It
//! travels as the exact bytes that were signed; parse first, [`Manifest::check`] next, use last.

use crate::id::{ImageId, parse_hex};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A BLAKE3 hash; 64 hex digits in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash32(pub [u8; 32]);

impl std::fmt::Display for Hash32 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl Serialize for Hash32 {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash32 {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(d)?;
        parse_hex(&text)
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("not 64 hex digits"))
    }
}

/// What a chunk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChunkClass {
    /// Bytes that are sent, written and read back.
    Data,
    /// Allocated and all zero: written as zeros and read back, not sent.
    Zero,
    /// Not allocated by any file system: not sent, discarded where the medium can.
    Hole,
}

/// One chunk, by its place in the list: chunk `i` starts at `i * chunk_bytes` of the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// Its class.
    #[serde(rename = "c")]
    pub class: ChunkClass,
    /// BLAKE3 of the chunk's raw bytes with free blocks as zeros; absent for zero and hole.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<Hash32>,
    /// Where its zstd frame begins in the pack file.
    #[serde(rename = "o", default, skip_serializing_if = "is_zero")]
    pub offset: u64,
    /// Length of its zstd frame in bytes.
    #[serde(rename = "n", default, skip_serializing_if = "is_zero")]
    pub packed: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// The manifest of a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this format; 1.
    pub format: u32,
    /// Size of the image in bytes.
    pub raw_bytes: u64,
    /// Size of every chunk but the last, in bytes; a multiple of 4096.
    pub chunk_bytes: u32,
    /// Bytes at the start of the image that are written last of all, so that a disk is not bootable
    /// before it is finished: a multiple of 512, at most one chunk.
    pub head_bytes: u32,
    /// The chunks in order.
    pub chunks: Vec<Chunk>,
}

/// Why a manifest is not usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// A format this build does not speak.
    #[error("the manifest has format {0}, this version reads format 1")]
    Format(u32),
    /// A number outside its bounds.
    #[error("the manifest is damaged: {0}")]
    Damaged(String),
}

/// Largest chunk this build accepts, in bytes: bounds the memory of a board.
pub const MAX_CHUNK_BYTES: u32 = 16 << 20;

impl Manifest {
    /// Checks every bound that readers rely on.
    pub fn check(&self) -> Result<(), ManifestError> {
        let bad = |what: String| Err(ManifestError::Damaged(what));
        if self.format != 1 {
            return Err(ManifestError::Format(self.format));
        }
        let size = self.chunk_bytes;
        if size == 0 || size > MAX_CHUNK_BYTES || !size.is_multiple_of(4096) {
            return bad(format!("chunks of {size} bytes"));
        }
        if self.head_bytes > size || !self.head_bytes.is_multiple_of(512) {
            return bad(format!("a head of {} bytes", self.head_bytes));
        }
        let wanted = self.raw_bytes.div_ceil(u64::from(size));
        if self.chunks.len() as u64 != wanted {
            return bad(format!(
                "{} chunks where {wanted} belong",
                self.chunks.len()
            ));
        }
        for (i, chunk) in self.chunks.iter().enumerate() {
            let data = chunk.class == ChunkClass::Data;
            if data != chunk.hash.is_some() || data != (chunk.packed > 0) {
                return bad(format!("chunk {i} has the wrong fields for its class"));
            }
            if chunk.packed > 2 * u64::from(size)
                || chunk.offset.checked_add(chunk.packed).is_none()
            {
                return bad(format!("chunk {i} has an impossible place"));
            }
        }
        Ok(())
    }

    /// First byte of chunk `index` in the image.
    pub fn start(&self, index: usize) -> u64 {
        index as u64 * u64::from(self.chunk_bytes)
    }

    /// Length of chunk `index` in bytes; the last may be short.
    pub fn len_of(&self, index: usize) -> usize {
        let left = self.raw_bytes.saturating_sub(self.start(index));
        left.min(u64::from(self.chunk_bytes)) as usize
    }

    /// Bytes of data and zero chunks: what is written and read back.
    pub fn written_bytes(&self) -> u64 {
        self.sum(
            |c| c.class != ChunkClass::Hole,
            |i, _| self.len_of(i) as u64,
        )
    }

    /// Bytes of the frames: what crosses the wire for one board.
    pub fn packed_bytes(&self) -> u64 {
        self.sum(|_| true, |_, c| c.packed)
    }

    fn sum(&self, take: impl Fn(&Chunk) -> bool, bytes: impl Fn(usize, &Chunk) -> u64) -> u64 {
        self.chunks
            .iter()
            .enumerate()
            .filter(|(_, c)| take(c))
            .map(|(i, c)| bytes(i, c))
            .sum()
    }
}

/// A manifest as it travels: the exact signed bytes, who signed them, and the image id they hash to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedManifest {
    /// JSON of a [`Manifest`], exactly as hashed and signed.
    pub bytes: Vec<u8>,
    /// Ed25519 signature over `bytes`; all zero while the station has no key.
    pub signature: [u8; 64],
    /// BLAKE3 of `bytes`: the image's root hash.
    pub id: ImageId,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let hash = Some(Hash32([7; 32]));
        Manifest {
            format: 1,
            raw_bytes: 10_000,
            chunk_bytes: 4096,
            head_bytes: 512,
            chunks: vec![
                Chunk {
                    class: ChunkClass::Data,
                    hash,
                    offset: 64,
                    packed: 100,
                },
                Chunk {
                    class: ChunkClass::Zero,
                    hash: None,
                    offset: 0,
                    packed: 0,
                },
                Chunk {
                    class: ChunkClass::Hole,
                    hash: None,
                    offset: 0,
                    packed: 0,
                },
            ],
        }
    }

    #[test]
    fn a_sound_manifest_passes_and_travels() {
        let m = manifest();
        m.check().unwrap();
        assert_eq!(
            (m.len_of(2), m.written_bytes(), m.packed_bytes()),
            (1808, 8192, 100)
        );
        let json = serde_json::to_string(&m).unwrap();
        assert_eq!(serde_json::from_str::<Manifest>(&json).unwrap(), m);
    }

    #[test]
    fn hostile_bounds_are_refused() {
        let spoils: [fn(&mut Manifest); 8] = [
            |m| m.format = 2,
            |m| m.chunk_bytes = 0,
            |m| m.chunk_bytes = u32::MAX,
            |m| m.head_bytes = 100,
            |m| m.raw_bytes = u64::MAX,
            |m| m.chunks[0].hash = None,
            |m| m.chunks[0].offset = u64::MAX,
            |m| m.chunks[1].packed = 5,
        ];
        for (i, spoil) in spoils.into_iter().enumerate() {
            let mut m = manifest();
            spoil(&mut m);
            assert!(m.check().is_err(), "spoil {i} passed");
        }
    }
}
