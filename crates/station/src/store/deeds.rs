//! The record of who did what: append-only, by triggers.

use super::events::limit;
use super::filter::{Filter, wanted};
use super::{Result, column};
use rusqlite::{Connection, Row, params};
use wire::Millis;
use wire::operator::{Deed, DeedFilter, DeedOutcome, Door};

/// What is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct New<'a> {
    /// Who.
    pub who: &'a str,
    /// How that was known.
    pub door: Door,
    /// From where.
    pub origin: &'a str,
    /// What.
    pub action: &'a str,
    /// To what.
    pub subject: &'a str,
    /// Why it was refused; nothing for what was done.
    pub why: Option<&'a str>,
}

/// Appends a row.
pub fn append(conn: &Connection, at: Millis, new: &New<'_>) -> Result<()> {
    let outcome = match new.why {
        None => DeedOutcome::Done,
        Some(_) => DeedOutcome::Refused,
    };
    conn.prepare_cached(
        "INSERT INTO deeds (at, who, door, origin, action, subject, outcome, why)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        at.0,
        new.who,
        new.door.as_str(),
        new.origin,
        new.action,
        new.subject,
        outcome.as_str(),
        new.why,
    ])?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Deed> {
    Ok(Deed {
        id: row.get("id")?,
        at: column::millis(row, "at")?,
        who: row.get("who")?,
        door: column::word(row, "door")?,
        origin: row.get("origin")?,
        action: row.get("action")?,
        subject: row.get("subject")?,
        outcome: column::word(row, "outcome")?,
        why: row.get("why")?,
    })
}

/// Rows, newest first.
pub fn list(conn: &Connection, filter: &DeedFilter) -> Result<Vec<Deed>> {
    let mut all = Filter::default();
    all.and_if("id < ?", filter.before);
    all.and_if("who = ?", filter.who.clone());
    all.and_if("outcome = ?", filter.outcome.map(DeedOutcome::as_str));
    all.and_if(
        "instr(lower(who || ' ' || origin || ' ' || action || ' ' || subject || ' '
            || coalesce(why, '')), ?) > 0",
        wanted(filter.text.as_deref()),
    );
    let limit = all.value(limit(filter.limit));
    let (filtered, values) = all.done();
    let sql = format!(
        "SELECT id, at, who, door, origin, action, subject, outcome, why FROM deeds {filtered}
         ORDER BY id DESC LIMIT {limit}"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let values = rusqlite::params_from_iter(values);
    Ok(statement
        .query_map(values, read)?
        .collect::<Result<_, _>>()?)
}
