//! What can be wrong with an image file before a byte of the image is looked at.

use super::Format;
use std::io;
use std::path::{Path, PathBuf};

/// Why a file cannot be read as an image.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file system says no.
    #[error("{path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A folder, a device or a pipe.
    #[error("{0} is not a file")]
    NotAFile(PathBuf),
    /// Nothing in it.
    #[error("{0} is empty; copy or download it again")]
    Empty(PathBuf),
    /// A format that is recognised and not supported.
    #[error("this is {0}; give an image as .img, .xz, .gz, .bz2, .zst or .zip")]
    Unsupported(&'static str),
    /// An archive without one clear image.
    #[error("the ZIP archive {0}")]
    Archive(String),
    /// The compressed data ends too early.
    #[error("the {0} data ends too early: the file is not complete; copy or download it again")]
    Truncated(Format),
    /// The compressed data contradicts itself.
    #[error("the {format} data is damaged ({why}); copy or download the file again")]
    Corrupt {
        /// The format.
        format: Format,
        /// What the decoder says.
        why: String,
    },
    /// Something that is not part of the compressed data follows it.
    #[error("the {0} data is followed by something else; copy or download the file again")]
    TrailingGarbage(Format),
    /// The file demands more memory than is given to a decoder.
    #[error(
        "the {format} data was made with settings that need more than {limit_mib} MiB of memory to \
         decompress; decompress it elsewhere and import the .img file"
    )]
    TooMuchMemory {
        /// The format.
        format: Format,
        /// What a decoder may use.
        limit_mib: u32,
    },
}

impl SourceError {
    /// The reason behind an error that reading a [`super::Source`] returned; an error of the file
    /// system is put down to `path`.
    pub fn from_read(path: &Path, e: io::Error) -> Self {
        e.downcast::<Self>()
            .unwrap_or_else(|source| Self::Unreadable {
                path: path.to_owned(),
                source,
            })
    }

    /// Sorts what a decoder returned: faults of the data become reasons, faults of the file system
    /// stay as they are.
    pub(super) fn of_decoder(format: Format, e: io::Error) -> io::Error {
        let sorted_already = e
            .get_ref()
            .is_some_and(<dyn std::error::Error + Send + Sync>::is::<Self>);
        if sorted_already || e.raw_os_error().is_some() {
            return e;
        }
        match e.kind() {
            io::ErrorKind::Interrupted => e,
            io::ErrorKind::UnexpectedEof => Self::Truncated(format).into(),
            _ => Self::corrupt(format, &e).into(),
        }
    }

    pub(super) fn corrupt(format: Format, why: &impl ToString) -> Self {
        Self::Corrupt {
            format,
            why: why.to_string(),
        }
    }
}

impl From<SourceError> for io::Error {
    fn from(e: SourceError) -> Self {
        Self::other(e)
    }
}
