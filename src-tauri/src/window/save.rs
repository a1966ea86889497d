//! Documents: drawn up by the station, saved where the person keeps downloads, shown when asked.
//!
//! The station proposes a name; only its last part is taken, and a file that is there already is
//! never overwritten. Only what was saved here in this run can be shown.

use super::bench::Bench;
use super::home::Home;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::Value;
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use tauri::{AppHandle, Manager as _, State};
use wire::Refusal;
use wire::document::Document;
use wire::query::{Answer, Query};
use wire::refusal::Code;

/// Files of one name before it is given up.
const MOST_OF_A_NAME: u32 = 1000;
/// Longest name in characters, so that a number and an ending still fit any file system.
const LONGEST_NAME: usize = 120;

/// What became of a document.
#[derive(Debug, Serialize)]
pub(crate) struct Saved {
    path: String,
    name: String,
}

/// The documents of this run.
#[derive(Default)]
pub(crate) struct Shelf(Mutex<HashSet<PathBuf>>);

impl Shelf {
    /// Takes in what was saved.
    pub(super) fn put(&self, path: PathBuf) -> Saved {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
        let saved = Saved {
            path: path.display().to_string(),
            name: name.unwrap_or_default(),
        };
        self.lock().insert(path);
        saved
    }

    fn has(&self, path: &Path) -> bool {
        self.lock().contains(path)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<PathBuf>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has a document drawn up and saves it.
#[tauri::command]
pub(crate) async fn save(
    app: AppHandle,
    home: State<'_, Home>,
    shelf: State<'_, Shelf>,
    bench: Bench,
    document: Value,
) -> Result<Saved, Refusal> {
    let kind = wire::request::parse(&document)?;
    let station = home.station(bench).await?;
    let Answer::Document(document) = station.query(Query::Document(kind)).await? else {
        return Err(Refusal::internal(
            "The station gave another answer than a document; it may be of another version.",
        ));
    };
    let folder = folder(&app)?;
    let path = tokio::task::spawn_blocking(move || store(&folder, &document))
        .await
        .map_err(|why| Refusal::internal(format!("The document was not saved: {why}.")))??;
    Ok(shelf.put(path))
}

/// Shows a saved document's folder in the file manager.
#[tauri::command]
pub(crate) async fn reveal(shelf: State<'_, Shelf>, path: PathBuf) -> Result<(), Refusal> {
    let folder = path.parent().filter(|_| shelf.has(&path));
    let folder = folder.ok_or_else(|| {
        Refusal::new(
            Code::Forbidden,
            "Only what was saved here since the window opened can be shown.",
        )
    })?;
    let opener = tokio::process::Command::new("xdg-open")
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    match opener {
        Ok(mut opener) => {
            tokio::spawn(async move { opener.wait().await });
            Ok(())
        }
        Err(why) => Err(Refusal::new(
            Code::Unavailable,
            format!("The file manager could not be opened ({why})."),
        )
        .next(format!("The document is in {}.", folder.display()))),
    }
}

/// The person's folder for downloads; where the desktop names none, the usual one.
pub(super) fn folder(app: &AppHandle) -> Result<PathBuf, Refusal> {
    let places = app.path();
    let usual = || places.home_dir().map(|home| home.join("Downloads"));
    let folder = places.download_dir().or_else(|_| usual());
    folder.map_err(|why| {
        Refusal::new(
            Code::Unavailable,
            format!("There is no folder for downloads ({why})."),
        )
    })
}

/// Writes a document into `folder` under its own name, or the next free one.
fn store(folder: &Path, document: &Document) -> Result<PathBuf, Refusal> {
    let bytes = STANDARD
        .decode(&document.base64)
        .map_err(|why| Refusal::internal(format!("The document came damaged: {why}.")))?;
    let written = fs::create_dir_all(folder)
        .and_then(|()| write_new(folder, &plain_name(&document.file_name), &bytes));
    written.map_err(|why| unsaved(folder, &document.file_name, &why))
}

/// Why a file is not in the folder.
pub(super) fn unsaved(folder: &Path, proposed: &str, why: &io::Error) -> Refusal {
    let (name, folder) = (plain_name(proposed), folder.display());
    let text = format!("{name} could not be saved in {folder}: {why}.");
    Refusal::new(Code::Unavailable, text)
        .next("Make room or allow writing there, and save it again.")
}

/// The last part of a proposed name, without what a file manager or a shell would take amiss.
pub(super) fn plain_name(proposed: &str) -> String {
    let last = proposed.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = last.chars().filter(|c| !c.is_control()).collect();
    let name = name.trim().trim_start_matches('.');
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() && ending.len() <= 8 => (stem, Some(ending)),
        _ => (name, None),
    };
    let stem: String = stem.chars().take(LONGEST_NAME).collect();
    match (stem.as_str(), ending) {
        ("", _) => "document".to_owned(),
        (stem, Some(ending)) => format!("{stem}.{ending}"),
        (stem, None) => stem.to_owned(),
    }
}

/// Writes a file that was not there before.
fn write_new(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    let (mut file, path) = new_file(folder, name, 0o666)?;
    file.write_all(bytes)
        .map(|()| path.clone())
        .inspect_err(|_| {
            // Half a document is worse than none; the first error is the one to tell.
            let _ = fs::remove_file(&path);
        })
}

/// A file that was not there before: `name`, else `name (2)`, and so on.
pub(super) fn new_file(folder: &Path, name: &str, mode: u32) -> io::Result<(File, PathBuf)> {
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) => (stem, format!(".{ending}")),
        None => (name, String::new()),
    };
    for number in 1..=MOST_OF_A_NAME {
        let path = folder.join(match number {
            1 => name.to_owned(),
            number => format!("{stem} ({number}){ending}"),
        });
        let mut new = OpenOptions::new();
        match new.write(true).create_new(true).mode(mode).open(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("there are too many files of this name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(name: &str, text: &str) -> Document {
        Document {
            file_name: name.to_owned(),
            media_type: "text/plain".to_owned(),
            base64: STANDARD.encode(text),
        }
    }

    #[test]
    fn a_file_that_is_there_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<String> = ["one", "two", "three"]
            .iter()
            .map(|text| {
                let path = store(folder.path(), &document("labels.pdf", text)).unwrap();
                assert_eq!(fs::read_to_string(&path).unwrap(), *text);
                path.file_name().unwrap().to_string_lossy().into_owned()
            })
            .collect();
        assert_eq!(names, ["labels.pdf", "labels (2).pdf", "labels (3).pdf"]);
    }

    #[test]
    fn a_link_that_points_nowhere_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = folder.path().join("elsewhere");
        std::os::unix::fs::symlink(&elsewhere, folder.path().join("a.csv")).unwrap();
        let path = store(folder.path(), &document("a.csv", "x")).unwrap();
        assert_eq!(path, folder.path().join("a (2).csv"));
        assert!(!elsewhere.exists());
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("downloads");
        for name in [
            "../escape.txt",
            "/etc/passwd",
            "..",
            ".",
            "",
            "a/../../b.pdf",
            "..\\c.pdf",
            ".bashrc",
            "\u{0}\n.csv",
            &"long".repeat(200),
        ] {
            let path = store(&folder, &document(name, "x")).unwrap();
            assert_eq!(path.parent(), Some(folder.as_path()), "{name:?}");
            let plain = path.file_name().unwrap().to_string_lossy().into_owned();
            assert!(!plain.starts_with('.'), "{name:?} became {plain:?}");
        }
        let beside: Vec<_> = fs::read_dir(outer.path()).unwrap().collect();
        assert_eq!(beside.len(), 1);
    }

    #[test]
    fn a_damaged_document_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let mut damaged = document("a.pdf", "x");
        damaged.base64 = "%%%".to_owned();
        assert!(store(folder.path(), &damaged).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
