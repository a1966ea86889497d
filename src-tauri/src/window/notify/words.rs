//! One notification out of a group of notices: a line that says what, and a text that says who and
//! what to do.

use super::rule::{Group, Kind};

/// Names that are listed before "and 12 more".
const LISTED: usize = 4;

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Notice {
    /// The line.
    pub(super) summary: String,
    /// The text, plain.
    pub(super) body: String,
    /// The place of the page that a click opens.
    pub(super) target: String,
    /// A person must act now.
    pub(super) urgent: bool,
}

/// Puts a group into words.
pub(super) fn notice(group: &Group) -> Notice {
    let many = group.notes.len();
    let summary = match (group.kind, many) {
        (Kind::Decision, 1) => "A board needs your decision".to_owned(),
        (Kind::Decision, n) => format!("{n} boards need your decision"),
        (Kind::Failed, 1) => "A board failed".to_owned(),
        (Kind::Failed, n) => format!("{n} boards failed"),
        (Kind::Complete, 1) => "A batch is complete".to_owned(),
        (Kind::Complete, n) => format!("{n} batches are complete"),
        (Kind::Rival, _) => "Another DHCP server is on the wire".to_owned(),
        (Kind::Conflict, _) => "The station's address is used twice".to_owned(),
        (Kind::NamesLow, _) => "Names are running low".to_owned(),
        (Kind::PoolFull, _) => "No address is left for boards".to_owned(),
        (Kind::DiskLow, _) => "The disk is nearly full".to_owned(),
        (Kind::Backup, _) => "There is no fresh backup".to_owned(),
    };
    let (body, target) = match group.notes.as_slice() {
        [one] => (one.text.clone(), one.target.clone()),
        notes if notes.iter().any(|note| note.who.is_empty()) => {
            let texts: Vec<&str> = notes.iter().map(|note| note.text.as_str()).collect();
            let target = notes.first().map(|note| note.target.clone());
            (texts.join("\n"), target.unwrap_or_default())
        }
        notes => {
            let names: Vec<&str> = notes.iter().map(|note| note.who.as_str()).collect();
            let rehearsal = notes
                .first()
                .is_some_and(|note| note.target.starts_with("rehearsal/"));
            let bench = if rehearsal {
                "rehearsal/bench"
            } else {
                "bench"
            };
            (listed(&names), bench.to_owned())
        }
    };
    Notice {
        summary: if group.rehearsal {
            format!("Rehearsal: {summary}")
        } else {
            summary
        },
        body,
        target,
        urgent: matches!(group.kind, Kind::Failed | Kind::Rival | Kind::Conflict),
    }
}

fn listed(names: &[&str]) -> String {
    match names.len().saturating_sub(LISTED) {
        0 => format!("{}.", names.join(", ")),
        more => format!("{} and {more} more.", names[..LISTED].join(", ")),
    }
}
