//! What is said about backups: when the last good one is too old, and how to come back to one.

use super::{Plan, folder};
use crate::engine::OpenError;
use crate::net::findings::check;
use crate::papers::Occasion;
use crate::store;
use std::path::Path;
use wire::Millis;
use wire::event::Level;
use wire::health::Finding;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What is to be said when the last good backup is too old. `begun` is when the station's record
/// begins, for one that never had a backup.
pub fn finding(
    last: Option<Millis>,
    begun: Option<Millis>,
    trouble: Option<&str>,
    plan: &Plan,
    now: Millis,
) -> Option<Finding> {
    let since = last.or(begun)?;
    let days = now.since(since) / DAY_MS;
    if plan.warn_days == 0 || days < i64::from(plan.warn_days) {
        return None;
    }
    let mut text = match last {
        Some(last) => format!(
            "The last good backup was made {days} days ago, on {}.",
            Occasion::now().minute(last)
        ),
        None => format!("In {days} days no backup was ever made."),
    };
    if let Some(why) = trouble {
        text += &format!(" The newest attempt failed: {}.", why.trim_end_matches('.'));
    }
    let next = if plan.every_hours == 0 {
        "Make one with `punnet backup`, or let the station do it: `every_hours` under [backup] in \
         station.toml."
    } else {
        "Make one with `punnet backup`, or on the page under Settings; look at the folder of \
         backups if that fails."
    };
    Some(Finding {
        check: check::BACKUP.to_owned(),
        level: Level::Warning,
        text,
        next: Some(next.to_owned()),
        at: since.plus(i64::from(plan.warn_days) * DAY_MS),
    })
}

/// The same error; for a damaged database it names the newest good backup and the command that
/// restores it.
pub fn remedied(mut error: OpenError, data_dir: &Path, backups: &Path) -> OpenError {
    let OpenError::Store(store::OpenError::Damaged { remedy, .. }) = &mut error else {
        return error;
    };
    if let Some((file, at)) = folder::newest_good(backups) {
        *remedy = format!(
            "The newest good backup is of {}. To go back to it: punnet --data-dir {} restore {} \
             --force",
            Occasion::now().minute(at),
            data_dir.display(),
            file.display()
        );
    } else {
        *remedy = format!(
            "There is no good backup in {}. If you have an archive elsewhere: punnet --data-dir {} \
             restore FILE --force; else start with an empty data folder",
            backups.display(),
            data_dir.display()
        );
    }
    error
}
