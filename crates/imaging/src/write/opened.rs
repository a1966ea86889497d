//! The first states: everything checked and nothing lost yet; then cleared; then written.

use super::check::{prove, write, write_zeros};
use super::{Chunks, Figures, Layout, Watch, Work, WriteError, Written};
use crate::target::{MARKER_BYTES, Target, marker};
use std::ops::Range;
use wire::image::Grow;
use wire::manifest::{ChunkClass, Manifest};

/// Bytes cleared at both ends of the disk. Every partition table, its backup, and the members of
/// RAIDs that keep their mark at the end lie within.
const ENDS: u64 = 1 << 20;

/// A disk that may be written: size, sectors and partition table have been found to fit.
#[derive(Debug)]
pub struct Opened<T> {
    work: Work<T>,
}

impl<T: Target> Opened<T> {
    /// Checks all that can be checked before a byte of the disk is lost. `first_chunk` is chunk 0
    /// of the image, which holds the partition table.
    pub fn open(
        target: T,
        manifest: Manifest,
        deployment: &str,
        first_chunk: Vec<u8>,
        grow: Grow,
    ) -> Result<Self, WriteError> {
        manifest.check()?;
        if manifest.raw_bytes > target.bytes() {
            return Err(WriteError::TooSmall {
                disk_bytes: target.bytes(),
                image_bytes: manifest.raw_bytes,
            });
        }
        let named = manifest.chunks.first().and_then(|c| c.hash);
        let sound = named.is_some_and(|h| blake3::hash(&first_chunk) == blake3::Hash::from(h.0));
        if !sound || first_chunk.len() != manifest.len_of(0) {
            return Err(WriteError::FirstChunk);
        }
        let layout = Layout::plan(&manifest, &first_chunk, &target, grow)?;
        Ok(Self {
            work: Work {
                target,
                manifest,
                deployment: deployment.to_owned(),
                first: first_chunk,
                layout,
                figures: Figures::default(),
            },
        })
    }

    /// How the disk will be laid out.
    pub fn layout(&self) -> &Layout {
        &self.work.layout
    }

    /// Makes the disk unbootable and clears it. What it held is lost from here on.
    pub fn clear(self) -> Result<Cleared<T>, WriteError> {
        let mut work = self.work;
        clear(&mut work)?;
        Ok(Cleared { work })
    }
}

/// A disk that boots no more: the marker stands where the partition table was.
#[derive(Debug)]
pub struct Cleared<T> {
    work: Work<T>,
}

impl<T: Target> Cleared<T> {
    /// Writes every chunk but the head.
    pub fn write(
        self,
        chunks: &mut dyn Chunks,
        watch: &mut dyn Watch,
    ) -> Result<Written<T>, WriteError> {
        let mut work = self.work;
        let total = work.manifest.written_bytes();
        let mut left = Left::of(&work.manifest);
        let mut done = put_first(&mut work, &mut left)?;
        watch.progress(done, total)?;
        while let Some((index, bytes)) = chunks.next()? {
            if !left.take(index, bytes.len(), &work.manifest)? {
                continue;
            }
            // Zeros that lie before this chunk go first: the head of a disk that moves stays in
            // order, and a card gets long runs.
            while let Some(zero) = left.next_zero_before(index) {
                done += put_zeros(&mut work, zero)?;
                watch.progress(done, total)?;
            }
            let (offset, _) = work.place(index);
            let retried = write(&mut work.target, offset, &bytes)?;
            work.figures.rewritten_chunks += u32::from(retried);
            work.figures.bytes_written += bytes.len() as u64;
            done += bytes.len() as u64;
            watch.progress(done, total)?;
        }
        while let Some(zero) = left.next_zero_before(usize::MAX) {
            done += put_zeros(&mut work, zero)?;
            watch.progress(done, total)?;
        }
        if let Some(missing) = left.first_missing() {
            return Err(WriteError::Chunks(format!(
                "the image ended early: chunk {missing} never came"
            )));
        }
        work.target.flush().map_err(WriteError::Flush)?;
        Ok(Written::new(work))
    }
}

/// Puts the marker in place of the partition table, then clears both ends and discards holes.
fn clear<T: Target>(work: &mut Work<T>) -> Result<(), WriteError> {
    let sector = work.target.sector() as usize;
    let mark = marker(&work.deployment);
    // One sector first, flushed and read back: from here on nothing of the old system boots, and a
    // disk that takes no writes shows before anything else is tried.
    prove(&mut work.target, 0, &mark[..sector.min(MARKER_BYTES)])?;
    let disk = work.target.bytes();
    let tail = disk.saturating_sub(ENDS).max(ENDS.min(disk));
    for hole in holes(&work.manifest, tail) {
        match work.target.discard(hole.start, hole.end - hole.start) {
            Ok(true) => {}
            Ok(false) | Err(_) => break,
        }
    }
    let start = sector as u64;
    write_zeros(&mut work.target, start, ENDS.min(disk) - start)?;
    write_zeros(&mut work.target, tail, disk - tail)?;
    work.target.flush().map_err(WriteError::Flush)
}

/// Byte ranges that the image leaves free, adjacent ones joined, with the rest of the disk up to
/// `end` after it.
fn holes(manifest: &Manifest, end: u64) -> Vec<Range<u64>> {
    let mut found: Vec<Range<u64>> = Vec::new();
    let free = (0..manifest.chunks.len())
        .filter(|i| manifest.chunks[*i].class == ChunkClass::Hole)
        .map(|i| manifest.start(i)..manifest.start(i) + manifest.len_of(i) as u64)
        .chain(std::iter::once(manifest.raw_bytes..end));
    for next in free {
        match found.last_mut() {
            Some(last) if last.end == next.start => last.end = next.end.max(last.end),
            _ => found.push(next),
        }
    }
    found.retain(|r| r.start < r.end);
    found
}

fn put_first<T: Target>(work: &mut Work<T>, left: &mut Left) -> Result<u64, WriteError> {
    left.data[0] = false;
    let (offset, len) = work.place(0);
    let rest = work.first.len() - len;
    let retried = write(&mut work.target, offset, &work.first[rest..])?;
    work.figures.rewritten_chunks += u32::from(retried);
    work.figures.bytes_written += len as u64;
    Ok(work.first.len() as u64)
}

fn put_zeros<T: Target>(work: &mut Work<T>, index: usize) -> Result<u64, WriteError> {
    let (offset, len) = work.place(index);
    let retried = write_zeros(&mut work.target, offset, len as u64)?;
    work.figures.rewritten_chunks += u32::from(retried);
    work.figures.bytes_written += len as u64;
    Ok(len as u64)
}

/// Which chunks are still to be written.
struct Left {
    data: Vec<bool>,
    zeros: std::collections::VecDeque<usize>,
}

impl Left {
    fn of(manifest: &Manifest) -> Self {
        let class = |i: &usize, c| manifest.chunks[*i].class == c;
        let all = 0..manifest.chunks.len();
        Self {
            data: all.clone().map(|i| class(&i, ChunkClass::Data)).collect(),
            zeros: all.filter(|i| class(i, ChunkClass::Zero)).collect(),
        }
    }

    /// Takes a data chunk off the list; `false` when it was written before.
    fn take(&mut self, index: usize, len: usize, manifest: &Manifest) -> Result<bool, WriteError> {
        let data = |c: &wire::manifest::Chunk| c.class == ChunkClass::Data;
        if !manifest.chunks.get(index).is_some_and(data) || len != manifest.len_of(index) {
            return Err(WriteError::Chunks(format!(
                "a chunk of {len} bytes came that does not fit place {index} of the image"
            )));
        }
        Ok(std::mem::take(&mut self.data[index]))
    }

    fn next_zero_before(&mut self, index: usize) -> Option<usize> {
        self.zeros.pop_front_if(|zero| *zero < index)
    }

    fn first_missing(&self) -> Option<usize> {
        self.data.iter().position(|wanted| *wanted)
    }
}
