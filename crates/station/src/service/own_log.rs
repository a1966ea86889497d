//! Reads the station's own log back: the lines about one board.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use wire::BoardId;

/// Most lines of one board that are read back; the newest ones.
const MOST: usize = 10_000;

/// The lines about a board, oldest first.
pub(super) fn lines_of(folder: &Path, board: BoardId) -> Vec<String> {
    let id = board.to_string();
    let mut found = VecDeque::new();
    for file in files(folder) {
        let Ok(file) = File::open(file) else { continue };
        let lines = BufReader::new(file).lines().map_while(Result::ok);
        for line in lines.filter(|line| line.contains(&id)) {
            if found.len() == MOST {
                found.pop_front();
            }
            found.push_back(line);
        }
    }
    found.into()
}

/// The files of the log, the oldest first: `station.log.2`, `station.log.1`, `station.log`.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<(String, u32, PathBuf)> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let (base, rest) = name.split_once(".log")?;
            let age = match rest.strip_prefix('.') {
                Some(number) => number.parse().ok()?,
                None if rest.is_empty() => 0,
                None => return None,
            };
            Some((base.to_owned(), age, entry.path()))
        })
        .collect();
    files.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
    files.into_iter().map(|(_, _, path)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_all_files_come_in_the_order_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("station.log.10", "a d137e638\n"),
            ("station.log.9", "b d137e638\nc 00000001\n"),
            ("station.log", "d d137e638\n"),
            ("station.log.bak", "e d137e638\n"),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let lines = lines_of(folder.path(), "d137e638".parse().unwrap());
        assert_eq!(lines, ["a d137e638", "b d137e638", "d d137e638"]);
        assert!(lines_of(&folder.path().join("none"), BoardId::Pi(1)).is_empty());
    }
}
