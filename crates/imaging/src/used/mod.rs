//! Which bytes of an image its file systems do not use, learnt while the image streams by.
//!
//! Feed every chunk in order to [`UsedMap::feed`] and then ask [`UsedMap::free`] about that same
//! chunk. ext4 keeps its block bitmaps, and FAT its table, in front of the data they describe, so
//! one pass is enough. The rule that makes it safe: **what is not known to be free is used.** A
//! file system that was not cleanly unmounted, has features this code does not know, overlaps
//! another partition or contradicts itself is used from end to end.

mod ext4;
mod fat;
mod gather;
mod ranges;

pub(crate) use fat::Geometry as FatGeometry;

use crate::partitions::{Partition, Table};
use gather::Gather;
use std::ops::Range;

/// Bytes of a partition that are looked at to recognise its file system.
const START_BYTES: u64 = 2048;

/// What a partition holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSystem {
    /// Number of its partition.
    pub partition: u32,
    /// Its kind.
    pub kind: FileSystemKind,
    /// Its own name, empty when it has none.
    pub label: String,
    /// Why all of it counts as used; `None` when its free space is known.
    pub all_used: Option<&'static str>,
}

/// The kind of a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileSystemKind {
    /// ext2, ext3 or ext4.
    Ext4,
    /// FAT12, FAT16 or FAT32.
    Fat,
    /// A kind that is named and not looked into.
    Other(&'static str),
    /// Nothing recognised.
    Unknown,
}

impl std::fmt::Display for FileSystemKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ext4 => "ext4",
            Self::Fat => "FAT",
            Self::Other(name) => name,
            Self::Unknown => "unknown",
        })
    }
}

/// The kinds that are recognised by a magic number, only to be named.
const NAMED: &[(usize, &[u8], &str)] = &[
    (0, b"LUKS\xba\xbe", "LUKS"),
    (0, b"XFSB", "XFS"),
    (0, b"hsqs", "squashfs"),
    (3, b"NTFS    ", "NTFS"),
    (3, b"EXFAT   ", "exFAT"),
    (1024, b"\xe2\xe1\xf5\xe0", "EROFS"),
    (1024, b"\x10\x20\xf5\xf2", "F2FS"),
];

/// Pieces of a partition that are waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    /// Its first bytes.
    Start,
    /// A piece of an ext4.
    Ext4(ext4::Piece),
    /// One copy of a FAT.
    Fat,
}

/// What is known of the space of one partition.
#[derive(Debug)]
enum Space {
    /// Nothing, and everything counts as used.
    Opaque,
    Ext4(ext4::Groups),
    Fat(fat::Clusters),
}

#[derive(Debug)]
struct Tracked {
    partition: Partition,
    gather: Gather<Piece>,
    space: Space,
    seen: Option<FileSystem>,
    overlaps: bool,
}

/// The map of a whole image.
#[derive(Debug)]
pub struct UsedMap {
    table: Table,
    tracked: Vec<Tracked>,
}

impl UsedMap {
    /// A map of the partitions in `table`, of which nothing is known yet.
    pub fn new(table: Table) -> Self {
        let mut map = Self {
            table,
            tracked: Vec::new(),
        };
        map.track_new();
        map
    }

    /// The table, with the logical partitions that have passed.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The file systems recognised so far, by place in the table.
    pub fn file_systems(&self) -> impl Iterator<Item = &FileSystem> {
        self.tracked.iter().filter_map(|t| t.seen.as_ref())
    }

    /// True when every partition's first bytes have passed.
    pub fn all_seen(&self) -> bool {
        self.table.pending().is_none() && self.tracked.iter().all(|t| t.seen.is_some())
    }

    /// Learns from the bytes at `start`. Chunks come in order and without gaps.
    pub fn feed(&mut self, start: u64, bytes: &[u8]) {
        if self.table.feed(start, bytes) {
            self.track_new();
        }
        for tracked in &mut self.tracked {
            tracked.feed(start, bytes);
        }
    }

    /// The ranges of `start..start + len` that are known to be free, ascending and disjoint.
    pub fn free(&self, start: u64, len: u64) -> Vec<Range<u64>> {
        let asked = start..start.saturating_add(len);
        let mut free = Vec::new();
        for tracked in self.tracked.iter().filter(|t| !t.overlaps) {
            let base = tracked.partition.start;
            let from = asked.start.max(base);
            let to = asked.end.min(tracked.partition.end());
            if from >= to {
                continue;
            }
            let inside = from - base..to - base;
            let found = match &tracked.space {
                Space::Opaque => Vec::new(),
                Space::Ext4(groups) => groups.free(inside),
                Space::Fat(clusters) => clusters.free(inside),
            };
            free.extend(found.into_iter().map(|r| r.start + base..r.end + base));
        }
        free.sort_unstable_by_key(|r| r.start);
        free
    }

    fn track_new(&mut self) {
        for partition in &self.table.partitions[self.tracked.len()..] {
            let mut overlaps = false;
            for other in &mut self.tracked {
                let common = partition.start < other.partition.end()
                    && other.partition.start < partition.end();
                if common {
                    other.overlaps = true;
                    overlaps = true;
                }
            }
            let mut gather = Gather::default();
            gather.want(
                partition.start,
                START_BYTES.min(partition.len),
                Piece::Start,
            );
            self.tracked.push(Tracked {
                partition: partition.clone(),
                gather,
                space: Space::Opaque,
                seen: None,
                overlaps,
            });
        }
    }
}

impl Tracked {
    fn feed(&mut self, start: u64, bytes: &[u8]) {
        if let Space::Ext4(groups) = &mut self.space {
            groups.forget_before(start.saturating_sub(self.partition.start));
        }
        // One piece names the next, which may lie in the same chunk.
        loop {
            let whole = self.gather.feed(start, bytes);
            if whole.is_empty() {
                return;
            }
            for (piece, bytes) in whole {
                self.learn(piece, &bytes);
            }
        }
    }

    fn learn(&mut self, piece: Piece, bytes: &[u8]) {
        match (piece, &mut self.space) {
            (Piece::Start, _) => self.recognise(bytes),
            (Piece::Ext4(piece), Space::Ext4(groups)) => {
                for (range, piece) in groups.learn(piece, bytes) {
                    self.gather.want(
                        self.partition.start + range.start,
                        range.end - range.start,
                        Piece::Ext4(piece),
                    );
                }
            }
            (Piece::Fat, Space::Fat(clusters)) => {
                if let Err(why) = clusters.learn(bytes) {
                    self.space = Space::Opaque;
                    if let Some(seen) = &mut self.seen {
                        seen.all_used = Some(why);
                    }
                }
            }
            (Piece::Ext4(_) | Piece::Fat, _) => {}
        }
    }

    fn recognise(&mut self, first: &[u8]) {
        let base = self.partition.start;
        let mut seen = FileSystem {
            partition: self.partition.number,
            kind: FileSystemKind::Unknown,
            label: String::new(),
            all_used: None,
        };
        if let Some(superblock) = ext4::Superblock::parse(first) {
            seen.kind = FileSystemKind::Ext4;
            superblock.label().clone_into(&mut seen.label);
            match superblock.mappable(self.partition.len) {
                Ok(()) => {
                    let groups = ext4::Groups::new(superblock);
                    for (range, piece) in groups.first_pieces() {
                        let len = range.end - range.start;
                        self.gather
                            .want(base + range.start, len, Piece::Ext4(piece));
                    }
                    self.space = Space::Ext4(groups);
                }
                Err(why) => seen.all_used = Some(why),
            }
        } else if let Some(geometry) = fat::Geometry::parse(first) {
            seen.kind = FileSystemKind::Fat;
            geometry.label().clone_into(&mut seen.label);
            match geometry.mappable(self.partition.len) {
                Ok(()) => {
                    for copy in 0..geometry.copies() {
                        let range = geometry.table(copy);
                        let len = range.end - range.start;
                        self.gather.want(base + range.start, len, Piece::Fat);
                    }
                    self.space = Space::Fat(fat::Clusters::new(geometry));
                }
                Err(why) => seen.all_used = Some(why),
            }
        } else {
            let named = NAMED
                .iter()
                .find(|(at, magic, _)| first.get(*at..).is_some_and(|b| b.starts_with(magic)));
            if let Some((_, _, name)) = named {
                seen.kind = FileSystemKind::Other(name);
            }
            seen.all_used = Some("its file system is not one that is looked into");
        }
        if self.overlaps {
            seen.all_used = Some("it overlaps another partition");
        }
        self.seen = Some(seen);
    }
}
