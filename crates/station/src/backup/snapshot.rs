//! One snapshot: made under a name that does not count, checked, made durable, renamed. Whatever cuts
//! it off, the older ones stay good and no half file is ever taken for one.

use super::{Plan, Progress, folder};
use crate::store::copies::{self, CopyError};
use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use wire::Millis;

/// Why no snapshot was made. The older ones are as they were.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The folder of backups cannot be used.
    #[error("the folder of backups {folder} cannot be used: {error}")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The database could not be copied, or the copy is not sound.
    #[error(transparent)]
    Copy(#[from] CopyError),
}

/// Copies the database of `data_dir` into the folder of backups, as of `at`, and lets the oldest go.
pub fn take(
    data_dir: &Path,
    plan: &Plan,
    at: Millis,
    progress: Progress<'_>,
) -> Result<PathBuf, SnapshotError> {
    let dir = &plan.dir;
    let fail = |error| SnapshotError::Folder {
        folder: dir.clone(),
        error,
    };
    // Copies hold the same secrets as the database.
    let mut private = DirBuilder::new();
    private.recursive(true).mode(0o700);
    private.create(dir).map_err(fail)?;
    folder::tidy(dir).map_err(fail)?;
    let name = folder::name(at);
    let part = dir.join(folder::unfinished(&name));
    let made = make(data_dir, &part, progress).and_then(|()| {
        let whole = dir.join(name);
        fs::rename(&part, &whole)
            .and_then(|()| File::open(dir)?.sync_all())
            .map_err(fail)?;
        Ok(whole)
    });
    if made.is_err() {
        // It may not have been begun.
        let _ = fs::remove_file(&part);
    }
    let made = made?;
    folder::prune(dir, plan.keep.max(1), at).map_err(fail)?;
    Ok(made)
}

fn make(data_dir: &Path, part: &Path, progress: Progress<'_>) -> Result<(), SnapshotError> {
    let fail = |error| SnapshotError::Folder {
        folder: part.parent().unwrap_or(part).to_owned(),
        error,
    };
    // Empty and private before the first byte is written.
    let file = File::create(part).map_err(fail)?;
    file.set_permissions(Permissions::from_mode(0o600))
        .map_err(fail)?;
    copies::copy(data_dir, part, progress)?;
    copies::examine(part)?;
    file.sync_all().map_err(fail)
}
