//! A log file that never grows beyond its size, and the last few before it: `station.log`,
//! `station.log.1`, `station.log.2`, the newest first.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The newest file, open.
#[derive(Debug)]
pub(super) struct Rotated {
    path: PathBuf,
    file: File,
    size: u64,
    most: u64,
    files: u32,
}

impl Rotated {
    /// Goes on with the file of this name; it and the older ones are `files` in all, of at most
    /// `most` bytes each.
    pub(super) fn open(folder: &Path, name: &str, most: u64, files: u32) -> io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o750)
            .create(folder)
            .map_err(|why| at(folder, &why))?;
        let path = folder.join(name);
        let file = append(&path)?;
        let size = file.metadata()?.len();
        let rotated = Self {
            path,
            file,
            size,
            most,
            files,
        };
        rotated.clear_surplus(folder)?;
        Ok(rotated)
    }

    /// Removes what is left of a time when more files were kept.
    fn clear_surplus(&self, folder: &Path) -> io::Result<()> {
        let own = |name: &OsStr| -> Option<u32> {
            let rest = name
                .to_str()?
                .strip_prefix(self.path.file_name()?.to_str()?)?;
            rest.strip_prefix('.')?.parse().ok()
        };
        for entry in fs::read_dir(folder).map_err(|why| at(folder, &why))? {
            let entry = entry?;
            if own(&entry.file_name()).is_some_and(|n| n >= self.files) {
                gone_is_fine(fs::remove_file(entry.path()))?;
            }
        }
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        let older = |n: u32| {
            let mut name = self.path.clone().into_os_string();
            name.push(format!(".{n}"));
            PathBuf::from(name)
        };
        for n in (1..self.files.saturating_sub(1)).rev() {
            gone_is_fine(fs::rename(older(n), older(n + 1)))?;
        }
        if self.files > 1 {
            gone_is_fine(fs::rename(&self.path, older(1)))?;
        } else {
            gone_is_fine(fs::remove_file(&self.path))?;
        }
        self.file = append(&self.path)?;
        self.size = self.file.metadata()?.len();
        Ok(())
    }
}

impl Write for Rotated {
    /// Lines come whole, and none is divided between two files.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let length = line.len() as u64;
        if self.size > 0 && self.size + length > self.most {
            self.rotate()?;
        }
        self.file.write_all(line)?;
        self.size += length;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .open(path)
        .map_err(|why| at(path, &why))
}

fn at(path: &Path, why: &io::Error) -> io::Error {
    io::Error::new(why.kind(), format!("{}: {why}", path.display()))
}

fn gone_is_fine(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(folder: &Path) -> Vec<(String, u64)> {
        let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
        let mut all: Vec<_> = entries
            .map(|e| {
                let name = e.file_name().into_string().unwrap();
                (name, e.metadata().unwrap().len())
            })
            .collect();
        all.sort();
        all
    }

    #[test]
    fn the_newest_lines_are_kept_and_no_more_than_was_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Rotated::open(&folder.path().join("logs"), "a.log", 100, 3).unwrap();
        let mut log = open();
        for n in 0..50 {
            let line = format!("line {n:03} of fifty\n");
            log.write_all(line.as_bytes()).unwrap();
            if n == 25 {
                // A station that starts again goes on where it was.
                log = open();
            }
        }
        let logs = folder.path().join("logs");
        let names: Vec<String> = sizes(&logs).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a.log", "a.log.1", "a.log.2"]);
        assert!(sizes(&logs).iter().all(|(_, size)| *size <= 100));
        let text = |name: &str| fs::read_to_string(logs.join(name)).unwrap();
        assert!(text("a.log").ends_with("line 049 of fifty\n"));
        let all = text("a.log.2") + &text("a.log.1") + &text("a.log");
        let numbers: Vec<&str> = all.lines().map(|line| &line[5..8]).collect();
        assert!(numbers.is_sorted() && numbers.len() > 10, "{numbers:?}");
    }

    #[test]
    fn a_file_that_somebody_took_away_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = Rotated::open(folder.path(), "a.log", 20, 1).unwrap();
        writeln!(log, "first, and long enough").unwrap();
        fs::remove_file(folder.path().join("a.log")).unwrap();
        writeln!(log, "second").unwrap();
        let text = fs::read_to_string(folder.path().join("a.log")).unwrap();
        assert_eq!(text, "second\n");
    }
}
