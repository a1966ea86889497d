//! The configuration, read again while the station runs: what can be applied is, the rest is named.

use super::ask::Engine;
use super::deployment::{self, Standing, chosen_before};
use super::effect::Effect;
use super::turn::Turn;
use crate::bench::stages::Note;
use crate::config::Deployment;
use crate::outside::alone;
use crate::store::events::About;
use wire::command::Receipt;
use wire::configuration::{Change, Configuration, Reloaded};
use wire::query::Answer;
use wire::refusal::{Code, Refusal};

/// Sections that are applied while the station runs.
const LIVE: &[&str] = &[
    "deployment.",
    "dhcp.",
    "boards.require_token",
    "backup.",
    "alerts.",
    "log.",
    "management.",
];
/// The deployment side.
const DEPLOYMENT: &str = "deployment.";
/// What has to be done for the rest.
pub(crate) const RESTART: &str = "takes effect when the station is started again";

impl Engine {
    /// Reads the configuration again and applies what changed.
    pub(super) async fn reload(&self) -> Result<Receipt, Refusal> {
        let outside = self.outside()?;
        let (mut found, wanted) = outside.read_again().await?;
        for change in &mut found {
            if !LIVE.iter().any(|live| change.key.starts_with(live)) {
                change.waits = Some(RESTART.to_owned());
            }
        }
        if found.iter().any(|c| c.key.starts_with(DEPLOYMENT)) {
            let (side, fixed_by) = (
                wanted.deployment.clone(),
                wanted.deployment_fixed_by.clone(),
            );
            let moved = self.work(move |turn| redeploy(turn, side, fixed_by)).await;
            if let Err(refusal) = moved {
                if refusal.code == Code::Internal {
                    return Err(refusal);
                }
                let ours = found.iter_mut().filter(|c| c.key.starts_with(DEPLOYMENT));
                for change in ours {
                    change.waits = Some(waits(&refusal));
                }
            }
        }
        let required = wanted.boards.require_token;
        let file = wanted.sources.file.clone();
        let mut found = outside.apply(Box::new(wanted), found).await;
        found.sort_by_key(|change| change.waits.is_some());
        let reloaded = Reloaded {
            file: file.map(|file| file.display().to_string()),
            changes: found,
        };
        self.work(move |turn| {
            turn.config.require_token = required;
            record(turn, &reloaded)?;
            Ok(Receipt::Config(reloaded))
        })
        .await
    }

    /// The configuration that is in effect.
    pub(super) async fn configuration(&self) -> Result<Answer, Refusal> {
        let outside = self.outside()?;
        let chosen = self.work(|turn| {
            let standing = turn.config.standing.clone().ok_or_else(alone)?;
            let kept = deployment::has_choice(turn)?;
            let chosen = kept && standing.fixed_by.is_none();
            Ok(chosen.then_some(standing.deployment))
        });
        let configuration: Configuration = outside.configuration(chosen.await?);
        Ok(Answer::Configuration(configuration))
    }
}

/// A refusal as the reason why a change waits.
fn waits(refusal: &Refusal) -> String {
    let next = refusal.next.as_deref().unwrap_or_default();
    format!("{} {next}", refusal.message).trim_end().to_owned()
}

/// Stands where the file says, unless the operator chose and the file leaves the choice open.
fn redeploy(
    turn: &mut Turn<'_>,
    configured: Deployment,
    fixed_by: Option<String>,
) -> Result<(), Refusal> {
    let standing = turn.config.standing.clone().ok_or_else(alone)?;
    let wanted = match &fixed_by {
        Some(_) => configured,
        None => chosen_before(turn, configured)?,
    };
    if wanted != standing.deployment {
        deployment::none_is_written(turn)?;
        turn.effect(Effect::StandOn(Box::new(wanted.clone())));
    }
    turn.config.standing = Some(Standing {
        deployment: wanted,
        fixed_by,
    });
    Ok(())
}

/// Writes down what a reload did.
fn record(turn: &mut Turn<'_>, reloaded: &Reloaded) -> Result<(), Refusal> {
    for change in &reloaded.changes {
        let Change { key, from, to, .. } = change;
        match &change.waits {
            None => tracing::info!("configuration: {key} was {from}, is {to}"),
            Some(why) => tracing::warn!("configuration: {key} is to be {to}: {why}"),
        }
    }
    if !reloaded.changes.is_empty() {
        let keys: Vec<&str> = reloaded.changes.iter().map(|c| c.key.as_str()).collect();
        let text = format!("The configuration was read again: {}.", keys.join(", "));
        turn.note(&About::default(), Note::info("config.reloaded", text))?;
    }
    Ok(())
}
