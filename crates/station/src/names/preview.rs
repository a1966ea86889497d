//! The verdict on every entry of an import, before anything is imported.

use super::pattern::{Pattern, Source};
use super::{spec, table};
use std::collections::HashSet;
use wire::BoardId;
use wire::command::{NameLine, NameSource, NamesReport, Verdict};
use wire::name::{Hostname, ProductCode, VenueCode};

/// A name to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewName {
    /// The name.
    pub hostname: Hostname,
    /// Its number.
    pub number: Option<u32>,
    /// The only board that may have it.
    pub board: Option<BoardId>,
    /// Free text.
    pub note: String,
}

/// What is there already of a name to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// The name, or its number in this pool.
    Name,
    /// Another free name of this pool that only the same board may have.
    OfBoard(Hostname),
}

/// The pool that names are imported into.
#[derive(Debug, Clone)]
pub struct Pool<'a> {
    /// Its product.
    pub product: &'a ProductCode,
    /// Its venue.
    pub venue: &'a VenueCode,
    /// The product's pattern.
    pub pattern: &'a Pattern,
}

struct Candidate {
    line: u32,
    column: u32,
    token: String,
    name: Result<NewName, String>,
}

/// Reads `source` and gives the verdicts, with the names to add. `found` says what is there already.
/// Lines come sorted: errors first, then by number.
pub fn preview<E>(
    pool: &Pool<'_>,
    source: &NameSource,
    mut found: impl FnMut(&NewName) -> Result<Found, E>,
) -> Result<(NamesReport, Vec<NewName>), E> {
    let candidates = match source {
        NameSource::Spec { text } => spec::read(text)
            .into_iter()
            .map(|entry| pool.listed(entry))
            .collect::<Vec<_>>(),
        NameSource::Csv { text } => table::read(text)
            .into_iter()
            .map(|row| pool.tabled(row))
            .collect(),
    };
    let mut report = NamesReport::default();
    let mut names: Vec<NewName> = Vec::new();
    let mut seen = HashSet::new();
    let mut boards = HashSet::new();
    let mut lines = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        let mut number = None;
        let (hostname, verdict, message) = match candidate.name {
            Err(why) => (None, Verdict::Error, Some(why)),
            Ok(name) => {
                number = name.number;
                let hostname = Some(name.hostname.clone());
                let again = !seen.insert(name.hostname.key());
                let there = if again { Found::Name } else { found(&name)? };
                match (there, name.board) {
                    (Found::Name, _) => (hostname, Verdict::Duplicate, None),
                    (Found::OfBoard(other), Some(board)) => {
                        let why = format!(
                            "board {board} is meant to get {other} already; delete that name first"
                        );
                        (hostname, Verdict::Error, Some(why))
                    }
                    (_, Some(board)) if !boards.insert(board) => {
                        let why = "another row names the same board";
                        (hostname, Verdict::Error, Some(why.to_owned()))
                    }
                    _ => {
                        names.push(name);
                        (hostname, Verdict::Add, None)
                    }
                }
            }
        };
        match verdict {
            Verdict::Add => report.added += 1,
            Verdict::Duplicate => report.duplicates += 1,
            Verdict::Error => report.errors += 1,
        }
        let line = NameLine {
            line: candidate.line,
            column: candidate.column,
            token: candidate.token,
            hostname,
            verdict,
            message,
        };
        lines.push((number, line));
    }
    lines.sort_by_key(|(number, line)| {
        let error = line.verdict == Verdict::Error;
        (!error, number.unwrap_or(u32::MAX), line.line, line.column)
    });
    report.lines = lines.into_iter().map(|(_, line)| line).collect();
    Ok((report, names))
}

impl Pool<'_> {
    fn listed(&self, entry: spec::Entry) -> Candidate {
        Candidate {
            line: entry.line,
            column: entry.column,
            token: entry.token,
            name: entry.number.and_then(|n| self.numbered(n)),
        }
    }

    fn tabled(&self, row: table::Row) -> Candidate {
        Candidate {
            line: row.line,
            column: row.column,
            token: row.token,
            name: row.content.and_then(|content| self.of_row(content)),
        }
    }

    fn numbered(&self, number: u32) -> Result<NewName, String> {
        if self.pattern.source() == Source::Board {
            return Err(format!(
                "names of {} are made from the board itself ({}), there are no numbers to import",
                self.product, self.pattern
            ));
        }
        let hostname = self.pattern.numbered(self.product, self.venue, number);
        Ok(NewName {
            hostname: hostname.map_err(|e| e.to_string())?,
            number: Some(number),
            board: None,
            note: String::new(),
        })
    }

    fn of_row(&self, content: table::Content) -> Result<NewName, String> {
        let mut name = match content.called {
            table::Called::Number(number) => self.numbered(number)?,
            table::Called::Hostname(hostname) => {
                if self.pattern.source() == Source::Board && content.board.is_none() {
                    return Err(format!(
                        "names of {} are made from the board itself; a row needs the serial of \
                         the board that gets this one",
                        self.product
                    ));
                }
                NewName {
                    number: self.pattern.number_of(self.product, self.venue, &hostname),
                    hostname,
                    board: None,
                    note: String::new(),
                }
            }
        };
        name.board = content.board;
        name.note = content.note;
        Ok(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn run(pattern: &str, source: &NameSource, there: &[&str]) -> (NamesReport, Vec<NewName>) {
        let pattern: Pattern = pattern.parse().unwrap();
        let pool = Pool {
            product: &"KXP2".parse().unwrap(),
            venue: &"CORO".parse().unwrap(),
            pattern: &pattern,
        };
        let found = |name: &NewName| {
            let there = there.contains(&name.hostname.as_str());
            Ok::<_, Infallible>(if there { Found::Name } else { Found::Nothing })
        };
        let Ok(result) = preview(&pool, source, found);
        result
    }

    fn spec(text: &str) -> NameSource {
        NameSource::Spec {
            text: text.to_owned(),
        }
    }

    fn csv(text: &str) -> NameSource {
        NameSource::Csv {
            text: text.to_owned(),
        }
    }

    const NUMBERED: &str = "{product}-{venue}-{number:03}";

    #[test]
    fn spellings_of_one_number_are_one_name() {
        let (report, names) = run(NUMBERED, &spec("1,01,001"), &[]);
        assert_eq!((report.added, report.duplicates, report.errors), (1, 2, 0));
        assert_eq!(names[0].hostname.as_str(), "KXP2-CORO-001");
    }

    #[test]
    fn what_is_in_the_pool_is_a_duplicate_and_order_is_numeric() {
        let (report, _) = run(NUMBERED, &spec("1000 101 7 12a"), &["KXP2-CORO-101"]);
        assert_eq!((report.added, report.duplicates, report.errors), (2, 1, 1));
        let order: Vec<_> = report.lines.iter().map(|l| l.token.as_str()).collect();
        assert_eq!(
            order,
            ["12a", "7", "101", "1000"],
            "errors first, then by number"
        );
    }

    #[test]
    fn a_row_may_bind_a_name_to_a_board_once() {
        let table = "hostname,serial\nKXP2-CORO-014,d137e638\nfreely-chosen,\nx,d137e638\n";
        let (report, names) = run(NUMBERED, &csv(table), &[]);
        assert_eq!((report.added, report.errors), (2, 1));
        assert_eq!(names[0].number, Some(14));
        assert_eq!(names[0].board, Some(BoardId::Pi(0xd137_e638)));
        assert_eq!(names[1].number, None);
    }

    #[test]
    fn a_product_named_by_serial_takes_no_numbers() {
        let (report, _) = run("{venue}-{serial:8}", &spec("1-3"), &[]);
        assert_eq!((report.added, report.errors), (0, 3));
        let table = "hostname,serial\nspecial-one,d137e638\nnobody,\n";
        let (report, _) = run("{venue}-{serial:8}", &csv(table), &[]);
        assert_eq!((report.added, report.errors), (1, 1));
    }
}
