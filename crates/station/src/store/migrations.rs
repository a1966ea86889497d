//! Bringing a database to the schema this build knows, one numbered step at a time.
//!
//! `PRAGMA user_version` says which step a file is at. All steps that are missing run in one
//! transaction together with the new number: an upgrade that fails or is cut off has changed nothing,
//! and the version that made the file can go on with it.

use rusqlite::{Connection, TransactionBehavior};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Copies from before an upgrade that are kept.
const KEPT: usize = 3;

/// The steps: number `n` brings a database from version `n - 1` to `n`.
pub const STEPS: &[&str] = &[
    include_str!("schema/001.sql"),
    include_str!("schema/002.sql"),
    include_str!("schema/003.sql"),
    include_str!("schema/004.sql"),
    include_str!("schema/005.sql"),
    include_str!("schema/006.sql"),
];

/// Why a database could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// Made by a newer build.
    #[error(
        "the data folder was written by a newer Punnet (schema {found}; this version knows up to \
         {known}). Install the newer version, or choose another data folder"
    )]
    Newer {
        /// The version found.
        found: usize,
        /// The newest version known.
        known: usize,
    },
    /// The copy made before the first step failed.
    #[error("no copy of the database could be made before upgrading it ({file}): {error}")]
    Backup {
        /// The copy.
        file: PathBuf,
        /// Why.
        error: rusqlite::Error,
    },
    /// A step failed; the database stands as it was.
    #[error(
        "upgrading the database to schema {to} failed, it was left as it was at {from}: {error}. \
         The version that was used before goes on with it"
    )]
    Step {
        /// The version it stands at.
        from: usize,
        /// The version that failed.
        to: usize,
        /// Why.
        error: rusqlite::Error,
    },
}

/// Brings `conn` to the last of `steps`. Before the first step of a database that holds data, a
/// copy of it is made at `backup(version)`.
pub fn migrate(
    conn: &mut Connection,
    steps: &[&str],
    backup: impl FnOnce(usize) -> PathBuf,
) -> Result<(), MigrationError> {
    let known = steps.len();
    let found = version(conn).map_err(|error| MigrationError::Step {
        from: 0,
        to: known,
        error,
    })?;
    if found > known {
        return Err(MigrationError::Newer { found, known });
    }
    if found == known {
        return Ok(());
    }
    if found > 0 {
        let file = backup(found);
        set_aside(conn, &file).map_err(|error| MigrationError::Backup { file, error })?;
    }
    let failed = |to| {
        move |error| MigrationError::Step {
            from: found,
            to,
            error,
        }
    };
    let tx = conn
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed(found + 1))?;
    for (from, step) in steps.iter().enumerate().skip(found) {
        tx.execute_batch(step).map_err(failed(from + 1))?;
    }
    tx.pragma_update(
        None,
        "user_version",
        i64::try_from(known).unwrap_or(i64::MAX),
    )
    .and_then(|()| tx.commit())
    .map_err(failed(known))
}

/// The version that a database stands at.
pub(super) fn version(conn: &Connection) -> rusqlite::Result<usize> {
    let n: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok(usize::try_from(n).unwrap_or(usize::MAX))
}

/// Copies the database to `file`, all or nothing.
fn set_aside(conn: &Connection, file: &Path) -> rusqlite::Result<()> {
    let copy = conn.execute("VACUUM INTO ?1", [&file.display().to_string()]);
    if let Err(error) = copy {
        // The half of a copy is worth nothing.
        let _ = fs::remove_file(file);
        return Err(error);
    }
    let sealed = fs::set_permissions(file, Permissions::from_mode(0o600))
        .and_then(|()| File::open(file)?.sync_all());
    if let Err(error) = sealed {
        tracing::warn!(%error, file = %file.display(), "the copy before the upgrade");
    }
    Ok(())
}

/// Where the copy from before an upgrade lies; older ones beyond a few are removed.
pub(super) fn copy_place(folder: &Path, name: &str, version: usize, at: i64) -> PathBuf {
    let prefix = format!("{name}.schema-");
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut old: Vec<(i64, PathBuf)> = entries
        .filter_map(|entry| {
            let name = entry.file_name();
            let (_, made) = name.to_str()?.strip_prefix(&prefix)?.split_once('.')?;
            Some((made.parse().ok()?, entry.path()))
        })
        .collect();
    old.sort();
    let surplus = (old.len() + 1).saturating_sub(KEPT);
    for (_, file) in old.into_iter().take(surplus) {
        if let Err(error) = fs::remove_file(&file) {
            tracing::warn!(%error, file = %file.display(), "an old copy stays");
        }
    }
    folder.join(format!("{prefix}{version}.{at}"))
}
