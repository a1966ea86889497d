//! Copies of the database: made beside the engine without stopping it, and looked at before anybody
//! relies on them.
//!
//! A copy is of one moment, however long it takes: one read transaction spans it, and in WAL mode a
//! reader stops nobody who writes. It is a single file that needs no journal beside it.

use super::{migrations, open, settings};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::Duration;
use wire::Millis;
use wire::image::Image;

/// Pages copied in one go.
const PAGES: i32 = 512;
/// Wait for whoever has the file locked at this moment.
const BUSY: Duration = Duration::from_millis(50);

/// Why there is no copy, or why one cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// SQLite cannot read or write it.
    #[error("{file} cannot be used: {error}")]
    Database {
        /// The file.
        file: PathBuf,
        /// Why.
        error: rusqlite::Error,
    },
    /// The check found it damaged.
    #[error("{file} is damaged: {what}")]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What the check found.
        what: String,
    },
    /// It is sound and has another schema than any of ours.
    #[error("{file} is no database of Punnet")]
    NotOurs {
        /// The file.
        file: PathBuf,
    },
    /// Written by a newer build.
    #[error(
        "{file} was written by a newer Punnet (schema {found}; this version knows up to {known}). \
         Install the newer version first"
    )]
    Newer {
        /// The file.
        file: PathBuf,
        /// The version found.
        found: usize,
        /// The newest version known.
        known: usize,
    },
}

/// Copies the database of a data folder as it is now into the new file `to`. `progress` is told the
/// bytes copied and the bytes in all.
pub fn copy(folder: &Path, to: &Path, progress: &dyn Fn(u64, u64)) -> Result<(), CopyError> {
    let [source, _, _] = open::files(folder);
    let fail = |error| CopyError::Database {
        file: source.clone(),
        error,
    };
    let from = read_only(&source).map_err(fail)?;
    let mut into = Connection::open(to).map_err(|error| CopyError::Database {
        file: to.to_owned(),
        error,
    })?;
    carry(&from, &mut into, progress).map_err(fail)?;
    drop(into);
    let alone = Connection::open(to).and_then(|conn| {
        conn.pragma_update(None, "journal_mode", "DELETE")?;
        conn.close().map_err(|(_, error)| error)
    });
    alone.map_err(|error| CopyError::Database {
        file: to.to_owned(),
        error,
    })
}

fn carry(
    from: &Connection,
    into: &mut Connection,
    progress: &dyn Fn(u64, u64),
) -> rusqlite::Result<()> {
    // A half copy is thrown away, so nothing has to be undone in it.
    into.pragma_update(None, "journal_mode", "OFF")?;
    into.pragma_update(None, "synchronous", "OFF")?;
    let page: i64 = from.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    from.execute_batch("BEGIN")?;
    from.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    let backup = Backup::new(from, into)?;
    loop {
        let step = backup.step(PAGES)?;
        let at = backup.progress();
        let bytes = |pages: i32| u64::try_from(i64::from(pages) * page).unwrap_or(0);
        progress(bytes(at.pagecount - at.remaining), bytes(at.pagecount));
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            _ => std::thread::sleep(BUSY),
        }
    }
}

/// Checks a copy from end to end and that this build can read it; gives its schema.
pub fn examine(file: &Path) -> Result<usize, CopyError> {
    let damaged = |what: String| CopyError::Damaged {
        file: file.to_owned(),
        what,
    };
    let conn = read_only(file).map_err(|e| damaged(e.to_string()))?;
    let verdict: String = conn
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|e| damaged(e.to_string()))?;
    if verdict != "ok" {
        return Err(damaged(verdict));
    }
    let known = migrations::STEPS.len();
    let found = migrations::version(&conn).map_err(|e| damaged(e.to_string()))?;
    if found > known {
        return Err(CopyError::Newer {
            file: file.to_owned(),
            found,
            known,
        });
    }
    if found == 0 || conn.prepare("SELECT hostname FROM names").is_err() {
        return Err(CopyError::NotOurs {
            file: file.to_owned(),
        });
    }
    Ok(found)
}

/// The images of a copy.
pub fn images(file: &Path) -> super::Result<Vec<Image>> {
    super::images::all(&read_only(file)?)
}

/// When the last good backup of a data folder was made, and when its record begins; nothing when
/// there is no database to be asked.
pub fn last_backup(folder: &Path) -> Option<(Option<Millis>, Option<Millis>)> {
    let [file, _, _] = open::files(folder);
    let conn = read_only(&file).ok()?;
    let last = settings::last_backup(&conn).ok()?;
    Some((last, super::events::first(&conn).ok()?))
}

/// What a station that does not run keeps under a name.
pub fn setting(folder: &Path, key: &str) -> Option<String> {
    let [file, _, _] = open::files(folder);
    settings::get(&read_only(&file).ok()?, key).ok()?
}

fn read_only(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(file, flags)?;
    conn.busy_timeout(Duration::from_secs(5))?;
    Ok(conn)
}
