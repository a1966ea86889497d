//! Where a verb finds its station: one that runs, or the data folder opened in this process.
//!
//! A running station answers on the Unix socket in its data folder. Where nobody answers, planning
//! and looking things up work all the same: the engine is opened here for the length of one verb.
//! What only a running station can do says so.

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
use station::link::Station;
use std::sync::Arc;
use wire::Refusal;
use wire::command::{Command, Receipt};
use wire::query::{Answer, Query};

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
        desk.close().await;
        done
    })
}

impl Desk {
    async fn open(common: &Common) -> Result<Self, Trouble> {
        let config = common.configuration()?;
        let asks = !common.yes && !common.json && confirm::can_ask();
        let nobody = match Station::attach_first(&config.sockets()).await {
            Ok(station) => {
                return Ok(Self {
                    station,
                    json: common.json,
                    asks,
                    live: true,
                    config,
                    importer: None,
                });
            }
            Err(nobody) => nobody,
        };
        if nobody.is_closed() {
            return Err(Trouble::words(format!(
                "a station runs here ({}), and this user may not speak to it. {}",
                nobody.socket.display(),
                nobody.advice()
            )));
        }
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
            json: common.json,
            asks,
            live: false,
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
                wire::refusal::Code::Unavailable,
                "No station is running on this data folder.",
            )
            .next("Start it with `punnet --daemon`, or name its folder with --data-dir."),
        ))
    }

    /// Changes something.
    pub(crate) async fn command(&self, command: Command) -> Result<Receipt, Trouble> {
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

/// An answer of another kind than the question.
pub(crate) fn unexpected() -> Trouble {
    Trouble::words(
        "the station gave another answer than was asked for; it may be of another version",
    )
}
