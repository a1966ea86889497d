//! One partition of an image as a place to read from, with a budget.
//!
//! A file system whose structures point in circles would keep its reader busy for ever; here the
//! reads run out instead.

use std::cell::RefCell;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::rc::Rc;

/// Reads that one file system may take: a full boot partition of smallest clusters needs a tenth.
const MAX_READS: u64 = 20_000_000;

trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

/// An image that several file systems read in turn.
#[derive(Clone)]
pub(super) struct Shared(Rc<RefCell<dyn ReadSeek>>);

impl Shared {
    pub(super) fn new<R: Read + Seek + 'static>(image: R) -> Self {
        Self(Rc::new(RefCell::new(image)))
    }
}

impl Read for Shared {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().read(buffer)
    }
}

impl Seek for Shared {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.borrow_mut().seek(to)
    }
}

/// The bytes of one partition.
pub(super) struct Window {
    image: Shared,
    start: u64,
    len: u64,
    at: u64,
    reads: u64,
    /// Bytes to be seen in place of those in the image, and where.
    overlay: Option<(u64, Vec<u8>)>,
}

impl Window {
    pub(super) fn new(image: &Shared, start: u64, len: u64) -> Self {
        Self {
            image: image.clone(),
            start,
            len,
            at: 0,
            reads: 0,
            overlay: None,
        }
    }

    /// Shows `bytes` at `at` instead of what is there.
    pub(super) fn with_overlay(mut self, at: u64, bytes: Vec<u8>) -> Self {
        self.overlay = Some((at, bytes));
        self
    }
}

impl Read for Window {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        if self.reads > MAX_READS {
            return Err(io::Error::other("its structures point in circles"));
        }
        let left = self.len.saturating_sub(self.at);
        let want = (buffer.len() as u64).min(left) as usize;
        if want == 0 {
            return Ok(0);
        }
        self.image.seek(SeekFrom::Start(self.start + self.at))?;
        let got = self.image.read(&mut buffer[..want])?;
        if let Some((at, bytes)) = &self.overlay {
            for (i, byte) in buffer[..got].iter_mut().enumerate() {
                let inside = (self.at + i as u64).checked_sub(*at);
                if let Some(shown) = inside.and_then(|n| bytes.get(n as usize)) {
                    *byte = *shown;
                }
            }
        }
        self.at += got as u64;
        Ok(got)
    }
}

impl Seek for Window {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = place.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                "before the start of the partition",
            )
        })?;
        Ok(self.at)
    }
}

/// The FAT crate asks for a writer even to read; nothing is ever written.
impl Write for Window {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "images are not changed",
        ))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ext4_view::Ext4Read for Window {
    fn read(
        &mut self,
        start: u64,
        buffer: &mut [u8],
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        self.at = start;
        self.read_exact(buffer)?;
        Ok(())
    }
}
