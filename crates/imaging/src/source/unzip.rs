//! The one image inside a ZIP archive, streamed.
//!
//! The `zip` crate reads the directory; the entry itself is read here, because the crate's readers
//! borrow the archive and could not be handed to another thread.

use super::{Format, SourceError, sniff};
use flate2::Crc;
use flate2::read::DeflateDecoder;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Take};
use std::path::Path;
use zip::{CompressionMethod, ZipArchive};

/// Most entries that are looked at; an image does not come with more companions.
const MAX_ENTRIES: usize = 1000;
/// Most names that an error message lists.
const MAX_LISTED: usize = 5;

/// How an entry is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Stored,
    Deflated,
}

/// The entry that holds the image.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) packed: Take<File>,
    pub(super) packed_bytes: u64,
    pub(super) how: How,
    pub(super) bytes: u64,
    pub(super) crc: u32,
}

struct Candidate {
    index: usize,
    name: String,
    /// True when its first bytes are those of a disk or of a compressed file.
    image: bool,
}

/// Finds the image in an archive: the only file, or the only one that begins like an image.
pub(super) fn the_image(path: &Path, file: File) -> Result<Entry, SourceError> {
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|e| zip_error(path, e))?;
    if archive.len() > MAX_ENTRIES {
        return Err(SourceError::Archive(format!(
            "holds {} files; unpack it and import the image",
            archive.len()
        )));
    }
    let mut candidates = Vec::new();
    for index in 0..archive.len() {
        let raw = archive
            .by_index_raw(index)
            .map_err(|e| zip_error(path, e))?;
        let name = raw.name().map_or_else(
            |_| format!("number {}", index + 1),
            std::borrow::Cow::into_owned,
        );
        if !raw.is_file() || raw.size() == 0 || is_litter(&name) {
            continue;
        }
        drop(raw);
        let image = begins_like_an_image(&mut archive, index);
        candidates.push(Candidate { index, name, image });
    }
    let images = candidates.iter().filter(|c| c.image).count();
    let wanted = |c: &&Candidate| c.image || (images == 0 && candidates.len() == 1);
    let chosen: Vec<_> = candidates.iter().filter(wanted).collect();
    match chosen[..] {
        [one] => open(path, archive, one.index, &one.name),
        [] if candidates.is_empty() => Err(SourceError::Archive("is empty".to_owned())),
        [] => Err(SourceError::Archive(format!(
            "holds no disk image, but {}",
            listed(&candidates.iter().collect::<Vec<_>>())
        ))),
        _ => Err(SourceError::Archive(format!(
            "holds several images: {}; unpack the one you want and import it",
            listed(&chosen)
        ))),
    }
}

/// What some archivers add beside the files they were given.
fn is_litter(name: &str) -> bool {
    name.starts_with("__MACOSX/") || name.ends_with(".DS_Store")
}

fn listed(candidates: &[&Candidate]) -> String {
    let names = candidates.iter().map(|c| c.name.escape_debug().to_string());
    let mut list = names.take(MAX_LISTED).collect::<Vec<_>>().join(", ");
    if candidates.len() > MAX_LISTED {
        list.push_str(", …");
    }
    list
}

fn begins_like_an_image(archive: &mut ZipArchive<BufReader<File>>, index: usize) -> bool {
    let mut first = Vec::new();
    let Ok(entry) = archive.by_index(index) else {
        // Encrypted or packed in another way: opening it says so, if it is the one.
        return false;
    };
    // A damaged entry is found out when it is read to its end.
    let _ = entry.take(sniff::BYTES).read_to_end(&mut first);
    sniff::has_boot_signature(&first)
        || sniff::format(&first).is_ok_and(|f| !matches!(f, Format::Raw | Format::Zip))
}

fn open(
    path: &Path,
    mut archive: ZipArchive<BufReader<File>>,
    index: usize,
    name: &str,
) -> Result<Entry, SourceError> {
    let raw = archive
        .by_index_raw(index)
        .map_err(|e| zip_error(path, e))?;
    if raw.encrypted() {
        return Err(SourceError::Archive(
            "is protected by a password; unpack it and import the image".to_owned(),
        ));
    }
    let how = match raw.compression() {
        CompressionMethod::Stored => How::Stored,
        CompressionMethod::Deflated => How::Deflated,
        _ => {
            return Err(SourceError::Archive(
                "is packed in an unusual way; unpack it and import the image".to_owned(),
            ));
        }
    };
    let (packed_bytes, bytes, crc) = (raw.compressed_size(), raw.size(), raw.crc32());
    let Some(begins) = raw.data_start() else {
        return Err(SourceError::Truncated(Format::Zip));
    };
    drop(raw);
    let mut file = archive.into_inner().into_inner();
    file.seek(SeekFrom::Start(begins))
        .map_err(|source| SourceError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
    Ok(Entry {
        name: name.to_owned(),
        packed: file.take(packed_bytes),
        packed_bytes,
        how,
        bytes,
        crc,
    })
}

fn zip_error(path: &Path, e: zip::result::ZipError) -> SourceError {
    match e {
        zip::result::ZipError::Io(source) if source.raw_os_error().is_some() => {
            SourceError::Unreadable {
                path: path.to_owned(),
                source,
            }
        }
        // The directory of an archive is at its end: this is what a cut file looks like.
        zip::result::ZipError::InvalidArchive(why) => SourceError::Corrupt {
            format: Format::Zip,
            why: format!("{why}; it may be cut short"),
        },
        other => SourceError::corrupt(Format::Zip, &other),
    }
}

enum Unpack<R: Read> {
    Stored(R),
    Deflated(DeflateDecoder<R>),
}

/// The bytes of an entry, which must have the length and the checksum that the directory gives.
pub(super) struct EntryReader<R: Read> {
    unpack: Unpack<R>,
    left: u64,
    crc: Crc,
    wanted_crc: u32,
}

impl<R: Read> EntryReader<R> {
    pub(super) fn new(packed: R, how: How, bytes: u64, crc: u32) -> Self {
        Self {
            unpack: match how {
                How::Stored => Unpack::Stored(packed),
                How::Deflated => Unpack::Deflated(DeflateDecoder::new(packed)),
            },
            left: bytes,
            crc: Crc::new(),
            wanted_crc: crc,
        }
    }
}

impl<R: Read> Read for EntryReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let n = match &mut self.unpack {
            Unpack::Stored(packed) => packed.read(buffer),
            Unpack::Deflated(packed) => packed.read(buffer),
        }
        .map_err(|e| SourceError::of_decoder(Format::Zip, e))?;
        if n == 0 {
            if self.left > 0 {
                return Err(SourceError::Truncated(Format::Zip).into());
            }
            if self.crc.sum() != self.wanted_crc {
                return Err(SourceError::corrupt(Format::Zip, &"its checksum is wrong").into());
            }
            return Ok(0);
        }
        let Some(left) = self.left.checked_sub(n as u64) else {
            return Err(SourceError::corrupt(Format::Zip, &"it is longer than it says").into());
        };
        self.left = left;
        self.crc.update(&buffer[..n]);
        Ok(n)
    }
}
