//! Carries the engine's orders about rehearsals to whoever rehearses, one after the other, and ends
//! what runs when the station stops.

use crate::engine::{Effect, Engine};
use crate::rehearsal::{RehearsalStage, Rehearsals};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wire::rehearsal::RehearsalState;

/// Takes orders from now on: where they are to be sent, and the task that obeys them.
pub(super) fn begin(
    engine: &Engine,
    rehearsals: Arc<dyn Rehearsals>,
    stop: &CancellationToken,
) -> (mpsc::UnboundedSender<Effect>, JoinHandle<()>) {
    engine.set_rehearsal_models(rehearsals.models());
    let (orders, ordered) = mpsc::unbounded_channel();
    let conducting = conduct(engine.clone(), rehearsals, ordered, stop.clone());
    (orders, tokio::spawn(conducting))
}

/// Does what is ordered until the station stops.
async fn conduct(
    engine: Engine,
    rehearsals: Arc<dyn Rehearsals>,
    mut ordered: mpsc::UnboundedReceiver<Effect>,
    stop: CancellationToken,
) {
    while let Some(Some(order)) = stop.run_until_cancelled(ordered.recv()).await {
        match order {
            Effect::StartRehearsal { run, plan } => {
                engine.show_rehearsal(None);
                let stage = RehearsalStage::new(engine.clone(), run);
                apart(&rehearsals, move |it| it.start(plan, stage)).await;
            }
            Effect::StopRehearsal { run } => {
                end(&engine, &rehearsals).await;
                let why = "It was stopped.".to_owned();
                engine.rehearsal_changed(run, RehearsalState::Stopped { why });
            }
            _ => {}
        }
    }
    end(&engine, &rehearsals).await;
}

/// Nobody finds a bench that is being closed; one that was shown in the last moment goes too.
async fn end(engine: &Engine, rehearsals: &Arc<dyn Rehearsals>) {
    engine.show_rehearsal(None);
    apart(rehearsals, <dyn Rehearsals>::stop).await;
    engine.show_rehearsal(None);
}

/// Calls it on a thread that may block.
async fn apart(
    rehearsals: &Arc<dyn Rehearsals>,
    call: impl FnOnce(&dyn Rehearsals) + Send + 'static,
) {
    let rehearsals = Arc::clone(rehearsals);
    if let Err(gone) = tokio::task::spawn_blocking(move || call(&*rehearsals)).await {
        tracing::error!(%gone, "a call about a rehearsal broke down");
    }
}
