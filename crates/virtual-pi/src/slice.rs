//! A partition of an image file, seen as a medium of its own.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;

/// Bytes `start .. start + len` of a file.
#[derive(Debug)]
pub(crate) struct Slice<'a> {
    file: &'a File,
    start: u64,
    len: u64,
    at: u64,
}

impl<'a> Slice<'a> {
    pub(crate) fn new(file: &'a File, start: u64, len: u64) -> Self {
        Self {
            file,
            start,
            len,
            at: 0,
        }
    }

    fn room(&self, wanted: usize) -> usize {
        let left = self.len.saturating_sub(self.at);
        wanted.min(usize::try_from(left).unwrap_or(usize::MAX))
    }
}

impl Read for Slice<'_> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let room = self.room(buf.len());
        let got = self.file.read_at(&mut buf[..room], self.start + self.at)?;
        self.at += got as u64;
        Ok(got)
    }
}

impl Write for Slice<'_> {
    fn write(&mut self, buf: &[u8]) -> Result<usize> {
        let room = self.room(buf.len());
        let put = self.file.write_at(&buf[..room], self.start + self.at)?;
        self.at += put as u64;
        Ok(put)
    }
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Seek for Slice<'_> {
    fn seek(&mut self, pos: SeekFrom) -> Result<u64> {
        let at = match pos {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| Error::from(ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}
