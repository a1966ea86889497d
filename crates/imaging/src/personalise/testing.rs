//! A root file system in memory, for tests of the rules.

use super::{Edit, Entry, RootFs, permissions};
use std::collections::BTreeMap;
use std::io;

/// Files and links by path; directories exist where something lies in them.
#[derive(Debug, Clone, Default)]
pub(super) struct MemoryFs {
    pub(super) files: BTreeMap<String, (Vec<u8>, u32)>,
    pub(super) links: BTreeMap<String, String>,
}

impl MemoryFs {
    /// Files with their text; a text that begins with `-> ` makes a link, a path that ends with
    /// `*` an executable file.
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        let mut fs = Self::default();
        for (path, text) in files {
            if let Some(to) = text.strip_prefix("-> ") {
                fs.links.insert((*path).to_owned(), to.to_owned());
            } else if let Some(path) = path.strip_suffix('*') {
                let file = (text.as_bytes().to_vec(), 0o755);
                fs.files.insert(path.to_owned(), file);
            } else {
                let file = (text.as_bytes().to_vec(), 0o644);
                fs.files.insert((*path).to_owned(), file);
            }
        }
        fs
    }

    pub(super) fn text(&self, path: &str) -> String {
        let (bytes, _) = self
            .files
            .get(path)
            .unwrap_or_else(|| panic!("{path} is not there"));
        String::from_utf8(bytes.clone()).unwrap()
    }
}

impl RootFs for MemoryFs {
    fn entry(&mut self, path: &str) -> io::Result<Option<Entry>> {
        if let Some((_, mode)) = self.files.get(path) {
            return Ok(Some(Entry::File { mode: *mode }));
        }
        if let Some(to) = self.links.get(path) {
            return Ok(Some(Entry::Link(to.clone())));
        }
        let prefix = format!("{path}/");
        let mut paths = self.files.keys().chain(self.links.keys());
        let inside = paths.any(|p| p.starts_with(&prefix));
        Ok(inside.then_some(Entry::Directory))
    }

    fn read(&mut self, path: &str) -> io::Result<Vec<u8>> {
        let found = self.files.get(path).map(|(bytes, _)| bytes.clone());
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn list(&mut self, path: &str) -> io::Result<Vec<String>> {
        let prefix = format!("{path}/");
        let mut names: Vec<String> = self
            .files
            .keys()
            .chain(self.links.keys())
            .filter_map(|p| p.strip_prefix(&prefix))
            .filter_map(|p| p.split('/').next())
            .map(str::to_owned)
            .collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    fn carry_out(&mut self, edits: &[Edit]) -> io::Result<()> {
        for edit in edits {
            match edit {
                Edit::MakeDirectory(_) => {}
                Edit::Write { path, bytes, mode } => {
                    let had = self.files.get(path).map(|(_, mode)| *mode);
                    let file = (bytes.clone(), permissions(had, *mode));
                    self.files.insert(path.clone(), file);
                }
                Edit::Link { path, to } => {
                    self.files.remove(path);
                    self.links.insert(path.clone(), to.clone());
                }
                Edit::Remove(path) => {
                    self.files.remove(path);
                    self.links.remove(path);
                }
            }
        }
        Ok(())
    }

    fn grow(&mut self, partition_bytes: u64) -> io::Result<u64> {
        Ok(partition_bytes)
    }

    fn close(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}
