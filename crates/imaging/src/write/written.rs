//! Second state: all written but the head. Next, the medium is read back and compared.

use super::check::{ZEROS, differs, write};
use super::{Chunks, Figures, ReadBack, Watch, Work, WriteError};
use crate::target::Target;
use crossbeam_channel::{Receiver, Sender, bounded};
use wire::manifest::{Chunk, ChunkClass, Manifest};

/// Threads that compare while the disk reads on.
const COMPARERS: usize = 2;

/// Buffers in flight: one being read, one waiting, one per comparing thread. With the largest chunk
/// that is allowed this is 64 MiB.
const BUFFERS: usize = COMPARERS + 2;

/// Wrong chunks gathered before they are put right. A disk that holds nothing of what was written
/// shows at the first repair, not after hours of reading.
const GATHER: usize = 4;

/// A disk that holds every chunk but the head, as far as it says.
#[derive(Debug)]
pub struct Written<T> {
    work: Work<T>,
}

impl<T: Target> Written<T> {
    pub(super) fn new(work: Work<T>) -> Self {
        Self { work }
    }

    /// What it cost so far.
    pub fn figures(&self) -> Figures {
        self.work.figures
    }

    /// Reads every written chunk from the medium and compares it with the manifest. A chunk that
    /// is wrong is asked for again, written once more and read again.
    pub fn read_back(
        self,
        chunks: &mut dyn Chunks,
        watch: &mut dyn Watch,
    ) -> Result<ReadBack<T>, WriteError> {
        let mut work = self.work;
        let total = work.manifest.written_bytes();
        let (mut next, mut done) = (0, 0);
        while next < work.manifest.chunks.len() {
            let bad = scan(&mut work, &mut next, &mut |bytes| {
                done += bytes;
                watch.progress(done, total)
            })?;
            for index in bad {
                repair(&mut work, index, chunks)?;
            }
        }
        Ok(ReadBack::new(work))
    }
}

/// Reads chunks from `*next` on and returns those that are wrong; stops early when there are many.
fn scan<T: Target>(
    work: &mut Work<T>,
    next: &mut usize,
    moved: &mut dyn FnMut(u64) -> Result<(), WriteError>,
) -> Result<Vec<usize>, WriteError> {
    let (to_compare, compare) = bounded::<Read>(1);
    let (to_pool, pool) = bounded::<Vec<u8>>(BUFFERS);
    let (to_bad, bad) = bounded::<usize>(work.manifest.chunks.len());
    for _ in 0..BUFFERS {
        // Empty until used: a small image needs no large buffers.
        to_pool.send(Vec::new()).ok();
    }
    let manifest = work.manifest.clone();
    let first = work.first.clone();
    std::thread::scope(|scope| {
        for _ in 0..COMPARERS {
            let (compare, pool, bad) = (compare.clone(), to_pool.clone(), to_bad.clone());
            let (manifest, first) = (&manifest, &first);
            scope.spawn(move || comparer(&compare, &pool, &bad, manifest, first));
        }
        let read = read_chunks(work, next, &pool, &to_compare, &to_bad, &bad, moved);
        drop(to_compare);
        read
    })?;
    drop(to_bad);
    let mut bad: Vec<usize> = bad.iter().collect();
    bad.sort_unstable();
    Ok(bad)
}

/// A chunk as the medium holds it.
struct Read {
    index: usize,
    bytes: Vec<u8>,
}

fn read_chunks<T: Target>(
    work: &mut Work<T>,
    next: &mut usize,
    pool: &Receiver<Vec<u8>>,
    to_compare: &Sender<Read>,
    to_bad: &Sender<usize>,
    bad: &Receiver<usize>,
    moved: &mut dyn FnMut(u64) -> Result<(), WriteError>,
) -> Result<(), WriteError> {
    while *next < work.manifest.chunks.len() && bad.len() < GATHER {
        let index = *next;
        *next += 1;
        if work.manifest.chunks[index].class == ChunkClass::Hole {
            continue;
        }
        let Ok(mut bytes) = pool.recv() else { break };
        let (offset, len) = work.place(index);
        bytes.resize(len, 0);
        match work.target.read_back(offset, &mut bytes) {
            Ok(()) => {
                work.figures.bytes_read_back += len as u64;
                to_compare.send(Read { index, bytes }).ok();
            }
            Err(_) => {
                to_bad.send(index).ok();
            }
        }
        moved(work.manifest.len_of(index) as u64)?;
    }
    Ok(())
}

fn comparer(
    compare: &Receiver<Read>,
    pool: &Sender<Vec<u8>>,
    bad: &Sender<usize>,
    manifest: &Manifest,
    first: &[u8],
) {
    for Read { index, bytes } in compare {
        if !sound(&manifest.chunks[index], index, &bytes, first) {
            bad.send(index).ok();
        }
        pool.send(bytes).ok();
    }
}

fn sound(chunk: &Chunk, index: usize, bytes: &[u8], first: &[u8]) -> bool {
    match (chunk.class, chunk.hash) {
        // The head is still withheld, so the hash of chunk 0 cannot be formed: its rest is
        // compared with the bytes in memory, which were hashed when the disk was opened.
        _ if index == 0 => first.ends_with(bytes),
        (ChunkClass::Data, Some(hash)) => blake3::hash(bytes) == blake3::Hash::from(hash.0),
        (ChunkClass::Data, None) => false,
        (ChunkClass::Zero, _) => bytes.chunks(ZEROS.len()).all(|p| *p == ZEROS[..p.len()]),
        (ChunkClass::Hole, _) => true,
    }
}

fn repair<T: Target>(
    work: &mut Work<T>,
    index: usize,
    chunks: &mut dyn Chunks,
) -> Result<(), WriteError> {
    let (offset, len) = work.place(index);
    let good = match work.manifest.chunks[index].class {
        _ if index == 0 => work.first[work.first.len() - len..].to_vec(),
        ChunkClass::Data => chunks.again(index)?,
        ChunkClass::Zero | ChunkClass::Hole => vec![0; len],
    };
    if good.len() != len || !sound(&work.manifest.chunks[index], index, &good, &work.first) {
        return Err(WriteError::Chunks(format!(
            "chunk {index} came back different when it was asked for again"
        )));
    }
    // Perhaps only the reading failed: what reads well now needs no second write.
    if differs(&mut work.target, offset, &good).is_none() {
        work.figures.bytes_read_back += len as u64;
        return Ok(());
    }
    write(&mut work.target, offset, &good)?;
    work.target.flush().map_err(WriteError::Flush)?;
    work.figures.rewritten_chunks += 1;
    work.figures.bytes_written += len as u64;
    work.figures.bytes_read_back += len as u64;
    match differs(&mut work.target, offset, &good) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}
