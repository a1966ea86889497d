//! Rehearsals beside a running station: virtual boards on a private station of their own.
//!
//! ```text
//! RehearsalStart ─▶ engine ─▶ Rehearsals::start ─▶ a thread: private station ─▶ virtual_pi::rehearse
//!                    ▲                                     │ progress
//!                    └───────── RehearsalStage ◀───────────┘
//! ```
//!
//! The private station lives in a temporary folder and outlives its boards, so that the bench can
//! still be looked at; it goes with the next start or stop. The daemon and the window hand the same
//! [`Rehearsals`] to their station.

mod mix;
#[cfg(test)]
mod tests;

use crate::private_station;
use station::config::AgentFiles;
use station::rehearsal::{RehearsalStage, Rehearsals as Seam};
use station::service::RunningStation;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Handle as Runtime;
use virtual_pi::model::Model;
use virtual_pi::rehearse::{Halt, Options, Progress, RehearseError, Station, rehearse};
use virtual_pi::speed::Speed;
use wire::rehearsal::{RehearsalPlan, RehearsalReport};

/// How long boards that fail, wait or went quiet are left to the operator before the rehearsal is
/// summed up without them.
const PATIENCE: Duration = Duration::from_hours(4);

/// Rehearses beside a station.
pub(crate) struct Rehearsals {
    runtime: Runtime,
    agent: AgentFiles,
    run: Mutex<Option<Run>>,
}

/// A rehearsal under way, or over and still to be looked at.
struct Run {
    halt: Halt,
    thread: JoinHandle<()>,
    stand: Arc<Stand>,
}

/// The private station and the folder of everything that is the rehearsal's.
#[derive(Default)]
struct Stand(Mutex<Option<(RunningStation, TempDir)>>);

impl Rehearsals {
    /// Private stations run on `runtime`, and serve boards the agent of these files. Those need not
    /// exist: a virtual board brings its agent with it.
    pub(crate) fn new(runtime: Runtime, agent: AgentFiles) -> Self {
        Self {
            runtime,
            agent,
            run: Mutex::default(),
        }
    }

    fn run(&self) -> MutexGuard<'_, Option<Run>> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seam for Rehearsals {
    fn models(&self) -> Vec<String> {
        Model::ALL.iter().map(|m| m.name().to_owned()).collect()
    }

    fn start(&self, plan: RehearsalPlan, stage: RehearsalStage) {
        self.stop();
        let (halt, stand) = (Halt::default(), Arc::<Stand>::default());
        let show = Show {
            runtime: self.runtime.clone(),
            agent: self.agent.clone(),
            halt: halt.clone(),
            stand: Arc::clone(&stand),
            stage,
        };
        let thread = std::thread::Builder::new().name("rehearsal".to_owned());
        match thread.spawn(move || show.run(&plan)) {
            Ok(thread) => {
                *self.run() = Some(Run {
                    halt,
                    thread,
                    stand,
                });
            }
            // The stage went with the thread's work, and has said that it broke off.
            Err(error) => tracing::error!(%error, "no thread for a rehearsal"),
        }
    }

    fn stop(&self) {
        let Some(run) = self.run().take() else {
            return;
        };
        run.halt.call();
        if run.thread.join().is_err() {
            tracing::error!("the rehearsal broke down");
        }
        run.stand.clear(&self.runtime);
    }
}

impl Stand {
    fn place(&self) -> MutexGuard<'_, Option<(RunningStation, TempDir)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the station and removes the folder.
    fn clear(&self, runtime: &Runtime) {
        let left = self.place().take();
        if let Some((station, folder)) = left {
            runtime.block_on(station.stop());
            if let Err(error) = folder.close() {
                tracing::warn!(%error, "the rehearsal's folder could not be removed");
            }
        }
    }
}

/// One rehearsal, on its own thread.
struct Show {
    runtime: Runtime,
    agent: AgentFiles,
    halt: Halt,
    stand: Arc<Stand>,
    stage: RehearsalStage,
}

impl Show {
    fn run(self, plan: &RehearsalPlan) {
        match self.perform(plan) {
            Ok(report) => self.stage.ended(report),
            Err(error) => {
                // Whoever hears of the end finds nothing left of it.
                self.stand.clear(&self.runtime);
                let why = match error.downcast_ref() {
                    Some(RehearseError::Halted) => "It was stopped.".to_owned(),
                    _ => sentence(&format!("{error:#}")),
                };
                tracing::info!(why, "the rehearsal broke off");
                self.stage.stopped(why);
            }
        }
    }

    fn perform(&self, plan: &RehearsalPlan) -> anyhow::Result<RehearsalReport> {
        self.stage.preparing("starting its station");
        let options = self.options(plan)?;
        let folder = tempfile::Builder::new()
            .prefix("punnet-rehearsal-")
            .tempdir()?;
        let data = folder.path().join("station");
        let work = folder.path().join("work");
        let station = private_station::start(&self.runtime, &data, self.agent.clone())?;
        let bench = station.engine().clone();
        let doors = private_station::doors(&self.runtime, &station);
        *self.stand.place() = Some((station, folder));
        let options = Options {
            work: Some(work),
            ..options
        };
        let progress = |progress: Progress| match progress {
            Progress::Preparing(what) => self.stage.preparing(what),
            Progress::BoardsOn => self.stage.running(bench.clone()),
            Progress::Proving => self.stage.proving(),
            // The bench itself shows what happens to a board.
            Progress::Board(..) | Progress::Checked { .. } => {}
        };
        Ok(rehearse(&options, Station::Attach(doors?), &progress)?)
    }

    fn options(&self, plan: &RehearsalPlan) -> anyhow::Result<Options> {
        let models: Result<Vec<Model>, String> = plan.models.iter().map(|m| m.parse()).collect();
        Ok(Options {
            boards: plan.boards,
            models: models.map_err(anyhow::Error::msg)?,
            faults: mix::deal(plan),
            speed: Speed::of_card(plan.speed_percent),
            asks_again: true,
            patience: PATIENCE,
            halt: self.halt.clone(),
            ..Options::default()
        })
    }
}

/// Words of an error as a sentence.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    let mut sentence: String = first.chain(letters).collect();
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}
