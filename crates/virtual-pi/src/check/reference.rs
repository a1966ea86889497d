//! The image a disk is held against.

use super::tree::{self, Entries};
use imaging::pack::Pack;
use imaging::partitions::{Table, TableError};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use wire::manifest::{ChunkClass, Hash32, Manifest};

/// The image as a plain file, with what is worth knowing once for all boards.
#[derive(Debug)]
pub struct Reference {
    pub(super) path: PathBuf,
    pub(super) file: File,
    pub(super) manifest: Manifest,
    pub(super) table: Table,
    pub(super) root: Root,
    pub(super) entries: Entries,
}

/// Where the root file system lies, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Root {
    pub(super) start: u64,
    pub(super) len: u64,
    pub(super) block: u64,
}

/// Why an image cannot serve as a reference.
#[derive(Debug, thiserror::Error)]
pub enum ReferenceError {
    /// A file could not be read or written.
    #[error("the image to compare with cannot be unpacked: {0}")]
    Io(#[from] io::Error),
    /// The pack is damaged.
    #[error("the image to compare with cannot be unpacked: {0}")]
    Pack(#[from] imaging::pack::PackError),
    /// No partition table.
    #[error("the image to compare with has no usable partition table: {0}")]
    Table(#[from] TableError),
    /// No ext4 partition with a system.
    #[error(
        "the image to compare with has no ext4 partition with /etc/hostname or /etc/os-release"
    )]
    NoRoot,
    /// A chunk does not hash to what its manifest says.
    #[error("chunk {0} of the image to compare with does not match its manifest")]
    Chunk(usize),
    /// The root file system cannot be read.
    #[error("the root file system of the image to compare with cannot be read: {0}")]
    Files(String),
}

impl Reference {
    /// Unpacks `pack` to the file `into` and reads it.
    pub fn unpack(pack: &Pack, into: &Path) -> Result<Self, ReferenceError> {
        let manifest = pack.manifest().clone();
        let file = File::create(into)?;
        file.set_len(manifest.raw_bytes)?;
        for (index, chunk) in manifest.chunks.iter().enumerate() {
            if chunk.class == ChunkClass::Data {
                file.write_all_at(&pack.read_chunk(index)?, manifest.start(index))?;
            }
        }
        Self::open(into, manifest)
    }

    /// Reads a plain image that must match `manifest`, free blocks as zeros.
    pub fn open(path: &Path, manifest: Manifest) -> Result<Self, ReferenceError> {
        let mut file = File::open(path)?;
        let mut buf = Vec::new();
        for (index, chunk) in manifest.chunks.iter().enumerate() {
            let data = read(
                &file,
                manifest.start(index),
                manifest.len_of(index),
                &mut buf,
            )?;
            let sound = match chunk.hash {
                Some(hash) => Hash32(*blake3::hash(data).as_bytes()) == hash,
                None => chunk.class == ChunkClass::Hole || data.iter().all(|b| *b == 0),
            };
            if !sound {
                return Err(ReferenceError::Chunk(index));
            }
        }
        let table = Table::read(&mut file)?;
        let root = find_root(path, &file, &table).ok_or(ReferenceError::NoRoot)?;
        let entries = tree::entries(path, root.start).map_err(ReferenceError::Files)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            manifest,
            table,
            root,
            entries,
        })
    }

    /// Size of the image in bytes.
    pub fn bytes(&self) -> u64 {
        self.manifest.raw_bytes
    }
}

/// Reads exactly `len` bytes at `at`.
pub(super) fn read<'a>(
    file: &File,
    at: u64,
    len: usize,
    buf: &'a mut Vec<u8>,
) -> io::Result<&'a [u8]> {
    buf.resize(len, 0);
    file.read_exact_at(buf, at)?;
    Ok(buf)
}

// ext4: magic 0xef53 at byte 1080 of the partition, block size 1024 << the number at byte 1048.
fn find_root(path: &Path, file: &File, table: &Table) -> Option<Root> {
    table.partitions.iter().find_map(|partition| {
        let mut superblock = [0; 64];
        file.read_exact_at(&mut superblock, partition.start + 1024)
            .ok()?;
        let shift = u32::from_le_bytes(superblock[24..28].try_into().ok()?);
        let is_ext = superblock[56..58] == [0x53, 0xef] && shift <= 6;
        let system = ["/etc/hostname", "/etc/os-release"];
        let has_system = is_ext
            && tree::open(path, partition.start)
                .is_ok_and(|fs| system.iter().any(|p| fs.exists(*p).unwrap_or(false)));
        has_system.then_some(Root {
            start: partition.start,
            len: partition.len,
            block: 1024 << shift,
        })
    })
}
