//! The root file system, compared file by file.

use super::reference::Reference;
use super::some_of;
use super::tree::{Entries, Entry, entries};
use std::path::Path;

/// Compares a disk with the image; declared paths may differ, appear or vanish, and folders may
/// appear to hold them.
pub(super) fn check(reference: &Reference, disk: &Path, declared: &[String]) -> Result<(), String> {
    let now = entries(disk, reference.root.start)
        .map_err(|e| format!("the root file system cannot be read: {e}"))?;
    let wrong = differences(&reference.entries, &now, declared);
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!("undeclared changes in files: {}", some_of(wrong)))
}

fn differences(before: &Entries, now: &Entries, declared: &[String]) -> Vec<String> {
    let is_declared = |path: &String| declared.contains(path);
    let holds_declared = |path: &str| {
        let inside = format!("{path}/");
        declared.iter().any(|d| d.starts_with(&inside))
    };
    let mut wrong = Vec::new();
    for (path, old) in before {
        match now.get(path) {
            _ if is_declared(path) => {}
            None => wrong.push(format!("{path} is gone")),
            Some(new) if new != old => wrong.push(format!("{path} {}", how(old, new))),
            Some(_) => {}
        }
    }
    for (path, new) in now {
        let new_folder = new.folder && holds_declared(path);
        if !before.contains_key(path) && !is_declared(path) && !new_folder {
            wrong.push(format!("{path} is new"));
        }
    }
    wrong
}

fn how(old: &Entry, new: &Entry) -> &'static str {
    if old.content != new.content || old.len != new.len {
        "has another content"
    } else if old.mode != new.mode {
        "has another mode"
    } else if old.owner != new.owner {
        "has another owner"
    } else {
        "was touched"
    }
}
