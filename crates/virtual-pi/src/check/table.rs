//! The partition table: as in the image, but that the last partition may have grown.

use super::reference::{Reference, read};
use imaging::partitions::{Table, TableKind};
use std::fs::File;
use std::path::Path;

/// True when a byte of the image belongs to its partition table: the first sector of an MBR; on a
/// GPT also header and entries (34 sectors, UEFI specification §5.3) and their copy at the end.
pub(super) fn holds_table(reference: &Reference, at: u64) -> bool {
    match reference.table.kind {
        TableKind::Mbr => at < 512,
        TableKind::Gpt => {
            let copy = reference.bytes().saturating_sub(33 * 512);
            at < 34 * 512 || at >= copy.max(reference.table.end())
        }
    }
}

pub(super) fn check(reference: &Reference, disk: &Path) -> Result<(), String> {
    let unreadable = |e: &dyn std::fmt::Display| format!("the partition table: {e}");
    let mut file = File::open(disk).map_err(|e| unreadable(&e))?;
    let now = Table::read(&mut file).map_err(|e| unreadable(&e))?;
    let was = &reference.table;
    if (now.kind, &now.disk_id) != (was.kind, &was.disk_id) {
        return Err("the partition table is of another kind or disk".to_owned());
    }
    if now.partitions.len() != was.partitions.len() {
        return Err(format!(
            "the partition table has {} partitions, the image {}",
            now.partitions.len(),
            was.partitions.len()
        ));
    }
    let last = was.partitions.iter().map(|p| p.start).max();
    for (new, old) in now.partitions.iter().zip(&was.partitions) {
        let grown = Some(old.start) == last && new.len > old.len;
        let mut same = new.clone();
        if grown {
            same.len = old.len;
        }
        if same != *old {
            return Err(format!("partition {} is not that of the image", old.number));
        }
    }
    let len = file.metadata().map_err(|e| unreadable(&e))?.len();
    if now.end() > len {
        return Err(format!(
            "the partitions end at byte {}, the disk at byte {len}",
            now.end()
        ));
    }
    boot_code(reference, &file)
}

// The table itself was compared by its meaning; the code before it and the signature by bytes.
fn boot_code(reference: &Reference, disk: &File) -> Result<(), String> {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    let failed = |e: std::io::Error| format!("the first sector: {e}");
    let new = read(disk, 0, 512, &mut a).map_err(failed)?;
    let old = read(&reference.file, 0, 512, &mut b).map_err(failed)?;
    if new[..446] != old[..446] || new[510..] != old[510..] {
        return Err("the boot code before the partition table differs".to_owned());
    }
    Ok(())
}
