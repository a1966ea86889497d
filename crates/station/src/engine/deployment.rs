//! The NIC that boards hang on: what was chosen, what decides over it, and what the cards allow.

use super::ask::Engine;
use super::commands::profiles;
use super::turn::Turn;
use crate::config::Deployment;
use crate::net::advice::cards;
use crate::net::{Footing, Nic, Unfit, footing};
use crate::outside::{Outside, alone};
use crate::store;
use std::sync::Arc;
use wire::command::Command;
use wire::nic::DeploymentChoice;
use wire::query::Answer;
use wire::refusal::Refusal;
use wire::settings::Settings;

/// Name of the setting that keeps the operator's choice.
pub const CHOICE: &str = "deployment";

/// The deployment side of a running station.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    /// As it is.
    pub(super) deployment: Deployment,
    /// What decides over it, so that it cannot be chosen here.
    pub(super) fixed_by: Option<String>,
}

impl Engine {
    /// A station begins to serve around this engine. The deployment side of its configuration is
    /// given; what is returned is the one to serve: the operator's choice, unless `fixed_by` says
    /// that something decides over it.
    pub async fn begin(
        &self,
        outside: Arc<dyn Outside>,
        configured: Deployment,
        fixed_by: Option<String>,
    ) -> Result<Deployment, Refusal> {
        self.set_outside(outside);
        self.work(move |turn| {
            let deployment = match &fixed_by {
                Some(_) => configured,
                None => chosen_before(turn, configured)?,
            };
            turn.config.standing = Some(Standing {
                deployment: deployment.clone(),
                fixed_by,
            });
            Ok(deployment)
        })
        .await
    }

    /// The settings.
    pub(super) async fn settings(&self) -> Result<Answer, Refusal> {
        let outside = self.outside()?;
        let (page, fingerprint) = (outside.page(), outside.fingerprint());
        let data_dir = self.folder().display().to_string();
        self.work(move |turn| {
            let standing = turn.config.standing.clone().ok_or_else(alone)?;
            Ok(Answer::Settings(Box::new(Settings {
                deployment: standing.deployment.choice(),
                deployment_fixed_by: standing.fixed_by,
                preferences: store::settings::preferences(turn.tx)?,
                data_dir,
                page,
                fingerprint,
            })))
        })
        .await
    }

    /// The network cards.
    pub(super) async fn nics(&self) -> Result<Answer, Refusal> {
        let nics = self.outside()?.nics().await?;
        self.work(move |turn| {
            let standing = turn.config.standing.as_ref().ok_or_else(alone)?;
            Ok(Answer::Nics(cards(&nics, &standing.deployment)))
        })
        .await
    }

    /// What the servers are doing.
    pub(super) async fn works(&self) -> Result<Answer, Refusal> {
        let mut works = self.outside()?.works().await;
        self.published().read(|snapshot| {
            for transfer in &mut works.transfers {
                let mut boards = snapshot.boards.iter();
                let board = boards.find(|b| b.ip == Some(transfer.ip));
                transfer.board = board.map(|b| b.id);
            }
        });
        Ok(Answer::Works(works))
    }

    /// What the world outside forbids of a command, before it is looked at inside.
    pub(super) async fn admissible(&self, command: &Command) -> Result<(), Refusal> {
        match command {
            Command::DeploymentSet(choice) if choice.interface.is_some() => {
                let nics = self.outside()?.nics().await?;
                let choice = choice.clone();
                self.work(move |turn| {
                    let standing = turn.config.standing.as_ref().ok_or_else(alone)?;
                    fits(&nics, &standing.deployment.chosen(&choice)?)
                })
                .await
            }
            Command::ProfileApply { name } => {
                let name = name.clone();
                let moved = self.work(move |turn| elsewhere(turn, &name)).await?;
                let Some(wanted) = moved else { return Ok(()) };
                let nics = self.outside()?.nics().await?;
                fits(&nics, &wanted)
            }
            _ => Ok(()),
        }
    }
}

/// Where a profile would have the station stand, when that is another place.
fn elsewhere(turn: &Turn<'_>, name: &str) -> Result<Option<Deployment>, Refusal> {
    let choice = profiles::named(turn, name)?.deployment;
    let (Some(choice), Some(standing)) = (choice, &turn.config.standing) else {
        return Ok(None);
    };
    let wanted = standing.deployment.chosen(&choice)?;
    let same = wanted == standing.deployment || wanted.interface.is_none();
    Ok((!same && standing.fixed_by.is_none()).then_some(wanted))
}

pub(super) fn chosen_before(
    turn: &Turn<'_>,
    configured: Deployment,
) -> Result<Deployment, Refusal> {
    let Some(text) = store::settings::get(turn.tx, CHOICE)? else {
        return Ok(configured);
    };
    let choice = serde_json::from_str::<DeploymentChoice>(&text);
    let chosen = choice.map_err(|e| Refusal::internal(e.to_string()));
    match chosen.and_then(|choice| configured.chosen(&choice)) {
        Ok(deployment) => Ok(deployment),
        Err(why) => {
            tracing::warn!(%why, text, "the chosen network card cannot be read; it is forgotten");
            Ok(configured)
        }
    }
}

/// Was there ever a choice?
pub(super) fn has_choice(turn: &Turn<'_>) -> Result<bool, Refusal> {
    Ok(store::settings::get(turn.tx, CHOICE)?.is_some())
}

/// Refuses while boards are being written, which another NIC or another port would cut off.
pub(super) fn none_is_written(turn: &Turn<'_>) -> Result<(), Refusal> {
    let writing = turn.bench.seats().filter(|s| s.tile.stage.is_working());
    let text = match writing.count() {
        0 => return Ok(()),
        1 => "1 board is being written; another network card would cut it off.".to_owned(),
        n => format!("{n} boards are being written; another network card would cut them off."),
    };
    Err(Refusal::conflict(text).next("Wait until they are done, or cancel the batch."))
}

/// Keeps a choice.
pub(super) fn keep(turn: &Turn<'_>, choice: &DeploymentChoice) -> Result<(), Refusal> {
    let text = serde_json::to_string(choice).map_err(|e| Refusal::internal(e.to_string()))?;
    Ok(store::settings::set(turn.tx, CHOICE, &text)?)
}

/// May the station stand there? A card without a link may be chosen; the cable comes later.
fn fits(nics: &[Nic], wanted: &Deployment) -> Result<(), Refusal> {
    if let Footing::Refused(why) = footing(nics, wanted, false) {
        let refusal = match &why {
            Unfit::DefaultRoute(name) => Refusal::invalid(
                "interface",
                format!(
                    "{name} holds the default route, so it leads to a network that is not only \
                     boards."
                ),
            )
            .next("Choose another card, or say that this is meant."),
            Unfit::NoSuch { name, others } => Refusal::invalid(
                "interface",
                format!("There is no network card {name}. This machine has: {others}."),
            ),
            Unfit::Loopback(_) | Unfit::NotChosen(_) => {
                Refusal::invalid("interface", why.to_string())
            }
        };
        return Err(refusal);
    }
    let others = nics
        .iter()
        .filter(|n| wanted.interface.as_ref() != Some(&n.name));
    let mut others = others.flat_map(|n| n.addresses.iter().map(move |a| (n, a)));
    if let Some((nic, (ip, prefix))) = others.find(|(_, a)| wanted.address.overlaps(**a)) {
        let text = format!(
            "{} lies in the network of {}, which has {ip}/{prefix}.",
            wanted.address, nic.name
        );
        return Err(Refusal::invalid("address", text).next("Choose an address of another network."));
    }
    Ok(())
}
