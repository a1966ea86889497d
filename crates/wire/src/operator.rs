//! Who works at the station: operators, what each may do, and the record of what was done.

use crate::name::NameError;
use crate::time::Millis;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Fewest characters of a password.
pub const SHORTEST_PASSWORD: usize = 10;
/// Most bytes of a password; more is not typed by a person.
pub const LONGEST_PASSWORD: usize = 512;

/// What an operator may do. A later role may do everything that an earlier one may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks.
    Viewer,
    /// Works: plans, batches, boards, images, names.
    Operator,
    /// Also decides who works here, and about the station itself.
    Admin,
    /// A role this build does not know; may do nothing.
    #[serde(other)]
    Unknown,
}

impl Role {
    /// The spelling used in JSON, on the command line and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// May this role do what `needed` may?
    pub fn covers(self, needed: Self) -> bool {
        let rank = |role| match role {
            Self::Unknown => 0,
            Self::Viewer => 1,
            Self::Operator => 2,
            Self::Admin => 3,
        };
        rank(self) >= rank(needed) && self != Self::Unknown
    }
}

/// The name of an operator, in lower case: 1 to 32 letters, digits, `.`, `-` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts", type = "string"))]
#[serde(try_from = "String", into = "String")]
pub struct OperatorName(String);

impl OperatorName {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OperatorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for OperatorName {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        crate::name::check(
            "operator's name",
            text,
            32,
            "letters, digits, dots, hyphens and underscores",
            |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'),
        )?;
        Ok(Self(text.to_ascii_lowercase()))
    }
}

impl TryFrom<String> for OperatorName {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<OperatorName> for String {
    fn from(name: OperatorName) -> Self {
        name.0
    }
}

/// A password on its way to the station. It is shown nowhere: not in a log, not in the record.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts", type = "string"))]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    /// A password that was typed.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// What was typed, to be hashed.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Somebody who may log in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Operator {
    /// The name.
    pub name: OperatorName,
    /// What this operator may do.
    pub role: Role,
    /// May not log in at present.
    pub disabled: bool,
    /// Since when the operator is known.
    pub created: Millis,
    /// The last login.
    #[serde(default)]
    pub last_login: Option<Millis>,
    /// Logins that are open now.
    #[serde(default)]
    pub sessions: u32,
}

/// How whoever asks is known to the station.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// The program of the station itself: its window, or a verb without a running station.
    Here,
    /// The Unix socket, by the user of this machine.
    Socket,
    /// HTTP, by a login.
    Login,
    /// HTTP, by the station's token.
    Token,
    /// HTTP, unknown.
    Nobody,
    /// A way this build does not know.
    #[serde(other)]
    Unknown,
}

impl Door {
    /// The spelling used in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Socket => "socket",
            Self::Login => "login",
            Self::Token => "token",
            Self::Nobody => "nobody",
            Self::Unknown => "unknown",
        }
    }
}

/// What `GET /api/v1/session` and a login answer: who is asking, and what that allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Session {
    /// How whoever asks is known.
    pub door: Door,
    /// Who that is; nothing for somebody unknown.
    #[serde(default)]
    pub name: Option<String>,
    /// What that allows; nothing for somebody unknown.
    #[serde(default)]
    pub role: Option<Role>,
    /// May somebody unknown look?
    pub open: bool,
    /// Is there anybody who can log in?
    pub operators: bool,
    /// When the login ends at the latest.
    #[serde(default)]
    pub until: Option<Millis>,
}

/// What came of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum DeedOutcome {
    /// It was done.
    Done,
    /// It was refused.
    Refused,
    /// An outcome this build does not know.
    #[serde(other)]
    Unknown,
}

impl DeedOutcome {
    /// The spelling used in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

/// One row of the record: who did what. Rows are never changed and never deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Deed {
    /// Counts up.
    pub id: i64,
    /// When.
    pub at: Millis,
    /// Who: an operator, or a user of the station's machine.
    pub who: String,
    /// How that was known.
    pub door: Door,
    /// From where: an address, or words.
    pub origin: String,
    /// What: a command, `login`, `logout`, `upload`.
    pub action: String,
    /// To what.
    pub subject: String,
    /// What came of it.
    pub outcome: DeedOutcome,
    /// Why it was refused.
    #[serde(default)]
    pub why: Option<String>,
}

/// Which rows of the record. Absent fields match all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(default)]
pub struct DeedFilter {
    /// Of this person.
    pub who: Option<String>,
    /// With this outcome.
    pub outcome: Option<DeedOutcome>,
    /// Containing this text (person, origin, action, subject, reason).
    pub text: Option<String>,
    /// Older than the row of this number, for the next page.
    pub before: Option<i64>,
    /// At most this many; 0 means 1000.
    pub limit: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_role_may_do_what_an_earlier_one_may() {
        let all = [Role::Viewer, Role::Operator, Role::Admin];
        for (at, role) in all.into_iter().enumerate() {
            for (other, needed) in all.into_iter().enumerate() {
                assert_eq!(role.covers(needed), at >= other, "{role:?} {needed:?}");
            }
            assert!(!Role::Unknown.covers(role));
        }
        let strange: Role = serde_json::from_str("\"emperor\"").unwrap();
        assert_eq!(strange, Role::Unknown);
    }

    #[test]
    fn a_name_is_one_name_however_it_is_typed() {
        let name: OperatorName = " Tess.Miller ".parse().unwrap();
        assert_eq!(name.as_str(), "tess.miller");
        for wrong in ["", "tess miller", "téss", &"x".repeat(33), "a/b"] {
            assert!(wrong.parse::<OperatorName>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let password = Password::new("correct horse");
        assert_eq!(format!("{password:?}"), "Password(…)");
        assert_eq!(
            serde_json::to_string(&password).unwrap(),
            "\"correct horse\""
        );
    }
}
