//! Leases of the deployment side; they stay a board's favourite after they ended.

use super::{Result, column};
use rusqlite::{Connection, Row, params};
use wire::board::Mac;
use wire::health::Lease;

/// All leases, by address.
pub fn all(conn: &Connection) -> Result<Vec<Lease>> {
    let mut statement = conn.prepare_cached("SELECT mac, ip, board, until FROM leases")?;
    let lease = |row: &Row<'_>| {
        Ok(Lease {
            mac: column::word(row, "mac")?,
            board: column::word_or_none(row, "board")?,
            ip: column::word(row, "ip")?,
            until: column::millis(row, "until")?,
        })
    };
    let rows = statement.query_map([], lease)?;
    let mut leases: Vec<Lease> = rows.collect::<Result<_, _>>()?;
    leases.sort_by_key(|lease| lease.ip);
    Ok(leases)
}

/// Writes a lease; whoever had the address before has it no more.
pub fn put(conn: &Connection, lease: &Lease) -> Result<()> {
    let ip = lease.ip.to_string();
    let mac = lease.mac.to_string();
    conn.prepare_cached("DELETE FROM leases WHERE ip = ?1 AND mac <> ?2")?
        .execute([&ip, &mac])?;
    conn.prepare_cached(
        "INSERT INTO leases (mac, ip, board, until) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (mac) DO UPDATE SET ip = excluded.ip, until = excluded.until,
            board = coalesce(excluded.board, board)",
    )?
    .execute(params![
        mac,
        ip,
        lease.board.map(|b| b.to_string()),
        lease.until.0
    ])?;
    Ok(())
}

/// Forgets a lease: its address cannot be used.
pub fn remove(conn: &Connection, mac: Mac) -> Result<()> {
    conn.prepare_cached("DELETE FROM leases WHERE mac = ?1")?
        .execute([mac.to_string()])?;
    Ok(())
}
