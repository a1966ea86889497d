//! The three verbs.

use crate::doors::json::{Outcome, read};
use crate::engine::Engine;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, Response};
use axum::response::IntoResponse;
use std::convert::Infallible;
use std::time::Duration;
use tokio_stream::StreamExt as _;
use wire::update::Update;

/// An empty line goes out when nothing changed for this long, so that a reader notices a dead
/// connection and a dead reader is noticed.
const HEARTBEAT: Duration = Duration::from_secs(15);

pub(super) async fn command(State(engine): State<Engine>, body: Bytes) -> impl IntoResponse {
    Outcome(match read(&body) {
        Ok(command) => engine.command(command).await,
        Err(refusal) => Err(refusal),
    })
}

pub(super) async fn query(State(engine): State<Engine>, body: Bytes) -> impl IntoResponse {
    Outcome(match wire::request::read_question(&body) {
        Ok(question) => engine.question(question).await,
        Err(refusal) => Err(refusal),
    })
}

pub(super) async fn watch(State(engine): State<Engine>) -> Response<Body> {
    let lines = engine
        .watch()
        .timeout_repeating(tokio::time::interval_at(
            tokio::time::Instant::now() + HEARTBEAT,
            HEARTBEAT,
        ))
        .map(|update| Ok::<_, Infallible>(update.map_or_else(|_| b"\n".to_vec(), |u| line(&u))));
    let mut response = Response::new(Body::from_stream(lines));
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-ndjson"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn line(update: &Update) -> Vec<u8> {
    let mut line = serde_json::to_vec(update).unwrap_or_default();
    line.push(b'\n');
    line
}
