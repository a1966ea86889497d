//! The threads of an import and the queues between them.
//!
//! Every chunk in flight owns a pair of buffers from a fixed pool, and the pair goes back only when
//! the chunk has been written: that bounds memory and keeps fast chunks from running far ahead of a
//! slow one. A thread that fails drops its ends of the queues, which stops those before and behind
//! it; when writing fails, a flag stops the reading and what is still under way is let through.

use super::{ImportError, Options, Progress, space};
use crate::pack::Writer;
use crate::partitions::{SECTOR, Table};
use crate::source::{ReadBytes, Source, SourceError};
use crate::used::{FileSystemKind, UsedMap};
use crossbeam_channel::{Receiver, Sender, bounded};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use wire::manifest::{Chunk, ChunkClass, Hash32};

/// What streaming the image through has shown.
#[derive(Debug)]
pub(super) struct Streamed {
    pub(super) chunks: Vec<Chunk>,
    pub(super) raw_bytes: u64,
    pub(super) sha256: String,
    pub(super) map: UsedMap,
}

/// The buffers of one chunk in flight.
#[derive(Default)]
struct Buffers {
    raw: Vec<u8>,
    frame: Vec<u8>,
}

/// A chunk on its way to be compressed.
struct Raw {
    index: usize,
    buffers: Buffers,
}

/// A chunk on its way to be written; only data has buffers.
struct Packed {
    index: usize,
    chunk: Result<Chunk, ImportError>,
    buffers: Option<Buffers>,
}

/// `None`: stopped because another thread did.
type Outcome<T> = Result<Option<T>, ImportError>;

/// Frames between two looks at the free space.
const LOOK_EVERY: u64 = 16;

pub(super) fn run(
    source: Source,
    path: &Path,
    mut writer: Writer,
    options: &Options<'_>,
    progress: &(dyn Fn(Progress) + Sync),
    cancel: &AtomicBool,
) -> Result<(Streamed, Writer), ImportError> {
    let threads = options.threads.max(1);
    let in_flight = threads + 4;
    let (pool_in, pool) = bounded(in_flight);
    for _ in 0..in_flight {
        // The queue has room for every pair there is.
        let _ = pool_in.send(Buffers::default());
    }
    let (raw_in, raw) = bounded(1);
    let (work_in, work) = bounded(1);
    let (packed_in, packed) = bounded(in_flight);
    let counter = source.read_bytes();
    let total = source.total_bytes();
    let tell = || {
        progress(Progress {
            read: counter.so_far().min(total),
            total,
        });
    };

    let stop = AtomicBool::new(false);
    let (read, mapped, wrote) = thread::scope(|scope| {
        let stops = [cancel, &stop];
        let chunk_bytes = options.chunk_bytes as usize;
        let reader =
            scope.spawn(move || read_chunks(source, path, chunk_bytes, stops, &pool, &raw_in));
        let mapper = {
            let (packed_in, pool_in) = (packed_in.clone(), pool_in.clone());
            let tell = &tell;
            scope.spawn(move || map_chunks(&raw, &work_in, &packed_in, &pool_in, tell))
        };
        for _ in 0..threads {
            let (work, packed_in) = (work.clone(), packed_in.clone());
            scope.spawn(move || compress(&work, &packed_in, options.level));
        }
        drop((work, packed_in));
        let to_come = |written| rest_of(written, &counter, total);
        let wrote = write_in_order(&packed, &pool_in, &mut writer, &to_come);
        if wrote.is_err() {
            stop.store(true, Ordering::Relaxed);
            // The buffers may all have been lost with the chunks that wait for their turn; with new
            // ones the reader comes to see the flag.
            while pool_in.try_send(Buffers::default()).is_ok() {}
            packed.iter().for_each(drop);
        }
        let read = reader.join().unwrap_or(Err(PANICKED));
        let mapped = mapper.join().unwrap_or(Err(PANICKED));
        (read, mapped, wrote)
    });
    // In this order: what the mapper says about a stream that was stopped is not the reason.
    read?;
    let chunks = wrote?;
    let (Some(mapped), Some(chunks)) = (mapped?, chunks) else {
        return Err(PANICKED);
    };
    let streamed = Streamed {
        chunks,
        raw_bytes: mapped.raw_bytes,
        sha256: mapped.sha256,
        map: mapped.map,
    };
    Ok((streamed, writer))
}

const PANICKED: ImportError = ImportError::Internal("a thread stopped");

/// Bytes of the pack still to come, if the rest of the file packs like the part that was read.
fn rest_of(written: u64, counter: &ReadBytes, total: u64) -> u64 {
    let read = counter.so_far().clamp(1, total.max(1));
    let whole = u128::from(written) * u128::from(total) / u128::from(read);
    u64::try_from(whole)
        .unwrap_or(u64::MAX)
        .saturating_sub(written)
}

fn read_chunks(
    mut source: Source,
    path: &Path,
    chunk_bytes: usize,
    [cancel, stop]: [&AtomicBool; 2],
    pool: &Receiver<Buffers>,
    to: &Sender<Raw>,
) -> Result<(), ImportError> {
    for index in 0.. {
        let Ok(mut buffers) = pool.recv() else { break };
        buffers.raw.resize(chunk_bytes, 0);
        let mut filled = 0;
        while filled < chunk_bytes {
            if cancel.load(Ordering::Relaxed) {
                return Err(ImportError::Cancelled);
            }
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            match source.read(&mut buffers.raw[filled..]) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(SourceError::from_read(path, e).into()),
            }
        }
        buffers.raw.truncate(filled);
        if filled == 0 || to.send(Raw { index, buffers }).is_err() {
            break;
        }
    }
    Ok(())
}

struct Mapped {
    raw_bytes: u64,
    sha256: String,
    map: UsedMap,
}

fn map_chunks(
    from: &Receiver<Raw>,
    work: &Sender<Raw>,
    packed: &Sender<Packed>,
    pool: &Sender<Buffers>,
    tell: &dyn Fn(),
) -> Outcome<Mapped> {
    let mut sha = Sha256::new();
    let mut raw_bytes = 0;
    let mut map: Option<UsedMap> = None;
    let mut boot_seen = false;
    for Raw { index, mut buffers } in from {
        let map = match &mut map {
            Some(map) => map,
            none => none.insert(UsedMap::new(first_table(&buffers.raw)?)),
        };
        let class = map_chunk(map, raw_bytes, &mut buffers.raw);
        if !boot_seen && map.all_seen() {
            boot_seen = has_boot_partition(map);
            if !boot_seen {
                return Err(ImportError::NoBootPartition);
            }
        }
        sha.update(&buffers.raw);
        raw_bytes += buffers.raw.len() as u64;
        let sent = if class == ChunkClass::Data {
            work.send(Raw { index, buffers }).is_ok()
        } else {
            let chunk = Chunk {
                class,
                hash: None,
                offset: 0,
                packed: 0,
            };
            // Nobody takes buffers any more once the file has been read.
            let _ = pool.send(buffers);
            let done = Packed {
                index,
                chunk: Ok(chunk),
                buffers: None,
            };
            packed.send(done).is_ok()
        };
        tell();
        if !sent {
            return Ok(None);
        }
    }
    let Some(map) = map else {
        return Err(ImportError::NotAnImage("it is empty".to_owned()));
    };
    let needed = map.table().end();
    if needed > raw_bytes {
        return Err(ImportError::Truncated {
            needed,
            have: raw_bytes,
        });
    }
    if !raw_bytes.is_multiple_of(SECTOR) {
        return Err(ImportError::NotAnImage(format!(
            "its {raw_bytes} bytes are no whole number of sectors"
        )));
    }
    if !has_boot_partition(&map) {
        return Err(ImportError::NoBootPartition);
    }
    Ok(Some(Mapped {
        raw_bytes,
        sha256: hex::encode(sha.finalize()),
        map,
    }))
}

fn first_table(first: &[u8]) -> Result<Table, ImportError> {
    if first.len() < SECTOR as usize {
        return Err(ImportError::NotAnImage(format!(
            "it has {} bytes",
            first.len()
        )));
    }
    Ok(Table::parse(first)?)
}

fn has_boot_partition(map: &UsedMap) -> bool {
    map.file_systems().any(|s| s.kind == FileSystemKind::Fat)
}

/// Learns from a chunk, zeroes what is free in it and says what is left.
fn map_chunk(map: &mut UsedMap, start: u64, raw: &mut [u8]) -> ChunkClass {
    map.feed(start, raw);
    let mut free = 0;
    for range in map.free(start, raw.len() as u64) {
        let part = (range.start - start) as usize..(range.end - start) as usize;
        free += part.len();
        raw[part].fill(0);
    }
    if free == raw.len() {
        ChunkClass::Hole
    } else if is_zero(raw) {
        ChunkClass::Zero
    } else {
        ChunkClass::Data
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    // Blocks without a branch inside are compared many bytes at a time.
    let block_is_zero = |block: &[u8]| block.iter().fold(0, |all, b| all | b) == 0;
    bytes.chunks(4096).all(block_is_zero)
}

fn compress(work: &Receiver<Raw>, packed: &Sender<Packed>, level: i32) {
    let mut compressor = zstd::bulk::Compressor::new(level);
    for Raw { index, mut buffers } in work {
        let chunk = match &mut compressor {
            Ok(compressor) => compress_chunk(compressor, &mut buffers),
            Err(_) => Err(ImportError::Internal("no compressor")),
        };
        let done = Packed {
            index,
            chunk,
            buffers: Some(buffers),
        };
        if packed.send(done).is_err() {
            break;
        }
    }
}

fn compress_chunk(
    compressor: &mut zstd::bulk::Compressor<'_>,
    buffers: &mut Buffers,
) -> Result<Chunk, ImportError> {
    let hash = Hash32(*blake3::hash(&buffers.raw).as_bytes());
    let bound = zstd::zstd_safe::compress_bound(buffers.raw.len());
    buffers.frame.clear();
    buffers.frame.reserve(bound);
    compressor
        .compress_to_buffer(&buffers.raw, &mut buffers.frame)
        .map_err(|_| ImportError::Internal("compression failed"))?;
    Ok(Chunk {
        class: ChunkClass::Data,
        hash: Some(hash),
        offset: 0,
        packed: buffers.frame.len() as u64,
    })
}

/// Appends the frames in the order of the chunks, whatever order they come in.
fn write_in_order(
    from: &Receiver<Packed>,
    pool: &Sender<Buffers>,
    writer: &mut Writer,
    to_come: &dyn Fn(u64) -> u64,
) -> Outcome<Vec<Chunk>> {
    let mut waiting = BTreeMap::new();
    let mut chunks = Vec::new();
    let mut frames = 0_u64;
    for packed in from {
        waiting.insert(packed.index, packed);
        while let Some(next) = waiting.remove(&chunks.len()) {
            let mut chunk = next.chunk?;
            if let Some(buffers) = next.buffers {
                let written = writer.written();
                chunk.offset = match writer.append(&buffers.frame) {
                    Ok(offset) => offset,
                    Err(e) => return Err(space::sort_out(writer.folder(), to_come(written), e)),
                };
                frames += 1;
                if frames.is_multiple_of(LOOK_EVERY) {
                    space::check_during(writer.folder(), to_come(writer.written()))?;
                }
                // Nobody takes buffers any more once the file has been read.
                let _ = pool.send(buffers);
            }
            chunks.push(chunk);
        }
    }
    Ok(waiting.is_empty().then_some(chunks))
}
