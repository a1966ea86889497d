//! Hostname patterns: `{product}-{venue}-{number:03}` and what else an operator writes.
//!
//! A pattern either draws its names from a pool of numbers (`{number}`), or makes them from the
//! board itself (`{serial}`, `{mac}`). One of the two it must hold, or every board would get the
//! same name.

use std::fmt;
use std::str::FromStr;
use wire::BoardId;
use wire::board::{Mac, Serial};
use wire::name::{Hostname, NameError, ProductCode, VenueCode};

/// Largest number of a pool.
pub const MOST_NUMBER: u32 = 9999;
const MOST_PATTERN: usize = 100;
const KNOWN: &str = "{product}, {venue}, {number:03}, {serial:8} and {mac:6}";

/// Why a text is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Nothing, or far too much.
    #[error("a hostname pattern has 1 to {MOST_PATTERN} characters, this one has {0}")]
    Length(usize),
    /// A brace without its partner.
    #[error("the brace at character {0} of the pattern has no partner")]
    Brace(usize),
    /// A placeholder that does not exist.
    #[error("{{{0}}} is no placeholder; there are {KNOWN}")]
    Placeholder(String),
    /// A width outside its bounds.
    #[error("{{{placeholder}}} takes {least} to {most} digits")]
    Digits {
        /// The placeholder as written.
        placeholder: String,
        /// Fewest digits.
        least: usize,
        /// Most digits.
        most: usize,
    },
    /// Every board would get the same name.
    #[error(
        "the pattern holds nothing that differs from board to board. Use {{number:03}}, \
         {{serial:8}} or {{mac:6}}"
    )]
    NotUnique,
    /// Two placeholders of one kind, or a number beside a serial.
    #[error("the pattern may hold one {{number}}, or {{serial}} and {{mac}}, but not both kinds")]
    Mixed,
    /// The names it makes are no hostnames.
    #[error("it would make the name {name:?}: {error}")]
    Makes {
        /// Such a name.
        name: String,
        /// What is wrong with it.
        error: NameError,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Product,
    Venue,
    Number { width: usize },
    Serial { digits: usize },
    Mac { digits: usize },
}

/// A hostname pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    parts: Vec<Part>,
}

/// Where the names of a pattern come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A pool of numbers that the operator imports.
    Pool,
    /// The board's serial number or address.
    Board,
}

/// The digits of a board that names are made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digits {
    serial: String,
    mac: String,
}

impl Digits {
    /// The digits of a board: its whole serial number when known, else its id; upper case.
    pub fn of(board: BoardId, serial: Option<Serial>, mac: Mac) -> Self {
        let serial = match (serial, board) {
            (Some(serial), _) => serial.to_string(),
            (None, BoardId::Pi(low)) => format!("{low:08x}"),
            (None, BoardId::Uuid(uuid)) => uuid.simple().to_string(),
        };
        Self {
            serial: serial.to_ascii_uppercase(),
            mac: mac.to_string().replace(':', "").to_ascii_uppercase(),
        }
    }
}

impl Pattern {
    /// Where its names come from.
    pub fn source(&self) -> Source {
        if self.parts.iter().any(|p| matches!(p, Part::Number { .. })) {
            Source::Pool
        } else {
            Source::Board
        }
    }

    /// Checks that every name it makes for this product is a hostname.
    pub fn check(&self, product: &ProductCode) -> Result<(), PatternError> {
        let full = Digits {
            serial: "F".repeat(16),
            mac: "F".repeat(12),
        };
        for number in [1, MOST_NUMBER] {
            let name = self.render(product.as_str(), "AAAA", number, &full, 0);
            if let Err(error) = name.parse::<Hostname>() {
                return Err(PatternError::Makes { name, error });
            }
        }
        Ok(())
    }

    /// The name with this number.
    pub fn numbered(
        &self,
        product: &ProductCode,
        venue: &VenueCode,
        number: u32,
    ) -> Result<Hostname, NameError> {
        let none = Digits {
            serial: String::new(),
            mac: String::new(),
        };
        self.render(product.as_str(), venue.as_str(), number, &none, 0)
            .parse()
    }

    /// The names that a board may get, best first: with the pattern's own digits, then with 12 and
    /// 16 of them, as far as the board has so many. Later ones are for when an earlier one belongs
    /// to another board.
    pub fn made(
        &self,
        product: &ProductCode,
        venue: &VenueCode,
        digits: &Digits,
    ) -> Result<Vec<Hostname>, NameError> {
        let mut names: Vec<Hostname> = Vec::new();
        for least in [0, 8, 12, 16] {
            let text = self.render(product.as_str(), venue.as_str(), 0, digits, least);
            match text.parse::<Hostname>() {
                Ok(name) if names.contains(&name) => {}
                Ok(name) => names.push(name),
                // Longer spellings may exceed 63 characters; the first one was checked with the
                // pattern.
                Err(error) if names.is_empty() => return Err(error),
                Err(_) => {}
            }
        }
        Ok(names)
    }

    /// The number of a hostname of this pattern.
    pub fn number_of(
        &self,
        product: &ProductCode,
        venue: &VenueCode,
        hostname: &Hostname,
    ) -> Option<u32> {
        let digits = hostname.as_str().chars();
        let mut found: Vec<u32> = Vec::new();
        let text: String = digits.collect();
        for run in text.split(|c: char| !c.is_ascii_digit()) {
            found.extend(run.parse::<u32>().ok().filter(|n| *n <= MOST_NUMBER));
        }
        // A number may touch digits of the fixed text; then its run is no candidate and the row
        // simply has no number.
        found.into_iter().rev().find(|number| {
            let same = |name: Hostname| name.key() == hostname.key();
            *number >= 1 && self.numbered(product, venue, *number).is_ok_and(same)
        })
    }

    fn render(
        &self,
        product: &str,
        venue: &str,
        number: u32,
        digits: &Digits,
        least: usize,
    ) -> String {
        let tail = |text: &str, wanted: usize| {
            let from = text.len().saturating_sub(wanted.max(least));
            text[from..].to_owned()
        };
        let parts = self.parts.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Product => product.to_owned(),
            Part::Venue => venue.to_owned(),
            Part::Number { width } => format!("{number:0width$}"),
            Part::Serial { digits: wanted } => tail(&digits.serial, *wanted),
            Part::Mac { digits: wanted } => tail(&digits.mac, *wanted),
        });
        parts.collect()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let text = text.trim();
        let len = text.chars().count();
        if len == 0 || len > MOST_PATTERN {
            return Err(PatternError::Length(len));
        }
        let parts = parts(text)?;
        let count = |is: fn(&Part) -> bool| parts.iter().filter(|p| is(p)).count();
        let numbers = count(|p| matches!(p, Part::Number { .. }));
        let serials = count(|p| matches!(p, Part::Serial { .. }));
        let macs = count(|p| matches!(p, Part::Mac { .. }));
        match (numbers, serials, macs) {
            (0, 0, 0) => Err(PatternError::NotUnique),
            (1, 0, 0) | (0, 0..=1, 0..=1) => Ok(Self {
                text: text.to_owned(),
                parts,
            }),
            _ => Err(PatternError::Mixed),
        }
    }
}

fn parts(text: &str) -> Result<Vec<Part>, PatternError> {
    let mut parts = Vec::new();
    let mut free = String::new();
    let mut rest = text.chars().enumerate();
    while let Some((at, c)) = rest.next() {
        match c {
            '{' => {
                let mut inside = String::new();
                loop {
                    match rest.next() {
                        Some((_, '}')) => break,
                        Some((_, c)) if c != '{' => inside.push(c),
                        _ => return Err(PatternError::Brace(at + 1)),
                    }
                }
                if !free.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut free)));
                }
                parts.push(placeholder(&inside)?);
            }
            '}' => return Err(PatternError::Brace(at + 1)),
            c => free.push(c),
        }
    }
    if !free.is_empty() {
        parts.push(Part::Text(free));
    }
    Ok(parts)
}

fn placeholder(inside: &str) -> Result<Part, PatternError> {
    let (word, width) = match inside.split_once(':') {
        Some((word, width)) => (word, Some(width)),
        None => (inside, None),
    };
    let digits = |least: usize, most: usize, usual: usize| match width {
        None => Ok(usual),
        Some(text) => match text.parse::<usize>() {
            Ok(n) if (least..=most).contains(&n) && !text.starts_with('+') => Ok(n),
            _ => Err(PatternError::Digits {
                placeholder: inside.to_owned(),
                least,
                most,
            }),
        },
    };
    match (word, width) {
        ("product", None) => Ok(Part::Product),
        ("venue", None) => Ok(Part::Venue),
        ("number", _) => digits(1, 6, 1).map(|width| Part::Number { width }),
        ("serial", _) => digits(4, 16, 8).map(|digits| Part::Serial { digits }),
        ("mac", _) => digits(4, 12, 6).map(|digits| Part::Mac { digits }),
        _ => Err(PatternError::Placeholder(inside.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn product() -> ProductCode {
        "KXP2".parse().unwrap()
    }

    fn venue() -> VenueCode {
        "CORO".parse().unwrap()
    }

    fn digits() -> Digits {
        Digits::of(
            BoardId::Pi(0xd137_e638),
            Some(Serial(0x9d00_ce41_d137_e638)),
            Mac([0x2c, 0xcf, 0x67, 0x00, 0x11, 0x22]),
        )
    }

    #[test]
    fn numbers_are_padded_as_asked_and_may_be_longer() {
        let pattern: Pattern = "{product}-{venue}-{number:03}".parse().unwrap();
        let name = |n| pattern.numbered(&product(), &venue(), n).unwrap();
        assert_eq!(name(7).as_str(), "KXP2-CORO-007");
        assert_eq!(name(1234).as_str(), "KXP2-CORO-1234");
        assert_eq!(pattern.source(), Source::Pool);
        for n in [1, 7, 77, 999, 1000, 9999] {
            assert_eq!(pattern.number_of(&product(), &venue(), &name(n)), Some(n));
        }
        let foreign = "KXP2-ARIA-007".parse().unwrap();
        assert_eq!(pattern.number_of(&product(), &venue(), &foreign), None);
    }

    #[test]
    fn a_serial_gives_its_last_digits_and_more_when_they_collide() {
        let pattern: Pattern = "{product}-{venue}-{serial:8}".parse().unwrap();
        let names = pattern.made(&product(), &venue(), &digits()).unwrap();
        let names: Vec<_> = names.iter().map(Hostname::as_str).collect();
        assert_eq!(
            names,
            [
                "KXP2-CORO-D137E638",
                "KXP2-CORO-CE41D137E638",
                "KXP2-CORO-9D00CE41D137E638"
            ]
        );
        assert_eq!(pattern.source(), Source::Board);
    }

    #[test]
    fn free_text_and_addresses_work_too() {
        let pattern: Pattern = "cam{mac:4}".parse().unwrap();
        let names = pattern.made(&product(), &venue(), &digits()).unwrap();
        assert_eq!(names[0].as_str(), "cam1122");
        assert_eq!(names.last().unwrap().as_str(), "cam2CCF67001122");
    }

    #[test]
    fn a_pattern_that_cannot_work_is_refused_with_the_reason() {
        let rows = [
            ("", "1 to 100 characters"),
            ("KXP2", "nothing that differs"),
            ("{product}-{venue}", "nothing that differs"),
            ("{kart}-{number}", "{kart} is no placeholder"),
            ("{number:0}", "1 to 6 digits"),
            ("{number:-3}", "1 to 6 digits"),
            ("{serial:99}", "4 to 16 digits"),
            ("{number}{number}", "not both kinds"),
            ("{number}-{serial}", "not both kinds"),
            ("a{number", "character 2"),
            ("a}b{number}", "character 2"),
            ("{{number}}", "character 1"),
        ];
        for (text, why) in rows {
            let error = text.parse::<Pattern>().unwrap_err().to_string();
            assert!(error.contains(why), "{text:?}: {error}");
        }
    }

    #[test]
    fn names_that_are_no_hostnames_are_refused_with_the_product() {
        let rows = ["{number}_x", "-{number}", "{number}-", "x.{serial}"];
        for text in rows {
            let pattern: Pattern = text.parse().unwrap();
            assert!(pattern.check(&product()).is_err(), "{text}");
        }
        let long: Pattern = format!("{}{{number}}", "x".repeat(60)).parse().unwrap();
        assert!(long.check(&product()).is_err(), "63 characters with 9999");
        let fits: Pattern = format!("{}{{number}}", "x".repeat(59)).parse().unwrap();
        fits.check(&product()).unwrap();
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,120}") {
            let _ = text.parse::<Pattern>();
        }

        #[test]
        fn a_checked_pattern_makes_only_hostnames(
            text in "[a-z-]{0,8}\\{(number|serial|mac)(:[0-9]{1,2})?\\}[a-z-]{0,8}",
            number in 1..=MOST_NUMBER,
        ) {
            if let Ok(pattern) = text.parse::<Pattern>() && pattern.check(&product()).is_ok() {
                match pattern.source() {
                    Source::Pool => {
                        let name = pattern.numbered(&product(), &venue(), number).unwrap();
                        prop_assert_eq!(
                            pattern.number_of(&product(), &venue(), &name),
                            Some(number)
                        );
                    }
                    Source::Board => {
                        prop_assert!(!pattern.made(&product(), &venue(), &digits()).unwrap().is_empty());
                    }
                }
            }
        }
    }
}
