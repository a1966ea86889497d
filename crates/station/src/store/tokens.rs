//! Boot tokens: one per network boot. They outlive a restart of the station, so that a board which
//! was booting meanwhile is still let in.

use super::{Result, column};
use crate::bench::seat::Boot;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use wire::board::Mac;
use wire::{BoardId, Millis};

/// Tokens kept per board; a board that boots again leaves its old ones behind.
const KEPT: u32 = 4;

/// Whom a token was minted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// The board; provisional while only its address was known.
    pub board: BoardId,
    /// The address it booted with.
    pub mac: Mac,
}

/// Stores a token and forgets the board's oldest ones.
pub fn mint(conn: &Connection, token: &str, holder: Holder, now: Millis) -> Result<()> {
    let board = holder.board.to_string();
    conn.prepare_cached(
        "INSERT INTO boot_tokens (token, board, mac, minted) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![token, board, holder.mac.to_string(), now.0])?;
    conn.prepare_cached(
        "DELETE FROM boot_tokens WHERE board = ?1 AND token NOT IN (
            SELECT token FROM boot_tokens WHERE board = ?1
            ORDER BY number DESC LIMIT ?2)",
    )?
    .execute(params![board, KEPT])?;
    Ok(())
}

/// Whom a token was minted for.
pub fn holder(conn: &Connection, token: &str) -> Result<Option<Holder>> {
    let mut statement =
        conn.prepare_cached("SELECT board, mac FROM boot_tokens WHERE token = ?1")?;
    let holder = |row: &Row<'_>| {
        Ok(Holder {
            board: column::word(row, "board")?,
            mac: column::word(row, "mac")?,
        })
    };
    Ok(statement.query_row([token], holder).optional()?)
}

/// The newest boot of a board.
pub fn newest(conn: &Connection, board: BoardId) -> Result<Option<Boot>> {
    let mut statement = conn.prepare_cached(
        "SELECT token, minted FROM boot_tokens WHERE board = ?1
         ORDER BY number DESC LIMIT 1",
    )?;
    let boot = |row: &Row<'_>| {
        Ok(Boot {
            token: row.get("token")?,
            discovered: column::millis(row, "minted")?,
        })
    };
    Ok(statement.query_row([board.to_string()], boot).optional()?)
}
