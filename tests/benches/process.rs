//! What a process and those it has started use up.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

/// A field of smaps_rollup in KiB (proc(5)).
pub(crate) fn memory(pid: u32, field: &str) -> f64 {
    kib(pid, "smaps_rollup", field)
}

/// A field of the process's status in MB (proc(5)).
pub(crate) fn status(pid: u32, field: &str) -> f64 {
    kib(pid, "status", field) * 1024.0 / 1e6
}

fn kib(pid: u32, file: &str, field: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(field));
    let value = line.and_then(|line| line.split_whitespace().nth(1));
    value.and_then(|value| value.parse().ok()).unwrap_or(0.0)
}

/// From now on the most memory that the process had (`VmHWM`) counts anew (proc(5), clear_refs).
pub(crate) fn forget_peak(pid: u32) {
    fs::write(format!("/proc/{pid}/clear_refs"), "5").expect("root may");
}

/// A process and all its descendants.
pub(crate) fn family(of: u32) -> BTreeSet<u32> {
    let mut parents: BTreeMap<u32, u32> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let rest = after_name(&stat);
        if let Some(parent) = rest.split(' ').nth(1).and_then(|p| p.parse().ok()) {
            parents.insert(pid, parent);
        }
    }
    let mut family = BTreeSet::from([of]);
    loop {
        let before = family.len();
        let children = parents.iter().filter(|(_, parent)| family.contains(parent));
        let children: Vec<u32> = children.map(|(pid, _)| *pid).collect();
        family.extend(children);
        if family.len() == before {
            return family;
        }
    }
}

/// Processor time that a process and its descendants have used, proc(5).
pub(crate) fn processor(of: u32) -> Duration {
    let ticks = family(of).into_iter().map(|pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // utime and stime: fields 14 and 15 of all, so 12 and 13 behind the name.
        let used = after_name(&stat).split(' ').skip(11).take(2);
        used.filter_map(|ticks| ticks.parse::<u64>().ok())
            .sum::<u64>()
    });
    // A tick is a hundredth of a second on every Linux that shows them here.
    Duration::from_millis(10 * ticks.sum::<u64>())
}

/// The name in the second field may hold anything; what follows its bracket does not.
fn after_name(stat: &str) -> &str {
    stat.rsplit_once(") ").map_or("", |(_, rest)| rest)
}
