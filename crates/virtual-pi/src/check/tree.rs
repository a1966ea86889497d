//! The tree of a root file system, read by `ext4-view`.

use ext4_view::{Ext4, FileType};
use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// What is compared of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) folder: bool,
    pub(super) mode: u16,
    pub(super) owner: (u32, u32),
    pub(super) len: u64,
    pub(super) changed: String,
    pub(super) content: Option<blake3::Hash>,
}

/// Every path with what is there.
pub(super) type Entries = BTreeMap<String, Entry>;

/// An ext4 file system inside a larger file.
struct Within(File, u64);

impl ext4_view::Ext4Read for Within {
    fn read(
        &mut self,
        start_byte: u64,
        dst: &mut [u8],
    ) -> Result<(), Box<dyn Error + Send + Sync + 'static>> {
        self.0
            .read_exact_at(dst, self.1.saturating_add(start_byte))?;
        Ok(())
    }
}

/// Opens the file system that begins at byte `start` of `disk`.
pub(super) fn open(disk: &Path, start: u64) -> Result<Ext4, String> {
    let file = File::open(disk).map_err(|e| e.to_string())?;
    Ext4::load(Box::new(Within(file, start))).map_err(|e| e.to_string())
}

/// Everything in the file system that begins at byte `start` of `disk`.
pub(super) fn entries(disk: &Path, start: u64) -> Result<Entries, String> {
    let fs = open(disk, start)?;
    let mut found = Entries::new();
    let mut folders = vec!["/".to_owned()];
    while let Some(folder) = folders.pop() {
        let at = |e: &dyn std::fmt::Display| format!("{folder}: {e}");
        for entry in fs.read_dir(folder.as_str()).map_err(|e| at(&e))? {
            let entry = entry.map_err(|e| at(&e))?;
            let name = entry.file_name();
            if [&b"."[..], b".."].contains(&name.as_ref()) {
                continue;
            }
            // Names that are no UTF-8 stay distinct by their escapes, but cannot be opened by them.
            let Ok(name) = name.as_str() else {
                return Err(at(&"a file name that is not UTF-8"));
            };
            let path = format!("{}/{name}", folder.trim_end_matches('/'));
            let what = read(&fs, &path).map_err(|e| format!("{path}: {e}"))?;
            if what.folder {
                folders.push(path.clone());
            }
            found.insert(path, what);
        }
    }
    Ok(found)
}

fn read(fs: &Ext4, path: &str) -> Result<Entry, ext4_view::Ext4Error> {
    let meta = fs.symlink_metadata(path)?;
    let content = match meta.file_type() {
        FileType::Regular => Some(blake3::hash(&fs.read(path)?)),
        FileType::Symlink => Some(blake3::hash(fs.read_link(path)?.as_ref())),
        _ => None,
    };
    Ok(Entry {
        folder: meta.is_dir(),
        mode: meta.mode(),
        owner: (meta.uid(), meta.gid()),
        len: if meta.is_dir() { 0 } else { meta.len() },
        changed: if meta.is_dir() {
            String::new()
        } else {
            format!("{:?}", meta.modified())
        },
        content,
    })
}
