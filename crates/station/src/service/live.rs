//! The configuration of a running station: what is in effect, and how what changed is applied.

use crate::backup::Plan;
use crate::config::{
    Alerts, Config, ConfigError, Deployment, Dhcp, changes, hidden_change, same_but, shown,
};
use crate::doors::terms::Terms;
use crate::engine::RESTART;
use crate::supervise::Orders;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, watch};
use wire::configuration::{Change, Configuration, Value};
use wire::refusal::{Code, Refusal};

/// Whoever runs a station and knows where its configuration comes from.
pub trait Reload: Send + Sync + 'static {
    /// Reads it again.
    fn read(&self) -> Result<Config, ConfigError>;

    /// What concerns the whole program and not only the station is applied.
    fn apply(&self, config: &Config) -> Result<(), Stays>;
}

/// A section of the configuration that cannot be applied now, and stays as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stays {
    /// What its keys begin with, e.g. `log.`.
    pub section: &'static str,
    /// Why, for people.
    pub why: String,
}

impl Stays {
    /// Says so of the changes that it concerns.
    fn mark(&self, found: &mut [Change]) {
        let Self { section, why } = self;
        let mut named = false;
        for change in found.iter_mut().filter(|c| c.key.starts_with(section)) {
            change.waits = Some(why.clone());
            named = true;
        }
        if !named {
            tracing::warn!(section, why, "this is still not as it was configured");
        }
    }
}

/// What is in effect, and the lines to those who follow changes.
pub(super) struct Live {
    reload: Option<Arc<dyn Reload>>,
    now: Mutex<Now>,
    plan: watch::Sender<Plan>,
    alerts: watch::Sender<Alerts>,
    terms: watch::Sender<Terms>,
    orders: mpsc::Sender<Orders>,
}

struct Now {
    values: Vec<Value>,
    config: Config,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").finish_non_exhaustive()
    }
}

impl Live {
    pub(super) fn new(
        config: &Config,
        reload: Option<Arc<dyn Reload>>,
        (plan, alerts, terms): (
            watch::Sender<Plan>,
            watch::Sender<Alerts>,
            watch::Sender<Terms>,
        ),
        orders: mpsc::Sender<Orders>,
    ) -> Self {
        Self {
            reload,
            now: Mutex::new(Now {
                values: shown(config, None),
                config: config.clone(),
            }),
            plan,
            alerts,
            terms,
            orders,
        }
    }

    pub(super) fn plan(&self) -> Plan {
        self.plan.borrow().clone()
    }

    /// The file that it comes from.
    pub(super) fn file(&self) -> Option<PathBuf> {
        self.now().config.sources.file.clone()
    }

    /// What is wanted now, and what differs from what is in effect.
    pub(super) async fn read_again(&self) -> Result<(Vec<Change>, Config), Refusal> {
        let reload = self.reload.clone().ok_or_else(|| {
            Refusal::conflict("This station has no configuration file to be read again.")
        })?;
        let read = tokio::task::spawn_blocking(move || reload.read());
        let read = read
            .await
            .map_err(|gone| Refusal::internal(gone.to_string()))?;
        let wanted = read.map_err(|why| {
            Refusal::new(Code::Invalid, why.to_string())
                .next("The station goes on with the configuration it has.")
        })?;
        let mut found = changes(&self.now().values, &shown(&wanted, None));
        found.extend(hidden_change(&self.alerts.borrow(), &wanted.alerts));
        Ok((found, wanted))
    }

    /// Applies what is not the engine's of what was found, and says what came of it.
    pub(super) async fn apply(&self, wanted: Box<Config>, mut found: Vec<Change>) -> Vec<Change> {
        let log = self.of_program(&wanted).await;
        let door = self.of_door(&wanted);
        for stays in [&log, &door]
            .into_iter()
            .filter_map(|done| done.as_ref().err())
        {
            stays.mark(&mut found);
        }
        let waits = |change: &&Change| change.waits.is_some();
        let waiting: Vec<Change> = found.iter().filter(waits).cloned().collect();
        let alerts = wanted.alerts.clone();
        let (dhcp, plan) = {
            let mut now = self.now();
            now.values = same_but(&now.values, shown(&wanted, None), &waiting);
            // What waits for a restart still is as it was, the data folder above all.
            let plan = wanted.backup.plan(&now.config.data_dir);
            let dhcp = (now.config.dhcp != wanted.dhcp).then(|| wanted.dhcp.clone());
            now.config.dhcp = wanted.dhcp;
            if log.is_ok() {
                now.config.log = wanted.log;
            }
            if door.is_ok() {
                now.config.management = wanted.management;
            }
            now.config.sources = wanted.sources;
            (dhcp, plan)
        };
        replace(&self.plan, plan);
        replace(&self.alerts, alerts);
        if let Some(dhcp) = dhcp {
            self.order_dhcp(dhcp).await;
        }
        found
    }

    /// What concerns the whole program. What waits for a restart still is as it was, the data folder
    /// above all.
    async fn of_program(&self, wanted: &Config) -> Result<(), Stays> {
        let Some(reload) = self.reload.clone() else {
            return Ok(());
        };
        let mut wanted = wanted.clone();
        wanted.data_dir.clone_from(&self.now().config.data_dir);
        let applied = tokio::task::spawn_blocking(move || reload.apply(&wanted)).await;
        applied.unwrap_or_else(|gone| {
            tracing::error!(%gone, "applying the configuration broke down");
            Ok(())
        })
    }

    /// The door for operators, as far as it can change while it is open. Whether it is encrypted may
    /// follow from where it listens, so it all waits together.
    fn of_door(&self, wanted: &Config) -> Result<(), Stays> {
        let (old, folder) = {
            let now = self.now();
            (now.config.management.clone(), now.config.data_dir.clone())
        };
        let stays = |why| Stays {
            section: "management.",
            why,
        };
        if (old.listen, &old.group) != (wanted.management.listen, &wanted.management.group) {
            return Err(stays(RESTART.to_owned()));
        }
        let terms = Terms::of(&wanted.management, &folder).map_err(|why| {
            stays(format!(
                "the door for operators stays as it is, because {why}"
            ))
        })?;
        if let Some(fingerprint) = terms.fingerprint()
            && self.terms.borrow().fingerprint().as_ref() != Some(&fingerprint)
        {
            tracing::info!(%fingerprint, "the door for operators shows another certificate");
        }
        self.terms.send_replace(terms);
        Ok(())
    }

    /// Names that a browser may reach the station by.
    pub(super) fn names(&self) -> Vec<String> {
        self.now().config.management.names.clone()
    }

    /// The folder of the log's files; nothing while none are written.
    pub(super) fn log_dir(&self) -> Option<PathBuf> {
        self.now().config.log_dir()
    }

    async fn order_dhcp(&self, dhcp: Dhcp) {
        if self
            .orders
            .send(Orders::Dhcp(Box::new(dhcp)))
            .await
            .is_err()
        {
            tracing::debug!("the deployment side has ended");
        }
    }

    pub(super) fn configuration(&self, chosen: Option<Deployment>) -> Configuration {
        let now = self.now();
        let mut values = now.values.clone();
        if let Some(chosen) = chosen {
            let over = shown(&now.config, Some(&chosen));
            for value in &mut values {
                let chosen = over
                    .iter()
                    .find(|over| over.key == value.key && over.from.ends_with("choice"));
                if let Some(chosen) = chosen {
                    value.clone_from(chosen);
                }
            }
        }
        let file = now.config.sources.file.as_ref();
        Configuration {
            file: file.map(|file| file.display().to_string()),
            values,
        }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells those who follow, if it is anything new.
fn replace<T: PartialEq>(followed: &watch::Sender<T>, with: T) {
    followed.send_if_modified(|old| {
        let news = *old != with;
        *old = with;
        news
    });
}
