//! Reading a pack. Nothing in the file is believed before it is checked.

use super::{
    ChunkError, END_MAGIC, FOOTER_BYTES, HEADER_BYTES, Image, MAGIC, MAX_MANIFEST_BYTES, PackError,
    SIGNATURE_BYTES, VERSION, decode_chunk, decode_chunk_into,
};
use std::fs::{self, File, Metadata};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wire::image::ImageId;
use wire::manifest::{ChunkClass, Manifest, SignedManifest};

/// An open pack. Clones share the file; reading needs no lock.
#[derive(Debug, Clone)]
pub struct Pack(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    file: Arc<File>,
    /// What the kernel said of the file when it was opened.
    found: Metadata,
    length: u64,
    manifest: Manifest,
    signed: SignedManifest,
}

impl Pack {
    /// Opens a pack and checks its frame places, its manifest and that it is whole.
    pub fn open(path: &Path) -> Result<Self, PackError> {
        let read_error = |source| PackError::Io {
            path: path.to_owned(),
            act: "read",
            source,
        };
        let not = |why: String| PackError::NotAPack {
            path: path.to_owned(),
            why,
        };
        let file = File::open(path).map_err(read_error)?;
        let found = file.metadata().map_err(read_error)?;
        let length = found.len();
        let least = HEADER_BYTES + SIGNATURE_BYTES + FOOTER_BYTES;
        if length < least {
            return Err(not(format!("it has {length} bytes")));
        }

        let mut header = [0; HEADER_BYTES as usize];
        file.read_exact_at(&mut header, 0).map_err(read_error)?;
        let mut footer = [0; FOOTER_BYTES as usize];
        file.read_exact_at(&mut footer, length - FOOTER_BYTES)
            .map_err(read_error)?;
        if &header[..8] != MAGIC {
            return Err(not("it begins with something else".to_owned()));
        }
        if &footer[48..] != END_MAGIC {
            return Err(not("its end is missing".to_owned()));
        }
        let version = u32::from_le_bytes([header[8], header[9], header[10], header[11]]);
        if version != VERSION {
            return Err(not(format!(
                "it has version {version}, this program reads version {VERSION}"
            )));
        }

        let begins = le64(&footer, 0);
        let bytes = le64(&footer, 8);
        if bytes > MAX_MANIFEST_BYTES
            || begins < HEADER_BYTES
            || begins.checked_add(bytes) != Some(length - SIGNATURE_BYTES - FOOTER_BYTES)
        {
            return Err(not("its manifest has an impossible place".to_owned()));
        }
        let mut manifest_bytes = vec![0; bytes as usize];
        file.read_exact_at(&mut manifest_bytes, begins)
            .map_err(read_error)?;
        let mut signature = [0; SIGNATURE_BYTES as usize];
        file.read_exact_at(&mut signature, begins + bytes)
            .map_err(read_error)?;
        let id = ImageId(*blake3::hash(&manifest_bytes).as_bytes());
        if id.0 != footer[16..48] {
            return Err(not("its manifest is damaged".to_owned()));
        }
        let manifest: Manifest =
            serde_json::from_slice(&manifest_bytes).map_err(|e| not(e.to_string()))?;
        manifest.check().map_err(|source| PackError::Manifest {
            path: path.to_owned(),
            source,
        })?;
        let frames = HEADER_BYTES..begins;
        let mut data = manifest.chunks.iter().filter(|c| c.packed > 0);
        if !data.all(|c| frames.contains(&c.offset) && c.offset + c.packed <= frames.end) {
            return Err(not("a chunk lies outside of the file".to_owned()));
        }
        Ok(Self(Arc::new(Inner {
            path: path.to_owned(),
            file: Arc::new(file),
            found,
            length,
            manifest,
            signed: SignedManifest {
                bytes: manifest_bytes,
                signature,
                id,
            },
        })))
    }

    /// Its manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.0.manifest
    }

    /// Its manifest as it travels.
    pub fn signed(&self) -> &SignedManifest {
        &self.0.signed
    }

    /// The image's id.
    pub fn id(&self) -> ImageId {
        self.0.signed.id
    }

    /// Length of the file in bytes.
    pub fn length(&self) -> u64 {
        self.0.length
    }

    /// The file itself, for whoever sends it on as it lies.
    pub fn file(&self) -> &Arc<File> {
        &self.0.file
    }

    /// Where the file lies.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Is the file at its place still the one that was opened, and unchanged? It is asked for once
    /// more, not read.
    pub fn is_as_opened(&self) -> bool {
        let mark = |m: &Metadata| (m.dev(), m.ino(), m.len(), m.mtime(), m.mtime_nsec());
        fs::metadata(&self.0.path).is_ok_and(|now| mark(&now) == mark(&self.0.found))
    }

    /// Bytes of the file, as a board fetches them. The caller bounds the length.
    pub fn read_packed(&self, range: Range<u64>) -> Result<Vec<u8>, PackError> {
        let inside = range.start <= range.end && range.end <= self.0.length;
        if !inside {
            return Err(PackError::OutOfRange {
                start: range.start,
                end: range.end,
                length: self.0.length,
            });
        }
        let mut bytes = vec![0; (range.end - range.start) as usize];
        self.read_at(&mut bytes, range.start)?;
        Ok(bytes)
    }

    /// The raw bytes of chunk `index`, checked against its hash; zeros for zero chunks and holes.
    pub fn read_chunk(&self, index: usize) -> Result<Vec<u8>, PackError> {
        match self.frame(index)? {
            Some(frame) => {
                decode_chunk(self.manifest(), index, &frame).map_err(|e| self.chunk_error(e))
            }
            None => Ok(vec![0; self.manifest().len_of(index)]),
        }
    }

    /// Like [`Pack::read_chunk`], into a buffer of exactly the chunk's length.
    pub(super) fn read_chunk_into(&self, index: usize, raw: &mut [u8]) -> Result<(), PackError> {
        let Some(frame) = self.frame(index)? else {
            raw.fill(0);
            return Ok(());
        };
        decode_chunk_into(self.manifest(), index, &frame, raw).map_err(|e| self.chunk_error(e))
    }

    /// The image as it was imported, free space as zeros.
    pub fn image(&self) -> Image {
        Image::new(self.clone())
    }

    /// Decodes every chunk and checks its hash: the re-check of a stored image.
    pub fn verify(&self) -> Result<(), PackError> {
        (0..self.manifest().chunks.len()).try_for_each(|index| self.verify_chunk(index))
    }

    /// The same for chunk `index` alone; where there is no data there is nothing to check.
    pub fn verify_chunk(&self, index: usize) -> Result<(), PackError> {
        match self.frame(index)? {
            Some(frame) => decode_chunk(self.manifest(), index, &frame)
                .map(drop)
                .map_err(|e| self.chunk_error(e)),
            None => Ok(()),
        }
    }

    pub(super) fn is_data(&self, index: usize) -> bool {
        self.manifest()
            .chunks
            .get(index)
            .is_some_and(|c| c.class == ChunkClass::Data)
    }

    fn frame(&self, index: usize) -> Result<Option<Vec<u8>>, PackError> {
        let Some(chunk) = self.manifest().chunks.get(index) else {
            return Err(self.chunk_error(ChunkError::NotData(index)));
        };
        if chunk.class != ChunkClass::Data {
            return Ok(None);
        }
        self.read_packed(chunk.offset..chunk.offset + chunk.packed)
            .map(Some)
    }

    fn read_at(&self, bytes: &mut [u8], at: u64) -> Result<(), PackError> {
        self.0
            .file
            .read_exact_at(bytes, at)
            .map_err(|source: io::Error| PackError::Io {
                path: self.0.path.clone(),
                act: "read",
                source,
            })
    }

    fn chunk_error(&self, source: ChunkError) -> PackError {
        PackError::Chunk {
            path: self.0.path.clone(),
            source,
        }
    }
}

fn le64(bytes: &[u8], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(number)
}
