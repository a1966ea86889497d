//! Do the personalised files hold what was asked?

use super::reference::Reference;
use super::tree;
use super::{Expected, some_of};
use ext4_view::Ext4;
use std::path::Path;

pub(super) fn check(reference: &Reference, disk: &Path, expected: &Expected) -> Result<(), String> {
    let start = reference.root.start;
    let fs =
        tree::open(disk, start).map_err(|e| format!("the root file system cannot be read: {e}"))?;
    let golden = tree::open(&reference.path, start)
        .ok()
        .and_then(|fs| fs.read_to_string("/etc/hostname").ok())
        .unwrap_or_default();
    let mut wrong = Vec::new();
    wrong.extend(names(&fs, expected.hostname.as_str(), golden.trim()));
    wrong.extend(identity(&fs, &expected.changed));
    if wrong.is_empty() {
        return Ok(());
    }
    Err(some_of(wrong))
}

fn names(fs: &Ext4, hostname: &str, golden: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let read = |path: &str| fs.read_to_string(path).unwrap_or_default();
    let found = read("/etc/hostname");
    if found.trim() != hostname {
        wrong.push(format!(
            "/etc/hostname says {:?}, it should be {hostname}",
            found.trim()
        ));
    }
    let hosts = read("/etc/hosts");
    let knows = |name: &str| {
        hosts
            .lines()
            .filter(|l| !l.trim_start().starts_with('#'))
            .any(|l| l.split_whitespace().skip(1).any(|word| word == name))
    };
    if !knows(hostname) {
        wrong.push(format!("/etc/hosts does not know {hostname}"));
    }
    if golden != hostname && golden != "localhost" && !golden.is_empty() && knows(golden) {
        wrong.push(format!("/etc/hosts still knows {golden}"));
    }
    wrong
}

// What makes two boards the same to other machines must not come out of the image.
fn identity(fs: &Ext4, declared: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    let id = "/etc/machine-id";
    if declared.iter().any(|d| d == id) {
        let text = fs.read_to_string(id).unwrap_or_default();
        if !["", "uninitialized"].contains(&text.trim()) {
            wrong.push(format!(
                "{id} was to be made anew and holds {:?}",
                text.trim()
            ));
        }
    }
    let is_key = |path: &&String| path.starts_with("/etc/ssh/ssh_host_") && path.contains("_key");
    for key in declared.iter().filter(is_key) {
        if fs.exists(key.as_str()).unwrap_or(false) {
            wrong.push(format!("{key} was to be made anew and is still there"));
        }
    }
    wrong
}
