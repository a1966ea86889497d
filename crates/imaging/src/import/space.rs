//! Room for the pack: asked for before, watched during, explained when it ran out.

use super::ImportError;
use crate::pack::PackError;
use crate::source::Format;
use std::io;
use std::path::Path;

/// Bytes that an import leaves free: the station's records lie on the same disk, and a batch in
/// progress must be able to write them.
const RESERVE: u64 = 32 << 20;

/// Free bytes on the disk of `folder`, for those who are not root; `None` when it does not say.
pub fn free(folder: &Path) -> Option<u64> {
    let stat = nix::sys::statvfs::statvfs(folder).ok()?;
    #[expect(
        clippy::useless_conversion,
        reason = "the fields are narrower on other processors"
    )]
    Some(u64::from(stat.blocks_available()).saturating_mul(u64::from(stat.fragment_size())))
}

/// Refuses before the work begins what has no chance. The pack of an image that was compressed well
/// is at least half as large as the file; one that was not may shrink to a twentieth.
pub(super) fn check_before(folder: &Path, format: Format, file: u64) -> Result<(), ImportError> {
    let least = match format {
        Format::Raw => file / 20,
        Format::Xz | Format::Gzip | Format::Bzip2 | Format::Zstd | Format::Zip => file / 2,
    };
    enough(folder, least + RESERVE)
}

/// Checks that there is room for `more` bytes beside the reserve.
pub(super) fn check_during(folder: &Path, more: u64) -> Result<(), ImportError> {
    enough(folder, RESERVE).map_err(|_| full(folder, more))
}

fn enough(folder: &Path, needed: u64) -> Result<(), ImportError> {
    match free(folder) {
        Some(free) if free < needed => Err(ImportError::DiskFull {
            folder: folder.to_owned(),
            missing: needed - free,
        }),
        Some(_) | None => Ok(()),
    }
}

fn full(folder: &Path, more: u64) -> ImportError {
    let free = free(folder).unwrap_or(0);
    ImportError::DiskFull {
        folder: folder.to_owned(),
        missing: (more + RESERVE).saturating_sub(free).max(1),
    }
}

/// Turns "no space left" from anywhere in the writing into [`ImportError::DiskFull`]; `more` is how
/// many bytes were still to come.
pub(super) fn sort_out(folder: &Path, more: u64, e: PackError) -> ImportError {
    match &e {
        PackError::Io { source, .. }
            if matches!(
                source.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            ) =>
        {
            full(folder, more)
        }
        _ => ImportError::Pack(e),
    }
}
