//! Backups of a running station: the keeper is begun, and packs that a restored index names and the
//! library does not have are told to the engine.

use crate::backup::{Plan, keeper};
use crate::config::Config;
use crate::engine::Engine;
use crate::library::Library;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Begins: where a backup is asked for, and the task that makes them.
pub(super) async fn begin(
    engine: &Engine,
    library: &Library,
    config: &Config,
    plan: watch::Receiver<Plan>,
    stop: &CancellationToken,
) -> (mpsc::UnboundedSender<()>, JoinHandle<()>) {
    engine.look_for_packs(library).await;
    let data_dir = config.data_dir.clone();
    keeper::begin(engine.clone(), data_dir, plan, stop.clone())
}
