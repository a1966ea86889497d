//! Writing an image to a disk so that nothing is ever finished that was not proven.
//!
//! The order is the promise, and the types are the order: each state is consumed by the one step
//! that leads on, so that no code can seal a disk that was not read back.
//!
//! ```text
//! Opened ─clear▶ Cleared ─write▶ Written ─read_back▶ ReadBack ─personalise▶ Personalised ─seal▶ Sealed
//! ```
//!
//! - [`Opened`] has checked everything that can be checked while the disk is still untouched.
//! - `clear` replaces the partition table by a marker ([`crate::target::marker`]), clears what is
//!   left of an older table at both ends, and discards what the image does not use.
//! - `write` writes every chunk except the image's head.
//! - `read_back` flushes, reads every written chunk from the medium and compares it with the
//!   manifest. A range that is wrong is written once more; wrong again fails, naming the sectors.
//! - `personalise` lends the disk to whoever edits the installed system, and takes the partition
//!   table as it will be, because nothing on the disk says it yet.
//! - `seal` writes the table's backup, the head from its second sector on, and last of all the very
//!   first sector: one sector, which a disk writes whole or not at all.
//!
//! Whatever happens before that last sector, the disk has no partition table: it does not boot and
//! is recognised as unfinished.

mod check;
mod error;
mod layout;
mod opened;
mod sealed;
mod written;

pub use error::WriteError;
pub use layout::Layout;
pub use opened::{Cleared, Opened};
pub use sealed::{Personalised, ReadBack, Sealed};
pub use written::Written;

use crate::target::Target;
use wire::manifest::Manifest;

/// Where the chunks come from. Every chunk given has already been found equal to its hash.
pub trait Chunks {
    /// The next data chunk, in any order; `None` when all have been given.
    fn next(&mut self) -> Result<Option<(usize, Vec<u8>)>, WriteError>;

    /// One data chunk once more, for a range that came back wrong.
    fn again(&mut self, index: usize) -> Result<Vec<u8>, WriteError>;
}

/// Who watches a long step. Called at least once per chunk; an error ends the step.
pub trait Watch {
    /// `done` of `total` bytes of the present step are done.
    fn progress(&mut self, done: u64, total: u64) -> Result<(), WriteError>;
}

impl<F: FnMut(u64, u64) -> Result<(), WriteError>> Watch for F {
    fn progress(&mut self, done: u64, total: u64) -> Result<(), WriteError> {
        self(done, total)
    }
}

/// What a deployment has cost so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Bytes written to the medium.
    pub bytes_written: u64,
    /// Bytes read back from the medium and compared.
    pub bytes_read_back: u64,
    /// Chunks that had to be written twice.
    pub rewritten_chunks: u32,
}

/// What every state carries on.
#[derive(Debug)]
struct Work<T> {
    target: T,
    manifest: Manifest,
    deployment: String,
    /// The whole first chunk; its head stays in memory until the end.
    first: Vec<u8>,
    layout: Layout,
    figures: Figures,
}

impl<T: Target> Work<T> {
    /// The part of chunk `index` that is written before the end, and where it begins on the disk.
    fn place(&self, index: usize) -> (u64, usize) {
        let skip = if index == 0 { self.head() } else { 0 };
        let start = self.manifest.start(index) + skip as u64;
        (start, self.manifest.len_of(index) - skip)
    }

    /// Length of the head in bytes.
    fn head(&self) -> usize {
        self.layout.head.len()
    }
}
