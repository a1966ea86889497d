//! A command as it stands on the record: its name, and the fields that say what it was about.

use serde_json::Value;
use std::fmt::Write as _;
use wire::command::Command;

/// Longest text of one field; a reason is shorter, and a file's name mostly.
const LONGEST: usize = 200;
/// Fields that nobody may read.
const SECRET: [&str; 2] = ["password", "current"];

/// The name of a command and its subject.
pub fn of(command: &Command) -> (String, String) {
    let value = serde_json::to_value(command).unwrap_or_default();
    let action = value["command"].as_str().unwrap_or("unknown").to_owned();
    let mut subject = String::new();
    for (field, value) in value.as_object().into_iter().flatten() {
        if field == "command" || SECRET.contains(&field.as_str()) {
            continue;
        }
        let text = match value {
            Value::String(text) => text.chars().take(LONGEST).collect(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            // Lists and rules belong to the thing, which can be looked up.
            Value::Null | Value::Array(_) | Value::Object(_) => continue,
        };
        if text.is_empty() {
            continue;
        }
        let joint = if subject.is_empty() { "" } else { ", " };
        // Writing into a String does not fail.
        let _ = write!(
            subject,
            "{joint}{} {}",
            field.replace('_', " "),
            plain(&text)
        );
    }
    (action, subject)
}

/// A text without what would break a line.
pub fn plain(text: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().take(LONGEST).map(clean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::operator::{Password, Role};

    #[test]
    fn a_command_says_what_it_is_about_and_no_password() {
        let add = Command::OperatorAdd {
            name: "tess".parse().unwrap(),
            role: Role::Viewer,
            password: Password::new("correct horse"),
        };
        let (action, subject) = of(&add);
        assert_eq!(action, "operator_add");
        assert!(
            subject.contains("name tess") && subject.contains("role viewer"),
            "{subject}"
        );
        assert!(!subject.contains("horse"));
        let release = Command::BoardRelease {
            board: "d137e638".parse().unwrap(),
            reason: "bent\npins".to_owned(),
        };
        let (_, subject) = of(&release);
        assert_eq!(subject, "board d137e638, reason bent pins");
        assert_eq!(of(&Command::RehearsalStop).1, "");
    }
}
