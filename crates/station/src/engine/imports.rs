//! Imports under way are kept in the store, so that one that a crash or a power cut ended is told of at
//! the next start. What it left on the disk is removed by whoever opens the library.

use super::turn::Turn;
use crate::bench::stages::Note;
use crate::store;
use crate::store::events::About;
use wire::command::{Import, ImportState};
use wire::refusal::Refusal;

/// An import begins.
pub(super) fn begun(turn: &mut Turn<'_>, import: &Import) -> Result<(), Refusal> {
    let mut running = store::settings::imports(turn.tx)?;
    running.insert(import.id.clone(), import.file_name.clone());
    store::settings::set_imports(turn.tx, &running)?;
    let text = format!("The import of {} has begun.", import.file_name);
    Ok(turn.note(&About::default(), Note::info("image.import_begun", text))?)
}

/// An import is further; one that has ended, however it ended, has told its own end.
pub(super) fn changed(turn: &mut Turn<'_>, import: &Import) -> Result<(), Refusal> {
    if import.state == ImportState::Running {
        return Ok(());
    }
    let mut running = store::settings::imports(turn.tx)?;
    if running.remove(&import.id).is_some() {
        store::settings::set_imports(turn.tx, &running)?;
    }
    Ok(())
}

/// The station starts: what is under way by its books was cut off.
pub(super) fn cut_off(turn: &mut Turn<'_>) -> Result<(), Refusal> {
    let mut running = store::settings::imports(turn.tx)?;
    if running.is_empty() {
        return Ok(());
    }
    for file in running.values() {
        let text = format!("The import of {file} was interrupted; import it again.");
        turn.note(&About::default(), Note::warning("image.interrupted", text))?;
    }
    running.clear();
    Ok(store::settings::set_imports(turn.tx, &running)?)
}
