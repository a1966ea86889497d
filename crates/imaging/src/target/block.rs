//! A board's disk: direct IO on a block device.

use super::{AlignedBuf, Target, inside};
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Bytes moved in one direct read or write. The kernel splits it into as many requests as the
/// device takes at once, so that a queue of an NVMe drive is kept busy by one thread.
const PIECE: usize = 4 << 20;

/// Largest range given to the device in one discard: some cards take seconds for a gigabyte, and
/// the device answers nothing else meanwhile.
const DISCARD_PIECE: u64 = 1 << 30;

/// How a discard is asked for. It needs an `ioctl`, which this crate (no `unsafe`) leaves to the
/// board's side.
pub type Discard = fn(&File, offset: u64, len: u64) -> io::Result<()>;

/// A block device, opened for direct IO.
#[derive(Debug)]
pub struct BlockDevice {
    file: File,
    bytes: u64,
    sector: u32,
    bounce: AlignedBuf,
    discard: Option<Discard>,
}

impl BlockDevice {
    /// Opens the whole disk at `path`. Fails when it is no block device, or when anything on it is
    /// mounted or otherwise in use.
    pub fn open(path: &Path, discard: Option<Discard>) -> io::Result<Self> {
        // For a block device, O_EXCL without O_CREAT means: nobody else may be using it. It is not
        // kept, because the writer's own step 4 mounts a partition of this very disk.
        let exclusive = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(nix::libc::O_EXCL)
            .open(path)?;
        if !exclusive.metadata()?.file_type().is_block_device() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{} is not a block device", path.display()),
            ));
        }
        drop(exclusive);
        let mut options = OpenOptions::new();
        Self::direct(path, options.read(true).write(true), discard)
    }

    /// Opens the whole disk at `path` to look at what lies on it. Works on a write-protected card;
    /// every write fails.
    pub fn open_to_look(path: &Path) -> io::Result<Self> {
        Self::direct(path, OpenOptions::new().read(true), None)
    }

    fn direct(
        path: &Path,
        options: &mut OpenOptions,
        discard: Option<Discard>,
    ) -> io::Result<Self> {
        let mut file = options.custom_flags(nix::libc::O_DIRECT).open(path)?;
        let bytes = file.seek(SeekFrom::End(0))?;
        let sector = logical_sector(&file)?;
        if bytes == 0 || !matches!(sector, 512 | 1024 | 2048 | 4096) {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                format!(
                    "{} has {bytes} bytes in sectors of {sector} bytes",
                    path.display()
                ),
            ));
        }
        Ok(Self {
            file,
            bytes,
            sector,
            bounce: AlignedBuf::new(PIECE + 2 * 4096),
            discard,
        })
    }

    /// Reads whole sectors around a range into the bounce buffer; returns how many bytes of the
    /// buffer precede the range and how many bytes were read in all.
    fn read_around(&mut self, offset: u64, len: usize) -> io::Result<(usize, usize)> {
        let sector = u64::from(self.sector);
        let skip = (offset % sector) as usize;
        let want = (skip + len).next_multiple_of(self.sector as usize);
        let buf = &mut self.bounce.as_mut_slice()[..want];
        self.file.read_exact_at(buf, offset - skip as u64)?;
        Ok((skip, want))
    }
}

impl Target for BlockDevice {
    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn sector(&self) -> u32 {
        self.sector
    }

    fn write_at(&mut self, offset: u64, data: &[u8]) -> io::Result<()> {
        inside(self.bytes, offset, data.len())?;
        let sector = self.sector as usize;
        let mut at = offset;
        for piece in data.chunks(PIECE) {
            let whole = at.is_multiple_of(sector as u64) && piece.len().is_multiple_of(sector);
            let (skip, len) = if whole {
                (0, piece.len())
            } else {
                self.read_around(at, piece.len())?
            };
            let buf = &mut self.bounce.as_mut_slice()[..len];
            buf[skip..skip + piece.len()].copy_from_slice(piece);
            self.file.write_all_at(buf, at - skip as u64)?;
            at += piece.len() as u64;
        }
        Ok(())
    }

    fn read_back(&mut self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        inside(self.bytes, offset, into.len())?;
        let mut at = offset;
        for piece in into.chunks_mut(PIECE) {
            let (skip, _) = self.read_around(at, piece.len())?;
            piece.copy_from_slice(&self.bounce.as_slice()[skip..skip + piece.len()]);
            at += piece.len() as u64;
        }
        Ok(())
    }

    fn discard(&mut self, offset: u64, len: u64) -> io::Result<bool> {
        let Some(discard) = self.discard else {
            return Ok(false);
        };
        let sector = u64::from(self.sector);
        let mut at = offset.next_multiple_of(sector);
        let end = (offset + len).min(self.bytes) / sector * sector;
        while at < end {
            let piece = DISCARD_PIECE.min(end - at);
            if discard(&self.file, at, piece).is_err() {
                // Not supported, or refused by this medium: holes simply keep their old bytes.
                self.discard = None;
                return Ok(false);
            }
            at += piece;
        }
        Ok(true)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.sync_all()
    }
}

/// The logical sector size of a disk, as sysfs gives it.
fn logical_sector(file: &File) -> io::Result<u32> {
    let device = file.metadata()?.rdev();
    let (major, minor) = (nix::sys::stat::major(device), nix::sys::stat::minor(device));
    let path = format!("/sys/dev/block/{major}:{minor}/queue/logical_block_size");
    let text = std::fs::read_to_string(path)?;
    text.trim().parse().map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_not_taken_for_a_disk() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let e = BlockDevice::open(file.path(), None).unwrap_err();
        assert!(e.to_string().contains("not a block device"), "{e}");
    }
}
