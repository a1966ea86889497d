//! Putting a backup in the place of a data folder.
//!
//! Everything is unpacked and checked in a folder beside it; then the two change places in one step.
//! A refusal, and a cut at any moment before that step, leaves the data folder as it was. What was
//! replaced is kept. The record of what comes back says so, and no login of then is open any more.

use super::archive::{Listed, ReadError, Reader, SETTINGS, pack_name};
use super::{Progress, folder, noted};
use crate::store::copies::{self, CopyError};
use crate::store::lock::{DataLock, LockError};
use crate::store::{self, OpenError, StoreError, migrations};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use wire::Millis;

/// The first bytes of an archive and of a database.
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const SQLITE: &[u8] = b"SQLite format 3\0";
/// Says that the folder it lies in is worth nothing yet.
const UNFINISHED: &str = ".unfinished";
/// What a running station makes for itself.
const OF_A_RUN: &[&str] = &["lock", "punnet.sock", "uploads"];

/// Why nothing was restored. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// A station runs on the data folder.
    #[error("{0}. Stop the station first: nothing is restored under one that runs")]
    Running(#[from] LockError),
    /// There is something that would be replaced.
    #[error(
        "{0} holds a station already. To replace it, say --force: it is kept beside the new one"
    )]
    Occupied(PathBuf),
    /// The file is something else.
    #[error("{0} is neither an archive made by `punnet backup` nor a snapshot")]
    NotABackup(PathBuf),
    /// The archive cannot be used.
    #[error(transparent)]
    Archive(#[from] ReadError),
    /// The database in it cannot be used.
    #[error(transparent)]
    Database(#[from] CopyError),
    /// The database in it cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database in it cannot be opened, or not brought to the schema of this build.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Too little room.
    #[error(
        "the disk with {folder} has {free} MB free, the backup needs {need} MB. Free some space"
    )]
    Room {
        /// The folder.
        folder: PathBuf,
        /// Free, in millions of bytes.
        free: u64,
        /// Needed.
        need: u64,
    },
    /// A file or a folder cannot be used.
    #[error("{file} cannot be used: {error}")]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The data folder cannot change places with another.
    #[error(
        "{0} is where a disk is mounted, so it cannot be replaced in one step. Restore into a folder \
         on that disk, and name it with --data-dir or `data_dir` in station.toml"
    )]
    Mounted(PathBuf),
}

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// When the backup was made.
    pub made: Millis,
    /// The machine that it is from, for an archive.
    pub machine: Option<String>,
    /// Where what was replaced lies now.
    pub aside: Option<PathBuf>,
    /// Images whose packs are missing.
    pub missing: Vec<Listed>,
    /// The settings that came with it.
    pub settings: Option<PathBuf>,
}

/// Restores the archive or snapshot `file` as the data folder `data_dir`. With `force` a station that
/// is there already is replaced.
pub fn restore(
    file: &Path,
    data_dir: &Path,
    force: bool,
    progress: Progress<'_>,
) -> Result<Restored, RestoreError> {
    // The folder itself changes places, not a link to it.
    let data_dir = &fs::canonicalize(data_dir).unwrap_or_else(|_| data_dir.to_owned());
    let old = data_dir.is_dir();
    let _lock = old.then(|| DataLock::take(data_dir)).transpose()?;
    let [database, _, _] = store::files(data_dir);
    if database.exists() && !force {
        return Err(RestoreError::Occupied(data_dir.clone()));
    }
    let parent = data_dir.parent().unwrap_or(Path::new("/"));
    DirBuilder::new()
        .recursive(true)
        .create(parent)
        .map_err(about(parent))?;
    let name = data_dir.file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!(".{name}.restoring-");
    tidy(parent, &prefix);
    let staging = tempfile::Builder::new()
        .prefix(&prefix)
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(parent)
        .map_err(about(parent))?;
    let new = staging.path();
    File::create(new.join(UNFINISHED)).map_err(about(new))?;
    let mut restored = match kind(file)? {
        Kind::Archive => unpack(file, new, progress)?,
        Kind::Snapshot => place(file, new, data_dir, progress)?,
    };
    restored.missing = bring_packs(data_dir, new)?;
    noted::note(new, file, restored.made, restored.machine.as_deref())?;
    if old {
        give_to_owner_of(data_dir, new).map_err(about(new))?;
    }
    fs::remove_file(new.join(UNFINISHED)).map_err(about(new))?;
    File::open(new)
        .and_then(|new| new.sync_all())
        .map_err(about(new))?;
    restored.aside = swap(staging, data_dir, old)?;
    restored.settings = Some(data_dir.join(SETTINGS)).filter(|file| file.exists());
    Ok(restored)
}

fn about(file: &Path) -> impl Fn(io::Error) -> RestoreError + '_ {
    move |error| RestoreError::File {
        file: file.to_owned(),
        error,
    }
}

/// Removes what restores that were cut off left behind.
fn tidy(parent: &Path, prefix: &str) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let left = name.to_string_lossy().starts_with(prefix);
        if left && entry.path().join(UNFINISHED).exists() {
            // In the way of nobody.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

enum Kind {
    Archive,
    Snapshot,
}

fn kind(file: &Path) -> Result<Kind, RestoreError> {
    let mut first = Vec::new();
    let read = File::open(file).and_then(|f| f.take(16).read_to_end(&mut first));
    read.map_err(about(file))?;
    if first.starts_with(ZSTD) {
        Ok(Kind::Archive)
    } else if first.starts_with(SQLITE) {
        Ok(Kind::Snapshot)
    } else {
        Err(RestoreError::NotABackup(file.to_owned()))
    }
}

fn room(folder: &Path, need: u64) -> Result<(), RestoreError> {
    let figures = nix::sys::statvfs::statvfs(folder).map_err(|e| about(folder)(e.into()))?;
    #[allow(
        clippy::useless_conversion,
        reason = "the width differs between systems"
    )]
    let free = u64::from(figures.blocks_available()) * u64::from(figures.fragment_size());
    if free >= need {
        return Ok(());
    }
    Err(RestoreError::Room {
        folder: folder.to_owned(),
        free: free / 1_000_000,
        need: need.div_ceil(1_000_000),
    })
}

/// Unpacks an archive into `new`.
fn unpack(file: &Path, new: &Path, progress: Progress<'_>) -> Result<Restored, RestoreError> {
    let reader = Reader::open(file)?;
    let known = migrations::STEPS.len();
    if reader.manifest().schema > known {
        return Err(RestoreError::Database(CopyError::Newer {
            file: file.to_owned(),
            found: reader.manifest().schema,
            known,
        }));
    }
    room(new, reader.bytes())?;
    let manifest = reader.unpack(new, progress)?;
    let [database, _, _] = store::files(new);
    copies::examine(&database)?;
    Ok(Restored {
        made: manifest.made,
        machine: Some(manifest.machine),
        aside: None,
        missing: Vec::new(),
        settings: None,
    })
}

/// Places a snapshot in `new`, with everything else that the data folder holds.
fn place(
    file: &Path,
    new: &Path,
    data_dir: &Path,
    progress: Progress<'_>,
) -> Result<Restored, RestoreError> {
    copies::examine(file)?;
    let about_file = fs::metadata(file).map_err(about(file))?;
    room(new, about_file.len())?;
    let [database, wal, shm] = store::files(new);
    copy(file, &database).map_err(about(&database))?;
    copies::examine(&database)?;
    progress(about_file.len(), about_file.len());
    if data_dir.is_dir() {
        let ours = [&database, &wal, &shm].map(|f| f.file_name().unwrap_or_default().to_owned());
        for entry in fs::read_dir(data_dir).map_err(about(data_dir))?.flatten() {
            let name = entry.file_name();
            let left = OF_A_RUN.iter().any(|of_a_run| name == *of_a_run);
            if !left && !ours.contains(&name) {
                carry_over(&entry.path(), &new.join(&name)).map_err(about(&entry.path()))?;
            }
        }
    }
    let changed = || about_file.mtime().saturating_mul(1000);
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    Ok(Restored {
        made: folder::moment(&name).unwrap_or_else(|| Millis(changed())),
        machine: None,
        aside: None,
        missing: Vec::new(),
        settings: None,
    })
}

/// Brings packs that the data folder has and the restored index names; says which are missing.
fn bring_packs(data_dir: &Path, new: &Path) -> Result<Vec<Listed>, RestoreError> {
    let [database, _, _] = store::files(new);
    let mut missing = Vec::new();
    for image in copies::images(&database)? {
        let name = pack_name(&image.id);
        let (from, to) = (data_dir.join(&name), new.join(&name));
        if !to.exists() && from.exists() {
            carry_over(&from, &to).map_err(about(&from))?;
        }
        if !to.exists() {
            missing.push(Listed::of(&image, false));
        }
    }
    Ok(missing)
}

/// Brings a file or a folder along. Packs and snapshots never change, so both places share them.
fn carry_over(from: &Path, to: &Path) -> io::Result<()> {
    let kind = fs::symlink_metadata(from)?;
    if kind.is_dir() {
        let mut private = DirBuilder::new();
        private.recursive(true).mode(0o700).create(to)?;
        for entry in fs::read_dir(from)?.flatten() {
            carry_over(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    if !kind.is_file() {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        let mut private = DirBuilder::new();
        private.recursive(true).mode(0o700).create(folder)?;
    }
    let frozen = from
        .extension()
        .is_some_and(|end| end == "pack" || end == "db");
    if frozen && fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    copy(from, to)
}

/// Copies a file with its mode, durably.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    File::open(to)?.sync_all()
}

/// Whoever owns the old folder owns the new one: root may be restoring for the service's user.
fn give_to_owner_of(old: &Path, new: &Path) -> io::Result<()> {
    let owner = fs::metadata(old)?;
    let own = fs::metadata(new)?;
    if (owner.uid(), owner.gid()) == (own.uid(), own.gid()) {
        return Ok(());
    }
    give(new, owner.uid(), owner.gid())
}

fn give(file: &Path, user: u32, group: u32) -> io::Result<()> {
    if fs::symlink_metadata(file)?.is_dir() {
        for entry in fs::read_dir(file)?.flatten() {
            give(&entry.path(), user, group)?;
        }
    }
    std::os::unix::fs::lchown(file, Some(user), Some(group))
}

/// Puts the new folder where the old one is. Gives the place of the old one.
fn swap(staging: TempDir, data_dir: &Path, old: bool) -> Result<Option<PathBuf>, RestoreError> {
    let parent = data_dir.parent().unwrap_or(Path::new("/"));
    let sync = || File::open(parent).and_then(|folder| folder.sync_all());
    if !old {
        fs::rename(staging.path(), data_dir).map_err(about(data_dir))?;
        // It is the data folder now.
        let _ = staging.keep();
        sync().map_err(about(parent))?;
        return Ok(None);
    }
    let name = data_dir.file_name().unwrap_or_default().to_string_lossy();
    let stamp = folder::stamp(Millis::now());
    let aside = parent.join(format!("{name}.replaced-{stamp}"));
    let flags = RenameFlags::RENAME_EXCHANGE;
    let new = staging.path().to_owned();
    match renameat2(AT_FDCWD, &new, AT_FDCWD, data_dir, flags) {
        Ok(()) => {
            let _ = staging.keep();
            fs::rename(&new, &aside).map_err(about(&new))?;
        }
        Err(Errno::EBUSY | Errno::EXDEV) => {
            return Err(RestoreError::Mounted(data_dir.to_owned()));
        }
        // A file system that knows no exchange: for a moment there is no data folder.
        Err(Errno::EINVAL | Errno::ENOSYS) => {
            fs::rename(data_dir, &aside).map_err(about(data_dir))?;
            if let Err(error) = fs::rename(&new, data_dir) {
                fs::rename(&aside, data_dir).map_err(about(&aside))?;
                return Err(about(data_dir)(error));
            }
            let _ = staging.keep();
        }
        Err(errno) => return Err(about(data_dir)(errno.into())),
    }
    sync().map_err(about(parent))?;
    // A folder in which no station ever was is not worth keeping.
    let [database, _, _] = store::files(&aside);
    if !database.exists() && only_a_lock(&aside) {
        fs::remove_dir_all(&aside).map_err(about(&aside))?;
        return Ok(None);
    }
    Ok(Some(aside))
}

fn only_a_lock(folder: &Path) -> bool {
    let mut entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.all(|entry| entry.file_name() == "lock")
}
