//! `boot.img`: a FAT file system that the bootloader loads whole and then reads its files from.

use bytes::Bytes;
use std::io::{Cursor, Error, Read, Result, Seek, SeekFrom, Write};

/// Largest file taken out of a RAM disk, in bytes.
const MAX_FILE: u64 = 96 << 20;

/// A loaded `boot.img`.
#[derive(Debug, Clone)]
pub(super) struct Ramdisk(pub(super) Bytes);

impl Ramdisk {
    /// The file at `path`; `None` when it is not there or the file system cannot be read. Doubled
    /// slashes count as one, as everywhere in the firmware.
    pub(super) fn read(&self, path: &str) -> Option<Bytes> {
        let path: Vec<_> = path.split('/').filter(|p| !p.is_empty()).collect();
        let medium = Medium(Cursor::new(self.0.clone()));
        let fs = fatfs::FileSystem::new(medium, fatfs::FsOptions::new()).ok()?;
        let file = fs.root_dir().open_file(&path.join("/")).ok()?;
        let mut out = Vec::new();
        file.take(MAX_FILE).read_to_end(&mut out).ok()?;
        Some(out.into())
    }
}

/// The RAM disk as the FAT reader wants it: it asks for a medium that could be written.
struct Medium(Cursor<Bytes>);

impl Read for Medium {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        self.0.read(buf)
    }
}

impl Seek for Medium {
    fn seek(&mut self, pos: SeekFrom) -> Result<u64> {
        self.0.seek(pos)
    }
}

impl Write for Medium {
    fn write(&mut self, _: &[u8]) -> Result<usize> {
        Err(Error::other("boot.img is only read"))
    }
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
