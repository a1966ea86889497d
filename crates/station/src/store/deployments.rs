//! Deployments: one row per attempt. A board has at most one open one, by a unique index.

use super::{Result, column};
use crate::bench::attempt::{Attempt, Via};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use wire::agent::Outcome;
use wire::batch::BatchId;
use wire::sheet::{Curve, Step};
use wire::{BoardId, Millis, Stage};

const COLUMNS: &str = "id, board, attempt, batch, product, venue, image, hostname, mac, serial,
    via, boot, secret, hello, disk, overwrite, restarts, started, stage, touched, last_seq,
    given_up, verified, ended, confirmed";

fn read(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    let via: String = row.get("via")?;
    Ok(Attempt {
        id: row.get("id")?,
        board: column::word(row, "board")?,
        number: row.get("attempt")?,
        batch: BatchId(row.get("batch")?),
        product: column::word(row, "product")?,
        venue: column::word(row, "venue")?,
        image: column::word(row, "image")?,
        hostname: column::word(row, "hostname")?,
        mac: column::word(row, "mac")?,
        serial: column::word_or_none(row, "serial")?,
        via: if via == Via::Device.as_str() {
            Via::Device
        } else {
            Via::Agent
        },
        boot: row.get("boot")?,
        secret: row.get("secret")?,
        hello: row.get("hello")?,
        disk: column::json_or_none(row, "disk")?,
        overwrite: row.get("overwrite")?,
        restarts: row.get("restarts")?,
        started: column::millis(row, "started")?,
        stage: column::word(row, "stage")?,
        touched: row.get("touched")?,
        last_seq: column::number(row, "last_seq")?,
        given_up: row.get("given_up")?,
        verified: column::word_or_none(row, "verified")?,
        ended: column::millis_or_none(row, "ended")?,
        confirmed: column::millis_or_none(row, "confirmed")?,
    })
}

fn one(conn: &Connection, condition: &str, value: &str) -> Result<Option<Attempt>> {
    let sql = format!("SELECT {COLUMNS} FROM deployments WHERE {condition}");
    let mut statement = conn.prepare_cached(&sql)?;
    Ok(statement.query_row([value], read).optional()?)
}

/// One deployment.
pub fn get(conn: &Connection, id: &str) -> Result<Option<Attempt>> {
    one(conn, "id = ?1", id)
}

/// The deployment whose installed system calls home with this secret.
pub fn by_hello(conn: &Connection, secret: &str) -> Result<Option<Attempt>> {
    one(conn, "hello = ?1", secret)
}

/// The newest deployment of a board: the open one if there is one.
pub fn newest(conn: &Connection, board: BoardId) -> Result<Option<Attempt>> {
    let condition = "board = ?1 ORDER BY ended IS NOT NULL, started DESC, id DESC LIMIT 1";
    one(conn, condition, &board.to_string())
}

/// The newest deployment under a name.
pub fn newest_of_name(conn: &Connection, hostname: &str) -> Result<Option<Attempt>> {
    let condition = "board = (SELECT board FROM names WHERE hostname = ?1) AND hostname = ?1
        ORDER BY ended IS NOT NULL, started DESC, id DESC LIMIT 1";
    one(conn, condition, hostname)
}

/// The open deployments of a batch.
pub fn open_in(conn: &Connection, batch: BatchId) -> Result<Vec<BoardId>> {
    boards(conn, batch, "ended IS NULL")
}

/// The boards of a batch whose last attempt failed.
pub fn failed_in(conn: &Connection, batch: BatchId) -> Result<Vec<BoardId>> {
    boards(conn, batch, "stage = 'failed' AND given_up = 0")
}

fn boards(conn: &Connection, batch: BatchId, condition: &str) -> Result<Vec<BoardId>> {
    let sql = format!(
        "SELECT board FROM (SELECT board, stage, ended, given_up, max(attempt)
            FROM deployments WHERE batch = ?1 GROUP BY board)
         WHERE {condition} ORDER BY board"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let boards = statement.query_map([batch.0], |row| column::word(row, "board"))?;
    Ok(boards.collect::<Result<_, _>>()?)
}

/// Adds a deployment, with the network boot that led to it. Its name must be assigned to its board
/// already.
pub fn add(conn: &Connection, attempt: &Attempt, way: &[Step]) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO deployments (id, board, attempt, batch, product, venue, image, hostname, mac,
            serial, via, boot, secret, hello, disk, overwrite, restarts, started, stage, way)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
            ?19, ?20)",
    )?
    .execute(params![
        attempt.id,
        attempt.board.to_string(),
        attempt.number,
        attempt.batch.0,
        attempt.product.as_str(),
        attempt.venue.as_str(),
        attempt.image.to_string(),
        attempt.hostname.as_str(),
        attempt.mac.to_string(),
        attempt.serial.map(|s| s.to_string()),
        attempt.via.as_str(),
        attempt.boot,
        attempt.secret,
        attempt.hello,
        column::to_json_or_none(attempt.disk.as_ref())?,
        attempt.overwrite,
        attempt.restarts,
        attempt.started.0,
        attempt.stage.as_str(),
        column::to_json(&way)?
    ])?;
    step(conn, &attempt.id, attempt.stage, attempt.started, None)
}

/// Writes what changes in a deployment: where it is, what it is known to have stored, its end.
pub fn update(conn: &Connection, attempt: &Attempt, error: Option<&str>) -> Result<()> {
    conn.prepare_cached(
        "UPDATE deployments SET stage = ?2, touched = ?3, last_seq = ?4, given_up = ?5,
            verified = ?6, ended = ?7, confirmed = ?8, error = coalesce(?9, error), boot = ?10
         WHERE id = ?1",
    )?
    .execute(params![
        attempt.id,
        attempt.stage.as_str(),
        attempt.touched,
        column::signed(attempt.last_seq),
        attempt.given_up,
        attempt.verified.map(wire::batch::VerifyLevel::as_str),
        attempt.ended.map(|at| at.0),
        attempt.confirmed.map(|at| at.0),
        error,
        attempt.boot
    ])?;
    Ok(())
}

/// Writes the figures of a finished board.
pub fn set_outcome(conn: &Connection, id: &str, outcome: &Outcome) -> Result<()> {
    conn.prepare_cached(
        "UPDATE deployments SET bytes_written = ?2, bytes_read_back = ?3, bytes_received = ?4,
            rewritten = ?5, transport = ?6, outcome = ?7
         WHERE id = ?1",
    )?
    .execute(params![
        id,
        column::signed(outcome.bytes_written),
        column::signed(outcome.bytes_read_back),
        column::signed(outcome.bytes_received),
        outcome.rewritten_chunks,
        outcome.transport,
        column::to_json(outcome)?
    ])?;
    Ok(())
}

/// Writes how fast the disk went.
pub fn set_curve(conn: &Connection, id: &str, curve: &Curve) -> Result<()> {
    conn.prepare_cached("UPDATE deployments SET curve = ?2 WHERE id = ?1")?
        .execute(params![id, column::to_json(curve)?])?;
    Ok(())
}

/// Writes when a stage began. With the last one it is known how long each took.
pub fn step(
    conn: &Connection,
    id: &str,
    stage: Stage,
    began: Millis,
    detail: Option<&str>,
) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO steps (deployment, stage, began, detail) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![id, stage.as_str(), began.0, detail])?;
    if stage == Stage::Done {
        conn.prepare_cached(
            "UPDATE steps SET took = (
                SELECT next.began - steps.began FROM steps AS next
                WHERE next.deployment = ?1 AND next.rowid > steps.rowid
                ORDER BY next.rowid LIMIT 1)
             WHERE deployment = ?1",
        )?
        .execute([id])?;
    }
    Ok(())
}

/// The stretches of a deployment, from the first packet of the boot that led to it.
pub fn way(conn: &Connection, id: &str) -> Result<Vec<Step>> {
    let mut before = conn.prepare_cached("SELECT way FROM deployments WHERE id = ?1")?;
    let read = |row: &Row<'_>| column::json_or_none(row, "way");
    let before: Option<Option<Vec<Step>>> = before.query_row([id], read).optional()?;
    let mut way = before.flatten().unwrap_or_default();
    let mut steps = conn.prepare_cached(
        "SELECT stage, began, detail FROM steps WHERE deployment = ?1 ORDER BY rowid",
    )?;
    let step = |row: &Row<'_>| {
        Ok(Step {
            stage: column::word(row, "stage")?,
            began: column::millis(row, "began")?,
            ended: None,
            detail: row.get("detail")?,
        })
    };
    for step in steps.query_map([id], step)? {
        way.push(step?);
    }
    Ok(way)
}

/// How fast its disk went, once it has ended.
pub fn curve(conn: &Connection, id: &str) -> Result<Option<Curve>> {
    let mut statement = conn.prepare_cached("SELECT curve FROM deployments WHERE id = ?1")?;
    let curve = |row: &Row<'_>| column::json_or_none(row, "curve");
    Ok(statement.query_row([id], curve).optional()?.flatten())
}
