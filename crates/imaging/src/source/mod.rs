//! The file an operator drops: whatever it is compressed with, as one stream of image bytes.
//!
//! [`Source::open`] looks at the first bytes (never at the name), puts the right decoder behind
//! [`Read`] and counts how much of the file has been used, for the progress bar. The file is opened
//! for reading only. Memory is bounded by the decoders' own limits, whatever a file demands.
//!
//! A stream that ends early, does not match its checksum or is followed by something else is an
//! error with a reason, never a short image: [`SourceError::from_read`] gives it back from the
//! [`io::Error`] that a failed read returns.

mod counted;
mod error;
mod members;
mod sniff;
mod unzip;
mod xz;

pub use counted::ReadBytes;
pub use error::SourceError;
pub use sniff::Format;

use counted::Counted;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// How much is read from the file at once, in bytes.
const READ_AHEAD: usize = 1 << 20;

/// An open image file, as a stream of the image's bytes.
pub struct Source {
    stream: Box<dyn Read + Send>,
    format: Format,
    inner: Option<String>,
    read: ReadBytes,
    total: u64,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source")
            .field("format", &self.format)
            .field("inner", &self.inner)
            .field("total", &self.total)
            .finish_non_exhaustive()
    }
}

impl Source {
    /// Opens `path` and finds out what it is.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let unreadable = |source| SourceError::Unreadable {
            path: path.to_owned(),
            source,
        };
        // Asked before opening: opening a pipe would wait for its other end.
        let meta = std::fs::metadata(path).map_err(unreadable)?;
        if !meta.is_file() {
            return Err(SourceError::NotAFile(path.to_owned()));
        }
        if meta.len() == 0 {
            return Err(SourceError::Empty(path.to_owned()));
        }
        let mut file = File::open(path).map_err(unreadable)?;
        let mut first = Vec::new();
        (&mut file)
            .take(sniff::BYTES)
            .read_to_end(&mut first)
            .map_err(unreadable)?;
        let format = sniff::format(&first)?;
        file.seek(SeekFrom::Start(0)).map_err(unreadable)?;

        let read = ReadBytes::default();
        if format == Format::Zip {
            let entry = unzip::the_image(path, file)?;
            let counted = Counted::new(entry.packed, read.clone());
            let mut stream: Box<dyn BufRead + Send> = Box::new(BufReader::with_capacity(
                READ_AHEAD,
                unzip::EntryReader::new(counted, entry.how, entry.bytes, entry.crc),
            ));
            let first = stream
                .fill_buf()
                .map_err(|e| SourceError::from_read(path, e))?;
            let inner_format = sniff::format(&first[..first.len().min(sniff::BYTES as usize)])?;
            return Ok(Self {
                stream: decoder(inner_format, stream)?,
                format,
                inner: Some(entry.name),
                read,
                total: entry.packed_bytes,
            });
        }
        let counted = Counted::new(file, read.clone());
        let buffered = Box::new(BufReader::with_capacity(READ_AHEAD, counted));
        Ok(Self {
            stream: decoder(format, buffered)?,
            format,
            inner: None,
            read,
            total: meta.len(),
        })
    }

    /// What the file is compressed with.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Name of the image inside an archive.
    pub fn inner_name(&self) -> Option<&str> {
        self.inner.as_deref()
    }

    /// How many bytes of the file have been used; a handle that other threads can read.
    pub fn read_bytes(&self) -> ReadBytes {
        self.read.clone()
    }

    /// How many bytes of the file there are to use.
    pub fn total_bytes(&self) -> u64 {
        self.total
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }
}

/// The decoder for `format`. An archive inside an archive stays packed and is refused.
fn decoder(
    format: Format,
    stream: Box<dyn BufRead + Send>,
) -> Result<Box<dyn Read + Send>, SourceError> {
    Ok(match format {
        Format::Raw => Box::new(stream),
        Format::Xz => Box::new(xz::XzReader::new(stream)),
        Format::Gzip => Box::new(members::Members::<members::Gzip>::new(stream)),
        Format::Bzip2 => Box::new(members::Members::<members::Bzip2>::new(stream)),
        Format::Zstd => Box::new(members::zstd(stream)?),
        Format::Zip => return Err(SourceError::Unsupported("a ZIP archive in a ZIP archive")),
    })
}
