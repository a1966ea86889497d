//! The last states: proven, personalised, sealed.

use super::check::{differs, prove, write};
use super::{Figures, Layout, Work, WriteError};
use crate::personalise::PersonaliseError;
use crate::target::{Target, marker};

/// A disk of which every written chunk was read back and found right. It has no partition table
/// yet.
#[derive(Debug)]
pub struct ReadBack<T> {
    work: Work<T>,
}

impl<T: Target> ReadBack<T> {
    pub(super) fn new(work: Work<T>) -> Self {
        Self { work }
    }

    /// What it cost so far.
    pub fn figures(&self) -> Figures {
        self.work.figures
    }

    /// Lends the disk, and the partition table it will have, to whoever edits the installed
    /// system. `edit` returns only after it has read its changes back; it says how many bytes
    /// those were.
    pub fn personalise(
        self,
        edit: impl FnOnce(&mut T, &Layout) -> Result<u64, PersonaliseError>,
    ) -> Result<Personalised<T>, WriteError> {
        let mut work = self.work;
        work.layout.complete(&mut work.target);
        let bytes = edit(&mut work.target, &work.layout)?;
        work.figures.bytes_written += bytes;
        work.figures.bytes_read_back += bytes;
        Ok(Personalised { work })
    }
}

/// A disk that is complete but for its head.
#[derive(Debug)]
pub struct Personalised<T> {
    work: Work<T>,
}

impl<T: Target> Personalised<T> {
    /// Writes the head, its first sector last of all, and reads it back. From here on the disk
    /// boots.
    pub fn seal(self) -> Result<Sealed<T>, WriteError> {
        let mut work = self.work;
        let sector = work.target.sector() as usize;
        work.target.flush().map_err(WriteError::Flush)?;
        let layout = work.layout.clone();
        let (first, rest) = layout.head.split_at(sector.min(layout.head.len()));
        let backup = layout.backup.as_ref().map(|(at, bytes)| (*at, &bytes[..]));
        let parts = backup
            .into_iter()
            .chain([(sector as u64, rest), (0, first)]);
        for (offset, bytes) in parts.filter(|(_, bytes)| !bytes.is_empty()) {
            if let Err(e) = prove(&mut work.target, offset, bytes) {
                // Whatever the first sector holds now, it must not boot.
                unseal(&mut work);
                return Err(e);
            }
            work.figures.bytes_written += bytes.len() as u64;
            work.figures.bytes_read_back += bytes.len() as u64;
        }
        Ok(Sealed { work })
    }
}

/// A finished disk.
#[derive(Debug)]
pub struct Sealed<T> {
    work: Work<T>,
}

impl<T: Target> Sealed<T> {
    /// What it cost.
    pub fn figures(&self) -> Figures {
        self.work.figures
    }

    /// Makes the disk unbootable again, because its deployment was called off after all.
    pub fn undo(mut self) -> Result<(), WriteError> {
        if unseal(&mut self.work) {
            return Ok(());
        }
        Err(WriteError::Flush(std::io::Error::other(
            "the first sector still holds the partition table",
        )))
    }

    /// The disk.
    pub fn into_target(self) -> T {
        self.work.target
    }
}

/// Puts the marker back; true when it is known to be on the medium.
fn unseal<T: Target>(work: &mut Work<T>) -> bool {
    let mark = marker(&work.deployment);
    let mark = &mark[..(work.target.sector() as usize).min(mark.len())];
    write(&mut work.target, 0, mark).is_ok()
        && work.target.flush().is_ok()
        && differs(&mut work.target, 0, mark).is_none()
}
