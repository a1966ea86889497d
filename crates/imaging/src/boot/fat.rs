//! All files of a FAT partition, in memory.

use super::BootError;
use super::window::{Shared, Window};
use crate::partitions::Partition;
use crate::used::FatGeometry;
use bytes::Bytes;
use fatfs::{Dir, FileSystem, FsOptions};
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Largest file that is kept, in bytes.
const MAX_FILE: u64 = 128 << 20;
/// Most bytes that are kept in all.
const MAX_TOTAL: u64 = 512 << 20;
/// Most entries that are looked at.
const MAX_ENTRIES: usize = 20_000;
/// Deepest folder that is looked into.
const MAX_DEPTH: usize = 16;

/// The files of a boot partition.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) files: BTreeMap<String, Bytes>,
    pub(super) skipped: Vec<String>,
}

pub(super) fn read(image: &Shared, partition: &Partition) -> Result<(u32, Tree), BootError> {
    let damaged = |why: String| BootError::Damaged {
        partition: partition.number,
        why,
    };
    // The crate computes with unchecked numbers of the file system and panics on some.
    catch_unwind(AssertUnwindSafe(|| read_tree(image, partition)))
        .unwrap_or_else(|_| Err(io::Error::other("it contradicts itself")))
        .map(|tree| (partition.number, tree))
        .map_err(|e| damaged(e.to_string()))
}

fn read_tree(image: &Shared, partition: &Partition) -> io::Result<Tree> {
    let mut window = Window::new(image, partition.start, partition.len);
    let mut first = [0; 512];
    window.read_exact(&mut first)?;
    let geometry = FatGeometry::parse(&first)
        .filter(|g| g.bytes() <= partition.len)
        .ok_or_else(|| io::Error::other("its size is wrong"))?;
    window = Window::new(image, partition.start, partition.len);
    // Linux reads a FAT32 with few clusters as the FAT32 that it says it is; the crate goes by the
    // number of clusters alone. It is shown a number that is large enough. Clusters past the real
    // end are never read, because no chain leads there.
    if geometry.is_small_fat32() {
        let sectors = u32::try_from(geometry.lawful_sectors())
            .map_err(|_| io::Error::other("its clusters are too large"))?;
        window = window.with_overlay(32, sectors.to_le_bytes().to_vec());
    }
    let fs = FileSystem::new(window, FsOptions::new())?;
    let mut tree = Tree::default();
    let mut total = 0;
    let mut entries = 0;
    let mut folders: VecDeque<(String, usize, Dir<'_, Window>)> = VecDeque::new();
    folders.push_back((String::new(), 0, fs.root_dir()));
    // Breadth first, so that what lies at the top, the kernels, is read before a limit is met.
    while let Some((prefix, depth, folder)) = folders.pop_front() {
        for entry in folder.iter() {
            let entry = entry?;
            entries += 1;
            if entries > MAX_ENTRIES {
                return Err(io::Error::other("it has too many entries"));
            }
            let name = entry.file_name();
            let odd = name.is_empty() || name.contains(['/', '\\', '\0']);
            if odd || name == "." || name == ".." {
                continue;
            }
            let path = format!("{prefix}{name}");
            if entry.is_dir() {
                if depth < MAX_DEPTH {
                    folders.push_back((path + "/", depth + 1, entry.to_dir()));
                }
            } else if entry.is_file() {
                let size = entry.len();
                if size > MAX_FILE || total + size > MAX_TOTAL {
                    tree.skipped.push(path);
                    continue;
                }
                let mut bytes = Vec::new();
                entry.to_file().take(size).read_to_end(&mut bytes)?;
                if bytes.len() as u64 != size {
                    return Err(io::Error::other(format!("the file {path} is cut short")));
                }
                total += size;
                tree.files.insert(path, bytes.into());
            }
        }
    }
    Ok(tree)
}
