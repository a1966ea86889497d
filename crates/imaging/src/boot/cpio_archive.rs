//! An initramfs archive that is the same whenever and wherever it is made.
//!
//! Format `newc` (the kernel's `Documentation/driver-api/early-userspace/buffer-format.rst`): inode
//! numbers count up, times are zero, owners are root.

use cpio::newc::{Builder, ModeFileType, trailer};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

/// Archives that are loaded one after the other each begin at a multiple of this.
const PAD: usize = 512;

/// Files by their absolute path.
#[derive(Debug, Default)]
pub(super) struct Archive {
    files: BTreeMap<String, Vec<u8>>,
}

impl Archive {
    /// Adds a file, readable by all.
    pub(super) fn file(&mut self, path: &str, bytes: Vec<u8>) {
        self.files
            .insert(path.trim_start_matches('/').to_owned(), bytes);
    }

    /// The archive: folders before what lies in them.
    pub(super) fn newc(&self) -> io::Result<Vec<u8>> {
        let paths = self.files.keys();
        let folders: BTreeSet<&str> = paths
            .flat_map(|path| path.match_indices('/').map(|(end, _)| &path[..end]))
            .collect();
        let mut out = Vec::new();
        let mut inodes = 1..;
        let mut entry = |path: &str, kind, mode: u32, bytes: &[u8], out: &mut Vec<u8>| {
            let ino = inodes.next().unwrap_or_default();
            let size = u32::try_from(bytes.len()).map_err(io::Error::other)?;
            let mut writer = Builder::new(path)
                .ino(ino)
                .mode(mode)
                .set_mode_file_type(kind)
                .write(out, size);
            writer.write_all(bytes)?;
            writer.finish().map(drop)
        };
        for folder in folders {
            entry(folder, ModeFileType::Directory, 0o755, &[], &mut out)?;
        }
        for (path, bytes) in &self.files {
            entry(path, ModeFileType::Regular, 0o644, bytes, &mut out)?;
        }
        let mut out = trailer(out)?;
        out.resize(out.len().next_multiple_of(PAD), 0);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_reads_back_and_is_always_the_same() {
        let mut archive = Archive::default();
        archive.file("/lib/modules/1/b.ko", vec![1; 5]);
        archive.file("/lib/modules/1/a.ko", Vec::new());
        archive.file("/lib/order", b"x\n".to_vec());
        let bytes = archive.newc().unwrap();
        assert_eq!(bytes, archive.newc().unwrap());
        assert_eq!(bytes.len() % PAD, 0);

        let mut rest: &[u8] = &bytes;
        let mut seen = Vec::new();
        loop {
            let reader = cpio::NewcReader::new(rest).unwrap();
            if reader.entry().is_trailer() {
                break;
            }
            let entry = reader.entry();
            seen.push((entry.name().to_owned(), entry.mode(), entry.file_size()));
            rest = reader.finish().unwrap();
        }
        let wanted = [
            ("lib", 0o040_755, 0),
            ("lib/modules", 0o040_755, 0),
            ("lib/modules/1", 0o040_755, 0),
            ("lib/modules/1/a.ko", 0o100_644, 0),
            ("lib/modules/1/b.ko", 0o100_644, 5),
            ("lib/order", 0o100_644, 2),
        ];
        assert_eq!(seen, wanted.map(|(n, m, s)| (n.to_owned(), m, s)));
    }
}
