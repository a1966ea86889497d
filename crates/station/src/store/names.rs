//! The pools of names, and the claim: one statement inside the engine's transaction, under
//! constraints that leave one name to one board.

use super::filter::{Filter, wanted};
use super::{Result, column};
use crate::names::preview::{Found, NewName};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use wire::batch::{BatchId, BatchPlan, Name, NameState};
use wire::name::{Hostname, ProductCode, VenueCode};
use wire::query::NameFilter;
use wire::{BoardId, Millis};

const COLUMNS: &str = "hostname, product, venue, number, state, batch,
    coalesce(board, meant_for) AS board, note, changed";
/// Numbers first, in their order; then names without one.
const IN_ORDER: &str = "number IS NULL, number, hostname";

fn read(row: &Row<'_>) -> rusqlite::Result<Name> {
    Ok(Name {
        hostname: column::word(row, "hostname")?,
        product: column::word(row, "product")?,
        venue: column::word(row, "venue")?,
        number: row.get("number")?,
        state: column::word(row, "state")?,
        batch: row.get::<_, Option<i64>>("batch")?.map(BatchId),
        board: column::word_or_none(row, "board")?,
        note: row.get("note")?,
        changed: column::millis(row, "changed")?,
    })
}

/// One name, in any case.
pub fn get(conn: &Connection, hostname: &Hostname) -> Result<Option<Name>> {
    let sql = format!("SELECT {COLUMNS} FROM names WHERE hostname = ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    Ok(statement.query_row([hostname.as_str()], read).optional()?)
}

/// The name that a board owns.
pub fn of_board(conn: &Connection, board: BoardId) -> Result<Option<Name>> {
    let sql = format!("SELECT {COLUMNS} FROM names WHERE names.board = ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    Ok(statement.query_row([board.to_string()], read).optional()?)
}

/// The pools that hold a free name which only this board may have.
pub fn meant_for(conn: &Connection, board: BoardId) -> Result<Vec<(ProductCode, VenueCode)>> {
    let mut statement = conn.prepare_cached(
        "SELECT DISTINCT product, venue FROM names
         WHERE meant_for = ?1 AND state IN ('available', 'reserved')",
    )?;
    let pool = |row: &Row<'_>| Ok((column::word(row, "product")?, column::word(row, "venue")?));
    Ok(statement
        .query_map([board.to_string()], pool)?
        .collect::<Result<_, _>>()?)
}

/// What is there already of a name to be imported: the name, its number in this pool, or a free name
/// of the pool that is meant for the same board.
pub fn found(
    conn: &Connection,
    product: &ProductCode,
    venue: &VenueCode,
    name: &NewName,
) -> Result<Found> {
    let mut statement = conn.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM names WHERE hostname = ?1)
            OR EXISTS (SELECT 1 FROM names WHERE product = ?2 AND venue = ?3 AND number = ?4)
                AS there,
            (SELECT hostname FROM names WHERE meant_for = ?5 AND product = ?2 AND venue = ?3
                AND state IN ('available', 'reserved')) AS of_board",
    )?;
    let values = params![
        name.hostname.as_str(),
        product.as_str(),
        venue.as_str(),
        name.number,
        name.board.map(|b| b.to_string())
    ];
    let found = |row: &Row<'_>| {
        if row.get("there")? {
            return Ok(Found::Name);
        }
        let of_board = column::word_or_none(row, "of_board")?;
        Ok(of_board.map_or(Found::Nothing, Found::OfBoard))
    };
    Ok(statement.query_row(values, found)?)
}

/// Adds a free name.
pub fn add(
    conn: &Connection,
    product: &ProductCode,
    venue: &VenueCode,
    name: &NewName,
    now: Millis,
) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO names (hostname, product, venue, number, state, meant_for, note, changed)
         VALUES (?1, ?2, ?3, ?4, 'available', ?5, ?6, ?7)",
    )?
    .execute(params![
        name.hostname.as_str(),
        product.as_str(),
        venue.as_str(),
        name.number,
        name.board.map(|b| b.to_string()),
        name.note,
        now.0
    ])?;
    Ok(())
}

/// Adds a name that was made for a board, and gives it to that board.
pub fn add_owned(
    conn: &Connection,
    hostname: &Hostname,
    product: &ProductCode,
    venue: &VenueCode,
    batch: BatchId,
    board: BoardId,
    now: Millis,
) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO names (hostname, product, venue, state, batch, board, used, changed)
         VALUES (?1, ?2, ?3, 'assigned', ?4, ?5, 1, ?6)",
    )?
    .execute(params![
        hostname.as_str(),
        product.as_str(),
        venue.as_str(),
        batch.0,
        board.to_string(),
        now.0
    ])?;
    Ok(())
}

/// Names that a batch can use: a name that is meant for a board is of use while that board has no
/// other one, to a batch that takes the board. `?1` and `?2` are the pool, `?3` is the JSON list of
/// the only boards that the batch takes, empty when it takes any.
const USABLE: &str = "product = ?1 AND venue = ?2 AND (meant_for IS NULL OR (
    (?3 = '[]' OR meant_for IN (SELECT value FROM json_each(?3)))
    AND NOT EXISTS (SELECT 1 FROM names AS own WHERE own.board = names.meant_for)))";

/// Free names of a pool that a batch can use which takes only `boards`, or any when that is empty.
pub fn count_available(
    conn: &Connection,
    product: &ProductCode,
    venue: &VenueCode,
    boards: &[BoardId],
) -> Result<u32> {
    let sql = format!("SELECT count(*) FROM names WHERE {USABLE} AND state = 'available'");
    let values = params![product.as_str(), venue.as_str(), column::to_json(&boards)?];
    let mut statement = conn.prepare_cached(&sql)?;
    Ok(statement.query_row(values, |row| row.get(0))?)
}

/// Names that boards of a batch may claim: those reserved for it, and free ones of its pool.
pub fn count_claimable(conn: &Connection, plan: &BatchPlan, batch: BatchId) -> Result<u32> {
    let sql = format!(
        "SELECT count(*) FROM names WHERE {USABLE}
            AND (state = 'available' OR (state = 'reserved' AND batch = ?4))"
    );
    let values = params![
        plan.product.as_str(),
        plan.venue.as_str(),
        column::to_json(&plan.rules.boards)?,
        batch.0
    ];
    let mut statement = conn.prepare_cached(&sql)?;
    Ok(statement.query_row(values, |row| row.get(0))?)
}

/// Reserves `count` free names of a pool for a batch. When it takes any board, names that any board
/// may have go first, else those that are meant for its boards; the lowest of them go first. Says how
/// many of them only one board may have.
pub fn reserve(
    conn: &Connection,
    plan: &BatchPlan,
    batch: BatchId,
    count: u32,
    now: Millis,
) -> Result<usize> {
    let sql = format!(
        "UPDATE names SET state = 'reserved', batch = ?4, changed = ?6 WHERE id IN (
            SELECT id FROM names WHERE {USABLE} AND state = 'available'
            ORDER BY (meant_for IS NULL) = (?3 <> '[]'), {IN_ORDER} LIMIT ?5)
         RETURNING meant_for IS NOT NULL AS bound"
    );
    let values = params![
        plan.product.as_str(),
        plan.venue.as_str(),
        column::to_json(&plan.rules.boards)?,
        batch.0,
        count,
        now.0
    ];
    let mut statement = conn.prepare_cached(&sql)?;
    let bound = statement.query_map(values, |row| row.get("bound"))?;
    let bound: Vec<bool> = bound.collect::<Result<_, _>>()?;
    Ok(bound.into_iter().filter(|bound| *bound).count())
}

/// Returns what is still reserved for a batch; says how many.
pub fn unreserve(conn: &Connection, batch: BatchId, now: Millis) -> Result<usize> {
    Ok(conn
        .prepare_cached(
            "UPDATE names SET state = 'available', batch = NULL, changed = ?2
             WHERE batch = ?1 AND state = 'reserved'",
        )?
        .execute(params![batch.0, now.0])?)
}

/// Claims a name for a board: the one meant for it, else, when the product draws from a pool
/// (`pooled`), the lowest reserved for the batch, else the lowest free one. `None` when there is
/// none.
pub fn claim(
    conn: &Connection,
    plan: &BatchPlan,
    batch: BatchId,
    board: BoardId,
    pooled: bool,
    now: Millis,
) -> Result<Option<Hostname>> {
    let sql = format!(
        "UPDATE names SET state = 'assigned', board = ?4, batch = ?3, used = 1, changed = ?5
         WHERE id = (
            SELECT id FROM names
            WHERE product = ?1 AND venue = ?2
                AND (state = 'available' OR (state = 'reserved' AND batch = ?3))
                AND (meant_for = ?4 OR (?6 AND meant_for IS NULL))
            ORDER BY meant_for IS NULL, state = 'available', {IN_ORDER} LIMIT 1)
         RETURNING hostname"
    );
    let values = params![
        plan.product.as_str(),
        plan.venue.as_str(),
        batch.0,
        board.to_string(),
        now.0,
        pooled
    ];
    let hostname = |row: &Row<'_>| column::word(row, "hostname");
    Ok(conn
        .prepare_cached(&sql)?
        .query_row(values, hostname)
        .optional()?)
}

/// Gives a name to a board, wherever it was; the batch it belongs to stays known.
pub fn assign(
    conn: &Connection,
    hostname: &Hostname,
    board: BoardId,
    batch: Option<BatchId>,
    now: Millis,
) -> Result<()> {
    conn.prepare_cached(
        "UPDATE names SET state = 'assigned', board = ?2, batch = coalesce(?3, batch), used = 1,
            meant_for = NULL, changed = ?4
         WHERE hostname = ?1",
    )?
    .execute(params![
        hostname.as_str(),
        board.to_string(),
        batch.map(|b| b.0),
        now.0
    ])?;
    Ok(())
}

/// Takes a name from its board: back to the reservation of `batch`, or free.
pub fn free(
    conn: &Connection,
    hostname: &Hostname,
    batch: Option<BatchId>,
    now: Millis,
) -> Result<()> {
    conn.prepare_cached(
        "UPDATE names SET state = CASE WHEN ?2 IS NULL THEN 'available' ELSE 'reserved' END,
            board = NULL, batch = ?2, meant_for = NULL, changed = ?3
         WHERE hostname = ?1",
    )?
    .execute(params![hostname.as_str(), batch.map(|b| b.0), now.0])?;
    Ok(())
}

/// Retires a name.
pub fn retire(conn: &Connection, hostname: &Hostname, now: Millis) -> Result<()> {
    conn.prepare_cached(
        "UPDATE names SET state = 'retired', board = NULL, batch = NULL, changed = ?2
         WHERE hostname = ?1",
    )?
    .execute(params![hostname.as_str(), now.0])?;
    Ok(())
}

/// Deletes a free name that no board ever had; says whether it was one.
pub fn delete(conn: &Connection, hostname: &Hostname) -> Result<bool> {
    let gone = conn
        .prepare_cached(
            "DELETE FROM names WHERE hostname = ?1 AND state = 'available' AND used = 0",
        )?
        .execute([hostname.as_str()])?;
    Ok(gone == 1)
}

/// Names in numeric order.
pub fn list(conn: &Connection, filter: &NameFilter) -> Result<Vec<Name>> {
    let mut all = Filter::default();
    all.and_if(
        "product = ?",
        filter.product.as_ref().map(ToString::to_string),
    );
    all.and_if("venue = ?", filter.venue.as_ref().map(ToString::to_string));
    all.and_if("state = ?", filter.state.map(NameState::as_str));
    all.and_if(
        "instr(lower(hostname || ' ' || coalesce(names.board, meant_for, '') || ' ' || note), ?) > 0",
        wanted(filter.text.as_deref()),
    );
    let (filtered, values) = all.done();
    let sql = format!("SELECT {COLUMNS} FROM names {filtered} ORDER BY product, venue, {IN_ORDER}");
    let mut statement = conn.prepare_cached(&sql)?;
    let values = rusqlite::params_from_iter(values);
    Ok(statement
        .query_map(values, read)?
        .collect::<Result<_, _>>()?)
}
