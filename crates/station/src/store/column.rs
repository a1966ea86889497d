//! How the words of `wire` lie in columns: text types as their text, structures as JSON.

use rusqlite::types::Type;
use rusqlite::{Error, Row};
use serde::de::value::{Error as ValueError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Serialize};
use wire::Millis;

fn broken(
    row: &Row<'_>,
    column: &str,
    error: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    let index = row.as_ref().column_index(column).unwrap_or(0);
    Error::FromSqlConversionFailure(index, Type::Text, Box::new(error))
}

/// A text column as one of the types that travel as a JSON string: ids, names, plain enums.
pub(super) fn word<'a, T: Deserialize<'a>>(row: &'a Row<'_>, column: &str) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    let source: StrDeserializer<'_, ValueError> = text.into_deserializer();
    T::deserialize(source).map_err(|e| broken(row, column, e))
}

/// The same for a column that may be NULL.
pub(super) fn word_or_none<'a, T: Deserialize<'a>>(
    row: &'a Row<'_>,
    column: &str,
) -> rusqlite::Result<Option<T>> {
    match row.get_ref(column)? {
        rusqlite::types::ValueRef::Null => Ok(None),
        _ => word(row, column).map(Some),
    }
}

/// A JSON column.
pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text).map_err(|e| broken(row, column, e))
}

/// The same for a column that may be NULL.
pub(super) fn json_or_none<T: DeserializeOwned>(
    row: &Row<'_>,
    column: &str,
) -> rusqlite::Result<Option<T>> {
    match row.get_ref(column)? {
        rusqlite::types::ValueRef::Null => Ok(None),
        _ => json(row, column).map(Some),
    }
}

/// An unsigned number; SQLite keeps signed ones.
pub(super) fn number(row: &Row<'_>, column: &str) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0))
}

/// A moment.
pub(super) fn millis(row: &Row<'_>, column: &str) -> rusqlite::Result<Millis> {
    row.get(column).map(Millis)
}

/// A moment that may be NULL.
pub(super) fn millis_or_none(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Millis>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Millis))
}

/// The JSON of a structure, to be stored.
pub(super) fn to_json(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|e| Error::ToSqlConversionFailure(Box::new(e)))
}

/// The text of a plain enum, to be stored.
pub(super) fn to_word(value: &impl Serialize) -> rusqlite::Result<String> {
    to_json(value).map(|json| json.trim_matches('"').to_owned())
}

/// The same for an optional structure.
pub(super) fn to_json_or_none(value: Option<&impl Serialize>) -> rusqlite::Result<Option<String>> {
    value.map(to_json).transpose()
}

/// A size or count as SQLite keeps it; what does not fit is cut to the largest that does.
pub(super) fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
