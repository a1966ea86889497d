//! Rehearsals beside the station: the seam between the station and whoever has virtual boards.
//!
//! The station knows no virtual board. Whoever runs it may hand it a [`Rehearsals`] that does; then
//! the commands to start and stop one are taken. A command becomes a call here, and the one who is
//! called tells each change of state through the [`RehearsalStage`] it was given, with a handle on
//! the bench of the rehearsal's own station once there is one. That bench is watched and commanded
//! like the real one, through [`crate::link::Station::rehearsal`] and the doors; nothing of it ever
//! reaches the real one's store.

use crate::engine::Engine;
use std::sync::atomic::{AtomicBool, Ordering};
use wire::Refusal;
use wire::refusal::Code;
use wire::rehearsal::{RehearsalPlan, RehearsalReport, RehearsalState};

/// Somebody who can rehearse. Both calls may block for a moment; they never come at the same time.
pub trait Rehearsals: Send + Sync + 'static {
    /// The models of virtual boards there are, as a plan spells them.
    fn models(&self) -> Vec<String>;

    /// Begins one, after putting away what the one before has left, and returns. The plan is sound.
    fn start(&self, plan: RehearsalPlan, stage: RehearsalStage);

    /// Switches the boards off, ends the rehearsal's station, and returns when both are gone. Does
    /// nothing when there is none.
    fn stop(&self);
}

/// Where one rehearsal tells how it goes. Words of a rehearsal that is no longer the current one are
/// not heard. Dropped before an end was told, it says that the rehearsal broke off.
#[derive(Debug)]
pub struct RehearsalStage {
    engine: Engine,
    run: u64,
    over: AtomicBool,
}

impl RehearsalStage {
    pub(crate) fn new(engine: Engine, run: u64) -> Self {
        Self {
            engine,
            run,
            over: AtomicBool::new(false),
        }
    }

    /// It is being prepared; what is being done, in words.
    pub fn preparing(&self, doing: impl Into<String>) {
        let doing = doing.into();
        self.tell(RehearsalState::Preparing { doing });
    }

    /// Its boards are on, and this is the engine of its station. It may be watched and commanded
    /// until the rehearsal is stopped or another one begins, so also after the end.
    pub fn running(&self, bench: Engine) {
        self.engine.show_rehearsal(Some(bench));
        self.tell(RehearsalState::Running);
    }

    /// Its boards have come to an end; their disks are being checked.
    pub fn proving(&self) {
        self.tell(RehearsalState::Proving);
    }

    /// It is over, with this result.
    pub fn ended(&self, report: RehearsalReport) {
        self.over.store(true, Ordering::Relaxed);
        let report = Box::new(report);
        self.tell(RehearsalState::Ended { report });
    }

    /// It was stopped, or could not go on; why, as a sentence. Its bench is gone.
    pub fn stopped(&self, why: impl Into<String>) {
        self.over.store(true, Ordering::Relaxed);
        self.engine.show_rehearsal(None);
        let why = why.into();
        self.tell(RehearsalState::Stopped { why });
    }

    fn tell(&self, state: RehearsalState) {
        self.engine.rehearsal_changed(self.run, state);
    }
}

impl Drop for RehearsalStage {
    fn drop(&mut self) {
        if !*self.over.get_mut() {
            self.stopped("The rehearsal broke off; the station's log may say why.");
        }
    }
}

/// The refusal of whoever asks for the bench of a rehearsal while there is none.
pub fn none_runs() -> Refusal {
    Refusal::new(Code::Unavailable, "No rehearsal is running.").next("Start one first.")
}
