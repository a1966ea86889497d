//! The history of deployments, newest first, under any combination of filters.
//!
//! Every filter has an index that ends in time order and carries the searched text, so that a page
//! of 50,000 rows is found without sorting and a text is looked for in the index alone.

use super::events::limit;
use super::filter::{Filter, wanted};
use super::{Result, StoreError, column};
use rusqlite::{Connection, Row, ToSql};
use wire::Stage;
use wire::batch::BatchId;
use wire::query::{Deployment, HistoryFilter};

const COLUMNS: &str = "id, board, mac, hostname, batch, product, venue, image, attempt, stage,
    verified, bytes_written, bytes_read_back, bytes_received, transport, error, started, ended,
    confirmed";

fn read(row: &Row<'_>) -> rusqlite::Result<Deployment> {
    Ok(Deployment {
        id: row.get("id")?,
        board: column::word(row, "board")?,
        mac: column::word(row, "mac")?,
        hostname: column::word(row, "hostname")?,
        batch: BatchId(row.get("batch")?),
        product: column::word(row, "product")?,
        venue: column::word(row, "venue")?,
        image: column::word(row, "image")?,
        attempt: row.get("attempt")?,
        stage: column::word(row, "stage")?,
        verified: column::word_or_none(row, "verified")?,
        bytes_written: column::number(row, "bytes_written")?,
        bytes_read_back: column::number(row, "bytes_read_back")?,
        bytes_received: column::number(row, "bytes_received")?,
        transport: row.get("transport")?,
        error: row.get("error")?,
        started: column::millis(row, "started")?,
        ended: column::millis_or_none(row, "ended")?,
        confirmed: column::millis_or_none(row, "confirmed")?,
    })
}

/// The statement for a filter, with its values.
pub(super) fn statement(filter: &HistoryFilter) -> (String, Vec<Box<dyn ToSql>>) {
    // The narrowest filter leads; the others must not tempt the planner to another index.
    let index = match (filter.board, filter.batch, filter.stage) {
        (Some(_), _, _) => "history_of_a_board",
        (None, Some(_), _) => "history_of_a_batch",
        (None, None, Some(_)) => "history_of_a_stage",
        (None, None, None) => "history_newest_first",
    };
    let mut all = Filter::default();
    all.and_if("board = ?", filter.board.map(|b| b.to_string()));
    all.and_if("batch = ?", filter.batch.map(|b| b.0));
    all.and_if("stage = ?", filter.stage.map(Stage::as_str));
    all.and_if("instr(search, ?) > 0", wanted(filter.text.as_deref()));
    let limit = all.value(limit(filter.limit));
    let offset = all.value(filter.offset);
    let (filtered, values) = all.done();
    let sql = format!(
        "SELECT {COLUMNS} FROM deployments INDEXED BY {index} {filtered}
         ORDER BY started DESC, id DESC LIMIT {limit} OFFSET {offset}"
    );
    (sql, values)
}

/// Deployments, newest first.
pub fn list(conn: &Connection, filter: &HistoryFilter) -> Result<Vec<Deployment>> {
    let (sql, values) = statement(filter);
    let mut statement = conn.prepare_cached(&sql)?;
    let values = rusqlite::params_from_iter(values);
    Ok(statement
        .query_map(values, read)?
        .collect::<Result<_, _>>()?)
}

/// The same one by one, as of one moment, without holding them all. Ends at the first error.
pub fn each<E: From<StoreError>>(
    conn: &Connection,
    filter: &HistoryFilter,
    mut take: impl FnMut(&Deployment) -> Result<(), E>,
) -> Result<(), E> {
    let (sql, values) = statement(filter);
    let mut statement = conn.prepare_cached(&sql).map_err(StoreError::from)?;
    let mut rows = statement
        .query(rusqlite::params_from_iter(values))
        .map_err(StoreError::from)?;
    while let Some(row) = rows.next().map_err(StoreError::from)? {
        take(&read(row).map_err(StoreError::from)?)?;
    }
    Ok(())
}

/// What proves a batch: the newest finished deployment of each of its boards, by name.
pub fn finished_in(conn: &Connection, batch: BatchId) -> Result<Vec<Deployment>> {
    let sql = format!(
        "SELECT {COLUMNS}, max(attempt) FROM deployments
         WHERE batch = ?1 AND stage IN ('done', 'first_boot_confirmed')
         GROUP BY board ORDER BY hostname"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    Ok(statement
        .query_map([batch.0], read)?
        .collect::<Result<_, _>>()?)
}
