//! The plan of the house, held: who may know whom, who alone may name a thing.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Which rooms each room may use. Tests and build scripts count like the code itself.
const MAY_USE: [(&str, &[&str]); 10] = [
    ("wire", &[]),
    ("netboot", &["wire"]),
    ("imaging", &["wire"]),
    ("delivery", &["wire"]),
    ("punnet-net", &[]),
    (
        "station",
        &["wire", "netboot", "imaging", "delivery", "punnet-net"],
    ),
    ("agent", &["wire", "netboot", "imaging", "delivery"]),
    (
        "virtual-pi",
        &["wire", "netboot", "imaging", "delivery", "agent"],
    ),
    ("punnet", &["wire", "imaging", "station", "virtual-pi"]),
    // The codecs, for an attacker who boots a board of its own; and the helper's words, to ask it for
    // what no station asks yet.
    ("punnet-tests", &["wire", "netboot", "punnet-net"]),
];

/// Crates from outside that must stay out of a room's whole tree, however they would get in.
const NEVER_IN: [(&str, &[&str]); 5] = [
    (
        "punnet-net",
        &["axum", "dhcproto", "rusqlite", "tauri", "gtk"],
    ),
    ("agent", &["rusqlite", "libsqlite3-sys", "axum", "tauri"]),
    ("station", &["tauri", "wry", "gtk"]),
    ("virtual-pi", &["rusqlite", "axum", "tauri"]),
    ("wire", &["tokio", "rusqlite", "axum", "ureq"]),
];

/// Words that only one part of the source may say.
const ONLY_IN: [(&str, &[&str]); 4] = [
    (
        "rusqlite",
        &[
            "crates/station/src/store",
            "crates/station/tests/shell/rig.rs",
        ],
    ),
    (
        "async_tftp",
        &[
            "crates/netboot/src/tftp",
            "crates/netboot/benches",
            "crates/netboot/examples",
        ],
    ),
    (
        "dhcproto",
        &[
            "crates/netboot/src/dhcp",
            "crates/netboot/benches",
            "crates/netboot/examples",
        ],
    ),
    ("tauri", &["src-tauri"]),
];

fn root() -> &'static Path {
    punnet_tests::binaries::root()
}

fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let said = Command::new(cargo)
        .args([
            "metadata",
            "--format-version=1",
            "--all-features",
            "--locked",
            "--filter-platform=x86_64-unknown-linux-gnu",
        ])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        said.status.success(),
        "{}",
        String::from_utf8_lossy(&said.stderr)
    );
    serde_json::from_slice(&said.stdout).expect("cargo speaks JSON")
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn members(metadata: &Value) -> BTreeMap<String, &Value> {
    let ids: BTreeSet<&str> = metadata["workspace_members"]
        .as_array()
        .expect("members")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .filter(|package| ids.contains(text(package, "id")))
        .map(|package| (text(package, "name").to_owned(), package))
        .collect()
}

#[test]
fn every_room_knows_only_whom_it_may_know() {
    let metadata = metadata();
    let members = members(&metadata);
    let rules: BTreeMap<&str, &[&str]> = MAY_USE.into_iter().collect();
    for (name, package) in &members {
        let may = rules
            .get(name.as_str())
            .unwrap_or_else(|| panic!("{name} is a new room: say in this test whom it may know"));
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let other = text(dependency, "name");
            assert!(
                !members.contains_key(other) || may.contains(&other),
                "{name} uses {other}, which the plan forbids"
            );
        }
    }
}

#[test]
fn what_must_stay_out_of_a_room_stays_out_of_its_whole_tree() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let names: BTreeMap<&str, &str> = packages
        .iter()
        .map(|package| (text(package, "id"), text(package, "name")))
        .collect();
    // Only what is linked: a test may well open a database to look at it.
    let uses: BTreeMap<&str, Vec<&str>> = metadata["resolve"]["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .map(|node| {
            let linked = node["deps"].as_array().expect("deps").iter().filter(|dep| {
                let kinds = dep["dep_kinds"].as_array().expect("kinds");
                kinds.iter().any(|kind| kind["kind"].is_null())
            });
            (
                text(node, "id"),
                linked.map(|dep| text(dep, "pkg")).collect(),
            )
        })
        .collect();
    for (room, forbidden) in NEVER_IN {
        let start = members(&metadata);
        let Some(start) = start.get(room) else {
            panic!("there is no room {room}")
        };
        let mut seen = BTreeSet::new();
        let mut ahead = vec![text(start, "id")];
        while let Some(id) = ahead.pop() {
            if seen.insert(id) {
                ahead.extend(uses.get(id).into_iter().flatten());
            }
        }
        for id in seen {
            let name = names.get(id).copied().unwrap_or_default();
            assert!(!forbidden.contains(&name), "{room} links {name}");
        }
    }
}

#[test]
fn a_word_that_belongs_to_one_part_is_said_nowhere_else() {
    let mut sources = Vec::new();
    for top in ["crates", "src-tauri"] {
        rust_files(&root().join(top), &mut sources);
    }
    assert!(sources.len() > 50, "only {} sources found", sources.len());
    for file in sources {
        let place = file.strip_prefix(root()).expect("below the root");
        let code: String = std::fs::read_to_string(&file)
            .expect("readable")
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join("\n");
        for (word, homes) in ONLY_IN {
            let at_home = homes.iter().any(|home| place.starts_with(home));
            assert!(
                at_home || !code.contains(&format!("{word}::")),
                "{} names {word}, which belongs to {homes:?}",
                place.display()
            );
        }
    }
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}
