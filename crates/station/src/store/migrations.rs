//! Bringing a database to the schema this build knows, one numbered step at a time.
//!
//! `PRAGMA user_version` says which step a file is at. Each step runs in its own transaction
//! together with the new number, so an interrupted upgrade stands at a step, never between two.

use rusqlite::{Connection, TransactionBehavior};
use std::path::PathBuf;

/// The steps: number `n` brings a database from version `n - 1` to `n`.
pub const STEPS: &[&str] = &[
    include_str!("schema/001.sql"),
    include_str!("schema/002.sql"),
    include_str!("schema/003.sql"),
    include_str!("schema/004.sql"),
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
    /// A step failed; the database stands as it was before that step.
    #[error("upgrading the database to schema {to} failed, it was left at {from}: {error}")]
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
    if found > 0 && found < known {
        let file = backup(found);
        let copy = file.display().to_string();
        conn.execute("VACUUM INTO ?1", [&copy])
            .map_err(|error| MigrationError::Backup { file, error })?;
    }
    for (from, step) in steps.iter().enumerate().skip(found) {
        let to = from + 1;
        run(conn, step, to).map_err(|error| MigrationError::Step { from, to, error })?;
    }
    Ok(())
}

fn version(conn: &Connection) -> rusqlite::Result<usize> {
    let n: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok(usize::try_from(n).unwrap_or(usize::MAX))
}

fn run(conn: &mut Connection, step: &str, to: usize) -> rusqlite::Result<()> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(step)?;
    tx.pragma_update(None, "user_version", i64::try_from(to).unwrap_or(i64::MAX))?;
    tx.commit()
}
