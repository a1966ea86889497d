//! `/metrics`: figures for Prometheus. Names follow its conventions: base units, `_total` for what only
//! grows, and no label whose values grow without end: boards and batches are counted, not named.
//!
//! Every figure is read off what is there anyway (the snapshot that a screen shows, the store, the
//! servers' counters, `/proc`), so there is nothing to keep in step.

mod page;
mod render;

use crate::engine::Engine;
use crate::process;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Response};
use render::{Facts, render};
use tokio_stream::StreamExt as _;
use wire::query::{Answer, Query, Stats};
use wire::update::{Snapshot, Update};

pub(super) async fn metrics(State(engine): State<Engine>) -> Response<Body> {
    let mut response = Response::new(Body::from(render(&facts(&engine).await)));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

async fn facts(engine: &Engine) -> Facts {
    let mut watch = std::pin::pin!(engine.watch());
    let snapshot = match watch.next().await {
        Some(Update::Snapshot(snapshot)) => *snapshot,
        _ => Snapshot::default(),
    };
    let stats = match engine.query(Query::Stats).await {
        Ok(Answer::Stats(stats)) => stats,
        _ => Stats::default(),
    };
    let leases = match engine.query(Query::Leases).await {
        Ok(Answer::Leases(leases)) => leases.len(),
        _ => 0,
    };
    let ready = match engine.query(Query::Ready).await {
        Ok(Answer::Ready(ready)) => ready.subsystems,
        _ => Vec::new(),
    };
    let (tally, works) = engine.at_work().await;
    let process = tokio::task::spawn_blocking(process::figures);
    Facts {
        snapshot,
        stats,
        leases,
        ready,
        figures: engine.figures().await.unwrap_or_default(),
        tally,
        works,
        process: process.await.unwrap_or_default(),
    }
}
