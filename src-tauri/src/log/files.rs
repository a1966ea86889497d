//! The files of the log, which a station that reads its configuration again may move, limit otherwise
//! or turn off while it runs.

use super::rotated::Rotated;
use station::config::Config;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tracing_subscriber::fmt::MakeWriter;

/// Where lines go; clones go to the same place.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    name: &'static str,
    open: Arc<Mutex<Option<Open>>>,
}

/// The newest file, and what it was opened for.
#[derive(Debug)]
struct Open {
    wanted: Wanted,
    file: Rotated,
}

/// What the configuration says of the files.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    folder: PathBuf,
    max_bytes: u64,
    files: u32,
}

impl Files {
    /// Files of this name, of which there are none yet.
    pub(super) fn named(name: &'static str) -> Self {
        Self {
            name,
            open: Arc::default(),
        }
    }

    /// From the next line on they are as the configuration says. Where that cannot be, all stays as it
    /// was.
    pub(crate) fn follow(&self, config: &Config) -> io::Result<()> {
        self.want(config.log_dir().map(|folder| Wanted {
            folder,
            max_bytes: config.log.max_bytes,
            files: config.log.files,
        }))
    }

    fn want(&self, wanted: Option<Wanted>) -> io::Result<()> {
        let now = self.open().as_ref().map(|open| open.wanted.clone());
        if now == wanted {
            return Ok(());
        }
        let open = wanted.map(|wanted| {
            let Wanted {
                folder,
                max_bytes,
                files,
            } = &wanted;
            let file = Rotated::open(folder, self.name, *max_bytes, *files)?;
            Ok::<_, io::Error>(Open { wanted, file })
        });
        *self.open() = open.transpose()?;
        Ok(())
    }

    fn open(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one line.
#[derive(Debug)]
pub(crate) struct Line<'f>(MutexGuard<'f, Option<Open>>);

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match &mut *self.0 {
            Some(open) => open.file.write(line),
            None => Ok(line.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'f> MakeWriter<'f> for Files {
    type Writer = Line<'f>;

    fn make_writer(&'f self) -> Self::Writer {
        Line(self.open())
    }
}

#[cfg(test)]
mod tests {
    use super::super::lines;
    use super::*;
    use std::fs;
    use std::path::Path;
    use tracing_subscriber::layer::SubscriberExt as _;

    fn wanted(folder: &Path, max_bytes: u64, files: u32) -> Wanted {
        Wanted {
            folder: folder.to_owned(),
            max_bytes,
            files,
        }
    }

    fn text(file: &Path) -> String {
        fs::read_to_string(file).unwrap()
    }

    #[test]
    fn lines_go_where_they_are_wanted_at_the_time() {
        let folder = tempfile::tempdir().unwrap();
        let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
        let files = Files::named("a.log");
        let log = tracing_subscriber::registry().with(lines(files.clone()));
        tracing::subscriber::with_default(log, || {
            tracing::info!("before there is a file");
            files.want(Some(wanted(&first, 1000, 2))).unwrap();
            tracing::info!("one");
            files.want(Some(wanted(&second, 1000, 2))).unwrap();
            tracing::info!("two");
            // A folder cannot be where a file is.
            let refused = files.want(Some(wanted(&second.join("a.log"), 1000, 2)));
            let refused = refused.unwrap_err().to_string();
            assert!(refused.contains("second/a.log"), "{refused}");
            tracing::info!("three");
            files.want(None).unwrap();
            tracing::info!("for nobody");
            files.want(Some(wanted(&second, 1000, 2))).unwrap();
            tracing::info!("four");
        });
        let said = |folder: &Path| -> Vec<String> {
            let text = text(&folder.join("a.log"));
            let lines = text.lines().map(serde_json::from_str::<serde_json::Value>);
            lines
                .map(|line| line.unwrap()["message"].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(said(&first), ["one"]);
        assert_eq!(said(&second), ["two", "three", "four"]);
    }

    #[test]
    fn a_smaller_size_and_fewer_files_hold_from_then_on() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::named("a.log");
        let write = |lines: u32| {
            for n in 0..lines {
                writeln!(files.make_writer(), "line {n:03} of many").unwrap();
            }
        };
        let sizes = || -> Vec<u64> {
            let names = ["a.log", "a.log.1", "a.log.2", "a.log.3", "a.log.4"];
            let files = names.iter().map(|name| folder.path().join(name));
            files
                .filter_map(|file| Some(fs::metadata(file).ok()?.len()))
                .collect()
        };
        files.want(Some(wanted(folder.path(), 200, 4))).unwrap();
        write(60);
        assert_eq!(sizes().len(), 4);
        assert!(sizes()[1] > 100, "{:?}", sizes());
        files.want(Some(wanted(folder.path(), 50, 2))).unwrap();
        assert_eq!(sizes().len(), 2, "what is too much goes at once");
        write(6);
        assert_eq!(sizes().len(), 2);
        assert!(sizes().iter().all(|size| *size <= 50), "{:?}", sizes());
    }
}
