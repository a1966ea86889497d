//! Venues: where boards go.

use super::{Result, column};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use std::collections::HashMap;
use wire::Millis;
use wire::batch::Venue;
use wire::name::VenueCode;

const COLUMNS: &str = "code, name, location, contact, archived";

fn read(row: &Row<'_>) -> rusqlite::Result<Venue> {
    Ok(Venue {
        code: column::word(row, "code")?,
        name: row.get("name")?,
        location: row.get("location")?,
        contact: row.get("contact")?,
        archived: row.get("archived")?,
    })
}

/// One venue.
pub fn get(conn: &Connection, code: &VenueCode) -> Result<Option<Venue>> {
    let sql = format!("SELECT {COLUMNS} FROM venues WHERE code = ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    Ok(statement.query_row([code.as_str()], read).optional()?)
}

/// All venues, by code.
pub fn all(conn: &Connection) -> Result<Vec<Venue>> {
    let sql = format!("SELECT {COLUMNS} FROM venues ORDER BY code");
    let mut statement = conn.prepare_cached(&sql)?;
    Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
}

/// When each venue was added.
pub fn added(conn: &Connection) -> Result<HashMap<VenueCode, Millis>> {
    let mut statement = conn.prepare_cached("SELECT code, created FROM venues")?;
    let read = |row: &Row<'_>| Ok((column::word(row, "code")?, column::millis(row, "created")?));
    Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
}

/// Adds a venue.
pub fn add(conn: &Connection, venue: &Venue, now: Millis) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO venues (code, name, location, contact, archived, created)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        venue.code.as_str(),
        venue.name,
        venue.location,
        venue.contact,
        venue.archived,
        now.0
    ])?;
    Ok(())
}

/// Changes a venue.
pub fn update(conn: &Connection, venue: &Venue) -> Result<()> {
    conn.prepare_cached(
        "UPDATE venues SET name = ?2, location = ?3, contact = ?4, archived = ?5 WHERE code = ?1",
    )?
    .execute(params![
        venue.code.as_str(),
        venue.name,
        venue.location,
        venue.contact,
        venue.archived
    ])?;
    Ok(())
}
