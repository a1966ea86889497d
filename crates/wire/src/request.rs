//! From JSON to a request: the one place where what a person or a script sent becomes a command or
//! a question, or a refusal that names the field at fault in the request's own spelling. The doors,
//! the window and the command line all read through here, so every form has the same rules.
//!
//! The enums of this crate carry their tag inside, so serde looks at a buffered copy of the value
//! and forgets where in it an error lay. The place is found afterwards, only when there was an
//! error: reading goes through a value in its own order and stops at the first fault, so the
//! shortest beginning of the value that shows the same fault ends with the field at fault.

use crate::command::Command;
use crate::query::{Answer, Query, Tried};
use crate::refusal::{Code, Refusal};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Keys that say which arm of an enum the rest belongs to; a beginning without them means nothing.
const TAGS: [&str; 5] = ["command", "query", "from", "document", "kind"];

/// Reads a value. The refusal names the innermost field at fault.
pub fn parse<T: DeserializeOwned>(value: &Value) -> Result<T, Refusal> {
    T::deserialize(value).map_err(|error| refusal::<T>(value, &error.to_string()))
}

/// Reads a value from its text.
pub fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(text).or_else(|_| parse(&value(text)?))
}

/// The JSON in a text, whatever it means.
fn value(text: &[u8]) -> Result<Value, Refusal> {
    serde_json::from_slice(text).map_err(|e| {
        Refusal::new(
            Code::Invalid,
            format!("The request is not the JSON it should be: {e}."),
        )
    })
}

/// Reads a command.
pub fn command(value: &Value) -> Result<Command, Refusal> {
    parse(value)
}

/// A question as it was read.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// To be asked.
    Ask(Box<Query>),
    /// It tries a command that is refused as it stands, so its answer is known already.
    Known(Box<Answer>),
}

/// Reads a question. A form asks [`Query::Try`] while a person types, so a command that cannot be
/// read yet is no fault of the question: it is what the question is about.
pub fn question(value: &Value) -> Result<Question, Refusal> {
    match parse(value) {
        Ok(query) => Ok(Question::Ask(Box::new(query))),
        Err(refusal) if value.get("query").and_then(Value::as_str) == Some("try") => {
            let tried = Tried::Refuse { refusal };
            Ok(Question::Known(Box::new(Answer::Try(tried))))
        }
        Err(refusal) => Err(refusal),
    }
}

/// The same from its text.
pub fn read_question(text: &[u8]) -> Result<Question, Refusal> {
    question(&value(text)?)
}

fn refusal<T: DeserializeOwned>(value: &Value, error: &str) -> Refusal {
    if value.is_object()
        && let Some(field) = between(error, "missing field `", "`")
    {
        return Refusal::invalid(field, format!("{} is missing.", named(field)));
    }
    match field_at_fault::<T>(value, error) {
        Some(field) if error.starts_with("invalid type: null") => {
            Refusal::invalid(&field, format!("{} is missing.", named(&field)))
        }
        Some(field) => Refusal::invalid(&field, sentence(error)),
        None => Refusal::new(
            Code::Invalid,
            format!("The request is not the JSON it should be: {error}."),
        ),
    }
}

/// The last field of the shortest beginning of `value` that shows `error`.
fn field_at_fault<T: DeserializeOwned>(value: &Value, error: &str) -> Option<String> {
    let shows = |pieces: usize| {
        let mut left = pieces;
        let part = beginning(value, &mut left).unwrap_or(Value::Null);
        let found = T::deserialize(&part).err();
        found.is_some_and(|found| found.to_string() == error)
    };
    let (mut without, mut with) = (0, pieces(value));
    // Once the field at fault is there it stays the first fault, so halving finds where it came.
    while without + 1 < with {
        let middle = usize::midpoint(without, with);
        if shows(middle) {
            with = middle;
        } else {
            without = middle;
        }
    }
    let mut left = with;
    let mut path = Vec::new();
    last_field(value, &mut left, &mut path);
    path.pop()
}

/// How many pieces a value has: itself, and those of everything in it. Tags are no pieces.
fn pieces(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(pieces).sum(),
        Value::Object(fields) => fields
            .iter()
            .filter(|(key, inner)| !is_tag(key, inner))
            .map(|(_, inner)| pieces(inner))
            .sum(),
        _ => 0,
    }
}

fn is_tag(key: &str, value: &Value) -> bool {
    TAGS.contains(&key) && value.is_string()
}

/// The first `left` pieces of a value; `left` is what remains of them.
fn beginning(value: &Value, left: &mut usize) -> Option<Value> {
    *left = left.checked_sub(1)?;
    Some(match value {
        Value::Array(items) => items.iter().map_while(|i| beginning(i, left)).collect(),
        Value::Object(fields) => {
            let mut part = Map::new();
            for (key, inner) in fields {
                let inner = if is_tag(key, inner) {
                    Some(inner.clone())
                } else {
                    beginning(inner, left)
                };
                part.extend(inner.map(|inner| (key.clone(), inner)));
            }
            Value::Object(part)
        }
        plain => plain.clone(),
    })
}

/// Follows the first `left` pieces of a value; `path` holds the fields that lead to the last one.
fn last_field(value: &Value, left: &mut usize, path: &mut Vec<String>) -> bool {
    *left -= 1;
    if *left == 0 {
        return true;
    }
    match value {
        Value::Array(items) => items.iter().any(|item| last_field(item, left, path)),
        Value::Object(fields) => fields.iter().any(|(key, inner)| {
            if is_tag(key, inner) {
                return false;
            }
            path.push(key.clone());
            let found = last_field(inner, left, path);
            if !found {
                path.pop();
            }
            found
        }),
        _ => false,
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.strip_prefix(before)?.split_once(after).map(|(t, _)| t)
}

/// A field as the beginning of a sentence.
fn named(field: &str) -> String {
    format!("The {}", field.replace('_', " "))
}

/// What serde says, as a sentence for people.
fn sentence(error: &str) -> String {
    if let Some((found, expected)) = mismatch(error) {
        return format!("{} was expected here, not {found}.", capital(expected));
    }
    format!(
        "{}.",
        capital(&error.replace('`', "\"")).trim_end_matches('.')
    )
}

/// The two sides of `invalid type: X, expected Y`, in words.
fn mismatch(error: &str) -> Option<(String, &str)> {
    let rest = error
        .strip_prefix("invalid type: ")
        .or_else(|| error.strip_prefix("invalid value: "))?;
    let (found, expected) = rest.rsplit_once(", expected ")?;
    let found = found
        .trim_start_matches("string ")
        .trim_start_matches("integer ")
        .trim_start_matches("floating point ")
        .replace('`', "");
    let found = match found.as_str() {
        "\"\"" => "nothing",
        "map" => "a group of fields",
        "sequence" => "a list",
        other => other,
    };
    let expected = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more,",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a string" | "str" => "text",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        _ => "something else",
    };
    Some((found.to_owned(), expected))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What is refused about a command, and where.
    fn refused(value: &Value) -> (String, String) {
        let refusal = command(value).expect_err(&value.to_string());
        assert_eq!(refusal.code, Code::Invalid);
        let field = refusal.field.unwrap_or_else(|| panic!("{value}: no field"));
        (field, refusal.message)
    }

    #[test]
    fn a_venue_code_of_three_characters_is_named_and_explained() {
        let form = json!({"command": "venue_add", "code": "COR", "name": "x"});
        let (field, message) = refused(&form);
        assert_eq!(field, "code");
        assert_eq!(
            message,
            "A venue code has exactly 4 letters or digits, \"COR\" has 3."
        );
    }

    /// Every form, whole, and what can be written wrongly into each of its fields.
    const FORMS: &str = r#"[
        [{"command": "product_add", "code": "KXP2", "name": "Kart", "pattern": "p"},
         [["code", ""], ["code", "a b"], ["name", 7], ["pattern", 7]]],
        [{"command": "product_edit", "code": "KXP2", "name": "Kart", "pattern": "p"},
         [["code", "-"], ["name", 7], ["pattern", 7]]],
        [{"command": "venue_add", "code": "CORO", "name": "n", "location": "l", "contact": "c"},
         [["code", ""], ["code", "C O"], ["name", 7], ["location", 7], ["contact", 7]]],
        [{"command": "venue_edit", "code": "CORO", "name": "n", "location": "l", "contact": "c"},
         [["code", "COR"], ["name", 7], ["location", 7], ["contact", 7]]],
        [{"command": "names_import", "product": "KXP2", "venue": "CORO",
          "source": {"from": "spec", "text": "1-5"}, "dry_run": true},
         [["product", ""], ["venue", ""], ["source", "1-5"], ["source.text", 7],
          ["dry_run", "yes"]]],
        [{"command": "image_add", "path": "/a.img", "product": "KXP2", "version": "1",
          "description": "d", "activate": true},
         [["path", 7], ["product", ""], ["version", 7], ["description", 7], ["activate", ""]]],
        [{"command": "batch_create", "product": "KXP2", "venue": "CORO", "count": 5,
          "image": "abababababababababababababababababababababababababababababababab",
          "reimage": "ask", "disks": {"kinds": ["sd"]}, "rules": {"models": ["Raspberry Pi 5"],
          "min_ram_mib": 1024, "disks": ["sd"], "boards": ["d137e638"]}},
         [["product", ""], ["venue", "COR"], ["count", -1], ["count", ""], ["count", null],
          ["count", 1.5], ["image", ""], ["reimage", 5], ["disks.kinds", "sd"],
          ["rules.models", "Pi"], ["rules.min_ram_mib", "much"], ["rules.disks", 5],
          ["rules.boards", ["d137e638", "nobody"]], ["rules.boards", [""]]]],
        [{"command": "batch_extend", "batch": 1, "by": 5},
         [["batch", "one"], ["by", ""], ["by", 5000000000]]],
        [{"command": "board_place", "board": "d137e638", "place": "slot 3"},
         [["board", ""], ["place", 7]]],
        [{"command": "deployment_set", "interface": "eth1", "address": "10.0.0.1/24",
          "leases": "10.0.0.2-10.0.0.9", "force_default_route": false},
         [["interface", 7], ["address", 7], ["leases", 7], ["force_default_route", ""]]],
        [{"command": "preferences_set", "quiet": true, "names_low": 5, "disk_low": 9},
         [["quiet", ""], ["names_low", ""], ["disk_low", -1]]],
        [{"command": "rehearsal_start", "boards": 8, "speed_percent": 100, "faulty": 1,
          "faults": ["power_cut"], "models": ["pi5"]},
         [["boards", ""], ["speed_percent", "fast"], ["faulty", null], ["faults", "power_cut"],
          ["models", [7]]]]
    ]"#;

    fn forms() -> Vec<(Value, Vec<(String, Value)>)> {
        serde_json::from_str(FORMS).unwrap()
    }

    fn put(whole: &Value, path: &str, wrong: Value) -> Value {
        let mut broken = whole.clone();
        let pointer = format!("/{}", path.replace('.', "/"));
        *broken.pointer_mut(&pointer).unwrap() = wrong;
        broken
    }

    #[test]
    fn every_field_of_every_form_is_named_when_it_is_wrong() {
        for (whole, wrongs) in forms() {
            let understood = command(&whole);
            assert!(understood.is_ok(), "{whole}: {understood:?}");
            for (path, wrong) in wrongs {
                let broken = put(&whole, &path, wrong);
                let last = path.rsplit('.').next().unwrap();
                let (field, message) = refused(&broken);
                assert_eq!(field, last, "{broken}: {message}");
                let noise = ["line 1", "`", "invalid type", "expected", ".."];
                let noisy = noise
                    .iter()
                    .any(|n| message.contains(n) && *n != "expected");
                assert!(!noisy && message.ends_with('.'), "{message}");
            }
        }
    }

    #[test]
    fn a_command_that_is_only_tried_has_the_same_fields() {
        for (whole, wrongs) in forms() {
            for (path, wrong) in wrongs {
                let tried = json!({"query": "try", "of": put(&whole, &path, wrong)});
                let Question::Known(answer) = question(&tried).unwrap() else {
                    panic!("{path} was understood");
                };
                let Answer::Try(Tried::Refuse { refusal }) = *answer else {
                    panic!("{answer:?}");
                };
                assert_eq!(refusal.field.as_deref(), path.rsplit('.').next());
            }
            let tried = json!({"query": "try", "of": whole});
            assert!(matches!(question(&tried), Ok(Question::Ask(_))));
        }
    }

    #[test]
    fn the_first_of_two_faults_is_named_also_when_they_sound_alike() {
        let plan =
            json!({"command": "venue_add", "code": "CORO", "name": 5, "location": 5, "contact": 5});
        let first = plan
            .as_object()
            .unwrap()
            .iter()
            .find(|(_, v)| v.is_number());
        let first = first.unwrap().0.clone();
        assert_eq!(refused(&plan).0, first);
    }

    #[test]
    fn a_missing_field_is_named() {
        let (field, message) = refused(&json!({"command": "venue_add", "code": "CORO"}));
        assert_eq!(
            (field.as_str(), message.as_str()),
            ("name", "The name is missing.")
        );
        let (field, _) = refused(&json!({"code": "CORO"}));
        assert_eq!(field, "command");
        let import = json!({"command": "names_import", "product": "A", "venue": "CORO", "source": {"from": "csv"}});
        assert_eq!(refused(&import).0, "text");
    }

    #[test]
    fn what_is_no_json_or_no_request_is_said() {
        for text in ["", "{", "[]", "5", "\"venue_add\"", "nul"] {
            let refusal = read::<Command>(text.as_bytes()).expect_err(text);
            assert_eq!(refusal.code, Code::Invalid);
            assert!(refusal.message.contains("JSON"), "{refusal}");
        }
        let refusal = read::<Query>(br#"{"query": "board", "board": "x"}"#).unwrap_err();
        assert_eq!(refusal.field.as_deref(), Some("board"));
    }
}
