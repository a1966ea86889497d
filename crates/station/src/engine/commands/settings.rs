//! Settings that the operator changes while the station runs.

use super::super::deployment;
use super::super::effect::Effect;
use super::super::turn::Turn;
use super::shared::done;
use crate::bench::stages::Note;
use crate::outside::alone;
use crate::store::events::About;
use wire::command::Receipt;
use wire::nic::DeploymentChoice;
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

/// Chooses the NIC that boards hang on and its addresses.
pub(super) fn deployment(
    turn: &mut Turn<'_>,
    choice: &DeploymentChoice,
) -> Result<Receipt, Refusal> {
    let standing = turn.config.standing.clone().ok_or_else(alone)?;
    if let Some(by) = &standing.fixed_by {
        let text = format!("The network card is set by {by}, so it cannot be chosen here.");
        return Err(
            Refusal::conflict(text).next("Take `interface` out of there to choose it here.")
        );
    }
    let wanted = standing.deployment.chosen(choice)?;
    let words = match &wanted.interface {
        Some(nic) => format!(
            "Boards are served on {nic} as {} from now on.",
            wanted.address
        ),
        None => "No network card is chosen any more; no board is served.".to_owned(),
    };
    if wanted == standing.deployment {
        deployment::keep(turn, &wanted.choice())?;
        return Ok(done("Nothing has changed.".to_owned()));
    }
    deployment::none_is_written(turn)?;
    deployment::keep(turn, &wanted.choice())?;
    turn.note(
        &About::default(),
        Note::info("deployment.set", words.clone()),
    )?;
    turn.effect(Effect::StandOn(Box::new(wanted.clone())));
    turn.config.standing = Some(deployment::Standing {
        deployment: wanted,
        ..standing
    });
    Ok(done(words))
}
