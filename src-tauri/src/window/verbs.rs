//! The station's three verbs for the page: *command*, *query*, *watch*, with the words of `wire` as
//! they are. The page's JSON is read by the station and not by Tauri, so that a wrong one is refused in
//! the same words as over HTTP.

use super::bench::Bench;
use super::home::Home;
use serde::Serialize;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use tauri::State;
use tauri::ipc::Channel;
use tokio_stream::StreamExt as _;
use tokio_util::sync::CancellationToken;
use wire::Refusal;
use wire::update::Update;

/// Changes something.
#[tauri::command]
pub(crate) async fn command(
    home: State<'_, Home>,
    bench: Bench,
    command: Value,
) -> Result<Value, Refusal> {
    let station = home.station(bench).await?;
    written(&station.command_json(&command).await?)
}

/// Asks something.
#[tauri::command]
pub(crate) async fn query(
    home: State<'_, Home>,
    bench: Bench,
    query: Value,
) -> Result<Value, Refusal> {
    let station = home.station(bench).await?;
    written(&station.query_json(&query).await?)
}

/// Follows everything, for as long as the page listens and the station runs; returns when the station
/// ended it. A page has one watch of a bench: a new one ends the one before.
#[tauri::command]
pub(crate) async fn watch(
    home: State<'_, Home>,
    watches: State<'_, Watches>,
    bench: Bench,
    updates: Channel<Update>,
) -> Result<(), Refusal> {
    let ended = watches.begin(bench);
    let follow = async {
        let mut stream = home.station(bench).await?.watch().await?;
        while let Some(update) = stream.next().await {
            // The page is gone when nothing can be sent to it.
            if updates.send(update).is_err() {
                break;
            }
        }
        Ok(())
    };
    ended.run_until_cancelled(follow).await.unwrap_or(Ok(()))
}

/// Ends the watch of a bench. Not async, so that it is done before whatever the page asks next.
#[tauri::command]
#[expect(clippy::needless_pass_by_value, reason = "Tauri hands it over")]
pub(crate) fn unwatch(watches: State<'_, Watches>, bench: Bench) {
    watches.end(bench);
}

/// The watches that are open.
#[derive(Default)]
pub(crate) struct Watches(Mutex<HashMap<Bench, CancellationToken>>);

impl Watches {
    fn begin(&self, bench: Bench) -> CancellationToken {
        let new = CancellationToken::new();
        let old = self.lock(|open| open.insert(bench, new.clone()));
        if let Some(old) = old {
            old.cancel();
        }
        new
    }

    fn end(&self, bench: Bench) {
        if let Some(open) = self.lock(|open| open.remove(&bench)) {
            open.cancel();
        }
    }

    /// Ends all: the page that listened is being left.
    pub(crate) fn end_all(&self) {
        for (_, open) in self.lock(std::mem::take) {
            open.cancel();
        }
    }

    fn lock<T>(&self, with: impl FnOnce(&mut HashMap<Bench, CancellationToken>) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn written<T: Serialize>(answer: &T) -> Result<Value, Refusal> {
    serde_json::to_value(answer)
        .map_err(|why| Refusal::internal(format!("The answer cannot be written: {why}.")))
}
