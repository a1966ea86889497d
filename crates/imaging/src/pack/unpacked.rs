//! The image that a pack holds as a file again, unpacked chunk by chunk as it is asked for.
//!
//! Foreign installers fetch whole images, often many boards the same one at the same time. Each
//! chunk is decompressed and checked once for all of them; from then on it lies in a sparse file
//! without a name, out of which it can be sent as it is. The file takes as much room as the image has
//! data, and is gone with the last who holds it, however this program ends.

use super::{Pack, PackError};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Room that stays free beside an unpacked image: records of the station and imports need it.
const RESERVE: u64 = 1 << 30;

/// An image that is being unpacked.
#[derive(Debug)]
pub struct Unpacked {
    pack: Pack,
    file: Arc<File>,
    chunks: Mutex<Vec<State>>,
    changed: Condvar,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Packed,
    Busy,
    There,
}

impl Unpacked {
    /// A file for the image in `folder`; `None` when the disk there has no room to spare for it.
    pub fn new(pack: &Pack, folder: &Path) -> io::Result<Option<Self>> {
        let manifest = pack.manifest();
        let count = manifest.chunks.len();
        let data = (0..count).filter(|i| pack.is_data(*i));
        let bytes: u64 = data.map(|i| manifest.len_of(i) as u64).sum();
        let free = crate::import::free_bytes(folder);
        if free.is_some_and(|free| free / 2 < bytes || free - bytes < RESERVE) {
            return Ok(None);
        }
        let file = tempfile::tempfile_in(folder)?;
        file.set_len(manifest.raw_bytes)?;
        Ok(Some(Self {
            pack: pack.clone(),
            file: Arc::new(file),
            chunks: Mutex::new(vec![State::Packed; count]),
            changed: Condvar::new(),
        }))
    }

    /// The file. Only what [`Unpacked::is_there`] says is in it.
    pub fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// True when chunk `index` holds data and lies in the file.
    pub fn is_there(&self, index: usize) -> bool {
        self.states().get(index) == Some(&State::There)
    }

    /// Unpacks chunk `index`, or waits until somebody else has.
    pub fn unpack(&self, index: usize) -> Result<(), PackError> {
        let mut states = self.states();
        loop {
            match states.get(index) {
                Some(State::Packed) if self.pack.is_data(index) => break,
                Some(State::Busy) => {
                    let woken = self.changed.wait(states);
                    states = woken.unwrap_or_else(PoisonError::into_inner);
                }
                _ => return Ok(()),
            }
        }
        states[index] = State::Busy;
        drop(states);
        let done = self.fill(index);
        let state = if done.is_ok() {
            State::There
        } else {
            State::Packed
        };
        self.states()[index] = state;
        self.changed.notify_all();
        done
    }

    fn fill(&self, index: usize) -> Result<(), PackError> {
        let raw = self.pack.read_chunk(index)?;
        let at = self.pack.manifest().start(index);
        self.file
            .write_all_at(&raw, at)
            .map_err(|source| PackError::Io {
                path: self.pack.path().to_owned(),
                act: "unpacked",
                source,
            })
    }

    fn states(&self) -> MutexGuard<'_, Vec<State>> {
        self.chunks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
