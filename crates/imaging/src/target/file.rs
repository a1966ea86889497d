//! A sparse file that stands for a disk.

use super::{AlignedBuf, Target, inside};
use nix::fcntl::{FallocateFlags, PosixFadviseAdvice, fallocate, posix_fadvise};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// Largest piece read in one direct read.
const PIECE: usize = 1 << 20;

/// A disk image file. Reading back uses direct IO where the file system has it; elsewhere the
/// file's pages are dropped from the cache first.
#[derive(Debug)]
pub struct FileTarget {
    file: File,
    direct: Option<File>,
    bounce: AlignedBuf,
    bytes: u64,
    sector: u32,
}

impl FileTarget {
    /// Opens an existing file; its length is the size of the disk.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let bytes = file.metadata()?.len();
        // tmpfs and some overlays refuse direct IO: the fall-back below serves them.
        let direct = OpenOptions::new()
            .read(true)
            .custom_flags(nix::libc::O_DIRECT)
            .open(path)
            .ok();
        Ok(Self {
            file,
            direct,
            bounce: AlignedBuf::new(PIECE),
            bytes,
            sector: 512,
        })
    }

    /// Makes (or empties) a sparse file of `bytes` bytes and opens it.
    pub fn create(path: &Path, bytes: u64) -> io::Result<Self> {
        File::create(path)?.set_len(bytes)?;
        Self::open(path)
    }

    /// Claims another sector size (512 or 4096), for virtual boards with such a disk.
    #[must_use]
    pub fn with_sector(mut self, sector: u32) -> Self {
        self.sector = sector;
        self
    }

    fn read_direct(&mut self, offset: u64, into: &mut [u8]) -> io::Result<bool> {
        let Some(direct) = &self.direct else {
            return Ok(false);
        };
        let mut done = 0;
        while done < into.len() {
            let at = offset + done as u64;
            let skip = (at % 4096) as usize;
            let want = (skip + into.len() - done).next_multiple_of(4096).min(PIECE);
            let buf = &mut self.bounce.as_mut_slice()[..want];
            let got = direct.read_at(buf, at - skip as u64)?;
            // A file's last partial block is read short.
            let usable = got.saturating_sub(skip).min(into.len() - done);
            if usable == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            into[done..done + usable].copy_from_slice(&buf[skip..skip + usable]);
            done += usable;
        }
        Ok(true)
    }
}

impl Target for FileTarget {
    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn sector(&self) -> u32 {
        self.sector
    }

    fn write_at(&mut self, offset: u64, data: &[u8]) -> io::Result<()> {
        inside(self.bytes, offset, data.len())?;
        self.file.write_all_at(data, offset)
    }

    fn read_back(&mut self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        inside(self.bytes, offset, into.len())?;
        match self.read_direct(offset, into) {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(e) if e.raw_os_error() == Some(nix::libc::EINVAL) => self.direct = None,
            Err(e) => return Err(e),
        }
        // Only clean pages can be dropped from the cache, hence the sync first.
        self.file.sync_data()?;
        let (at, len) = (i64::try_from(offset), i64::try_from(into.len()));
        if let (Ok(at), Ok(len)) = (at, len) {
            posix_fadvise(&self.file, at, len, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
        }
        self.file.read_exact_at(into, offset)
    }

    fn discard(&mut self, offset: u64, len: u64) -> io::Result<bool> {
        let (Ok(at), Ok(len)) = (i64::try_from(offset), i64::try_from(len)) else {
            return Ok(false);
        };
        if len == 0 {
            return Ok(true);
        }
        let flags = FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE;
        match fallocate(&self.file, flags, at, len) {
            Ok(()) => Ok(true),
            Err(nix::errno::Errno::EOPNOTSUPP) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_at_odd_places_too() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disk");
        let mut disk = FileTarget::create(&path, 3 * 1024 * 1024 + 512).unwrap();
        let data: Vec<u8> = (0..2_000_001u32).map(|n| (n % 251) as u8).collect();
        disk.write_at(777, &data).unwrap();
        let mut back = vec![0; data.len()];
        disk.read_back(777, &mut back).unwrap();
        assert!(back == data);
        let mut end = [1; 512];
        disk.read_back(3 * 1024 * 1024, &mut end).unwrap();
        assert_eq!(end, [0; 512]);
    }

    #[test]
    fn a_write_past_the_end_is_refused_and_the_file_keeps_its_size() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disk");
        let mut disk = FileTarget::create(&path, 4096).unwrap();
        assert!(disk.write_at(4000, &[1; 200]).is_err());
        assert!(disk.write_at(u64::MAX, &[1; 2]).is_err());
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 4096);
    }

    #[test]
    fn a_discarded_range_takes_no_room() {
        use std::os::unix::fs::MetadataExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disk");
        let mut disk = FileTarget::create(&path, 8 << 20).unwrap();
        disk.write_at(0, &vec![9; 8 << 20]).unwrap();
        disk.flush().unwrap();
        if disk.discard(0, 8 << 20).unwrap() {
            assert!(std::fs::metadata(&path).unwrap().blocks() * 512 < 1 << 20);
        }
    }
}
