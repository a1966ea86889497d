//! Questions with any combination of conditions: the text of the `WHERE` clause and its values grow
//! together, so that no value ever becomes part of the text.

use rusqlite::ToSql;
use std::fmt::Write as _;

/// Conditions that all must hold.
#[derive(Default)]
pub(super) struct Filter {
    clause: String,
    values: Vec<Box<dyn ToSql>>,
}

impl Filter {
    /// Adds a condition; its `?` is the value.
    pub(super) fn and(&mut self, condition: &str, value: impl ToSql + 'static) {
        let joint = if self.clause.is_empty() {
            "WHERE"
        } else {
            " AND"
        };
        let placeholder = self.value(value);
        let condition = condition.replace('?', &placeholder);
        // Writing into a String does not fail.
        let _ = write!(self.clause, "{joint} {condition}");
    }

    /// Adds a condition if there is a value for it.
    pub(super) fn and_if<T: ToSql + 'static>(&mut self, condition: &str, value: Option<T>) {
        if let Some(value) = value {
            self.and(condition, value);
        }
    }

    /// A value outside the conditions; the answer is its placeholder.
    pub(super) fn value(&mut self, value: impl ToSql + 'static) -> String {
        self.values.push(Box::new(value));
        format!("?{}", self.values.len())
    }

    /// The `WHERE` clause, or nothing, and the values.
    pub(super) fn done(self) -> (String, Vec<Box<dyn ToSql>>) {
        (self.clause, self.values)
    }
}

/// A text to look for: trimmed, in lower case, and not empty.
pub(super) fn wanted(text: Option<&str>) -> Option<String> {
    let text = text.map(str::trim).filter(|t| !t.is_empty());
    text.map(str::to_lowercase)
}
