//! Desktop notifications: what a person at another window has to know.
//!
//! Which notices are due and in what words says [`station::notices`]. [`show`] hands them to the
//! desktop and waits for a click. [`Notices`] is the thin part between them and the clock.

mod show;

use super::bench::Bench;
use show::Shower;
use station::notices::{Manner, Rule, notice};
use std::time::Instant;
use tauri::AppHandle;
use wire::update::Update;

/// Reads the stream and notifies.
pub(crate) struct Notices {
    rule: Rule,
    shower: Shower,
}

impl Notices {
    /// Nothing has been seen of this bench yet.
    pub(crate) fn new(app: AppHandle, bench: Bench) -> Self {
        Self {
            rule: Rule::new(Manner {
                beside: bench == Bench::Rehearsal,
                ..Manner::DESKTOP
            }),
            shower: Shower::new(app),
        }
    }

    /// Reads one update.
    pub(crate) fn take(&mut self, update: &Update) {
        self.rule.take(update, Instant::now());
    }

    /// Waits until a notice is due; for ever while there is none.
    pub(crate) async fn due(&self) {
        match self.rule.due() {
            Some(at) => tokio::time::sleep_until(at.into()).await,
            None => std::future::pending().await,
        }
    }

    /// Shows what is due.
    pub(crate) fn show(&mut self) {
        for group in self.rule.ready(Instant::now()) {
            self.shower.show(notice(&group));
        }
    }
}
