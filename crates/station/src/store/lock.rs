//! One lock file per data folder, so that two engines never own one bench.
//!
//! The lock is `flock(2)`: the kernel drops it when the process ends, however it ends.

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// The held lock; dropping it lets the next engine in.
#[derive(Debug)]
pub struct DataLock {
    _file: Flock<File>,
}

/// Why the lock was not had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another engine runs on this folder.
    #[error(
        "the data folder {folder} is in use by another Punnet{holder}. Use that one, stop it, or \
         choose another data folder"
    )]
    Held {
        /// The folder.
        folder: PathBuf,
        /// The other process in words, or nothing.
        holder: String,
    },
    /// The lock file cannot be made.
    #[error("the lock file {file} cannot be used: {error}")]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

impl DataLock {
    /// Takes the lock of `folder`, or says who has it.
    pub fn take(folder: &Path) -> Result<Self, LockError> {
        let file = folder.join("lock");
        let fail = |error| LockError::File {
            file: file.clone(),
            error,
        };
        let open = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&file)
            .map_err(fail)?;
        let mut held = match Flock::lock(open, FlockArg::LockExclusiveNonblock) {
            Ok(held) => held,
            Err((open, Errno::EWOULDBLOCK)) => {
                return Err(LockError::Held {
                    folder: folder.to_owned(),
                    holder: holder(&open),
                });
            }
            Err((_, errno)) => return Err(fail(errno.into())),
        };
        held.set_len(0)
            .and_then(|()| held.rewind())
            .and_then(|()| writeln!(held, "{}", std::process::id()))
            .map_err(fail)?;
        Ok(Self { _file: held })
    }
}

fn holder(file: &File) -> String {
    let mut text = String::new();
    match file.take(32).read_to_string(&mut text) {
        Ok(_) if text.trim().parse::<u32>().is_ok() => format!(" (process {})", text.trim()),
        _ => String::new(),
    }
}
