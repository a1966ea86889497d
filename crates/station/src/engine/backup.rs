//! The age of the newest backup: looked at once in a while, and told of when it is too old.

use super::ask::Engine;
use super::turn::Turn;
use crate::bench::stages::Note;
use crate::store::events::About;
use crate::store::{self, StoreError};
use std::time::Duration;
use wire::Millis;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

impl Engine {
    /// Looks at the age of the newest backup.
    pub(crate) fn look_at_backup(&self, most: Duration) {
        let most = i64::try_from(most.as_millis()).unwrap_or(i64::MAX);
        self.post(move |turn| Ok(look(turn, most)?));
    }
}

fn look(turn: &mut Turn<'_>, most: i64) -> Result<(), StoreError> {
    // A station that has nothing to lose yet needs no backup.
    let made = store::settings::last_backup(turn.tx)?;
    let Some(since) = made.or(store::events::first(turn.tx)?) else {
        return Ok(());
    };
    let age = turn.now.since(since);
    if turn.config.rehearsal || age <= most {
        return Ok(());
    }
    let days = age / DAY_MS;
    let text = match made {
        Some(Millis(_)) => format!("The newest backup is {days} days old."),
        None => format!("No backup was made in the {days} days since this station began."),
    };
    let text = format!("{text} Make one, and look why none is made by itself.");
    let note = Note::warning("backup.old", text);
    turn.note_seldom(&About::default(), String::new(), DAY_MS, note)
}
