//! Boot tokens: one per network boot. They outlive a restart of the station, so that a board which
//! was booting meanwhile is still let in.

use super::{Result, column};
use crate::bench::seat::Boot;
use crate::bench::trust::Token;
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

/// What is on record of a token that `board` shows.
pub fn shown(conn: &Connection, token: &str, board: BoardId) -> Result<Option<Token>> {
    let mut statement = conn.prepare_cached(
        "SELECT board, mac, minted, used IS NOT NULL AS used,
            NOT EXISTS (SELECT 1 FROM boot_tokens AS later
                WHERE later.mac = shown.mac AND later.number > shown.number) AS newest,
            EXISTS (SELECT 1 FROM deployments WHERE deployments.board = ?2
                AND boot = shown.token AND stage IN ('done', 'first_boot_confirmed')) AS spent
         FROM boot_tokens AS shown WHERE token = ?1",
    )?;
    let token_of = |row: &Row<'_>| {
        Ok(Token {
            board: column::word(row, "board")?,
            mac: column::word(row, "mac")?,
            minted: column::millis(row, "minted")?,
            used: row.get("used")?,
            newest: row.get("newest")?,
            spent: row.get("spent")?,
        })
    };
    let params = params![token, board.to_string()];
    Ok(statement.query_row(params, token_of).optional()?)
}

/// A token was believed.
pub fn used(conn: &Connection, token: &str, now: Millis) -> Result<()> {
    conn.prepare_cached("UPDATE boot_tokens SET used = ?2 WHERE token = ?1 AND used IS NULL")?
        .execute(params![token, now.0])?;
    Ok(())
}

/// The newest boot of a board.
pub fn newest(conn: &Connection, board: BoardId) -> Result<Option<Boot>> {
    let mut statement = conn.prepare_cached(
        "SELECT token, mac, minted FROM boot_tokens WHERE board = ?1
         ORDER BY number DESC LIMIT 1",
    )?;
    let boot = |row: &Row<'_>| {
        Ok(Boot {
            token: row.get("token")?,
            mac: column::word(row, "mac")?,
            discovered: column::millis(row, "minted")?,
        })
    };
    Ok(statement.query_row([board.to_string()], boot).optional()?)
}
