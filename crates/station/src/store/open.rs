//! Opening the store: the lock, the pragmas, the health check, the schema.

use super::lock::{DataLock, LockError};
use super::migrations::{self, MigrationError};
use super::{Result, StoreError};
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use wire::Millis;

const FILE: &str = "punnet.db";

/// The files of the database in a data folder; those beside the first may be missing.
pub fn files(folder: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|end| folder.join(format!("{FILE}{end}")))
}

/// Why the store did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another engine has it.
    #[error(transparent)]
    Locked(#[from] LockError),
    /// The folder cannot be made or written.
    #[error("the data folder {folder} cannot be used: {error}")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file is not a sound database.
    #[error("the database {file} is damaged ({what}). {remedy}")]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What the check found.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// The schema could not be brought up to date.
    #[error(transparent)]
    Schema(#[from] MigrationError),
    /// SQLite cannot open it.
    #[error("the database {file} cannot be opened: {error}")]
    Database {
        /// The file.
        file: PathBuf,
        /// Why.
        error: rusqlite::Error,
    },
}

/// The writer's connection, and the lock that makes it the only one.
#[derive(Debug)]
pub struct Store {
    conn: Connection,
    file: PathBuf,
    _lock: DataLock,
}

impl Store {
    /// Opens the store of a data folder, making both when they do not exist.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        // The database holds bearer secrets of running deployments: nobody else reads it.
        let private = std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder);
        private.map_err(|error| OpenError::Folder {
            folder: folder.to_owned(),
            error,
        })?;
        let lock = DataLock::take(folder)?;
        let file = folder.join(FILE);
        std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&file)
            .map_err(|error| OpenError::Folder {
                folder: folder.to_owned(),
                error,
            })?;
        let fail = |error| OpenError::Database {
            file: file.clone(),
            error,
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut conn = Connection::open_with_flags(&file, flags).map_err(fail)?;
        check(&conn, &file)?;
        conn.pragma_update(None, "journal_mode", "WAL")
            .and_then(|()| conn.pragma_update(None, "synchronous", "FULL"))
            .and_then(|()| conn.pragma_update(None, "journal_size_limit", 64 << 20))
            .and_then(|()| careful(&conn))
            .map_err(fail)?;
        migrations::migrate(&mut conn, migrations::STEPS, |version| {
            migrations::copy_place(folder, FILE, version, Millis::now().0)
        })?;
        Ok(Self {
            conn,
            file,
            _lock: lock,
        })
    }

    /// A second connection that only reads; it sees every committed transaction.
    pub fn reader(&self) -> Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(&self.file, flags)?;
        careful(&conn)?;
        Ok(conn)
    }

    /// Begins a transaction that holds the write lock from the start.
    pub fn begin(&mut self) -> Result<Transaction<'_>> {
        Ok(self
            .conn
            .transaction_with_behavior(TransactionBehavior::Immediate)?)
    }

    /// Leaves the file tidy: statistics for the planner, the journal folded in.
    pub fn close(self) -> Result<()> {
        self.conn.execute_batch("PRAGMA optimize;")?;
        self.conn
            .pragma_update(None, "wal_checkpoint", "TRUNCATE")?;
        self.conn
            .close()
            .map_err(|(_, error)| StoreError::from(error))
    }
}

fn careful(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(Duration::from_secs(5))?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.pragma_update(None, "recursive_triggers", true)?;
    conn.set_prepared_statement_cache_capacity(128);
    Ok(())
}

fn check(conn: &Connection, file: &Path) -> Result<(), OpenError> {
    let damaged = |what: String| OpenError::Damaged {
        file: file.to_owned(),
        what,
        remedy: "Restore a backup with `punnet restore`, or start with an empty data folder"
            .to_owned(),
    };
    let verdict: String = conn
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| damaged(error.to_string()))?;
    if verdict == "ok" {
        Ok(())
    } else {
        Err(damaged(verdict))
    }
}
