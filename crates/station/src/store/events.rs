//! The event log: append-only, by triggers.

use super::filter::Filter;
use super::{Result, column};
use rusqlite::{Connection, Row, params};
use wire::batch::BatchId;
use wire::event::{Event, Level};
use wire::query::EventFilter;
use wire::{BoardId, Millis};

/// Most rows of one answer when the question names no limit.
const USUAL_LIMIT: u32 = 1000;

/// What an event is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// Which board.
    pub board: Option<BoardId>,
    /// Which deployment.
    pub deployment: Option<String>,
    /// Which batch.
    pub batch: Option<BatchId>,
}

/// Appends an event; the answer has its number.
pub fn append(
    conn: &Connection,
    at: Millis,
    level: Level,
    about: &About,
    kind: &str,
    text: &str,
) -> Result<Event> {
    conn.prepare_cached(
        "INSERT INTO events (at, level, board, deployment, batch, kind, text)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        at.0,
        level.as_str(),
        about.board.map(|b| b.to_string()),
        about.deployment,
        about.batch.map(|b| b.0),
        kind,
        text
    ])?;
    Ok(Event {
        id: conn.last_insert_rowid(),
        at,
        level,
        board: about.board,
        deployment: about.deployment.clone(),
        batch: about.batch,
        kind: kind.to_owned(),
        text: text.to_owned(),
    })
}

/// When the record begins.
pub fn first(conn: &Connection) -> Result<Option<Millis>> {
    let first = conn.query_row("SELECT min(at) FROM events", [], |row| row.get(0))?;
    Ok(Option::map(first, Millis))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Event> {
    Ok(Event {
        id: row.get("id")?,
        at: column::millis(row, "at")?,
        level: column::word(row, "level")?,
        board: column::word_or_none(row, "board")?,
        deployment: row.get("deployment")?,
        batch: row.get::<_, Option<i64>>("batch")?.map(BatchId),
        kind: row.get("kind")?,
        text: row.get("text")?,
    })
}

/// Events, oldest first.
pub fn list(conn: &Connection, filter: &EventFilter) -> Result<Vec<Event>> {
    let mut all = Filter::default();
    all.and("id > ?", filter.after);
    all.and_if("board = ?", filter.board.map(|b| b.to_string()));
    all.and_if("deployment = ?", filter.deployment.clone());
    all.and_if("batch = ?", filter.batch.map(|b| b.0));
    let limit = all.value(limit(filter.limit));
    let (filtered, values) = all.done();
    let sql = format!(
        "SELECT id, at, level, board, deployment, batch, kind, text FROM events {filtered}
         ORDER BY id LIMIT {limit}"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let values = rusqlite::params_from_iter(values);
    Ok(statement
        .query_map(values, read)?
        .collect::<Result<_, _>>()?)
}

/// The newest events of a board, the newest first.
pub fn newest_of(conn: &Connection, board: BoardId, most: u32) -> Result<Vec<Event>> {
    let mut statement = conn.prepare_cached(
        "SELECT id, at, level, board, deployment, batch, kind, text FROM events
         WHERE board = ?1 ORDER BY id DESC LIMIT ?2",
    )?;
    let rows = statement.query_map(params![board.to_string(), most], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The limit of an answer: 0 is the usual one.
pub(super) fn limit(asked: u32) -> u32 {
    if asked == 0 { USUAL_LIMIT } else { asked }
}
