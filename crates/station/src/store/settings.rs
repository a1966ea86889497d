//! Settings that the station keeps by itself.

use super::{Result, column};
use rusqlite::{Connection, OptionalExtension as _};
use std::collections::BTreeMap;
use wire::Millis;
use wire::settings::Preferences;

const PREFERENCES: &str = "preferences";
/// When the last good backup was made, in Unix milliseconds.
const LAST_BACKUP: &str = "last_backup";
/// The imports under way.
const IMPORTS: &str = "imports";

/// The value of a setting.
pub fn get(conn: &Connection, key: &str) -> Result<Option<String>> {
    let mut statement = conn.prepare_cached("SELECT value FROM settings WHERE key = ?1")?;
    Ok(statement.query_row([key], |row| row.get(0)).optional()?)
}

/// Sets it.
pub fn set(conn: &Connection, key: &str, value: &str) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO settings (key, value) VALUES (?1, ?2)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    )?
    .execute([key, value])?;
    Ok(())
}

/// The preferences; the usual ones when none were set, or when they cannot be read.
pub fn preferences(conn: &Connection) -> Result<Preferences> {
    let stored = get(conn, PREFERENCES)?;
    let read = stored.and_then(|text| serde_json::from_str(&text).ok());
    Ok(read.unwrap_or_default())
}

/// Sets the preferences.
pub fn set_preferences(conn: &Connection, preferences: &Preferences) -> Result<()> {
    set(conn, PREFERENCES, &column::to_json(preferences)?)
}

/// When the last good backup was made.
pub fn last_backup(conn: &Connection) -> Result<Option<Millis>> {
    let stored = get(conn, LAST_BACKUP)?;
    Ok(stored.and_then(|text| text.parse().ok()).map(Millis))
}

/// Notes a good backup.
pub fn set_last_backup(conn: &Connection, at: Millis) -> Result<()> {
    set(conn, LAST_BACKUP, &at.0.to_string())
}

/// The imports under way: the name of the file by the id of the import.
pub fn imports(conn: &Connection) -> Result<BTreeMap<String, String>> {
    let stored = get(conn, IMPORTS)?;
    let read = stored.and_then(|text| serde_json::from_str(&text).ok());
    Ok(read.unwrap_or_default())
}

/// Sets them.
pub fn set_imports(conn: &Connection, running: &BTreeMap<String, String>) -> Result<()> {
    set(conn, IMPORTS, &column::to_json(running)?)
}
