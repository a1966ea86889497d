//! The folder of snapshots. Each carries the moment it was made in its name; whatever else lies
//! there is left alone.

use crate::store::copies;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use wire::Millis;
use wire::backup::Backup;

/// How the name of a snapshot that is not finished begins.
const UNFINISHED: &str = ".punnet-";

/// The name of a snapshot made at this moment, to the millisecond, in UTC.
pub(super) fn name(at: Millis) -> String {
    format!("punnet-{}-{:03}.db", stamp(at), at.0.rem_euclid(1000))
}

/// A moment as it stands in names, to the second, in UTC.
pub(super) fn stamp(at: Millis) -> String {
    let moment = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    let zoned = moment.to_zoned(TimeZone::UTC);
    zoned.strftime("%Y%m%d-%H%M%S").to_string()
}

/// The name while it is being made.
pub(super) fn unfinished(name: &str) -> String {
    format!(".{name}.part")
}

/// When the snapshot of this name was made.
pub(super) fn moment(name: &str) -> Option<Millis> {
    let stem = name.strip_prefix("punnet-")?.strip_suffix(".db")?;
    let (seconds, ms) = stem.rsplit_once('-')?;
    let ms: i64 = ms.parse().ok().filter(|ms| (0..1000).contains(ms))?;
    let read = jiff::civil::DateTime::strptime("%Y%m%d-%H%M%S", seconds).ok()?;
    let at = read.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(Millis(at.as_millisecond()).plus(ms))
}

/// The snapshots of a folder, newest first. A folder that is not there has none.
pub fn list(folder: &Path) -> io::Result<Vec<Backup>> {
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found: Vec<Backup> = entries
        .flatten()
        .filter_map(|entry| {
            let file = entry.file_name().into_string().ok()?;
            let at = moment(&file)?;
            let about = entry.metadata().ok().filter(fs::Metadata::is_file)?;
            let bytes = about.len();
            Some(Backup { file, at, bytes })
        })
        .collect();
    found.sort_by_key(|b| std::cmp::Reverse(b.at));
    Ok(found)
}

/// The snapshots of a folder in the order in which they were made, newest first. One that says it was
/// made after `now` was made before by a clock that was ahead, so it counts as older than all others.
fn by_age(folder: &Path, now: Millis) -> io::Result<Vec<Backup>> {
    let mut all = list(folder)?;
    all.sort_by_key(|b| (b.at > now, std::cmp::Reverse(b.at)));
    Ok(all)
}

/// The newest snapshot that is sound.
pub fn newest_good(folder: &Path) -> Option<(PathBuf, Millis)> {
    let all = by_age(folder, Millis::now()).ok()?;
    let mut files = all.into_iter().map(|b| (folder.join(b.file), b.at));
    files.find(|(file, _)| copies::examine(file).is_ok())
}

/// Removes the oldest beyond `keep`, which is 1 or more. The one that was made just now, at `made`, is
/// never among them.
pub(super) fn prune(folder: &Path, keep: u32, made: Millis) -> io::Result<()> {
    for old in by_age(folder, made)?.into_iter().skip(keep as usize) {
        fs::remove_file(folder.join(old.file))?;
    }
    Ok(())
}

/// Removes what backups that were cut off left behind.
pub(super) fn tidy(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)?.flatten() {
        let name = entry.file_name();
        if name.to_string_lossy().starts_with(UNFINISHED) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_when_and_names_sort_by_time() {
        let moments = [0, 1, 999, 1_000, 1_795_000_000_123].map(Millis);
        let names = moments.map(name);
        assert_eq!(names[4], "punnet-20261118-110640-123.db");
        for (name, at) in names.iter().zip(moments) {
            assert_eq!(moment(name), Some(at), "{name}");
        }
        assert!(names.is_sorted());
        for other in [
            "punnet.db",
            "punnet-x.db",
            ".punnet-20261118-093320-123.db.part",
        ] {
            assert_eq!(moment(other), None, "{other}");
        }
    }
}
