//! The image that a pack holds, as something to read and seek in.

use super::Pack;
use std::collections::{BTreeSet, VecDeque};
use std::io::{self, Read, Seek, SeekFrom};

/// Decoded chunks that are kept at first. Whoever reads from one end to the other needs no more.
const KEPT: usize = 2;
/// Decoded chunks that are kept at most. A file system is read back and forth between its tables
/// and its files; with 16 chunks nearly nothing of it is decoded twice, with four everything ten
/// times.
const MOST_KEPT: usize = 16;

/// The reconstruction of an image: free space reads as zeros. Every chunk is checked when it is
/// decoded, so what is read is what was imported or an error.
#[derive(Debug)]
pub struct Image {
    pack: Pack,
    at: u64,
    /// Decoded chunks, the one used last in front.
    kept: VecDeque<(usize, Vec<u8>)>,
    /// How many may be kept: one more each time a chunk is wanted that was let go.
    room: usize,
    let_go: BTreeSet<usize>,
}

impl Image {
    pub(super) fn new(pack: Pack) -> Self {
        Self {
            pack,
            at: 0,
            kept: VecDeque::new(),
            room: KEPT,
            let_go: BTreeSet::new(),
        }
    }

    /// Size of the image in bytes.
    pub fn len(&self) -> u64 {
        self.pack.manifest().raw_bytes
    }

    /// True when the image has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn chunk(&mut self, index: usize) -> io::Result<&[u8]> {
        match self.kept.iter().position(|(i, _)| *i == index) {
            Some(0) => {}
            Some(place) => {
                if let Some(hit) = self.kept.remove(place) {
                    self.kept.push_front(hit);
                }
            }
            None => {
                if self.let_go.remove(&index) {
                    self.room = MOST_KEPT.min(self.room + 1);
                }
                let mut raw = Vec::new();
                if self.kept.len() >= self.room
                    && let Some((last, buffer)) = self.kept.pop_back()
                {
                    self.let_go.insert(last);
                    raw = buffer;
                }
                raw.resize(self.pack.manifest().len_of(index), 0);
                self.pack
                    .read_chunk_into(index, &mut raw)
                    .map_err(io::Error::other)?;
                self.kept.push_front((index, raw));
            }
        }
        Ok(self.kept.front().map_or(&[], |(_, raw)| raw))
    }
}

impl Read for Image {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.len().saturating_sub(self.at);
        if left == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let chunk_bytes = u64::from(self.pack.manifest().chunk_bytes);
        let index = (self.at / chunk_bytes) as usize;
        let inside = (self.at % chunk_bytes) as usize;
        let count = buffer
            .len()
            .min(self.pack.manifest().len_of(index) - inside);
        if self.pack.is_data(index) {
            let chunk = self.chunk(index)?;
            buffer[..count].copy_from_slice(&chunk[inside..inside + count]);
        } else {
            buffer[..count].fill(0);
        }
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Image {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = place.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "before the start of the image")
        })?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::{Image, KEPT, MOST_KEPT};
    use crate::pack::Writer;
    use std::io::{Read, Seek, SeekFrom};
    use wire::manifest::{Chunk, ChunkClass, Hash32, Manifest};

    const CHUNK: u64 = 64 << 10;

    /// An image of so many chunks; all bytes of a chunk are its number.
    fn image(count: u8) -> Image {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = Writer::create(folder.path()).unwrap();
        let mut pack = |n| {
            let raw = vec![n; CHUNK as usize];
            let frame = zstd::bulk::compress(&raw, 1).unwrap();
            Chunk {
                class: ChunkClass::Data,
                hash: Some(Hash32(*blake3::hash(&raw).as_bytes())),
                offset: writer.append(&frame).unwrap(),
                packed: frame.len() as u64,
            }
        };
        let chunks = (1..=count).map(&mut pack).collect();
        let manifest = Manifest {
            format: 1,
            raw_bytes: u64::from(count) * CHUNK,
            chunk_bytes: CHUNK as u32,
            head_bytes: 4096,
            chunks,
        };
        writer
            .seal(&manifest, None)
            .unwrap()
            .open()
            .unwrap()
            .image()
    }

    fn read(image: &mut Image, chunk: u64) {
        let mut byte = [0];
        image.seek(SeekFrom::Start(chunk * CHUNK + 7)).unwrap();
        image.read_exact(&mut byte).unwrap();
        assert_eq!(u64::from(byte[0]), chunk + 1);
    }

    #[test]
    fn only_who_comes_back_keeps_many_chunks() {
        let mut image = image(40);
        for chunk in 0..40 {
            read(&mut image, chunk);
        }
        assert_eq!(image.kept.len(), KEPT);
        for _ in 0..9 {
            for chunk in [3, 30, 7, 21, 11] {
                read(&mut image, chunk);
            }
        }
        assert_eq!(image.kept.len(), KEPT + 5);
        for _ in 0..9 {
            for chunk in 0..40 {
                read(&mut image, chunk);
            }
        }
        assert_eq!(image.kept.len(), MOST_KEPT);
    }
}
