//! Settings that the operator changes while the station runs.

use super::super::turn::Turn;
use super::shared::done;
use wire::command::Receipt;
use wire::refusal::Refusal;
use wire::settings::Preferences;

/// Numbers of names go up to here, see [`crate::names`].
const MOST_NAMES: u32 = 9999;
/// More than any disk has: a petabyte.
const MOST_BYTES: u64 = 1_000_000_000_000_000;

/// Sets the preferences.
pub(super) fn preferences(
    turn: &mut Turn<'_>,
    preferences: Preferences,
) -> Result<Receipt, Refusal> {
    if preferences.names_low > MOST_NAMES {
        let message = format!("The warning can begin at {MOST_NAMES} free names or fewer.");
        return Err(Refusal::invalid("names_low", message));
    }
    if preferences.disk_low > MOST_BYTES {
        let message = "The warning can begin at 1,000,000 GB or less.";
        return Err(Refusal::invalid("disk_low", message));
    }
    turn.set_preferences(preferences)?;
    Ok(done("The preferences are set.".to_owned()))
}
