//! Room on the disk that holds the data folder.

use super::turn::Turn;
use crate::bench::stages::Note;
use crate::store::StoreError;
use crate::store::events::About;
use nix::errno::Errno;
use std::path::Path;

/// Bytes that the station may still write.
pub(super) fn free(folder: &Path) -> Result<u64, Errno> {
    let figures = nix::sys::statvfs::statvfs(folder)?;
    // Wider on some systems than on others.
    #[allow(
        clippy::useless_conversion,
        reason = "the width differs between systems"
    )]
    let free = u64::from(figures.blocks_available()) * u64::from(figures.fragment_size());
    Ok(free)
}

/// Warns once when less than `least` bytes are free, and again only after there was room.
pub(super) fn watch(turn: &mut Turn<'_>, free: u64, least: u64) -> Result<(), StoreError> {
    // A tenth more before it counts as room, so that a file that comes and goes says nothing.
    let enough = least.saturating_add(least / 10);
    if free >= enough {
        turn.noticed.low_disk = false;
    } else if free < least && !turn.noticed.low_disk {
        let text = format!(
            "The disk of the data folder has {:.1} GB left. Remove images that are not needed, or \
             free some space.",
            free as f64 / 1e9
        );
        turn.note(&About::default(), Note::warning("disk.low", text))?;
        turn.noticed.low_disk = true;
    }
    Ok(())
}
