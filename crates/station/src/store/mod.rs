//! The store: everything that must survive a power cut, in one SQLite file.
//!
//! The only module that speaks SQL. It holds the schema ([`migrations`]), opens connections the one
//! right way (`open`), and has one file per table with functions over a connection; the engine
//! calls them inside its transaction. Rules about *one board, one name* are constraints of the
//! schema (`schema/001.sql`), so that no code above can break them.

pub mod batches;
pub mod boards;
mod column;
pub mod copies;
pub mod deeds;
pub mod deployments;
pub mod events;
pub mod figures;
mod filter;
pub mod history;
pub mod images;
pub mod leases;
pub mod lock;
pub mod migrations;
pub mod names;
mod open;
pub mod operators;
pub mod products;
pub mod profiles;
pub mod settings;
pub mod tokens;
pub mod venues;

pub use open::{OpenError, Store, files};
/// An open database, for code that passes it on without a word of SQL.
pub use rusqlite::Connection;

/// A fault of the database: nothing the caller asked for is wrong.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk that holds the data folder is full.
    #[error("the disk with the data folder is full; nothing was changed. Free some space")]
    DiskFull,
    /// SQLite refused or failed.
    #[error("the database failed: {0}")]
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) {
            Self::DiskFull
        } else {
            Self::Database(error)
        }
    }
}

impl From<StoreError> for wire::Refusal {
    fn from(error: StoreError) -> Self {
        let code = match error {
            StoreError::DiskFull => wire::refusal::Code::Unavailable,
            StoreError::Database(_) => wire::refusal::Code::Internal,
        };
        Self::new(code, format!("{error}."))
    }
}

type Result<T, E = StoreError> = std::result::Result<T, E>;

#[cfg(test)]
mod tests;
