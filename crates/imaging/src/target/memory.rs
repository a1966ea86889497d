//! A small disk in memory that can lose what was not flushed.
//!
//! Real disks acknowledge writes that still sit in a volatile cache and may write them in any
//! order. This one keeps the two apart, so that a test can pull the plug and look at what a board
//! would find afterwards.

use super::{Target, inside};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A disk in memory with a volatile write cache. A clone is the same disk.
#[derive(Debug, Clone)]
pub struct MemoryTarget {
    disk: Arc<Mutex<Disk>>,
    bytes: u64,
    sector: u32,
}

#[derive(Debug)]
struct Disk {
    medium: Vec<u8>,
    cache: Vec<(usize, Vec<u8>)>,
}

impl Disk {
    fn settle(&mut self) {
        for (at, data) in self.cache.drain(..) {
            self.medium[at..at + data.len()].copy_from_slice(&data);
        }
    }
}

impl MemoryTarget {
    /// A disk of `bytes` bytes filled with `fill`.
    pub fn new(bytes: usize, sector: u32, fill: u8) -> Self {
        let disk = Disk {
            medium: vec![fill; bytes],
            cache: Vec::new(),
        };
        Self {
            disk: Arc::new(Mutex::new(disk)),
            bytes: bytes as u64,
            sector,
        }
    }

    /// The disk after a power cut. Of the writes not flushed, sector by sector, those survive for
    /// which `survives` says so.
    pub fn after_power_cut(&self, mut survives: impl FnMut() -> bool) -> Vec<u8> {
        let disk = self.lock();
        let mut medium = disk.medium.clone();
        for (at, data) in &disk.cache {
            let mut at = *at;
            for piece in data.chunks(self.sector as usize) {
                if survives() {
                    medium[at..at + piece.len()].copy_from_slice(piece);
                }
                at += piece.len();
            }
        }
        medium
    }

    /// Overwrites part of the medium behind everybody's back.
    pub fn tamper(&self, offset: usize, data: &[u8]) {
        self.lock().medium[offset..offset + data.len()].copy_from_slice(data);
    }

    fn lock(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Target for MemoryTarget {
    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn sector(&self) -> u32 {
        self.sector
    }

    fn write_at(&mut self, offset: u64, data: &[u8]) -> io::Result<()> {
        inside(self.bytes, offset, data.len())?;
        self.lock().cache.push((offset as usize, data.to_vec()));
        Ok(())
    }

    fn read_back(&mut self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        inside(self.bytes, offset, into.len())?;
        let (at, end) = (offset as usize, offset as usize + into.len());
        let disk = self.lock();
        into.copy_from_slice(&disk.medium[at..end]);
        // A disk answers reads from its own cache.
        for (start, data) in &disk.cache {
            let (from, to) = (at.max(*start), end.min(start + data.len()));
            if from < to {
                into[from - at..to - at].copy_from_slice(&data[from - start..to - start]);
            }
        }
        Ok(())
    }

    fn discard(&mut self, offset: u64, len: u64) -> io::Result<bool> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        inside(self.bytes, offset, len)?;
        // Anything may be read after a discard; an odd value shows who relies on it.
        self.lock().cache.push((offset as usize, vec![0xd5; len]));
        Ok(true)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lock().settle();
        Ok(())
    }
}
