//! Operators and their open logins.

use super::{Result, column};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use wire::Millis;
use wire::operator::{Operator, OperatorName, Role};

const COLUMNS: &str = "name, role, disabled, created, last_login,
    (SELECT count(*) FROM sessions WHERE operator = name AND until > ?1) AS sessions";

fn read(row: &Row<'_>) -> rusqlite::Result<Operator> {
    Ok(Operator {
        name: column::word(row, "name")?,
        role: column::word(row, "role")?,
        disabled: row.get("disabled")?,
        created: column::millis(row, "created")?,
        last_login: column::millis_or_none(row, "last_login")?,
        sessions: row.get("sessions")?,
    })
}

/// Everybody, by name.
pub fn all(conn: &Connection, now: Millis) -> Result<Vec<Operator>> {
    let sql = format!("SELECT {COLUMNS} FROM operators ORDER BY name");
    let mut statement = conn.prepare_cached(&sql)?;
    Ok(statement
        .query_map([now.0], read)?
        .collect::<Result<_, _>>()?)
}

/// One operator.
pub fn get(conn: &Connection, name: &OperatorName, now: Millis) -> Result<Option<Operator>> {
    let sql = format!("SELECT {COLUMNS} FROM operators WHERE name = ?2");
    let mut statement = conn.prepare_cached(&sql)?;
    let found = statement.query_row(params![now.0, name.as_str()], read);
    Ok(found.optional()?)
}

/// Is there anybody who can log in?
pub fn any(conn: &Connection) -> Result<bool> {
    let mut statement =
        conn.prepare_cached("SELECT EXISTS (SELECT 1 FROM operators WHERE disabled = 0)")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// How many administrators can log in.
pub fn admins(conn: &Connection) -> Result<u32> {
    let mut statement = conn
        .prepare_cached("SELECT count(*) FROM operators WHERE role = 'admin' AND disabled = 0")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// The hash of an operator's password; nothing for somebody who is unknown or may not log in.
pub fn hash(conn: &Connection, name: &OperatorName) -> Result<Option<String>> {
    let mut statement =
        conn.prepare_cached("SELECT hash FROM operators WHERE name = ?1 AND disabled = 0")?;
    let found = statement.query_row([name.as_str()], |row| row.get(0));
    Ok(found.optional()?)
}

/// Adds an operator.
pub fn add(
    conn: &Connection,
    name: &OperatorName,
    role: Role,
    hash: &str,
    now: Millis,
) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO operators (name, role, hash, created) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![name.as_str(), role.as_str(), hash, now.0])?;
    Ok(())
}

/// Sets the hash of a password.
pub fn set_hash(conn: &Connection, name: &OperatorName, hash: &str) -> Result<()> {
    conn.prepare_cached("UPDATE operators SET hash = ?2 WHERE name = ?1")?
        .execute([name.as_str(), hash])?;
    Ok(())
}

/// Sets the role.
pub fn set_role(conn: &Connection, name: &OperatorName, role: Role) -> Result<()> {
    conn.prepare_cached("UPDATE operators SET role = ?2 WHERE name = ?1")?
        .execute([name.as_str(), role.as_str()])?;
    Ok(())
}

/// Lets an operator log in no more, or again.
pub fn set_disabled(conn: &Connection, name: &OperatorName, disabled: bool) -> Result<()> {
    conn.prepare_cached("UPDATE operators SET disabled = ?2 WHERE name = ?1")?
        .execute(params![name.as_str(), disabled])?;
    Ok(())
}

/// Forgets an operator and every open login.
pub fn remove(conn: &Connection, name: &OperatorName) -> Result<()> {
    conn.prepare_cached("DELETE FROM operators WHERE name = ?1")?
        .execute([name.as_str()])?;
    Ok(())
}

/// An open login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Whose.
    pub name: OperatorName,
    /// What the operator may do now.
    pub role: Role,
    /// When it was last used.
    pub last_used: Millis,
    /// When it ends at the latest.
    pub until: Millis,
}

/// Opens a login, and forgets those that have ended.
pub fn begin(
    conn: &Connection,
    key: &str,
    name: &OperatorName,
    origin: &str,
    now: Millis,
    until: Millis,
) -> Result<()> {
    conn.prepare_cached("DELETE FROM sessions WHERE until <= ?1")?
        .execute([now.0])?;
    conn.prepare_cached(
        "INSERT INTO sessions (key, operator, origin, created, last_used, until)
         VALUES (?1, ?2, ?3, ?4, ?4, ?5)",
    )?
    .execute(params![key, name.as_str(), origin, now.0, until.0])?;
    conn.prepare_cached("UPDATE operators SET last_login = ?2 WHERE name = ?1")?
        .execute(params![name.as_str(), now.0])?;
    Ok(())
}

/// A login, unless it has ended or its operator may not log in.
pub fn login(conn: &Connection, key: &str, now: Millis) -> Result<Option<Login>> {
    let mut statement = conn.prepare_cached(
        "SELECT name, role, last_used, until FROM sessions JOIN operators ON name = operator
         WHERE key = ?1 AND until > ?2 AND disabled = 0",
    )?;
    let found = |row: &Row<'_>| {
        Ok(Login {
            name: column::word(row, "name")?,
            role: column::word(row, "role")?,
            last_used: column::millis(row, "last_used")?,
            until: column::millis(row, "until")?,
        })
    };
    Ok(statement.query_row(params![key, now.0], found).optional()?)
}

/// Notes that a login is used.
pub fn touch(conn: &Connection, key: &str, now: Millis) -> Result<()> {
    conn.prepare_cached("UPDATE sessions SET last_used = ?2 WHERE key = ?1")?
        .execute(params![key, now.0])?;
    Ok(())
}

/// Ends a login.
pub fn end(conn: &Connection, key: &str) -> Result<()> {
    conn.prepare_cached("DELETE FROM sessions WHERE key = ?1")?
        .execute([key])?;
    Ok(())
}

/// Ends every login of an operator.
pub fn end_all(conn: &Connection, name: &OperatorName) -> Result<()> {
    conn.prepare_cached("DELETE FROM sessions WHERE operator = ?1")?
        .execute([name.as_str()])?;
    Ok(())
}

/// Ends every login of everybody.
pub fn end_every(conn: &Connection) -> Result<()> {
    conn.prepare_cached("DELETE FROM sessions")?.execute([])?;
    Ok(())
}

/// Ends every login of an operator but the one with this key.
pub fn end_others(conn: &Connection, name: &OperatorName, key: &str) -> Result<()> {
    conn.prepare_cached("DELETE FROM sessions WHERE operator = ?1 AND key <> ?2")?
        .execute([name.as_str(), key])?;
    Ok(())
}
