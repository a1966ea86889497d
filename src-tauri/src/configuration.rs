//! `punnet config show` and `punnet config reload`, and how a running station reads its configuration
//! again.

use crate::common::Common;
use crate::daemon::for_rehearsal;
use crate::desk::{Desk, let_in, unexpected};
use crate::log::Files;
use crate::print::{Table, say};
use crate::trouble::Trouble;
use station::config::{Config, ConfigError, Deployment, shown};
use station::link::Station;
use station::service::{Reload, Stays};
use station::store::copies;
use wire::command::{Command, Receipt};
use wire::configuration::{Configuration, Reloaded};
use wire::nic::DeploymentChoice;
use wire::query::{Answer, Query};

/// The section about the log.
const LOG: &str = "log.";

/// Where a running station's configuration comes from.
#[derive(Debug, Clone)]
pub(crate) struct Again {
    /// The arguments that it was started with.
    pub(crate) common: Common,
    /// It is the station of a rehearsal.
    pub(crate) rehearsal: bool,
    /// The files of its log.
    pub(crate) files: Option<Files>,
}

impl Reload for Again {
    fn read(&self) -> Result<Config, ConfigError> {
        let config = self.common.configuration()?;
        Ok(if self.rehearsal {
            for_rehearsal(config)
        } else {
            config
        })
    }

    fn apply(&self, config: &Config) -> Result<(), Stays> {
        let followed = self
            .files
            .as_ref()
            .map_or(Ok(()), |files| files.follow(config));
        followed.map_err(|why| Stays {
            section: LOG,
            why: format!("the log stays where it is, because {why}"),
        })
    }
}

/// Prints the configuration that is in effect, and where each value comes from.
pub(crate) fn show(common: &Common) -> Result<(), Trouble> {
    let config = common.configuration()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let configuration = runtime.block_on(async {
        match Station::attach_first(&config.sockets()).await {
            Ok(station) => match station.query(Query::Configuration).await? {
                Answer::Configuration(configuration) => Ok(configuration),
                _ => Err(unexpected()),
            },
            Err(nobody) => {
                let_in(&nobody)?;
                Ok(of_file(&config))
            }
        }
    })?;
    Ok(say(common.json, &configuration, table)?)
}

/// What a station would run with.
fn of_file(config: &Config) -> Configuration {
    let file = config.sources.file.as_ref();
    Configuration {
        file: file.map(|file| file.display().to_string()),
        values: shown(config, chosen(config).as_ref()),
    }
}

/// What an operator chose when the station last ran.
fn chosen(config: &Config) -> Option<Deployment> {
    if config.deployment_fixed_by.is_some() {
        return None;
    }
    let text = copies::setting(&config.data_dir, station::engine::CHOICE)?;
    let choice: DeploymentChoice = serde_json::from_str(&text).ok()?;
    config.deployment.chosen(&choice).ok()
}

fn table(configuration: &Configuration) -> String {
    let mut table = Table::new(&["key", "value", "from"], "");
    for value in &configuration.values {
        table.row([value.key.clone(), value.value.clone(), value.from.clone()]);
    }
    match &configuration.file {
        Some(file) => format!("{table}\nLines are those of {file}."),
        None => format!("{table}\nThere is no configuration file."),
    }
}

/// Has a running station read its configuration again.
pub(crate) fn reload(common: &Common) -> Result<(), Trouble> {
    crate::desk::run(common, async |desk: &Desk| {
        desk.must_be_live()?;
        let words = |receipt: &Receipt| match receipt {
            Receipt::Config(reloaded) => reloaded_words(reloaded),
            other => format!("{other:?}"),
        };
        desk.change(Command::ConfigReload, words).await
    })
}

/// What a reload did, in words.
pub(crate) fn reloaded_words(reloaded: &Reloaded) -> String {
    if reloaded.changes.is_empty() {
        return "Nothing has changed.".to_owned();
    }
    let lines = reloaded.changes.iter().map(|change| {
        let (key, from, to) = (&change.key, &change.from, &change.to);
        match &change.waits {
            None => format!("{key} is {to} now (was {from})."),
            Some(why) => format!("{key} stays {from}; {to}: {why}"),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}
