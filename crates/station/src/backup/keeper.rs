//! Makes backups: every few hours by itself, at once when asked, and says when there are none.

use super::{Plan, finding, folder, snapshot};
use crate::engine::Engine;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wire::Millis;
use wire::backup::BackupRun;

const HOUR_MS: i64 = 60 * 60 * 1000;
/// A machine that slept, or whose clock was set, is noticed after this long.
const LOOK_MS: i64 = 60_000;
/// At most this often is progress told, in milliseconds.
const TELL_EVERY: i64 = 250;

/// Begins to make backups of `data_dir`, until the station stops: where they are asked for, and the
/// task.
pub(crate) fn begin(
    engine: Engine,
    data_dir: PathBuf,
    plan: watch::Receiver<Plan>,
    stop: CancellationToken,
) -> (mpsc::UnboundedSender<()>, JoinHandle<()>) {
    let (ask, asked) = mpsc::unbounded_channel();
    let keeper = Keeper {
        engine,
        data_dir,
        plan,
        failed: None,
    };
    (ask, tokio::spawn(keeper.keep(asked, stop)))
}

/// Makes one and tells the engine how it goes. True when there is one more good backup.
pub async fn make(engine: &Engine, data_dir: PathBuf, plan: Plan) -> bool {
    let teller = engine.clone();
    let since = Millis::now();
    let told = AtomicI64::new(0);
    let progress = move |done, total| {
        let now = Millis::now().0;
        if now - told.load(Ordering::Relaxed) >= TELL_EVERY {
            told.store(now, Ordering::Relaxed);
            teller.backup_runs(BackupRun { since, done, total });
        }
    };
    let work =
        tokio::task::spawn_blocking(move || snapshot::take(&data_dir, &plan, since, &progress));
    let outcome = match work.await {
        Ok(Ok(file)) => {
            let name = file.file_name().unwrap_or_default();
            Ok((since, name.to_string_lossy().into_owned()))
        }
        Ok(Err(why)) => Err(why.to_string()),
        Err(gone) => Err(format!("it broke off: {gone}")),
    };
    match &outcome {
        Ok((_, file)) => tracing::info!(file, "backup made"),
        Err(why) => tracing::error!(why, "no backup was made"),
    }
    let made = outcome.is_ok();
    match engine.backup_ended(outcome).await {
        Ok(()) => made,
        Err(refusal) => {
            tracing::error!(%refusal, "the backup could not be noted");
            false
        }
    }
}

/// When the next one is due by itself.
pub(crate) fn next(last: Option<Millis>, plan: &Plan) -> Option<Millis> {
    let every = i64::from(plan.every_hours) * HOUR_MS;
    (every > 0).then(|| last.map_or(Millis(0), |last| last.plus(every)))
}

struct Keeper {
    engine: Engine,
    data_dir: PathBuf,
    plan: watch::Receiver<Plan>,
    /// When the newest attempt failed.
    failed: Option<Millis>,
}

impl Keeper {
    async fn keep(mut self, mut asked: mpsc::UnboundedReceiver<()>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let plan = self.plan.borrow_and_update().clone();
            self.warn(&plan).await;
            let now = Millis::now();
            let due = self.due(&plan, now);
            if due.is_some_and(|due| due <= now) {
                self.make(plan).await;
                continue;
            }
            let wait = due.map_or(LOOK_MS, |due| due.since(now).min(LOOK_MS));
            let wait = Duration::from_millis(wait.unsigned_abs());
            tokio::select! {
                () = stop.cancelled() => {}
                Some(()) = asked.recv() => self.make(plan).await,
                Ok(()) = self.plan.changed() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    async fn make(&mut self, plan: Plan) {
        let good = make(&self.engine, self.data_dir.clone(), plan).await;
        self.failed = (!good).then(Millis::now);
    }

    /// When one is due. After a failure there is an hour of rest; a last one that lies in the future
    /// was made by another clock.
    fn due(&self, plan: &Plan, now: Millis) -> Option<Millis> {
        let last = self.engine.backup_state().last;
        let due = next(last.filter(|last| *last <= now), plan)?;
        let rested = self.failed.map(|failed| failed.plus(HOUR_MS));
        Some(rested.map_or(due, |rested| due.max(rested)))
    }

    async fn warn(&self, plan: &Plan) {
        let state = self.engine.backup_state();
        let begun = self.engine.record_begins().await;
        let trouble = state.trouble.as_deref();
        let found = finding(state.last, begun, trouble, plan, Millis::now());
        self.engine.backup_finding(found);
    }
}

/// What is to be shown of a folder of backups.
pub fn backups(plan: &Plan, last: Option<Millis>) -> std::io::Result<wire::backup::Backups> {
    Ok(wire::backup::Backups {
        folder: plan.dir.display().to_string(),
        every_hours: plan.every_hours,
        keep: plan.keep,
        warn_days: plan.warn_days,
        next: next(last, plan).map(|at| at.max(Millis::now())),
        list: folder::list(&plan.dir)?,
    })
}
