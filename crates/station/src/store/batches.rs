//! Batches and their order. Counters are never stored: they are counted from the deployments.

use super::{Result, column};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use wire::batch::{Batch, BatchId, BatchPlan, BatchState, Counters};
use wire::name::{ProductCode, VenueCode};
use wire::{BoardId, Millis};

const COLUMNS: &str = "id, product, venue, planned, image, rules, disks, reimage, state, rank,
    created, started, ended, rehearsal";

fn read(row: &Row<'_>) -> rusqlite::Result<Batch> {
    let planned = row.get("planned")?;
    Ok(Batch {
        id: BatchId(row.get("id")?),
        plan: BatchPlan {
            product: column::word(row, "product")?,
            venue: column::word(row, "venue")?,
            count: planned,
            image: column::word_or_none(row, "image")?,
            rules: column::json(row, "rules")?,
            disks: column::json(row, "disks")?,
            reimage: column::word(row, "reimage")?,
        },
        state: column::word(row, "state")?,
        rank: row.get::<_, Option<u32>>("rank")?.unwrap_or(0),
        counters: Counters {
            planned,
            ..Counters::default()
        },
        created: column::millis(row, "created")?,
        started: column::millis_or_none(row, "started")?,
        ended: column::millis_or_none(row, "ended")?,
        rehearsal: row.get("rehearsal")?,
    })
}

/// One batch with its counters.
pub fn get(conn: &Connection, id: BatchId) -> Result<Option<Batch>> {
    let sql = format!("SELECT {COLUMNS} FROM batches WHERE id = ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    match statement.query_row([id.0], read).optional()? {
        Some(batch) => counted(conn, batch).map(Some),
        None => Ok(None),
    }
}

/// All batches with their counters: open ones by rank, then ended ones, newest first.
pub fn all(conn: &Connection) -> Result<Vec<Batch>> {
    let sql = format!("SELECT {COLUMNS} FROM batches ORDER BY rank IS NULL, rank, id DESC");
    let mut statement = conn.prepare_cached(&sql)?;
    let rows: Vec<Batch> = statement.query_map([], read)?.collect::<Result<_, _>>()?;
    rows.into_iter().map(|batch| counted(conn, batch)).collect()
}

/// A board counts by its newest deployment in the batch.
fn counted(conn: &Connection, mut batch: Batch) -> Result<Batch> {
    let mut statement = conn.prepare_cached(
        "SELECT count(*) FILTER (WHERE ended IS NULL),
                count(*) FILTER (WHERE stage IN ('done', 'first_boot_confirmed')),
                count(*) FILTER (WHERE stage = 'failed' AND given_up = 0),
                count(*) FILTER (WHERE stage = 'first_boot_confirmed')
         FROM (SELECT ended, stage, given_up, max(attempt)
               FROM deployments WHERE batch = ?1 GROUP BY board)",
    )?;
    let planned = batch.plan.count;
    batch.counters = statement.query_row([batch.id.0], |row| {
        Ok(Counters {
            planned,
            running: row.get(0)?,
            done: row.get(1)?,
            failed: row.get(2)?,
            confirmed: row.get(3)?,
        })
    })?;
    Ok(batch)
}

/// Creates a batch at the end of the order.
pub fn create(
    conn: &Connection,
    plan: &BatchPlan,
    rehearsal: bool,
    now: Millis,
) -> Result<BatchId> {
    conn.prepare_cached(
        "INSERT INTO batches (product, venue, planned, image, rules, disks, reimage, state, rank,
            created, rehearsal)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'pending',
            (SELECT coalesce(max(rank), 0) + 1 FROM batches), ?8, ?9)",
    )?
    .execute(params![
        plan.product.as_str(),
        plan.venue.as_str(),
        plan.count,
        plan.image.map(|i| i.to_string()),
        column::to_json(&plan.rules)?,
        column::to_json(&plan.disks)?,
        column::to_word(&plan.reimage)?,
        now.0,
        rehearsal
    ])?;
    Ok(BatchId(conn.last_insert_rowid()))
}

/// Moves a batch to a state; its place in the order and its times follow.
pub fn set_state(conn: &Connection, id: BatchId, state: BatchState, now: Millis) -> Result<()> {
    let open = crate::batches::machine::is_open(state);
    conn.prepare_cached(
        "UPDATE batches SET state = ?2,
            started = CASE WHEN ?2 = 'active' THEN coalesce(started, ?3) ELSE started END,
            ended = CASE WHEN ?4 THEN NULL ELSE coalesce(ended, ?3) END,
            rank = CASE WHEN ?4
                THEN coalesce(rank, (SELECT coalesce(max(rank), 0) + 1 FROM batches)) END
         WHERE id = ?1",
    )?
    .execute(params![id.0, state.as_str(), now.0, open])?;
    if open { Ok(()) } else { close_ranks(conn) }
}

/// Plans more boards.
pub fn extend(conn: &Connection, id: BatchId, by: u32) -> Result<()> {
    conn.prepare_cached("UPDATE batches SET planned = planned + ?2 WHERE id = ?1")?
        .execute(params![id.0, by])?;
    Ok(())
}

/// Open batches in their order.
pub fn order(conn: &Connection) -> Result<Vec<BatchId>> {
    let mut statement =
        conn.prepare_cached("SELECT id FROM batches WHERE rank IS NOT NULL ORDER BY rank")?;
    let ids = statement.query_map([], |row| row.get(0).map(BatchId))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// The pools that open batches draw from, each with the first such batch.
pub fn open_pools(conn: &Connection) -> Result<Vec<(BatchId, ProductCode, VenueCode)>> {
    let mut statement = conn.prepare_cached(
        "SELECT min(id) AS id, product, venue FROM batches WHERE rank IS NOT NULL
         GROUP BY product, venue ORDER BY product, venue",
    )?;
    let pool = |row: &Row<'_>| {
        Ok((
            BatchId(row.get("id")?),
            column::word(row, "product")?,
            column::word(row, "venue")?,
        ))
    };
    Ok(statement.query_map([], pool)?.collect::<Result<_, _>>()?)
}

/// Writes the order of the open batches anew: 1 to n.
pub fn set_order(conn: &Connection, order: &[BatchId]) -> Result<()> {
    // Ranks are unique at every moment, so they first step aside.
    conn.execute("UPDATE batches SET rank = -rank WHERE rank IS NOT NULL", [])?;
    let mut statement = conn.prepare_cached("UPDATE batches SET rank = ?2 WHERE id = ?1")?;
    for (rank, id) in (1_i64..).zip(order) {
        statement.execute(params![id.0, rank])?;
    }
    Ok(())
}

fn close_ranks(conn: &Connection) -> Result<()> {
    set_order(conn, &order(conn)?)
}

/// The number of the next attempt of a board in a batch.
pub fn next_attempt(conn: &Connection, batch: BatchId, board: BoardId) -> Result<u32> {
    let mut statement = conn.prepare_cached(
        "SELECT coalesce(max(attempt), 0) + 1 FROM deployments WHERE batch = ?1 AND board = ?2",
    )?;
    let values = params![batch.0, board.to_string()];
    Ok(statement.query_row(values, |row| row.get(0))?)
}
