//! Telling the station: a thread of its own, so that a station that is away never holds up a disk.
//!
//! Events are kept until they are acked; of progress only the newest counts. What the station says
//! back (stop, identify) is picked up here and looked at by whoever works. A station that does not
//! know the deployment, or does not believe its secret, will not tomorrow either: that is a stop too.

use crate::failure::Trouble;
use crate::platform::Platform;
use crate::settings::Settings;
use crate::spool::Spool;
use delivery::http::{HttpError, Station};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use wire::agent::{Ack, AgentEvent, Job, Report};
use wire::board::{Progress, Stage};
use wire::refusal::{Code, Refusal};

/// How often those who wait look whether the plug was pulled.
const LOOK: Duration = Duration::from_millis(200);

/// The voice of one deployment.
pub(crate) struct Reporter<'a> {
    platform: &'a dyn Platform,
    station: Station,
    settings: &'a Settings,
    deployment: String,
    secret: String,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    spool: Spool,
    /// Something waits to be said at once.
    urgent: bool,
    progress: Option<(Stage, Progress)>,
    stop: Option<String>,
    away: Option<String>,
    finished: bool,
}

impl<'a> Reporter<'a> {
    pub(crate) fn new(
        platform: &'a dyn Platform,
        station: Station,
        settings: &'a Settings,
        job: &Job,
    ) -> Self {
        Self {
            platform,
            station,
            settings,
            deployment: job.deployment.clone(),
            secret: job.secret.clone(),
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Adds an event.
    pub(crate) fn tell(&self, event: AgentEvent) {
        let mut state = self.lock();
        state.spool.push(event);
        state.urgent = true;
        self.changed.notify_all();
    }

    /// Adds a line to the deployment's log.
    pub(crate) fn log(&self, line: impl Into<String>) {
        self.tell(AgentEvent::Log { line: line.into() });
    }

    /// Replaces the progress.
    pub(crate) fn progress(&self, stage: Stage, progress: Progress) {
        self.lock().progress = Some((stage, progress));
    }

    /// Why the work must end now, if it must.
    pub(crate) fn halted(&self) -> Option<Trouble> {
        if self.platform.power_lost() {
            return Some(Trouble::PowerLost);
        }
        self.lock().stop.clone().map(Trouble::Stopped)
    }

    /// What keeps reports from arriving, if anything does.
    pub(crate) fn away(&self) -> Option<String> {
        self.lock().away.clone()
    }

    /// Returns once the station has stored every event, however long that takes, or has said that it
    /// never will.
    pub(crate) fn wait_acked(&self) -> Result<(), Trouble> {
        let mut state = self.lock();
        loop {
            if self.platform.power_lost() {
                return Err(Trouble::PowerLost);
            }
            if let Some(why) = &state.stop {
                return Err(Trouble::Stopped(why.clone()));
            }
            if state.spool.is_empty() {
                return Ok(());
            }
            state = self.wait(state, LOOK);
        }
    }

    /// Ends the thread; what is not acked is forgotten.
    pub(crate) fn finish(&self) {
        self.lock().finished = true;
        self.changed.notify_all();
    }

    /// The thread.
    pub(crate) fn work(&self) {
        let mut pause = Duration::ZERO;
        loop {
            let mut state = self.lock();
            let since = Instant::now();
            loop {
                if state.finished || state.stop.is_some() || self.platform.power_lost() {
                    return;
                }
                let due = if pause.is_zero() {
                    self.settings.report_every
                } else {
                    pause
                };
                let left = due.saturating_sub(since.elapsed());
                if left.is_zero() || (state.urgent && pause.is_zero()) {
                    break;
                }
                state = self.wait(state, left.min(LOOK));
            }
            state.urgent = false;
            let report = Report {
                deployment: self.deployment.clone(),
                secret: self.secret.clone(),
                events: state.spool.batch(),
                progress: state.progress,
            };
            drop(state);
            let answer = self.station.post("/agent/v1/report", &report);
            pause = match answer {
                Ok(ack) => {
                    self.take(&ack, &report);
                    Duration::ZERO
                }
                Err(HttpError::Refused(refusal)) if is_lasting(&refusal) => {
                    self.turned_away(&refusal);
                    return;
                }
                Err(error) => {
                    self.lock().away = Some(in_words(&error));
                    (pause * 2).clamp(self.settings.pause, self.settings.longest_pause)
                }
            };
        }
    }

    /// Nothing of this deployment will ever be on record: the work ends like one that was called off.
    fn turned_away(&self, refusal: &Refusal) {
        let why = format!("the station does not take the board's reports: {refusal}");
        self.lock().stop = Some(why);
        self.changed.notify_all();
    }

    fn take(&self, ack: &Ack, report: &Report) {
        let mut state = self.lock();
        state.away = None;
        // Never more than was said: a station that counts wrongly must not lose events.
        let said = report.events.last().map_or(0, |(n, _)| *n);
        state.spool.ack(ack.acked.min(said));
        if ack.stop.is_some() {
            state.stop.clone_from(&ack.stop);
        }
        // A long spool goes out without pause.
        state.urgent |= !state.spool.is_empty() && ack.acked >= said && said > 0;
        self.changed.notify_all();
        drop(state);
        if ack.identify_s > 0 {
            self.platform.blink(ack.identify_s);
        }
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State>, time: Duration) -> MutexGuard<'s, State> {
        let result = self.changed.wait_timeout(state, time);
        result.unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Is it of no use to say it again? Whatever else is refused may be taken later: a station that starts
/// or has too much to do refuses as well.
fn is_lasting(refusal: &Refusal) -> bool {
    matches!(refusal.code, Code::NotFound | Code::Forbidden)
}

/// Why a report did not arrive, for the screen.
fn in_words(error: &HttpError) -> String {
    match error {
        HttpError::Unreachable { .. } => "The station does not answer.".to_owned(),
        HttpError::Refused(refusal) => format!("The station takes no reports now: {refusal}"),
        HttpError::Strange { .. } => format!("{error}."),
    }
}
