//! The history of deployments, newest first, under any combination of filters.
//!
//! Every filter has an index that ends in time order, so that a page of 50,000 rows is found without
//! sorting. A text is looked for in one of two ways. One that few deployments have is found through
//! the index of its pieces (three characters each), and the few are sorted. One that many have, or
//! that is shorter than a piece, is looked for along the narrowest index, newest first, until the
//! page is full; the index carries the text.

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

/// Letters of a piece: shorter texts are in no index.
const PIECE: usize = 3;
/// Rows that are sorted rather than walked past.
pub(super) const FEW: u32 = 1000;

/// How the deployments of a filter are come by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Road {
    /// Along an index, newest first, looking for the text (if any) in each.
    Along(Option<String>),
    /// From the pieces of a text that few have.
    Pieces(String),
}

/// Chooses the road.
fn road(conn: &Connection, filter: &HistoryFilter) -> Result<Road> {
    let Some(text) = wanted(filter.text.as_deref()) else {
        return Ok(Road::Along(None));
    };
    if text.chars().count() < PIECE || text.contains('\0') {
        return Ok(Road::Along(Some(text)));
    }
    let pieces = format!("\"{}\"", text.replace('"', "\"\""));
    let mut statement = conn.prepare_cached(
        "SELECT count(*) FROM (SELECT 1 FROM deployment_pieces
            WHERE deployment_pieces MATCH ?1 LIMIT ?2 + 1)",
    )?;
    let found: u32 = statement.query_row(rusqlite::params![pieces, FEW], |row| row.get(0))?;
    Ok(if found <= FEW {
        Road::Pieces(pieces)
    } else {
        Road::Along(Some(text))
    })
}

/// The rows of a filter: the text after `FROM`, and the values so far.
fn rows(filter: &HistoryFilter, road: &Road) -> (String, Filter) {
    let mut all = Filter::default();
    let from = match road {
        Road::Along(text) => {
            all.and_if("instr(search, ?) > 0", text.clone());
            format!("deployments INDEXED BY {}", index(filter))
        }
        Road::Pieces(pieces) => {
            all.and("deployment_pieces MATCH ?", pieces.clone());
            // A cross join is taken in the order in which it is written.
            "deployment_pieces CROSS JOIN deployment_texts ON number = deployment_pieces.rowid
                CROSS JOIN deployments ON id = deployment"
                .to_owned()
        }
    };
    all.and_if("board = ?", filter.board.map(|b| b.to_string()));
    all.and_if("batch = ?", filter.batch.map(|b| b.0));
    all.and_if("venue = ?", filter.venue.as_ref().map(ToString::to_string));
    let product = filter.product.as_ref().map(ToString::to_string);
    all.and_if("product = ?", product);
    all.and_if("stage = ?", filter.stage.map(Stage::as_str));
    all.and_if("started >= ?", filter.since.map(|at| at.0));
    all.and_if("started < ?", filter.until.map(|at| at.0));
    (from, all)
}

/// The narrowest filter leads; the others must not tempt the planner to another index.
fn index(filter: &HistoryFilter) -> &'static str {
    if filter.board.is_some() {
        "history_of_a_board"
    } else if filter.batch.is_some() {
        "history_of_a_batch"
    } else if filter.venue.is_some() {
        "history_of_a_venue"
    } else if filter.product.is_some() {
        "history_of_a_product"
    } else if filter.stage.is_some() {
        "history_of_a_stage"
    } else {
        "history_newest_first"
    }
}

/// The statement for a page of a filter, with its values.
pub(super) fn page(filter: &HistoryFilter, road: &Road) -> (String, Vec<Box<dyn ToSql>>) {
    let (from, mut all) = rows(filter, road);
    let limit = all.value(limit(filter.limit));
    let offset = all.value(filter.offset);
    let (filtered, values) = all.done();
    let sql = format!(
        "SELECT {COLUMNS} FROM {from} {filtered}
         ORDER BY started DESC, id DESC LIMIT {limit} OFFSET {offset}"
    );
    (sql, values)
}

/// The statement that counts what a filter finds, with its values.
pub(super) fn counting(filter: &HistoryFilter, road: &Road) -> (String, Vec<Box<dyn ToSql>>) {
    let (from, all) = rows(filter, road);
    let (filtered, values) = all.done();
    (
        format!("SELECT count(*) AS n FROM {from} {filtered}"),
        values,
    )
}

/// Deployments, newest first.
pub fn list(conn: &Connection, filter: &HistoryFilter) -> Result<Vec<Deployment>> {
    let (sql, values) = page(filter, &road(conn, filter)?);
    let mut statement = conn.prepare_cached(&sql)?;
    let values = rusqlite::params_from_iter(values);
    Ok(statement
        .query_map(values, read)?
        .collect::<Result<_, _>>()?)
}

/// How many a filter finds, its limit and offset aside.
pub fn count(conn: &Connection, filter: &HistoryFilter) -> Result<u64> {
    let (sql, values) = counting(filter, &road(conn, filter)?);
    let mut statement = conn.prepare_cached(&sql)?;
    let values = rusqlite::params_from_iter(values);
    Ok(statement.query_row(values, |row| column::number(row, "n"))?)
}

/// The same one by one, as of one moment, without holding them all. Ends at the first error.
pub fn each<E: From<StoreError>>(
    conn: &Connection,
    filter: &HistoryFilter,
    mut take: impl FnMut(&Deployment) -> Result<(), E>,
) -> Result<(), E> {
    let (sql, values) = page(filter, &road(conn, filter)?);
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
