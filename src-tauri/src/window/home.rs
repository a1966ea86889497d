//! Whose station the window shows: a daemon's that already runs on the data folder, or an engine of
//! its own in this process.
//!
//! It is decided once, at the start. A window that was attached to a daemon never starts an engine of
//! its own when the daemon goes away: two owners of one bench, one after the other, are one surprise
//! too many. It waits until the daemon is back, see [`super::follow`].
//!
//! The window opens while this is still being found out, so whoever wants the station waits for it
//! with [`Home::station`].

use super::bench::Bench;
use crate::configuration::Again;
use crate::extras::extras;
use serde::Serialize;
use station::config::Config;
use station::link::Station;
use station::service::{Mode, RunningStation, run_with};
use std::path::PathBuf;
use std::sync::Mutex;
use tokio::sync::watch;
use wire::Refusal;
use wire::refusal::Code;

/// Who runs the station.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Engine {
    /// A service; it goes on when the window is closed.
    Daemon,
    /// This process; it ends with the window.
    Own,
}

/// The station, once it is found.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// Its handle.
    pub(crate) station: Station,
    /// Who runs it.
    pub(crate) engine: Engine,
    /// Its data folder.
    pub(crate) data_dir: PathBuf,
}

type Outcome = Option<Result<Found, Refusal>>;

/// Where the window gets its station from.
pub(crate) struct Home {
    found: watch::Sender<Outcome>,
    own: Mutex<Option<RunningStation>>,
}

impl Home {
    /// A home that has not looked yet.
    pub(crate) fn new() -> Self {
        Self {
            found: watch::Sender::new(None),
            own: Mutex::new(None),
        }
    }

    /// Looks for a daemon, and starts an engine when there is none, which reads its
    /// configuration `again` when it is told to. Afterwards everybody who waits knows; a failure is also returned, for the person who started the program.
    pub(crate) async fn open(&self, config: Config, again: Again) -> Result<Engine, Refusal> {
        let outcome = self.find(config, again).await;
        self.found.send_replace(Some(outcome.clone()));
        outcome.map(|found| found.engine)
    }

    async fn find(&self, config: Config, again: Again) -> Result<Found, Refusal> {
        let data_dir = config.data_dir.clone();
        match Station::attach_first(&config.sockets()).await {
            Ok(station) => {
                return Ok(Found {
                    station,
                    engine: Engine::Daemon,
                    data_dir,
                });
            }
            Err(nobody) if nobody.is_closed() => {
                return Err(Refusal::new(
                    Code::Forbidden,
                    format!(
                        "A station runs here ({}), and you may not speak to it.",
                        nobody.socket.display()
                    ),
                )
                .next(nobody.advice()));
            }
            Err(_) => {}
        }
        let extras = extras(config.agent.clone(), again);
        let running = run_with(config, Mode::Serve, extras).await.map_err(|why| {
            Refusal::new(
                Code::Unavailable,
                format!("The station could not be started: {why}."),
            )
        })?;
        let station = running.station();
        if let Ok(mut own) = self.own.lock() {
            *own = Some(running);
        }
        Ok(Found {
            station,
            engine: Engine::Own,
            data_dir,
        })
    }

    /// Waits until a part of the engine of this process broke down; for ever where it has none.
    pub(crate) async fn broken(&self) {
        let broken = self.own.lock().ok();
        let broken = broken.and_then(|own| own.as_ref().map(RunningStation::broken));
        match broken {
            Some(broken) => broken.cancelled().await,
            None => std::future::pending().await,
        }
    }

    /// Everything known about the station; waits until it is known.
    pub(crate) async fn found(&self) -> Result<Found, Refusal> {
        let mut found = self.found.subscribe();
        let outcome = found.wait_for(Option::is_some).await;
        outcome
            .ok()
            .and_then(|outcome| outcome.clone())
            .unwrap_or_else(|| Err(Refusal::internal("The window is closing.")))
    }

    /// The station of a bench.
    pub(crate) async fn station(&self, bench: Bench) -> Result<Station, Refusal> {
        bench.of(self.found().await?.station)
    }

    /// Who runs the station, as far as it is known.
    pub(crate) fn engine(&self) -> Option<Engine> {
        let found = self.found.borrow();
        found.as_ref()?.as_ref().ok().map(|found| found.engine)
    }

    /// Stops the engine of this process, if it has one.
    pub(crate) async fn close(&self) {
        let own = self.own.lock().ok().and_then(|mut own| own.take());
        if let Some(running) = own {
            running.stop().await;
        }
    }
}
