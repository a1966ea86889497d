//! Every chunk of the manifest, block by block.
//!
//! Where bytes differ from the image, the block must have a reason: it belongs to a declared file,
//! to a directory or to the file system's bookkeeping. Whose a block is, `debugfs` is asked.

use super::reference::{Reference, read};
use super::{some_of, table};
use crate::tool::{self, Tool};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use wire::manifest::{ChunkClass, Hash32};

const SECTOR: u64 = 512;
/// Numbers given to one debugfs command; its lines are bounded.
const PER_LINE: usize = 64;
/// ext4's inodes up to this number are its own: journal, resize, bad blocks and the like; 2 is the
/// root directory.
const LAST_RESERVED_INODE: u64 = 10;

pub(super) fn check(reference: &Reference, disk: &Path, declared: &[String]) -> Result<(), String> {
    let differing = differing_sectors(reference, disk)
        .map_err(|e| format!("the disk cannot be compared with the image: {e}"))?;
    let root = reference.root;
    let (in_root, elsewhere): (Vec<u64>, Vec<u64>) = differing
        .into_iter()
        .partition(|at| *at >= root.start && *at < root.start + root.len);
    let mut wrong = elsewhere;
    wrong.retain(|at| !table::holds_table(reference, *at));
    if let Some(first) = wrong.first() {
        return Err(format!(
            "{} sectors outside the root file system differ from the image, the first is {}",
            wrong.len(),
            first / SECTOR
        ));
    }
    let blocks: BTreeSet<_> = in_root
        .iter()
        .map(|at| (at - root.start) / root.block)
        .collect();
    let strangers = strangers(disk, root.start, &blocks, declared)?;
    if strangers.is_empty() {
        return Ok(());
    }
    Err(format!(
        "blocks differ from the image that belong to no declared file: {}",
        some_of(strangers)
    ))
}

/// First bytes of all sectors in which a data or zero chunk differs from the image.
fn differing_sectors(reference: &Reference, disk: &Path) -> std::io::Result<Vec<u64>> {
    let manifest = &reference.manifest;
    let file = File::open(disk)?;
    let (mut a, mut b) = (Vec::new(), Vec::new());
    let mut found = Vec::new();
    for (index, chunk) in manifest.chunks.iter().enumerate() {
        let (start, len) = (manifest.start(index), manifest.len_of(index));
        if chunk.class == ChunkClass::Hole {
            continue;
        }
        let new = read(&file, start, len, &mut a)?;
        if chunk.hash == Some(Hash32(*blake3::hash(new).as_bytes())) {
            continue;
        }
        let old = read(&reference.file, start, len, &mut b)?;
        let sectors = new.chunks(SECTOR as usize).zip(old.chunks(SECTOR as usize));
        let at = (start..).step_by(SECTOR as usize);
        found.extend(
            sectors
                .zip(at)
                .filter(|((n, o), _)| n != o)
                .map(|(_, at)| at),
        );
    }
    Ok(found)
}

// Blocks that have no right to differ, named by the file they belong to.
fn strangers(
    disk: &Path,
    root: u64,
    blocks: &BTreeSet<u64>,
    declared: &[String],
) -> Result<Vec<String>, String> {
    let owners = ask(disk, root, "icheck", blocks)?;
    let inodes: BTreeSet<u64> = owners
        .values()
        .filter_map(|text| text.parse().ok())
        .filter(|inode| *inode > LAST_RESERVED_INODE)
        .collect();
    let paths = ask(disk, root, "ncheck", &inodes)?;
    let mut strangers = BTreeSet::new();
    for path in paths.values() {
        if !declared.contains(path) && !is_folder(disk, root, path)? {
            strangers.insert(path.clone());
        }
    }
    // An inode without a name would be a file that nobody can declare.
    for inode in inodes.iter().filter(|i| !paths.contains_key(*i)) {
        strangers.insert(format!("inode {inode}"));
    }
    Ok(strangers.into_iter().collect())
}

fn is_folder(disk: &Path, root: u64, path: &str) -> Result<bool, String> {
    let fs = super::tree::open(disk, root)?;
    let meta = fs.symlink_metadata(path).map_err(|e| e.to_string())?;
    Ok(meta.is_dir())
}

// debugfs prints a heading, then "number<tab>answer" per line.
fn ask(
    disk: &Path,
    root: u64,
    command: &str,
    numbers: &BTreeSet<u64>,
) -> Result<BTreeMap<u64, String>, String> {
    if numbers.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut script = tempfile::NamedTempFile::new().map_err(|e| e.to_string())?;
    let numbers: Vec<_> = numbers.iter().map(u64::to_string).collect();
    for some in numbers.chunks(PER_LINE) {
        writeln!(script, "{command} {}", some.join(" ")).map_err(|e| e.to_string())?;
    }
    let args = ["-f".as_ref(), script.path().as_os_str()];
    let disk = tool::at(disk, root);
    let out = Tool::Debugfs
        .run([args[0], args[1], disk.as_ref()])
        .map_err(|e| e.to_string())?;
    let rows = out.lines().filter_map(|line| {
        let (number, answer) = line.split_once('\t')?;
        Some((number.trim().parse().ok()?, answer.trim().to_owned()))
    });
    Ok(rows.collect())
}
