//! Giving an installed system its own name and identity, without running any of it.
//!
//! The rules ([`plan`]) look at the root file system and decide which files change; they are the
//! same wherever the file system is. Two back ends carry the edits out: [`Mounted`] on a board,
//! where the kernel has mounted the partition, and [`Debugfs`] on an image file, where no rights
//! are needed. Afterwards [`verify`] reads every changed file back.
//!
//! ```text
//! RootFs ──look──▶ rules ──▶ Vec<Edit> ──RootFs::carry_out──▶ close, open again ──▶ verify
//! ```
//!
//! Paths are absolute inside the root file system. Symbolic links are followed by [`tree`], inside
//! that root, so that a link in an image can never lead to a file of the board or the laptop.

mod cloud;
mod debugfs;
mod e2fs;
mod error;
mod first_boot;
mod grow;
mod hosts;
mod identity;
mod mounted;
mod plan;
mod tree;

#[cfg(test)]
mod testing;

pub use debugfs::Debugfs;
pub use error::PersonaliseError;
pub use first_boot::{SCRIPT as FIRST_BOOT_SCRIPT, hello_in};
pub use mounted::{Mount, Mounted};
pub use plan::{is_root, plan};

use std::io;
use wire::agent::Personalise;
use wire::name::Hostname;

/// Most bytes read of one file: those that matter here are a few lines long.
pub const MOST_READ: u64 = 1 << 20;

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A regular file with its permission bits.
    File {
        /// Permission bits, e.g. `0o644`.
        mode: u32,
    },
    /// A directory.
    Directory,
    /// A symbolic link and where it points.
    Link(String),
    /// A device, a pipe, a socket.
    Other,
}

/// The root file system of an installed system.
///
/// Paths are absolute, normalised, and have no symbolic link in any component but the last.
pub trait RootFs {
    /// What stands at `path`; the last component is not followed.
    fn entry(&mut self, path: &str) -> io::Result<Option<Entry>>;

    /// The bytes of a regular file, at most [`MOST_READ`].
    fn read(&mut self, path: &str) -> io::Result<Vec<u8>>;

    /// The names in a directory, in order.
    fn list(&mut self, path: &str) -> io::Result<Vec<String>>;

    /// Carries the edits out, in order. A file that is replaced keeps its owner, permissions and
    /// times, except that execute bits are added where the edit has them.
    fn carry_out(&mut self, edits: &[Edit]) -> io::Result<()>;

    /// Grows the file system to the size of its partition; returns its new size in bytes.
    fn grow(&mut self, partition_bytes: u64) -> io::Result<u64>;

    /// Returns once everything is on the medium and nothing of it is cached.
    fn close(self: Box<Self>) -> io::Result<()>;
}

/// The permissions of a file after an edit: `had` are those of the file it replaces.
fn permissions(had: Option<u32>, mode: u32) -> u32 {
    had.map_or(mode, |had| had | mode & 0o111)
}

/// One change of a root file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Makes a directory, owned by root, mode 755.
    MakeDirectory(String),
    /// Writes a file; a new one belongs to root.
    Write {
        /// Where.
        path: String,
        /// The whole new content.
        bytes: Vec<u8>,
        /// Permission bits of a new file.
        mode: u32,
    },
    /// Makes a symbolic link in place of whatever file stands there.
    Link {
        /// Where.
        path: String,
        /// Where it points.
        to: String,
    },
    /// Removes a file or a symbolic link.
    Remove(String),
}

impl Edit {
    /// The path that changes.
    pub fn path(&self) -> &str {
        match self {
            Self::MakeDirectory(path)
            | Self::Write { path, .. }
            | Self::Link { path, .. }
            | Self::Remove(path) => path,
        }
    }
}

/// Decides what changes and carries it out. The edits are what [`verify`] wants after the file
/// system was closed and opened again.
pub fn apply(
    fs: &mut dyn RootFs,
    hostname: &Hostname,
    wanted: &Personalise,
) -> Result<Vec<Edit>, PersonaliseError> {
    let edits = plan(fs, hostname, wanted)?;
    fs.carry_out(&edits).map_err(PersonaliseError::Edit)?;
    Ok(edits)
}

/// Reads every change back and returns the number of bytes compared.
pub fn verify(fs: &mut dyn RootFs, edits: &[Edit]) -> Result<u64, PersonaliseError> {
    let mut bytes_read = 0;
    for edit in edits {
        let wrong = |why: String| PersonaliseError::ReadBack {
            path: edit.path().to_owned(),
            why,
        };
        let entry = fs.entry(edit.path()).map_err(|e| wrong(e.to_string()))?;
        match (edit, entry) {
            (Edit::Write { path, bytes, .. }, Some(Entry::File { .. })) => {
                let back = fs.read(path).map_err(|e| wrong(e.to_string()))?;
                if back != *bytes {
                    return Err(wrong(format!(
                        "{} bytes are there where {} were written, or they differ",
                        back.len(),
                        bytes.len()
                    )));
                }
                bytes_read += bytes.len() as u64;
            }
            (Edit::Link { to, .. }, Some(Entry::Link(found))) if found == *to => {}
            (Edit::Remove(_), None) | (Edit::MakeDirectory(_), Some(Entry::Directory)) => {}
            (_, found) => return Err(wrong(format!("{found:?} is there instead"))),
        }
    }
    Ok(bytes_read)
}

/// The paths that differ from the image on purpose, without directories, in order.
pub fn changed_files(edits: &[Edit]) -> Vec<String> {
    let mut paths: Vec<String> = edits
        .iter()
        .filter(|e| !matches!(e, Edit::MakeDirectory(_)))
        .map(|e| e.path().to_owned())
        .collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}
