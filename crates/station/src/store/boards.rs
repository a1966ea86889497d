//! Boards: what a seat at the bench keeps when the station stops.

use super::{Result, column, deployments, tokens};
use crate::bench::seat::{Permit, Seat};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use std::collections::HashMap;
use wire::board::Mac;
use wire::id::Serial;
use wire::{BoardId, Millis};

const COLUMNS: &str = "id, serial, mac, ip, revision, model, machine, ram_mib, agent, inventory,
    stage, stage_since, first_seen, last_seen, hold, failure, disk, detail, permit, released,
    checked_in, rehearsal, place, way, withheld";

fn read(row: &Row<'_>) -> rusqlite::Result<Seat> {
    let id = column::word(row, "id")?;
    let first_seen = column::millis(row, "first_seen")?;
    let mut seat = Seat::new(id, column::word(row, "mac")?, first_seen);
    let permit: String = row.get("permit")?;
    let known = Permit::ALL.into_iter().find(|p| p.as_str() == permit);
    seat.permit = known.unwrap_or_default();
    seat.machine = column::json_or_none(row, "machine")?;
    seat.agent = row.get("agent")?;
    seat.inventory = column::json_or_none(row, "inventory")?;
    seat.released = row.get("released")?;
    seat.withheld = row.get("withheld")?;
    seat.checked_in = row.get("checked_in")?;
    seat.way = column::json_or_none(row, "way")?.unwrap_or_default();
    let tile = &mut seat.tile;
    tile.serial = column::word_or_none(row, "serial")?;
    tile.ip = column::word_or_none(row, "ip")?;
    tile.revision = row
        .get::<_, Option<u32>>("revision")?
        .map(wire::revision::Revision);
    tile.model = row.get("model")?;
    tile.ram_mib = row.get("ram_mib")?;
    tile.stage = column::word(row, "stage")?;
    tile.stage_since = column::millis(row, "stage_since")?;
    tile.last_seen = column::millis(row, "last_seen")?;
    tile.hold = column::json_or_none(row, "hold")?;
    tile.failure = column::json_or_none(row, "failure")?;
    tile.disk = column::json_or_none(row, "disk")?;
    tile.detail = row.get("detail")?;
    tile.rehearsal = row.get("rehearsal")?;
    tile.place = row.get("place")?;
    Ok(seat)
}

/// What a seat keeps elsewhere: its addresses, name, deployment and boot token.
fn complete(conn: &Connection, mut seat: Seat) -> Result<Seat> {
    let id = seat.tile.id;
    let mut statement =
        conn.prepare_cached("SELECT mac FROM board_macs WHERE board = ?1 ORDER BY mac")?;
    let macs = statement.query_map([id.to_string()], |row| column::word(row, "mac"))?;
    seat.macs = macs.collect::<Result<_, _>>()?;
    seat.last = deployments::newest(conn, id)?;
    if let Some(last) = &seat.last {
        seat.tile.batch = Some(last.batch);
        seat.tile.deployment = Some(last.id.clone());
        seat.tile.attempt = last.number;
    }
    seat.tile.hostname = super::names::of_board(conn, id)?.map(|name| name.hostname);
    seat.boot = tokens::newest(conn, id)?;
    Ok(seat)
}

/// One board, on the bench or not.
pub fn get(conn: &Connection, id: BoardId) -> Result<Option<Seat>> {
    let sql = format!("SELECT {COLUMNS} FROM boards WHERE id = ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    match statement.query_row([id.to_string()], read).optional()? {
        Some(seat) => complete(conn, seat).map(Some),
        None => Ok(None),
    }
}

/// The boards on the bench, in order of appearance.
pub fn on_bench(conn: &Connection) -> Result<Vec<Seat>> {
    let sql = format!("SELECT {COLUMNS} FROM boards WHERE on_bench = 1 ORDER BY first_seen, id");
    let mut statement = conn.prepare_cached(&sql)?;
    let seats: Vec<Seat> = statement.query_map([], read)?.collect::<Result<_, _>>()?;
    seats.into_iter().map(|seat| complete(conn, seat)).collect()
}

/// The whole serial number of every board that has said it, on the bench or not.
pub fn serials(conn: &Connection) -> Result<HashMap<BoardId, Serial>> {
    let sql = "SELECT id, serial FROM boards WHERE serial IS NOT NULL";
    let mut statement = conn.prepare_cached(sql)?;
    let read = |row: &Row<'_>| Ok((column::word(row, "id")?, column::word(row, "serial")?));
    Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
}

/// The board that spoke with this address.
pub fn by_mac(conn: &Connection, mac: Mac) -> Result<Option<BoardId>> {
    let mut statement = conn.prepare_cached("SELECT board FROM board_macs WHERE mac = ?1")?;
    let board = |row: &Row<'_>| column::word(row, "board");
    Ok(statement.query_row([mac.to_string()], board).optional()?)
}

/// Writes a seat that is on the bench. Its deployment has its own row.
pub fn put(conn: &Connection, seat: &Seat) -> Result<()> {
    let tile = &seat.tile;
    conn.prepare_cached(
        "INSERT INTO boards (id, serial, mac, ip, revision, model, machine, ram_mib, agent,
            inventory, stage, stage_since, first_seen, last_seen, hold, failure, disk, detail,
            permit, released, checked_in, rehearsal, place, way, withheld, on_bench)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
            ?19, ?20, ?21, ?22, ?23, ?24, ?25, 1)
         ON CONFLICT (id) DO UPDATE SET serial = excluded.serial, mac = excluded.mac,
            ip = excluded.ip, revision = excluded.revision, model = excluded.model,
            machine = excluded.machine, ram_mib = excluded.ram_mib, agent = excluded.agent,
            inventory = excluded.inventory, stage = excluded.stage,
            stage_since = excluded.stage_since, first_seen = excluded.first_seen,
            last_seen = excluded.last_seen, hold = excluded.hold, failure = excluded.failure,
            disk = excluded.disk, detail = excluded.detail, permit = excluded.permit,
            released = excluded.released, checked_in = excluded.checked_in,
            rehearsal = excluded.rehearsal, place = excluded.place, way = excluded.way,
            withheld = excluded.withheld, on_bench = excluded.on_bench",
    )?
    .execute(params![
        tile.id.to_string(),
        tile.serial.map(|s| s.to_string()),
        tile.mac.to_string(),
        tile.ip.map(|ip| ip.to_string()),
        tile.revision.map(|r| r.0),
        tile.model,
        column::to_json_or_none(seat.machine.as_ref())?,
        tile.ram_mib,
        seat.agent,
        column::to_json_or_none(seat.inventory.as_ref())?,
        tile.stage.as_str(),
        tile.stage_since.0,
        seat.first_seen.0,
        tile.last_seen.0,
        column::to_json_or_none(tile.hold.as_ref())?,
        column::to_json_or_none(tile.failure.as_ref())?,
        column::to_json_or_none(tile.disk.as_ref())?,
        tile.detail,
        seat.permit.as_str(),
        seat.released,
        seat.checked_in,
        tile.rehearsal,
        tile.place,
        column::to_json(&seat.way)?,
        seat.withheld
    ])?;
    let mut statement = conn.prepare_cached(
        "INSERT INTO board_macs (mac, board) VALUES (?1, ?2)
         ON CONFLICT (mac) DO UPDATE SET board = excluded.board WHERE board <> excluded.board",
    )?;
    for mac in &seat.macs {
        statement.execute([mac.to_string(), tile.id.to_string()])?;
    }
    Ok(())
}

/// Takes a board off the bench; its row stays for the history.
pub fn leave(conn: &Connection, id: BoardId) -> Result<()> {
    conn.prepare_cached("UPDATE boards SET on_bench = 0 WHERE id = ?1")?
        .execute([id.to_string()])?;
    Ok(())
}

/// Forgets a board of which there is nothing to remember.
pub fn forget(conn: &Connection, id: BoardId) -> Result<()> {
    conn.prepare_cached(
        "DELETE FROM boards WHERE id = ?1 AND checked_in = 0
            AND NOT EXISTS (SELECT 1 FROM deployments WHERE board = ?1)
            AND NOT EXISTS (SELECT 1 FROM names WHERE board = ?1)",
    )?
    .execute([id.to_string()])?;
    Ok(())
}

/// Clears the bench of boards not heard of since `before` that have nothing under way.
pub fn clear_bench(conn: &Connection, before: Millis) -> Result<usize> {
    Ok(conn.execute(
        "UPDATE boards SET on_bench = 0 WHERE on_bench = 1 AND last_seen < ?1
            AND NOT EXISTS (SELECT 1 FROM deployments d WHERE d.board = id AND d.ended IS NULL)",
        [before.0],
    )?)
}

/// Remembers that the operator wants an address answered.
pub fn accept(conn: &Connection, mac: Mac, now: Millis) -> Result<()> {
    conn.prepare_cached("INSERT OR IGNORE INTO accepted_macs (mac, at) VALUES (?1, ?2)")?
        .execute(params![mac.to_string(), now.0])?;
    Ok(())
}

/// Every address to be answered whatever its packets look like: of boards that checked in, and
/// those that the operator accepted.
pub fn vouched(conn: &Connection) -> Result<Vec<Mac>> {
    let mut statement = conn.prepare(
        "SELECT m.mac FROM board_macs m JOIN boards b ON b.id = m.board WHERE b.checked_in = 1
         UNION SELECT mac FROM accepted_macs",
    )?;
    let macs = statement.query_map([], |row| column::word(row, "mac"))?;
    Ok(macs.collect::<Result<_, _>>()?)
}
