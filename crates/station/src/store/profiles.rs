//! Profiles: one row each, found by name whatever its case.

use super::{Result, column};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use wire::Millis;
use wire::profile::Profile;

fn read(row: &Row<'_>) -> rusqlite::Result<Profile> {
    column::json(row, "body")
}

/// One profile.
pub fn get(conn: &Connection, name: &str) -> Result<Option<Profile>> {
    let mut statement = conn.prepare_cached("SELECT body FROM profiles WHERE name = ?1")?;
    Ok(statement.query_row([name], read).optional()?)
}

/// All profiles, by name.
pub fn all(conn: &Connection) -> Result<Vec<Profile>> {
    let mut statement = conn.prepare_cached("SELECT body FROM profiles ORDER BY name")?;
    Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
}

/// Keeps a profile, in the place of one with the same name.
pub fn put(conn: &Connection, profile: &Profile, now: Millis) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO profiles (name, body, changed) VALUES (?1, ?2, ?3)
         ON CONFLICT (name) DO UPDATE SET name = excluded.name, body = excluded.body,
            changed = excluded.changed",
    )?
    .execute(params![profile.name, column::to_json(profile)?, now.0])?;
    Ok(())
}

/// Forgets a profile.
pub fn remove(conn: &Connection, name: &str) -> Result<()> {
    conn.prepare_cached("DELETE FROM profiles WHERE name = ?1")?
        .execute([name])?;
    Ok(())
}
