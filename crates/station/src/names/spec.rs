//! Number lists as operators write them: `1-50, 77`.
//!
//! Entries are separated by commas, semicolons, spaces or new lines; an entry is a number or a
//! range, 1 to 9999. All errors are collected, each with its line and column.

use super::pattern::MOST_NUMBER;

/// Most numbers that one list may hold.
pub const MOST_ENTRIES: usize = 10_000;
/// Most bytes of one list or table.
pub const MOST_BYTES: usize = 1 << 20;

/// One number of a list, and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// 1-based line.
    pub line: u32,
    /// 1-based column, in characters.
    pub column: u32,
    /// As written; for a number of a range, the range.
    pub token: String,
    /// The number, or what is wrong.
    pub number: Result<u32, String>,
}

/// Reads a list. A range gives one entry per number.
pub fn read(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    if text.len() > MOST_BYTES {
        return vec![fault(1, 1, "", "the list is longer than 1 MiB")];
    }
    for (line, text) in text.lines().enumerate() {
        for (column, token) in tokens(text) {
            let (line, column) = (line as u32 + 1, column as u32 + 1);
            let numbers = match parse(token) {
                Ok(range) => range,
                Err(why) => {
                    entries.push(fault(line, column, token, &why));
                    continue;
                }
            };
            if entries.len() + numbers.clone().count() > MOST_ENTRIES {
                let why = format!("more than {MOST_ENTRIES} entries; import them in parts");
                entries.push(fault(line, column, token, &why));
                return entries;
            }
            entries.extend(numbers.map(|number| Entry {
                line,
                column,
                token: token.to_owned(),
                number: Ok(number),
            }));
        }
    }
    if entries.is_empty() {
        entries.push(fault(1, 1, "", "the list is empty"));
    }
    entries
}

fn fault(line: u32, column: u32, token: &str, why: &str) -> Entry {
    Entry {
        line,
        column,
        token: token.chars().take(40).collect(),
        number: Err(why.to_owned()),
    }
}

/// The entries of a line with the characters before each.
fn tokens(line: &str) -> Vec<(usize, &str)> {
    let separates = |c: char| c == ',' || c == ';' || c.is_whitespace();
    let mut tokens = Vec::new();
    let mut begin = None;
    for (column, (at, c)) in line.char_indices().enumerate() {
        match (separates(c), begin) {
            (false, None) => begin = Some((column, at)),
            (true, Some((column, from))) => {
                tokens.push((column, &line[from..at]));
                begin = None;
            }
            _ => {}
        }
    }
    if let Some((column, from)) = begin {
        tokens.push((column, &line[from..]));
    }
    tokens
}

fn parse(token: &str) -> Result<std::ops::RangeInclusive<u32>, String> {
    // A dash that a word processor made longer is still a dash.
    match token.split_once(['-', '\u{2013}']) {
        None => number(token).map(|n| n..=n),
        Some((from, to)) => {
            let (from, to) = (number(from)?, number(to)?);
            if from <= to {
                Ok(from..=to)
            } else {
                Err(format!("the range runs backwards: write {to}-{from}"))
            }
        }
    }
}

fn number(text: &str) -> Result<u32, String> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err("it is neither a number nor a range such as 1-50".to_owned());
    }
    match text.parse() {
        Ok(n) if (1..=MOST_NUMBER).contains(&n) => Ok(n),
        _ => Err(format!("numbers go from 1 to {MOST_NUMBER}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numbers(text: &str) -> Vec<u32> {
        read(text).into_iter().map(|e| e.number.unwrap()).collect()
    }

    fn errors(text: &str) -> Vec<(u32, u32, String)> {
        let faults = read(text).into_iter().filter(|e| e.number.is_err());
        faults.map(|e| (e.line, e.column, e.token)).collect()
    }

    #[test]
    fn ranges_and_numbers_mix_with_any_separator() {
        assert_eq!(numbers("1-50, 77").len(), 51);
        assert_eq!(
            numbers("3\n1; 2 , 10-12\r\n5\u{2013}6"),
            [3, 1, 2, 10, 11, 12, 5, 6]
        );
        assert_eq!(numbers("007"), [7]);
    }

    #[test]
    fn every_wrong_entry_is_named_with_line_and_column() {
        let text = "1-5, 12a\n  -5 0\n3-1,10000\n99999999999999999999";
        let expected = [
            (1, 6, "12a"),
            (2, 3, "-5"),
            (2, 6, "0"),
            (3, 1, "3-1"),
            (3, 5, "10000"),
            (4, 1, "99999999999999999999"),
        ];
        let expected = expected.map(|(l, c, t)| (l, c, t.to_owned()));
        assert_eq!(errors(text), expected);
    }

    #[test]
    fn a_list_has_an_end() {
        assert_eq!(numbers("1-9999").len(), 9999);
        assert_eq!(errors("1-9999, 1-2"), [(1, 9, "1-2".to_owned())]);
        assert_eq!(errors(" \n").len(), 1, "an empty list is an error");
        assert_eq!(errors(&"1,".repeat(1 << 20)).len(), 1, "too long");
    }

    proptest! {
        #[test]
        fn every_number_that_comes_out_is_in_bounds(text in "[0-9a-z,; \n\u{2013}-]{0,200}") {
            for entry in read(&text) {
                if let Ok(n) = entry.number {
                    prop_assert!((1..=MOST_NUMBER).contains(&n));
                }
            }
        }

        #[test]
        fn a_column_points_at_its_entry(text in "[0-9a,é \n-]{1,60}") {
            for entry in read(&text) {
                let line = text.lines().nth(entry.line as usize - 1).unwrap_or("");
                let rest: String = line.chars().skip(entry.column as usize - 1).collect();
                prop_assert!(rest.starts_with(&entry.token));
            }
        }
    }
}
