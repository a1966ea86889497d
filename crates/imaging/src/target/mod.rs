//! A disk as the writer sees it: write, read back from the medium, discard, flush.
//!
//! The writer ([`crate::write`]) is the same code on a board and on a developer's machine; what
//! differs is below this trait. [`BlockDevice`] is a board's disk (direct IO, aligned buffers),
//! [`FileTarget`] a sparse file that stands for a virtual board's disk, and [`FaultyTarget`] wraps
//! either to fail, lie, corrupt or lose power on schedule. [`inspect`] says what already lies on a
//! disk, before anybody decides to overwrite it.

mod aligned;
mod block;
mod content;
mod faulty;
mod file;
mod memory;

pub use aligned::AlignedBuf;
pub use block::{BlockDevice, Discard};
pub use content::{MARKER_BYTES, inspect, is_marker, marker};
pub use faulty::{Fault, FaultyTarget, Switch};
pub use file::FileTarget;
pub use memory::MemoryTarget;

use std::io;

/// A disk that can be written and read back.
///
/// Offsets and lengths are in bytes. Implementations take any offset and length inside the disk;
/// those that are multiples of [`Target::sector`] are fast. A write past the end is an error and
/// changes nothing.
pub trait Target: Send {
    /// Size in bytes.
    fn bytes(&self) -> u64;

    /// Logical sector size in bytes: 512 or 4096.
    fn sector(&self) -> u32;

    /// Writes all of `data` at `offset`.
    fn write_at(&mut self, offset: u64, data: &[u8]) -> io::Result<()>;

    /// Fills `into` from `offset` as the medium holds it: never from the page cache.
    fn read_back(&mut self, offset: u64, into: &mut [u8]) -> io::Result<()>;

    /// Tells the medium that a range holds nothing of value. `Ok(false)` when it cannot be told;
    /// what the range reads as afterwards is not defined either way.
    fn discard(&mut self, offset: u64, len: u64) -> io::Result<bool>;

    /// Returns once everything written so far survives a power cut.
    fn flush(&mut self) -> io::Result<()>;
}

impl<T: Target + ?Sized> Target for Box<T> {
    fn bytes(&self) -> u64 {
        (**self).bytes()
    }
    fn sector(&self) -> u32 {
        (**self).sector()
    }
    fn write_at(&mut self, offset: u64, data: &[u8]) -> io::Result<()> {
        (**self).write_at(offset, data)
    }
    fn read_back(&mut self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        (**self).read_back(offset, into)
    }
    fn discard(&mut self, offset: u64, len: u64) -> io::Result<bool> {
        (**self).discard(offset, len)
    }
    fn flush(&mut self) -> io::Result<()> {
        (**self).flush()
    }
}

/// Refuses a range that does not lie inside a disk of `size` bytes.
fn inside(size: u64, offset: u64, len: usize) -> io::Result<()> {
    match offset.checked_add(len as u64) {
        Some(end) if end <= size => Ok(()),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{len} bytes at {offset} reach past the end of a disk of {size} bytes"),
        )),
    }
}
