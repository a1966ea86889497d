//! A root file system inside an image file, edited without rights.
//!
//! Looking is done by an ext4 reader in this process; edits are one script for `debugfs` (from
//! e2fsprogs), which writes into ext4 at an offset of a file without mounting it. `debugfs` answers
//! success whatever happened, so its complaints are read, and everything is read back afterwards.

use super::e2fs::{complaints, run, tool};
use super::{Edit, Entry, MOST_READ, RootFs, grow, permissions};
use ext4_view::{Ext4, Ext4Error, Ext4Read, FileType, Metadata};
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// An ext4 file system at an offset of a file.
pub struct Debugfs {
    file: PathBuf,
    offset: u64,
    view: Ext4,
}

impl Debugfs {
    /// Opens the file system that begins `offset` bytes into `file`. One that was not unmounted
    /// cleanly has its journal replayed first.
    pub fn open(file: &Path, offset: u64) -> io::Result<Self> {
        if needs_recovery(file, offset)? {
            check(file, offset)?;
        }
        Ok(Self {
            file: file.to_owned(),
            offset,
            view: view(file, offset)?,
        })
    }

    fn metadata(&self, path: &str) -> io::Result<Option<Metadata>> {
        match self.view.symlink_metadata(path) {
            Ok(meta) => Ok(Some(meta)),
            Err(Ext4Error::NotFound) => Ok(None),
            Err(e) => Err(io::Error::other(e)),
        }
    }

    /// The lines of a `debugfs` script for one edit.
    fn script_of(&self, edit: &Edit, source: &Path) -> io::Result<String> {
        let path = quoted(edit.path())?;
        let old = self.metadata(edit.path())?;
        let mut script = String::new();
        if old.is_some() && !matches!(edit, Edit::MakeDirectory(_)) {
            line(&mut script, &format!("rm {path}"));
        }
        match edit {
            Edit::MakeDirectory(_) => line(&mut script, &format!("mkdir {path}")),
            Edit::Remove(_) => {}
            Edit::Link { to, .. } => {
                line(&mut script, &format!("symlink {path} {}", quoted(to)?));
            }
            Edit::Write { bytes, mode, .. } => {
                std::fs::write(source, bytes)?;
                let from = quoted(source.to_str().ok_or(io::ErrorKind::InvalidInput)?)?;
                line(&mut script, &format!("write {from} {path}"));
                let had = old.as_ref().map(|m| u32::from(m.mode()));
                let mode = 0o100_000 | permissions(had, *mode);
                line(&mut script, &format!("sif {path} mode 0{mode:o}"));
                let owner = old.as_ref().map_or((0, 0), |m| (m.uid(), m.gid()));
                line(&mut script, &format!("sif {path} uid {}", owner.0));
                line(&mut script, &format!("sif {path} gid {}", owner.1));
                if let Some(old) = old {
                    let time = old.modified().seconds();
                    line(&mut script, &format!("sif {path} mtime @{time}"));
                }
            }
        }
        Ok(script)
    }
}

fn line(script: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(script, "{text}");
}

impl std::fmt::Debug for Debugfs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Debugfs")
            .field("file", &self.file)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

impl RootFs for Debugfs {
    fn entry(&mut self, path: &str) -> io::Result<Option<Entry>> {
        let Some(meta) = self.metadata(path)? else {
            return Ok(None);
        };
        Ok(Some(match meta.file_type() {
            FileType::Regular => Entry::File {
                mode: u32::from(meta.mode()),
            },
            FileType::Directory => Entry::Directory,
            FileType::Symlink => {
                let to = self.view.read_link(path).map_err(io::Error::other)?;
                Entry::Link(to.to_str().map_err(io::Error::other)?.to_owned())
            }
            _ => Entry::Other,
        }))
    }

    fn read(&mut self, path: &str) -> io::Result<Vec<u8>> {
        let meta = self.metadata(path)?.ok_or(io::ErrorKind::NotFound)?;
        if meta.len() > MOST_READ {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("it has {} bytes", meta.len()),
            ));
        }
        self.view.read(path).map_err(io::Error::other)
    }

    fn list(&mut self, path: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in self.view.read_dir(path).map_err(io::Error::other)? {
            let entry = entry.map_err(io::Error::other)?;
            let name = entry.file_name();
            names.extend(name.as_str().ok().map(str::to_owned));
        }
        names.retain(|n| n != "." && n != "..");
        names.sort_unstable();
        Ok(names)
    }

    fn carry_out(&mut self, edits: &[Edit]) -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let mut script = String::new();
        for (number, edit) in edits.iter().enumerate() {
            let source = folder.path().join(number.to_string());
            script.push_str(&self.script_of(edit, &source)?);
        }
        let script_file = folder.path().join("script");
        std::fs::write(&script_file, script)?;
        let mut debugfs = tool("debugfs");
        debugfs.arg("-w").arg("-f").arg(&script_file);
        let output = run(debugfs.arg(device(&self.file, self.offset)?))?;
        let complaints = complaints(&output);
        if !output.status.success() || !complaints.is_empty() {
            return Err(io::Error::other(format!("debugfs: {complaints}")));
        }
        self.view = view(&self.file, self.offset)?;
        Ok(())
    }

    fn grow(&mut self, partition_bytes: u64) -> io::Result<u64> {
        // The tool refuses a file system that was not checked just before.
        check(&self.file, self.offset)?;
        grow::grow(&self.file, self.offset, partition_bytes)?;
        self.view = view(&self.file, self.offset)?;
        Ok(partition_bytes / 1024 * 1024)
    }

    fn close(self: Box<Self>) -> io::Result<()> {
        let file = File::open(&self.file)?;
        file.sync_all()?;
        Ok(posix_fadvise(
            &file,
            0,
            0,
            PosixFadviseAdvice::POSIX_FADV_DONTNEED,
        )?)
    }
}

/// Reads the file system in its place of the file.
struct Window {
    file: File,
    offset: u64,
}

impl Ext4Read for Window {
    fn read(
        &mut self,
        start: u64,
        into: &mut [u8],
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let at = self.offset.checked_add(start).ok_or("past the end")?;
        Ok(self.file.read_exact_at(into, at)?)
    }
}

fn view(file: &Path, offset: u64) -> io::Result<Ext4> {
    let file = File::open(file)?;
    Ext4::load(Box::new(Window { file, offset })).map_err(io::Error::other)
}

/// Looks at the superblock (ext4 disk layout, "The Super Block"): the incompatible feature 0x4 says
/// that the journal holds something.
fn needs_recovery(file: &Path, offset: u64) -> io::Result<bool> {
    let mut word = [0; 4];
    File::open(file)?.read_exact_at(&mut word, offset + 1024 + 0x60)?;
    Ok(u32::from_le_bytes(word) & 0x4 != 0)
}

/// Checks and repairs; 1 means "found something and put it right".
fn check(file: &Path, offset: u64) -> io::Result<()> {
    let output = run(tool("e2fsck").arg("-fp").arg(device(file, offset)?))?;
    match output.status.code() {
        Some(0 | 1) => Ok(()),
        _ => Err(io::Error::other(format!(
            "e2fsck: {}",
            String::from_utf8_lossy(&output.stdout).trim()
        ))),
    }
}

/// How e2fsprogs names a file system inside a file.
fn device(file: &Path, offset: u64) -> io::Result<String> {
    let name = file.to_str().filter(|name| !name.contains('?'));
    let name = name.ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{} cannot be named to debugfs", file.display()),
        )
    })?;
    Ok(format!("{name}?offset={offset}"))
}

/// A path as one word of a script.
fn quoted(path: &str) -> io::Result<String> {
    if path.chars().any(|c| c.is_control() || c == '"') {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{path:?} cannot be named to debugfs"),
        ));
    }
    Ok(format!("\"{path}\""))
}
