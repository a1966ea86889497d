//! A root file system that the kernel has mounted in a directory.

use super::{Edit, Entry, MOST_READ, RootFs, permissions};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// What the owner of the mount does: let it be written, grow the file system, take it away.
pub trait Mount {
    /// Lets the file system be written. Until then it is mounted read-only, so that looking at a
    /// partition does not change it.
    fn make_writable(&mut self) -> io::Result<()>;

    /// Grows the mounted file system to `partition_bytes`; returns its new size in bytes.
    fn grow(&mut self, partition_bytes: u64) -> io::Result<u64>;

    /// Writes everything out and takes the mount away.
    fn unmount(&mut self) -> io::Result<()>;
}

/// A root file system under a directory.
#[derive(Debug)]
pub struct Mounted<M: Mount> {
    root: PathBuf,
    mount: M,
}

impl<M: Mount> Mounted<M> {
    /// Takes charge of the file system mounted at `root`.
    pub fn new(root: PathBuf, mount: M) -> Self {
        Self { root, mount }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    fn write(&self, path: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
        let place = self.at(path);
        let old = fs::symlink_metadata(&place).ok();
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(mode)
            .custom_flags(nix::libc::O_NOFOLLOW)
            .open(&place)?;
        file.write_all(bytes)?;
        let had = old.as_ref().map(|m| m.permissions().mode() & 0o7777);
        file.set_permissions(fs::Permissions::from_mode(permissions(had, mode)))?;
        if let Some(time) = old.and_then(|m| m.modified().ok()) {
            file.set_modified(time)?;
        }
        file.sync_all()
    }
}

impl<M: Mount> RootFs for Mounted<M> {
    fn entry(&mut self, path: &str) -> io::Result<Option<Entry>> {
        let place = self.at(path);
        let meta = match fs::symlink_metadata(&place) {
            Ok(meta) => meta,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e),
        };
        let kind = meta.file_type();
        Ok(Some(if kind.is_dir() {
            Entry::Directory
        } else if kind.is_file() {
            let mode = meta.permissions().mode() & 0o7777;
            Entry::File { mode }
        } else if kind.is_symlink() {
            let to = fs::read_link(&place)?;
            let to = to.to_str().ok_or(io::ErrorKind::InvalidData)?;
            Entry::Link(to.to_owned())
        } else {
            Entry::Other
        }))
    }

    fn read(&mut self, path: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(nix::libc::O_NOFOLLOW)
            .open(self.at(path))?;
        file.take(MOST_READ).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn list(&mut self, path: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.at(path))? {
            // A name that is no UTF-8 is none of the names looked for.
            names.extend(entry?.file_name().into_string());
        }
        names.sort_unstable();
        Ok(names)
    }

    fn carry_out(&mut self, edits: &[Edit]) -> io::Result<()> {
        self.mount.make_writable()?;
        for edit in edits {
            let place = self.at(edit.path());
            match edit {
                Edit::MakeDirectory(_) => {
                    fs::DirBuilder::new().mode(0o755).create(&place)?;
                    fs::set_permissions(&place, fs::Permissions::from_mode(0o755))?;
                }
                Edit::Write { path, bytes, mode } => self.write(path, bytes, *mode)?,
                Edit::Link { to, .. } => {
                    remove(&place)?;
                    symlink(to, &place)?;
                }
                Edit::Remove(_) => remove(&place)?,
            }
        }
        File::open(&self.root)?.sync_all()
    }

    fn grow(&mut self, partition_bytes: u64) -> io::Result<u64> {
        self.mount.make_writable()?;
        self.mount.grow(partition_bytes)
    }

    fn close(mut self: Box<Self>) -> io::Result<()> {
        self.mount.unmount()
    }
}

fn remove(place: &Path) -> io::Result<()> {
    match fs::remove_file(place) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{apply, verify};
    use super::*;
    use std::os::unix::fs::MetadataExt;

    struct NoMount;
    impl Mount for NoMount {
        fn make_writable(&mut self) -> io::Result<()> {
            Ok(())
        }
        fn grow(&mut self, partition_bytes: u64) -> io::Result<u64> {
            Ok(partition_bytes)
        }
        fn unmount(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_system_is_renamed_and_links_out_of_it_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        let outside = dir.path().join("hosts");
        fs::write(&outside, "the laptop's own\n").unwrap();
        fs::create_dir_all(root.join("etc")).unwrap();
        fs::write(root.join("etc/hostname"), "raspberrypi\n").unwrap();
        fs::set_permissions(root.join("etc/hostname"), fs::Permissions::from_mode(0o640)).unwrap();
        symlink("../../hosts", root.join("etc/hosts")).unwrap();
        let before = fs::metadata(root.join("etc/hostname")).unwrap();

        let mut system = Mounted::new(root.clone(), NoMount);
        let wanted = wire::agent::Personalise {
            grow: wire::image::Grow::Never,
            fresh_machine_id: true,
            fresh_ssh_keys: true,
            hello: None,
        };
        let name = "KXP2-CORO-001".parse().unwrap();
        let edits = apply(&mut system, &name, &wanted).unwrap();
        verify(&mut system, &edits).unwrap();

        assert_eq!(
            fs::read_to_string(root.join("etc/hostname")).unwrap(),
            "KXP2-CORO-001\n"
        );
        let after = fs::metadata(root.join("etc/hostname")).unwrap();
        assert_eq!(after.mode() & 0o777, 0o640);
        assert_eq!(after.mtime(), before.mtime());
        assert_eq!(fs::read_to_string(&outside).unwrap(), "the laptop's own\n");
        assert_eq!(
            fs::read_to_string(root.join("hosts")).unwrap(),
            "127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.1.1\tKXP2-CORO-001\n"
        );
    }

    #[test]
    fn a_change_that_did_not_stay_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("etc")).unwrap();
        let mut system = Mounted::new(dir.path().to_owned(), NoMount);
        let edits = [Edit::Write {
            path: "/etc/hostname".to_owned(),
            bytes: b"a\n".to_vec(),
            mode: 0o644,
        }];
        system.carry_out(&edits).unwrap();
        fs::write(dir.path().join("etc/hostname"), "b\n").unwrap();
        let error = verify(&mut system, &edits).unwrap_err().to_string();
        assert!(
            error.starts_with("/etc/hostname did not read back"),
            "{error}"
        );
    }
}
