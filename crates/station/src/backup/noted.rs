//! What a restore leaves in the database that it brings back, before that is in its place: logins of
//! then have ended, and the record says that somebody went back, and to what.

use super::restore::RestoreError;
use crate::papers::Occasion;
use crate::store::deeds::{self, New};
use crate::store::events::{self, About};
use crate::store::{Store, StoreError, operators, settings};
use crate::who::{Who, words};
use std::path::Path;
use wire::Millis;
use wire::event::Level;

/// Writes it into the database of the folder `new`: restored from `file`, which was `made` then, on
/// this machine when none is named. The schema is brought up to date on the way.
pub(super) fn note(
    new: &Path,
    file: &Path,
    made: Millis,
    machine: Option<&str>,
) -> Result<(), RestoreError> {
    let mut store = Store::open(new)?;
    let tx = store.begin()?;
    let now = Millis::now();
    // It was good then, and is the last one that this station knows of.
    settings::set_last_backup(&tx, made)?;
    operators::end_every(&tx)?;
    let who = Who::caller();
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let made = Occasion::now().minute(made);
    let of = machine.filter(|name| !name.is_empty());
    let of = of.map_or_else(String::new, |name| format!(" on {name}"));
    let backup = words::plain(&format!("{}, made {made}{of}", file.display()));
    let deed = New {
        who: &words::plain(&who.name),
        door: who.door,
        origin: &who.origin,
        action: "restore",
        subject: &backup,
        why: None,
    };
    deeds::append(&tx, now, &deed)?;
    let text = format!("The station was restored from {backup}. Every login has ended.");
    let level = Level::Warning;
    events::append(&tx, now, level, &About::default(), "backup.restored", &text)?;
    tx.commit().map_err(StoreError::from)?;
    store.close()?;
    Ok(())
}
