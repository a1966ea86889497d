//! One chunk, from its frame to its bytes, checked.

use wire::manifest::{Chunk, Manifest};

/// Why a frame is not the chunk it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// There is no data chunk with this number.
    #[error("chunk {0} holds no data")]
    NotData(usize),
    /// The frame does not have the length the manifest gives.
    #[error("chunk {index} came with {got} bytes instead of {wanted}")]
    Length {
        /// The chunk.
        index: usize,
        /// Bytes that came.
        got: usize,
        /// Bytes of its frame by the manifest.
        wanted: u64,
    },
    /// The frame does not decompress to the chunk's length.
    #[error("chunk {index} does not decompress: {why}")]
    Frame {
        /// The chunk.
        index: usize,
        /// What zstd says.
        why: String,
    },
    /// The bytes are not the ones of the manifest.
    #[error("chunk {0} is damaged: its hash is wrong")]
    Hash(usize),
}

/// Decompresses the frame of chunk `index` and checks its hash. Memory is bounded by the manifest,
/// not by the frame.
pub fn decode_chunk(
    manifest: &Manifest,
    index: usize,
    packed: &[u8],
) -> Result<Vec<u8>, ChunkError> {
    let mut raw = vec![0; manifest.len_of(index)];
    decode_chunk_into(manifest, index, packed, &mut raw)?;
    Ok(raw)
}

/// Like [`decode_chunk`], into a buffer that has exactly the chunk's length
/// ([`Manifest::len_of`]). What the buffer holds after an error is no part of the image.
pub fn decode_chunk_into(
    manifest: &Manifest,
    index: usize,
    packed: &[u8],
    raw: &mut [u8],
) -> Result<(), ChunkError> {
    let chunk = manifest.chunks.get(index);
    let Some((&Chunk { packed: wanted, .. }, Some(hash))) = chunk.map(|c| (c, c.hash)) else {
        return Err(ChunkError::NotData(index));
    };
    if packed.len() as u64 != wanted {
        return Err(ChunkError::Length {
            index,
            got: packed.len(),
            wanted,
        });
    }
    let frame = |why: String| ChunkError::Frame { index, why };
    let length = manifest.len_of(index);
    if raw.len() != length {
        return Err(frame(format!(
            "the buffer has {} bytes instead of {length}",
            raw.len()
        )));
    }
    let got = zstd::bulk::decompress_to_buffer(packed, raw).map_err(|e| frame(e.to_string()))?;
    if got != length {
        return Err(frame(format!("it holds {got} bytes instead of {length}")));
    }
    if blake3::hash(raw) != hash.0 {
        return Err(ChunkError::Hash(index));
    }
    Ok(())
}
