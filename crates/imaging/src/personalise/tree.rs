//! Looking around in a root file system with links followed, and gathering edits.

use super::{Edit, Entry, PersonaliseError, RootFs, permissions};

/// Most symbolic links followed for one path, as the Linux kernel does.
const MOST_LINKS: usize = 40;

/// A root file system being looked at, with the edits decided so far. What is decided is seen by
/// whoever looks next, so that two rules may touch one file.
pub(super) struct Tree<'a> {
    fs: &'a mut dyn RootFs,
    edits: Vec<Edit>,
}

/// Where a path leads once every link is followed.
pub(super) struct Found {
    /// The path without any link.
    pub(super) path: String,
    /// What stands there.
    pub(super) entry: Option<Entry>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(fs: &'a mut dyn RootFs) -> Self {
        Self {
            fs,
            edits: Vec::new(),
        }
    }

    pub(super) fn into_edits(self) -> Vec<Edit> {
        self.edits
    }

    /// Follows every link in `path`, the last component's too.
    pub(super) fn find(&mut self, path: &str) -> Result<Found, PersonaliseError> {
        self.walk(path, true)
    }

    /// Follows every link in `path` but the last component's.
    pub(super) fn find_itself(&mut self, path: &str) -> Result<Found, PersonaliseError> {
        self.walk(path, false)
    }

    fn walk(&mut self, path: &str, follow_last: bool) -> Result<Found, PersonaliseError> {
        let mut todo: Vec<String> = parts(path);
        let (mut at, mut entry, mut links) = (String::new(), Some(Entry::Directory), 0);
        while let Some(part) = todo.pop() {
            if part == ".." {
                at.truncate(at.rfind('/').unwrap_or(0));
                entry = Some(Entry::Directory);
                continue;
            }
            let here = format!("{at}/{part}");
            entry = match entry {
                Some(Entry::Directory) => self.look(&here)?,
                _ => None,
            };
            match &entry {
                Some(Entry::Link(to)) if follow_last || !todo.is_empty() => {
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(PersonaliseError::Odd {
                            path: path.to_owned(),
                            what: "is a circle of symbolic links".to_owned(),
                        });
                    }
                    if to.starts_with('/') {
                        at.clear();
                    }
                    todo.extend(parts(to));
                    entry = Some(Entry::Directory);
                }
                _ => at = here,
            }
        }
        let path = if at.is_empty() { "/".to_owned() } else { at };
        Ok(Found { path, entry })
    }

    fn look(&mut self, path: &str) -> Result<Option<Entry>, PersonaliseError> {
        let decided = self.edits.iter().find(|e| e.path() == path);
        match decided {
            Some(Edit::MakeDirectory(_)) => return Ok(Some(Entry::Directory)),
            Some(Edit::Write { mode, .. }) => return Ok(Some(Entry::File { mode: *mode })),
            Some(Edit::Link { to, .. }) => return Ok(Some(Entry::Link(to.clone()))),
            Some(Edit::Remove(_)) => return Ok(None),
            None => {}
        }
        self.fs
            .entry(path)
            .map_err(|source| PersonaliseError::Look {
                path: path.to_owned(),
                source,
            })
    }

    /// True when something stands at `path`.
    pub(super) fn exists(&mut self, path: &str) -> Result<bool, PersonaliseError> {
        Ok(self.find(path)?.entry.is_some())
    }

    /// The bytes of the file at `path`; `None` when there is no file.
    pub(super) fn read(&mut self, path: &str) -> Result<Option<Vec<u8>>, PersonaliseError> {
        let found = self.find(path)?;
        if !matches!(found.entry, Some(Entry::File { .. })) {
            return Ok(None);
        }
        let decided = self.edits.iter().find(|e| e.path() == found.path);
        if let Some(Edit::Write { bytes, .. }) = decided {
            return Ok(Some(bytes.clone()));
        }
        let bytes = self.fs.read(&found.path);
        bytes.map(Some).map_err(|source| PersonaliseError::Look {
            path: found.path,
            source,
        })
    }

    /// The names in a directory of the image; none when it is not there.
    pub(super) fn list(&mut self, path: &str) -> Result<Vec<String>, PersonaliseError> {
        let found = self.find(path)?;
        let made = Edit::MakeDirectory(found.path.clone());
        if found.entry != Some(Entry::Directory) || self.edits.contains(&made) {
            return Ok(Vec::new());
        }
        self.fs
            .list(&found.path)
            .map_err(|source| PersonaliseError::Look {
                path: found.path,
                source,
            })
    }

    /// Decides that `path` shall hold `bytes`. A link is followed to the file it names; nothing is
    /// decided when the file already is so.
    pub(super) fn write(
        &mut self,
        path: &str,
        bytes: Vec<u8>,
        mode: u32,
    ) -> Result<(), PersonaliseError> {
        let found = self.find(path)?;
        match &found.entry {
            Some(Entry::File { mode: has })
                if *has == permissions(Some(*has), mode)
                    && self.read(&found.path)?.as_ref() == Some(&bytes) =>
            {
                return Ok(());
            }
            Some(Entry::File { .. }) | None => {}
            Some(other) => {
                return Err(PersonaliseError::Odd {
                    path: found.path,
                    what: format!("is not a file but {other:?}"),
                });
            }
        }
        self.make_parents(&found.path)?;
        self.decide(Edit::Write {
            path: found.path,
            bytes,
            mode,
        });
        Ok(())
    }

    fn decide(&mut self, edit: Edit) {
        match self.edits.iter_mut().find(|e| e.path() == edit.path()) {
            Some(earlier) => *earlier = edit,
            None => self.edits.push(edit),
        }
    }

    /// Decides that a symbolic link shall stand at `path`.
    pub(super) fn link(&mut self, path: &str, to: &str) -> Result<(), PersonaliseError> {
        let found = self.find_itself(path)?;
        if found.entry == Some(Entry::Link(to.to_owned())) {
            return Ok(());
        }
        self.make_parents(&found.path)?;
        self.decide(Edit::Link {
            path: found.path,
            to: to.to_owned(),
        });
        Ok(())
    }

    /// Decides that nothing shall stand at `path`.
    pub(super) fn remove(&mut self, path: &str) -> Result<(), PersonaliseError> {
        let found = self.find_itself(path)?;
        if found.entry.is_some() {
            self.decide(Edit::Remove(found.path));
        }
        Ok(())
    }

    fn make_parents(&mut self, path: &str) -> Result<(), PersonaliseError> {
        let ends: Vec<usize> = path.match_indices('/').map(|(at, _)| at).skip(1).collect();
        for end in ends {
            let parent = &path[..end];
            if self.look(parent)?.is_none() {
                self.decide(Edit::MakeDirectory(parent.to_owned()));
            }
        }
        Ok(())
    }
}

/// The components of a path, last one first, without empty ones and dots.
fn parts(path: &str) -> Vec<String> {
    path.split('/')
        .filter(|p| !p.is_empty() && *p != ".")
        .map(str::to_owned)
        .rev()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::MemoryFs;
    use super::*;

    #[test]
    fn links_stay_inside_the_root() {
        let mut fs = MemoryFs::new(&[
            ("/usr/lib/systemd/systemd", "x"),
            ("/lib", "-> usr/lib"),
            ("/etc/escape", "-> ../../../../etc/passwd"),
            ("/etc/passwd", "inside"),
            ("/abs", "-> /usr/lib"),
        ]);
        let mut tree = Tree::new(&mut fs);
        let path = |tree: &mut Tree<'_>, p: &str| tree.find(p).unwrap().path;
        assert_eq!(
            path(&mut tree, "/lib/systemd/systemd"),
            "/usr/lib/systemd/systemd"
        );
        assert_eq!(path(&mut tree, "/abs/systemd"), "/usr/lib/systemd");
        assert_eq!(path(&mut tree, "/etc/escape"), "/etc/passwd");
        assert_eq!(
            path(&mut tree, "/lib/systemd/../new/file"),
            "/usr/lib/new/file"
        );
    }

    #[test]
    fn a_circle_of_links_is_an_error_not_a_hang() {
        let mut fs = MemoryFs::new(&[("/a", "-> /b"), ("/b", "-> /a")]);
        assert!(Tree::new(&mut fs).find("/a/x").is_err());
    }

    #[test]
    fn missing_directories_are_made_once_and_in_order() {
        let mut fs = MemoryFs::new(&[("/usr/lib/x", "")]);
        let mut tree = Tree::new(&mut fs);
        tree.write("/usr/lib/punnet/a/b", b"1".to_vec(), 0o644)
            .unwrap();
        tree.write("/usr/lib/punnet/a/c", b"2".to_vec(), 0o644)
            .unwrap();
        let edits = tree.into_edits();
        let paths: Vec<_> = edits.iter().map(Edit::path).collect();
        assert_eq!(
            paths,
            [
                "/usr/lib/punnet",
                "/usr/lib/punnet/a",
                "/usr/lib/punnet/a/b",
                "/usr/lib/punnet/a/c"
            ]
        );
    }
}
