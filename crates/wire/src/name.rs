//! Names that must be right before they exist: hostnames, venue codes, product codes.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text has no characters.
    #[error("a {0} cannot be empty")]
    Empty(&'static str),
    /// The text is longer than the rule allows.
    #[error("a {what} has at most {most} characters, this one has {len}")]
    TooLong {
        /// What the text was meant to be.
        what: &'static str,
        /// The longest length allowed.
        most: usize,
        /// The length found.
        len: usize,
    },
    /// A character outside the allowed set, with its 1-based position.
    #[error("character {position} of {what} {text:?} is {found:?}; only {allowed} are allowed")]
    Character {
        /// What the text was meant to be.
        what: &'static str,
        /// The text as given.
        text: String,
        /// 1-based position of the character.
        position: usize,
        /// The character.
        found: char,
        /// The allowed set, in words.
        allowed: &'static str,
    },
    /// A hyphen where none may stand.
    #[error("{0:?} may not begin or end with a hyphen")]
    Hyphen(String),
    /// A venue code that is not four characters long.
    #[error("a venue code has exactly 4 letters or digits, {0:?} has {len}", len = .0.chars().count())]
    VenueLength(String),
}

macro_rules! text_newtype {
    ($name:ident) => {
        impl $name {
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

/// One label of a host name (RFC 1123 §2.1, RFC 952): letters, digits and inner hyphens, 1 to 63
/// characters. The case is kept as given; two hostnames that differ only in case are the same name
/// to DNS, so whoever checks uniqueness compares [`Hostname::key`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts", type = "string"))]
#[serde(try_from = "String", into = "String")]
pub struct Hostname(String);
text_newtype!(Hostname);

impl Hostname {
    /// The form in which hostnames are compared: lower case.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl FromStr for Hostname {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        check("hostname", text, 63, "letters, digits and hyphens", |c| {
            c.is_ascii_alphanumeric() || c == '-'
        })?;
        if text.starts_with('-') || text.ends_with('-') {
            return Err(NameError::Hyphen(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

/// The 4-character code of a venue, upper case: `coro` becomes `CORO`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts", type = "string"))]
#[serde(try_from = "String", into = "String")]
pub struct VenueCode(String);
text_newtype!(VenueCode);

impl FromStr for VenueCode {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        check("venue code", text, 64, "letters and digits", |c| {
            c.is_ascii_alphanumeric()
        })?;
        if text.len() != 4 {
            return Err(NameError::VenueLength(text.to_owned()));
        }
        Ok(Self(text.to_ascii_uppercase()))
    }
}

/// The short code of a product, 1 to 16 letters, digits or inner hyphens, upper case: `KXP2`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts", type = "string"))]
#[serde(try_from = "String", into = "String")]
pub struct ProductCode(String);
text_newtype!(ProductCode);

impl FromStr for ProductCode {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        check(
            "product code",
            text,
            16,
            "letters, digits and hyphens",
            |c| c.is_ascii_alphanumeric() || c == '-',
        )?;
        if text.starts_with('-') || text.ends_with('-') {
            return Err(NameError::Hyphen(text.to_owned()));
        }
        Ok(Self(text.to_ascii_uppercase()))
    }
}

pub(crate) fn check(
    what: &'static str,
    text: &str,
    most: usize,
    allowed: &'static str,
    ok: impl Fn(char) -> bool,
) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty(what));
    }
    if let Some((at, found)) = text.chars().enumerate().find(|(_, c)| !ok(*c)) {
        let text = text.to_owned();
        return Err(NameError::Character {
            what,
            text,
            position: at + 1,
            found,
            allowed,
        });
    }
    if text.len() > most {
        return Err(NameError::TooLong {
            what,
            most,
            len: text.len(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostnames_follow_rfc_1123() {
        for good in ["KXP2-CORO-001", "a", "9", &"x".repeat(63)] {
            assert_eq!(good.parse::<Hostname>().unwrap().as_str(), good);
        }
        for bad in ["", "-a", "a-", "a b", "a.b", "a_b", "ä", &"x".repeat(64)] {
            assert!(bad.parse::<Hostname>().is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn an_error_names_the_character_and_its_place() {
        let e = "KXP2 CORO".parse::<Hostname>().unwrap_err();
        assert!(e.to_string().starts_with("character 5 of hostname"), "{e}");
    }

    #[test]
    fn venue_codes_are_four_characters_and_upper_case() {
        assert_eq!("coro".parse::<VenueCode>().unwrap().as_str(), "CORO");
        for bad in ["CO", "COR-", "COROX", ""] {
            assert!(bad.parse::<VenueCode>().is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn a_bad_name_does_not_deserialise() {
        assert!(serde_json::from_str::<Hostname>("\"a b\"").is_err());
    }
}
