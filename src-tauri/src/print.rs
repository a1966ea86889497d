//! Text for people: tables, sizes, times.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::io::{self, Write as _};
use wire::Millis;

/// Prints a value for programs, or what `words` makes of it for people.
pub(crate) fn say<T: Serialize>(
    json: bool,
    value: &T,
    words: impl FnOnce(&T) -> String,
) -> io::Result<()> {
    let mut text = if json {
        serde_json::to_string(value)?
    } else {
        words(value).trim_end().to_owned()
    };
    text.push('\n');
    out(&text)
}

/// Prints a text as it is.
pub(crate) fn out(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// A table: a header and rows, columns as wide as their widest cell.
#[derive(Debug)]
pub(crate) struct Table {
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    empty: &'static str,
}

impl Table {
    /// A table with these columns; `empty` is said when it has no rows.
    pub(crate) fn new(header: &[&'static str], empty: &'static str) -> Self {
        Self {
            header: header.to_vec(),
            rows: Vec::new(),
            empty,
        }
    }

    /// Adds a row.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.rows.is_empty() {
            return f.write_str(self.empty);
        }
        let header: Vec<String> = self.header.iter().map(|h| h.to_uppercase()).collect();
        let width = |column: usize| {
            let cells = std::iter::once(&header).chain(&self.rows);
            cells
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..header.len()).map(width).collect();
        for row in std::iter::once(&header).chain(&self.rows) {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect();
            writeln!(f, "{}", cells.join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// A size for people: `1.4 GB`.
pub(crate) fn size(bytes: u64) -> String {
    let bytes = bytes as f64;
    let units = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    let fitting = units.into_iter().find(|(unit, _)| bytes >= *unit);
    match fitting {
        Some((unit, name)) => format!("{:.1} {name}", bytes / unit),
        None => format!("{bytes} B"),
    }
}

/// A moment in local time: `2026-11-23 16:05:09`.
pub(crate) fn time(at: Millis) -> String {
    let stamp = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    stamp
        .to_zoned(TimeZone::system())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// A moment's time of day.
pub(crate) fn clock(at: Millis) -> String {
    time(at).split_off(11)
}

/// A span for people: `3 min 05 s`.
pub(crate) fn span(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s:02} s"),
        (h, m, _) => format!("{h} h {m:02} min"),
    }
}

/// A text or a dash.
pub(crate) fn or_dash(text: Option<impl ToString>) -> String {
    text.map_or_else(|| "-".to_owned(), |t| t.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(&["code", "name"], "none");
        assert_eq!(table.to_string(), "none");
        table.row(["KXP2".to_owned(), "Kärt".to_owned()]);
        table.row(["R".to_owned(), "Race".to_owned()]);
        assert_eq!(table.to_string(), "CODE  NAME\nKXP2  Kärt\nR     Race\n");
    }

    #[test]
    fn sizes_and_spans_are_for_people() {
        let sizes = [0, 999, 1000, 28_015_849_472].map(size);
        assert_eq!(sizes, ["0 B", "999 B", "1.0 kB", "28.0 GB"]);
        let spans = [999, 65_000, 7_260_000].map(span);
        assert_eq!(spans, ["0 s", "1 min 05 s", "2 h 01 min"]);
    }
}
