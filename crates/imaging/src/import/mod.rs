//! Import: a golden image file becomes a pack.
//!
//! Bytes pass through four kinds of threads joined by short queues: one decompresses
//! ([`crate::source`]), one learns which blocks are used ([`crate::used`]), zeroes the rest and takes
//! the SHA-256 of the result, several hash and compress chunks, and the caller's writes them in
//! order ([`crate::pack`]). Memory is a fixed number of chunks; the pack does not depend on how many
//! threads there were. The original is opened for reading only, and whatever goes wrong, nothing is
//! left behind in the folder of packs.

mod contents;
mod error;
mod pipeline;
mod space;
mod words;

pub use crate::pack::clean;
pub use error::ImportError;
pub use space::free as free_bytes;

use crate::boot::BootSet;
use crate::pack::{self, Pack, PackError};
use crate::source::{Format, Source};
use ed25519_dalek::SigningKey;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use wire::image::{ImageContents, ImageId};
use wire::manifest::{MAX_CHUNK_BYTES, Manifest, SignedManifest};

/// How to import.
#[derive(Debug, Clone)]
pub struct Options<'a> {
    /// Bytes of a chunk: a multiple of 4096 between 64 KiB and 16 MiB.
    pub chunk_bytes: u32,
    /// Zstandard level.
    pub level: i32,
    /// Threads that compress.
    pub threads: usize,
    /// Signs the manifest.
    pub key: Option<&'a SigningKey>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            chunk_bytes: 4 << 20,
            level: 3,
            threads: std::thread::available_parallelism().map_or(2, usize::from),
            key: None,
        }
    }
}

/// How far an import is, in bytes of the file as it lies there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes used.
    pub read: u64,
    /// Bytes there are.
    pub total: u64,
}

/// An imported image.
#[derive(Debug, Clone)]
pub struct Imported {
    /// Its content address.
    pub id: ImageId,
    /// Its pack.
    pub path: PathBuf,
    /// What lay there before.
    pub before: Before,
    /// Length of the pack in bytes.
    pub pack_bytes: u64,
    /// The manifest of the pack.
    pub manifest: Manifest,
    /// SHA-256 of the image with free space as zeros, 64 hex digits.
    pub sha256: String,
    /// What was found inside.
    pub contents: ImageContents,
    /// Files of its boot partition that are too large to be served.
    pub skipped: Vec<String>,
    /// Name of the file it came from.
    pub file_name: String,
    /// What the file was compressed with.
    pub format: Format,
}

/// What lay in the place of a pack before its image was imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// Nothing.
    Nothing,
    /// The same pack, whole: it stayed.
    Same,
    /// One that was damaged or that another key signed: it was replaced.
    Faulty,
}

/// Smallest chunk: the tables at the start of an image fit into it.
const MIN_CHUNK_BYTES: u32 = 64 << 10;

/// Imports `source` into the folder `into`. Blocks until it is done, refused or cancelled;
/// `progress` is called after every chunk, from another thread.
pub fn import(
    source: &Path,
    into: &Path,
    options: &Options<'_>,
    progress: &(dyn Fn(Progress) + Sync),
    cancel: &AtomicBool,
) -> Result<Imported, ImportError> {
    let size = options.chunk_bytes;
    if !(MIN_CHUNK_BYTES..=MAX_CHUNK_BYTES).contains(&size) || !size.is_multiple_of(4096) {
        return Err(ImportError::ChunkSize(size));
    }
    let opened = Source::open(source)?;
    let format = opened.format();
    space::check_before(into, format, opened.total_bytes())?;

    let writer = pack::Writer::create(into)?;
    let (streamed, writer) = pipeline::run(opened, source, writer, options, progress, cancel)?;
    let table = streamed.map.table();
    let manifest = Manifest {
        format: 1,
        raw_bytes: streamed.raw_bytes,
        chunk_bytes: size,
        head_bytes: table.head_bytes().min(size),
        chunks: streamed.chunks,
    };
    let sealed = writer
        .seal(&manifest, options.key)
        .map_err(|e| space::sort_out(into, 0, e))?;
    let pack = sealed.open()?;
    let pack_bytes = pack.length();
    let boot = BootSet::read(pack.image())?;
    let contents = contents::describe(&streamed.map, &boot);
    let (id, path) = (sealed.signed().id, sealed.place());
    let before = look_at(&path, sealed.signed(), cancel)?;
    if before != Before::Same {
        sealed.keep().map_err(|e| space::sort_out(into, 0, e))?;
    }
    Ok(Imported {
        id,
        path,
        before,
        pack_bytes,
        manifest,
        sha256: streamed.sha256,
        contents,
        skipped: boot.skipped().to_vec(),
        file_name: source
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default(),
        format,
    })
}

/// What lies in the place of a pack. Whether it is whole shows only when all of it is read.
fn look_at(
    place: &Path,
    signed: &SignedManifest,
    cancel: &AtomicBool,
) -> Result<Before, ImportError> {
    let pack = match Pack::open(place) {
        Ok(pack) if pack.signed() == signed => pack,
        Err(PackError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Ok(Before::Nothing);
        }
        Ok(_) | Err(_) => return Ok(Before::Faulty),
    };
    for index in 0..pack.manifest().chunks.len() {
        if cancel.load(Ordering::Relaxed) {
            return Err(ImportError::Cancelled);
        }
        if pack.verify_chunk(index).is_err() {
            return Ok(Before::Faulty);
        }
    }
    Ok(Before::Same)
}
