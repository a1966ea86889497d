//! Where a verb finds its station: one that runs, or the data folder opened in this process.
//!
//! A running station answers on the Unix socket in its data folder. Where nobody answers, planning
//! and looking things up work all the same: the engine is opened here for the length of one verb.
//! What only a running station can do says so. A person on a machine with the service most likely means
//! that one, so beside it nothing of a person's own is changed that was not named.

use crate::common::Common;
use crate::trouble::Trouble;
use crate::{confirm, print};
use anyhow::Context as _;
use imaging::key::load_or_create;
use station::backup::{keeper, remedied};
use station::config::Config;
use station::engine::{Effect, Engine, Options};
use station::library::Library;
use station::library::imports::Importer;
use station::link::{Station, Unreachable};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wire::Refusal;
use wire::command::{Command, Receipt};
use wire::query::{Answer, Query};
use wire::refusal::Code;

/// A verb's desk.
pub(crate) struct Desk {
    /// The station.
    pub(crate) station: Station,
    /// Print JSON?
    pub(crate) json: bool,
    /// Ask before what cannot be undone?
    asks: bool,
    /// Does the station run, with servers and boards?
    pub(crate) live: bool,
    /// The configuration that the arguments point to.
    pub(crate) config: Config,
    importer: Option<Importer>,
    /// The data folder of the service, which is not this one and may be the one that is meant.
    beside: Option<PathBuf>,
}

/// Something a verb does at a desk.
pub(crate) trait Work {
    /// Does it.
    fn at(self, desk: &Desk) -> impl Future<Output = Result<(), Trouble>>;
}

impl<F: AsyncFnOnce(&Desk) -> Result<(), Trouble>> Work for F {
    async fn at(self, desk: &Desk) -> Result<(), Trouble> {
        self(desk).await
    }
}

/// Does a verb's work at the desk that the arguments point to.
pub(crate) fn run(common: &Common, work: impl Work) -> Result<(), Trouble> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let desk = Desk::open(common).await?;
        let done = work.at(&desk).await;
        if done.is_ok() {
            desk.tell_of_service();
        }
        desk.close().await;
        done
    })
}

impl Desk {
    async fn open(common: &Common) -> Result<Self, Trouble> {
        let config = common.configuration()?;
        let asks = !common.yes && !common.json && confirm::can_ask();
        match Station::attach_first(&config.sockets()).await {
            Ok(station) => Ok(Self {
                station,
                json: common.json,
                asks,
                live: true,
                config,
                importer: None,
                beside: None,
            }),
            Err(nobody) => {
                let_in(&nobody)?;
                Self::alone(config, common.json, asks).await
            }
        }
    }

    /// Opens the data folder in this process.
    async fn alone(config: Config, json: bool, asks: bool) -> Result<Self, Trouble> {
        let engine = Engine::open(Options {
            data_dir: config.data_dir.clone(),
            rehearsal: false,
        })
        .map_err(|e| remedied(e, &config.data_dir, &config.backup_plan().dir))
        .with_context(|| format!("no station answers, and {}", config.data_dir.display()))
        .map_err(Trouble::Failed)?;
        let library = Library::open(&config.packs_dir())?;
        let key = load_or_create(&config.data_dir.join("station.key"))
            .map_err(|e| Trouble::Failed(e.into()))?;
        let importer = Importer::new(engine.clone(), library.clone(), Arc::new(key));
        engine.look_for_packs(&library).await;
        let hands = Hands {
            engine: engine.clone(),
            library,
            importer: importer.clone(),
            config: config.clone(),
        };
        tokio::spawn(hands.work());
        Ok(Self {
            station: Station::Here(engine),
            json,
            asks,
            live: false,
            beside: config.beside_service().map(Path::to_owned),
            config,
            importer: Some(importer),
        })
    }

    async fn close(self) {
        if let Some(importer) = self.importer {
            importer.cancel_all();
            while importer.busy() {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        }
        if let Station::Here(engine) = self.station {
            engine.close().await;
        }
    }

    /// Refuses what only a running station can do.
    pub(crate) fn must_be_live(&self) -> Result<(), Trouble> {
        if self.live {
            return Ok(());
        }
        Err(Trouble::Refused(
            Refusal::new(
                Code::Unavailable,
                "No station is running on this data folder.",
            )
            .next("Start it with `punnet --daemon`, or name its folder with --data-dir."),
        ))
    }

    /// Says whose records were read, where that may be a surprise.
    fn tell_of_service(&self) {
        if let Some(service) = &self.beside {
            eprintln!(
                "No station answers, so this is what {} holds. The service has its own in {}; start \
                 it with `sudo systemctl start punnet`.",
                self.config.data_dir.display(),
                service.display()
            );
        }
    }

    /// Changes something.
    pub(crate) async fn command(&self, command: Command) -> Result<Receipt, Trouble> {
        not_beside_service(&self.config, self.beside.as_deref())?;
        Ok(self.station.command(command).await?)
    }

    /// Asks something.
    pub(crate) async fn query(&self, query: Query) -> Result<Answer, Trouble> {
        Ok(self.station.query(query).await?)
    }

    /// Changes something and prints what became of it: JSON, or what `words` makes of the receipt.
    pub(crate) async fn change(
        &self,
        command: Command,
        words: impl FnOnce(&Receipt) -> String,
    ) -> Result<(), Trouble> {
        let receipt = self.command(command).await?;
        self.say(&receipt, words)
    }

    /// Prints a value as JSON, or what `words` makes of it.
    pub(crate) fn say<T: serde::Serialize>(
        &self,
        value: &T,
        words: impl FnOnce(&T) -> String,
    ) -> Result<(), Trouble> {
        Ok(print::say(self.json, value, words)?)
    }

    /// Asks the person at the terminal, if there is one, whether to go on with what cannot be
    /// undone.
    pub(crate) fn sure(&self, what: &str) -> Result<(), Trouble> {
        if !self.asks || confirm::yes(what)? {
            return Ok(());
        }
        Err(Trouble::words("nothing was changed"))
    }
}

/// Does what the engine wants done outside while no station runs: images and backups are handled,
/// servers are not.
struct Hands {
    engine: Engine,
    library: Library,
    importer: Importer,
    config: Config,
}

impl Hands {
    async fn work(self) {
        let mut effects = self.engine.effects();
        while let Some(effect) = effects.recv().await {
            match effect {
                Effect::StartImport(wanted) => self.importer.start(wanted),
                Effect::CancelImport { import } => self.importer.cancel(&import),
                Effect::RemovePack { image } => self.library.remove(image),
                Effect::MakeBackup => {
                    let plan = self.config.backup_plan();
                    keeper::make(&self.engine, self.config.data_dir.clone(), plan).await;
                }
                Effect::StartServer(_)
                | Effect::StopServer(_)
                | Effect::StandOn(_)
                | Effect::Vouch(_)
                | Effect::StartRehearsal { .. }
                | Effect::StopRehearsal { .. } => {}
            }
        }
    }
}

/// Refuses where a station runs that this user may not speak to.
pub(crate) fn let_in(nobody: &Unreachable) -> Result<(), Trouble> {
    if !nobody.is_closed() {
        return Ok(());
    }
    Err(Trouble::words(format!(
        "a station runs here ({}), and this user may not speak to it. {}",
        nobody.socket.display(),
        nobody.advice()
    )))
}

/// Refuses to change a data folder that nobody named, while the service with its own is installed and
/// does not answer.
pub(crate) fn not_beside_service(config: &Config, service: Option<&Path>) -> Result<(), Trouble> {
    let Some(service) = service else {
        return Ok(());
    };
    let own = config.data_dir.display();
    let text = format!(
        "The service of this machine (data folder {}) does not answer, and this would change another \
         station, the one in {own}.",
        service.display()
    );
    let next = format!(
        "Start the service with `sudo systemctl start punnet`; or add --data-dir {own} if that is \
         meant."
    );
    Err(Trouble::Refused(
        Refusal::new(Code::Unavailable, text).next(next),
    ))
}

/// An answer of another kind than the question.
pub(crate) fn unexpected() -> Trouble {
    Trouble::words(
        "the station gave another answer than was asked for; it may be of another version",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use station::config::Environment;

    #[test]
    fn beside_a_service_that_does_not_answer_one_may_look_and_change_only_what_was_named() {
        let folder = tempfile::tempdir().unwrap();
        let environment = Environment {
            data_home: Some(folder.path().join("own")),
            service: Some(folder.path().join("service")),
            ..Environment::default()
        };
        let add = Command::VenueAdd {
            code: "CORO".parse().unwrap(),
            name: "Corona".to_owned(),
            location: String::new(),
            contact: String::new(),
        };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let mut config = Config::defaults(&environment);
            let desk = Desk::alone(config.clone(), false, false).await.unwrap();
            desk.query(Query::Venues).await.unwrap();
            let Err(Trouble::Refused(refusal)) = desk.command(add.clone()).await else {
                panic!("a station that nobody named was changed");
            };
            for folder in [&environment.data_home, &environment.service] {
                let folder = folder.as_ref().unwrap().display().to_string();
                assert!(refusal.message.contains(&folder), "{refusal}");
            }
            assert!(refusal.next.unwrap().contains("--data-dir"));
            desk.close().await;
            config.door.named = true;
            let desk = Desk::alone(config, false, false).await.unwrap();
            desk.command(add).await.unwrap();
            desk.close().await;
        });
    }
}
