//! One message: everything that is to be said at once, for programs and for people.

use crate::notices::{Group, Notice};
use crate::papers::iso;
use serde::Serialize;
use wire::Millis;

/// Most notices of one message; of what waits beyond, only the number is told.
const MOST: usize = 100;
/// Most names of one notice.
const MOST_NAMES: usize = 200;

/// One notice of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    /// What it is about, e.g. `failed`, `decision`, `complete`.
    pub kind: &'static str,
    /// One line: what.
    pub summary: String,
    /// Who, and what to do.
    pub text: String,
    /// How many it is about.
    pub count: usize,
    /// Their names, where they have any.
    pub about: Vec<String>,
    /// A person must act now.
    pub urgent: bool,
    /// It comes from the station of a rehearsal.
    pub rehearsal: bool,
}

impl Said {
    /// A group of notices, put into words.
    pub fn of(group: &Group, notice: Notice) -> Self {
        let named = group.notes.iter().filter(|note| !note.who.is_empty());
        Self {
            kind: group.kind.as_str(),
            summary: notice.summary,
            text: notice.body,
            count: group.notes.len(),
            about: named.map(|n| n.who.clone()).take(MOST_NAMES).collect(),
            urgent: notice.urgent,
            rehearsal: group.rehearsal,
        }
    }
}

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// The machine that says it.
    pub station: String,
    /// When, in UTC (RFC 3339).
    pub at: String,
    /// The whole as text, for receivers that show nothing else.
    pub text: String,
    /// It only shows that the way is open.
    pub test: bool,
    /// What is said, the oldest first.
    pub notices: Vec<Said>,
    /// Notices that were left out because too many waited.
    pub left_out: usize,
}

impl Message {
    /// A message of this moment.
    pub fn now(notices: Vec<Said>) -> Self {
        let station = std::fs::read_to_string("/proc/sys/kernel/hostname")
            .ok()
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty());
        let mut message = Self {
            station: station.unwrap_or_else(|| "punnet".to_owned()),
            at: iso(Millis::now()),
            text: String::new(),
            test: false,
            notices,
            left_out: 0,
        };
        message.write_text();
        message
    }

    /// A message that says only that messages arrive.
    pub fn test() -> Self {
        let said = Said {
            kind: "test",
            summary: "This is a test".to_owned(),
            text: "Alerts of this station arrive here. Nothing has happened.".to_owned(),
            count: 1,
            about: Vec::new(),
            urgent: false,
            rehearsal: false,
        };
        Self {
            test: true,
            ..Self::now(vec![said])
        }
    }

    /// Says what a later one says as well.
    pub fn absorb(&mut self, later: Self) {
        self.at = later.at;
        self.left_out += later.left_out;
        for said in later.notices {
            if self.notices.len() < MOST {
                self.notices.push(said);
            } else {
                self.left_out += 1;
            }
        }
        self.write_text();
    }

    /// One line that says it all, or at least how much it is.
    pub fn subject(&self) -> String {
        match self.notices.as_slice() {
            [one] => one.summary.clone(),
            [first, rest @ ..] => format!("{}, and {} more", first.summary, rest.len()),
            [] => "Nothing".to_owned(),
        }
    }

    fn write_text(&mut self) {
        let lines = self
            .notices
            .iter()
            .map(|n| format!("{}\n{}", n.summary, n.text));
        let mut text = lines.collect::<Vec<_>>().join("\n\n");
        if self.left_out > 0 {
            text += &format!(
                "\n\n{} more notices are in the station's log.",
                self.left_out
            );
        }
        self.text = text;
    }
}
