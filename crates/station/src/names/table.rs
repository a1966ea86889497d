//! Names from a CSV with a header row: `hostname` or `number`, and optionally `serial` and `note`.

use super::pattern::MOST_NUMBER;
use super::spec::{MOST_BYTES, MOST_ENTRIES};
use wire::BoardId;
use wire::board::Serial;
use wire::name::Hostname;

/// What a row calls its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Called {
    /// By the whole name.
    Hostname(Hostname),
    /// By its number.
    Number(u32),
}

/// One row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// 1-based line of the file where the row begins.
    pub line: u32,
    /// 1-based number of the field at fault, or of the name.
    pub column: u32,
    /// The field as written.
    pub token: String,
    /// The row, or what is wrong with it.
    pub content: Result<Content, String>,
}

/// What a sound row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The name.
    pub called: Called,
    /// The only board that may have it.
    pub board: Option<BoardId>,
    /// Free text.
    pub note: String,
}

/// Reads a table.
pub fn read(text: &str) -> Vec<Row> {
    if text.len() > MOST_BYTES {
        return vec![fault(1, 1, "", "the table is longer than 1 MiB")];
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let separator = separator(text);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let columns = match reader.headers().map(Columns::find) {
        Ok(Ok(columns)) => columns,
        Ok(Err(row)) => return vec![row],
        Err(error) => return vec![fault(1, 1, "", &error.to_string())],
    };
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(1, csv::Position::line);
                rows.push(fault(line as u32, 1, "", &error.to_string()));
                break;
            }
        };
        let line = record.position().map_or(1, csv::Position::line) as u32;
        if rows.len() == MOST_ENTRIES {
            let why = format!("more than {MOST_ENTRIES} rows; import them in parts");
            rows.push(fault(line, 1, "", &why));
            break;
        }
        if record.iter().any(|field| !field.is_empty()) {
            rows.push(columns.row(line, &record));
        }
    }
    if rows.is_empty() {
        rows.push(fault(1, 1, "", "the table has no rows"));
    }
    rows
}

/// Spreadsheets of some countries separate by semicolons.
fn separator(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or("");
    if header.contains(';') && !header.contains(',') {
        b';'
    } else {
        b','
    }
}

fn fault(line: u32, column: u32, token: &str, why: &str) -> Row {
    Row {
        line,
        column,
        token: token.chars().take(80).collect(),
        content: Err(why.to_owned()),
    }
}

struct Columns {
    hostname: Option<usize>,
    number: Option<usize>,
    serial: Option<usize>,
    note: Option<usize>,
}

impl Columns {
    fn find(header: &csv::StringRecord) -> Result<Self, Row> {
        let mut columns = Self {
            hostname: None,
            number: None,
            serial: None,
            note: None,
        };
        for (at, word) in header.iter().enumerate() {
            let slot = match word.to_ascii_lowercase().as_str() {
                "hostname" => &mut columns.hostname,
                "number" => &mut columns.number,
                "serial" => &mut columns.serial,
                "note" => &mut columns.note,
                _ => {
                    let why = "unknown column; there are hostname, number, serial and note";
                    return Err(fault(1, at as u32 + 1, word, why));
                }
            };
            if slot.replace(at).is_some() {
                return Err(fault(1, at as u32 + 1, word, "the column is there twice"));
            }
        }
        if columns.hostname.is_none() && columns.number.is_none() {
            let why = "the first row must name the columns; one of them is hostname or number";
            return Err(fault(1, 1, header.get(0).unwrap_or(""), why));
        }
        Ok(columns)
    }

    fn row(&self, line: u32, record: &csv::StringRecord) -> Row {
        let field = |at: Option<usize>| at.and_then(|at| record.get(at)).filter(|f| !f.is_empty());
        let column = |at: Option<usize>| at.map_or(1, |at| at as u32 + 1);
        let (at, token, called) = match (field(self.hostname), field(self.number)) {
            (Some(name), _) => {
                let called = name.parse().map(Called::Hostname);
                (self.hostname, name, called.map_err(|e| e.to_string()))
            }
            (None, Some(number)) => (self.number, number, numbered(number)),
            (None, None) => return fault(line, 1, "", "the row has neither hostname nor number"),
        };
        let called = match called {
            Ok(called) => called,
            Err(why) => return fault(line, column(at), token, &why),
        };
        let board = match field(self.serial).map(board) {
            None => None,
            Some(Ok(board)) => Some(board),
            Some(Err(why)) => {
                let token = field(self.serial).unwrap_or("");
                return fault(line, column(self.serial), token, &why);
            }
        };
        let note = field(self.note).unwrap_or("").chars().take(200).collect();
        Row {
            line,
            column: column(at),
            token: token.to_owned(),
            content: Ok(Content {
                called,
                board,
                note,
            }),
        }
    }
}

fn numbered(text: &str) -> Result<Called, String> {
    let all_digits = text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(n) if all_digits && (1..=MOST_NUMBER).contains(&n) => Ok(Called::Number(n)),
        _ => Err(format!("{text:?} is no number from 1 to {MOST_NUMBER}")),
    }
}

fn board(text: &str) -> Result<BoardId, String> {
    super::serial(text)
        .map(|(board, _): (BoardId, Option<Serial>)| board)
        .or_else(|_| text.parse::<BoardId>())
        .map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound(text: &str) -> Vec<Content> {
        read(text).into_iter().map(|r| r.content.unwrap()).collect()
    }

    fn fault_of(text: &str) -> (u32, u32, String) {
        let rows = read(text);
        let row = rows.into_iter().find(|r| r.content.is_err()).unwrap();
        (row.line, row.column, row.content.unwrap_err())
    }

    #[test]
    fn quotes_crlf_and_a_byte_order_mark_are_read() {
        let text = "\u{feff}Hostname,Serial,Note\r\n\
                    KXP2-CORO-001,9D00CE41D137E638,\"left, by the gate\"\r\n\
                    \r\n\
                    KXP2-CORO-002,,\r\n";
        let rows = sound(text);
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].board, Some(BoardId::Pi(0xd137_e638)));
        assert_eq!(rows[0].note, "left, by the gate");
        assert_eq!(rows[1].board, None);
    }

    #[test]
    fn numbers_and_semicolons_are_read_too() {
        let rows = sound("number;note\n7;x\n0012;");
        assert_eq!(rows[0].called, Called::Number(7));
        assert_eq!(rows[1].called, Called::Number(12));
    }

    #[test]
    fn a_wrong_row_is_named_with_line_and_field() {
        let rows = [
            ("hostname\nKXP2 1\n", (2, 1), "character 5"),
            ("number,serial\n1,\n2,xyz\n", (3, 2), "xyz"),
            ("number\n0\n", (2, 1), "from 1 to 9999"),
            ("number,note\n,x\n", (2, 1), "neither hostname nor number"),
            ("kart\n1\n", (1, 1), "unknown column"),
            ("number,number\n1,1\n", (1, 2), "twice"),
            ("serial\nd137e638\n", (1, 1), "hostname or number"),
            ("hostname\n", (1, 1), "no rows"),
            ("", (1, 1), "hostname or number"),
        ];
        for (text, (line, column), why) in rows {
            let (l, c, message) = fault_of(text);
            assert_eq!((l, c), (line, column), "{text:?}: {message}");
            assert!(message.contains(why), "{text:?}: {message}");
        }
    }
}
