//! Reads every pack through, soon after the start and about daily, so that a damaged one is found
//! before a board gets it.
//!
//! Nothing waits for this and everything goes before it: one pack at a time, a chunk at a time, with as
//! long a pause after each as it took, and not while any board is being written.

use crate::engine::Engine;
use crate::library::Library;
use imaging::pack::{Pack, PackError};
use std::io;
use std::time::{Duration, Instant};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};
use tokio_util::sync::CancellationToken;
use wire::ImageId;
use wire::image::PackFault;

/// From the end of one round to the next.
const EVERY: Duration = Duration::from_hours(24);

/// Begins; the task ends when the station stops.
pub(super) fn begin(
    engine: &Engine,
    library: &Library,
    stop: &CancellationToken,
) -> JoinHandle<()> {
    let (engine, library, stop) = (engine.clone(), library.clone(), stop.clone());
    tokio::spawn(async move {
        // What is cut off has only read.
        stop.run_until_cancelled(rounds(&engine, &library)).await;
    })
}

async fn rounds(engine: &Engine, library: &Library) {
    loop {
        for image in engine.images() {
            match look_through(engine, library, image).await {
                Ok(found) => engine.pack_looked_at(image, found).await,
                Err(gone) => tracing::error!(%gone, image = %image.short(), "a pack was not read"),
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Reads one pack from end to end.
async fn look_through(
    engine: &Engine,
    library: &Library,
    image: ImageId,
) -> Result<Option<PackFault>, Unread> {
    let path = library.path(image);
    let pack = match spawn_blocking(move || Pack::open(&path)).await? {
        Ok(pack) if pack.id() == image => pack,
        Ok(_) => return Ok(Some(PackFault::Damaged)),
        Err(error) => return fault(error).map(Some),
    };
    for index in 0..pack.manifest().chunks.len() {
        engine.boards_rest().await;
        let begun = Instant::now();
        let reading = pack.clone();
        let read = spawn_blocking(move || {
            let read = reading.verify_chunk(index);
            // One that was replaced meanwhile says nothing about the one that lies there now.
            read.map_err(|error| (error, reading.is_as_opened()))
        });
        match read.await? {
            Ok(()) => tokio::time::sleep(begun.elapsed()).await,
            Err((error, true)) => return fault(error).map(Some),
            Err((error, false)) => return Err(error.into()),
        }
    }
    Ok(None)
}

fn fault(error: PackError) -> Result<PackFault, Unread> {
    if let PackError::Io { source, .. } = &error
        && source.kind() == io::ErrorKind::NotFound
    {
        return Ok(PackFault::Missing);
    }
    if !error.is_damage() {
        return Err(error.into());
    }
    tracing::error!(%error, "a pack is damaged");
    Ok(PackFault::Damaged)
}

/// Why nothing can be said of a pack this time.
#[derive(Debug, thiserror::Error)]
enum Unread {
    #[error(transparent)]
    Pack(#[from] PackError),
    #[error("reading it broke off: {0}")]
    Gone(#[from] JoinError),
}
