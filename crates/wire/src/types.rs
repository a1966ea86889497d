//! The page's types, written from ours: `ui/src/lib/wire.ts`. A test fails when the two differ;
//! `UPDATE_TYPES=1 cargo test -p wire types` writes the file anew.

use crate::backup::Download;
use crate::command::{Command, Receipt};
use crate::operator::Session;
use crate::query::{Answer, Query};
use crate::refusal::Refusal;
use crate::update::{Snapshot, Update};
use std::path::Path;
use ts_rs::{Config, TS};

#[test]
fn the_page_has_the_types_of_this_crate() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::new()
        .with_out_dir(folder.path())
        .with_large_int("number");
    Command::export_all(&config).unwrap();
    Receipt::export_all(&config).unwrap();
    Query::export_all(&config).unwrap();
    Answer::export_all(&config).unwrap();
    Update::export_all(&config).unwrap();
    Snapshot::export_all(&config).unwrap();
    Refusal::export_all(&config).unwrap();
    Session::export_all(&config).unwrap();
    Download::export_all(&config).unwrap();
    let written = std::fs::read_to_string(folder.path().join("wire.ts")).unwrap();
    let (_, types) = written.split_once('\n').unwrap();
    let ours = format!("// Written from crates/wire by its test `types`. Do not edit.\n{types}");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/lib/wire.ts");
    if std::env::var_os("UPDATE_TYPES").is_some() {
        std::fs::create_dir_all(page.parent().unwrap()).unwrap();
        std::fs::write(&page, &ours).unwrap();
    }
    let theirs = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(
        ours == theirs,
        "{} is not what this crate says; run UPDATE_TYPES=1 cargo test -p wire types",
        page.display()
    );
}
