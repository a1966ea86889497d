//! Backups as the engine sees them: when the last good one was made, and what is being done about the
//! next. Copies are made beside it, by [`crate::backup::keeper`].

use super::ask::Engine;
use super::commands::shared::done;
use super::effect::Effect;
use super::turn::Turn;
use crate::backup::outgoing::Outgoing;
use crate::bench::stages::Note;
use crate::store;
use crate::store::events::About;
use crate::who::Who;
use wire::Millis;
use wire::backup::{BackupRun, BackupState};
use wire::command::Receipt;
use wire::operator::Role;
use wire::query::Answer;
use wire::refusal::Refusal;
use wire::update::Update;

impl Engine {
    /// How it is with backups now.
    pub fn backup_state(&self) -> BackupState {
        self.published().read(|snapshot| snapshot.backup.clone())
    }

    /// When the record of this station begins.
    pub(crate) async fn record_begins(&self) -> Option<Millis> {
        let first = self.read(|conn| Ok(store::events::first(conn)?)).await;
        first.unwrap_or_default()
    }

    /// A backup is further.
    pub(crate) fn backup_runs(&self, run: BackupRun) {
        self.post(move |turn| {
            let mut state = known(turn);
            state.running = Some(run);
            turn.tell(Update::Backup(state));
            Ok(())
        });
    }

    /// A backup has ended: when it was made and the name of its file, or why it failed.
    pub(crate) async fn backup_ended(
        &self,
        outcome: Result<(Millis, String), String>,
    ) -> Result<(), Refusal> {
        self.work(move |turn| ended(turn, outcome)).await
    }

    /// Begins an archive of everything for somebody, as whoever runs this program.
    pub async fn archive(&self, packs: bool) -> Result<Outgoing, Refusal> {
        self.archive_by(&Who::here(), packs).await
    }

    /// The same for somebody. It holds the station's secrets.
    pub async fn archive_by(&self, who: &Who, packs: bool) -> Result<Outgoing, Refusal> {
        let begun = async {
            who.may(Role::Admin)?;
            self.outside()?.archive(packs).await
        };
        let begun = begun.await;
        let what = if packs { "with packs" } else { "without packs" };
        self.record(who, "archive", what, begun.as_ref().err())
            .await;
        begun
    }

    /// The backups in the folder.
    pub(super) async fn backups(&self) -> Result<Answer, Refusal> {
        Ok(Answer::Backups(
            self.outside()?.backups(self.backup_state().last).await?,
        ))
    }
}

fn known(turn: &Turn<'_>) -> BackupState {
    turn.published.read(|snapshot| snapshot.backup.clone())
}

fn ended(turn: &mut Turn<'_>, outcome: Result<(Millis, String), String>) -> Result<(), Refusal> {
    let mut state = known(turn);
    state.running = None;
    let note = match outcome {
        Ok((at, file)) => {
            store::settings::set_last_backup(turn.tx, at)?;
            state.last = Some(at);
            state.trouble = None;
            Note::info("backup.made", format!("The backup {file} was made."))
        }
        Err(why) => {
            let text = format!("No backup was made: {}.", why.trim_end_matches('.'));
            state.trouble = Some(why);
            Note::error("backup.failed", text)
        }
    };
    turn.note(&About::default(), note)?;
    turn.tell(Update::Backup(state));
    Ok(())
}

/// Has a backup made.
pub(super) fn now(turn: &mut Turn<'_>) -> Result<Receipt, Refusal> {
    let mut state = known(turn);
    if state.running.is_some() {
        return Err(Refusal::conflict("A backup is being made already."));
    }
    state.running = Some(BackupRun {
        since: turn.now,
        done: 0,
        total: 0,
    });
    turn.tell(Update::Backup(state));
    turn.effect(Effect::MakeBackup);
    Ok(done("A backup is being made.".to_owned()))
}
