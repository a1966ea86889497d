//! The three verbs once more, for the bench of the rehearsal beside the station.

use super::verbs;
use crate::doors::json::Outcome;
use crate::engine::Engine;
use crate::rehearsal::none_runs;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::Response;
use axum::response::IntoResponse;
use axum::routing::{get, post};

pub(super) fn routes() -> Router<Engine> {
    Router::new()
        .route("/api/v1/rehearsal/command", post(command))
        .route("/api/v1/rehearsal/query", post(query))
        .route("/api/v1/rehearsal/watch", get(watch))
}

async fn command(State(engine): State<Engine>, body: Bytes) -> Response<Body> {
    match engine.rehearsal() {
        Some(bench) => verbs::command(State(bench), body).await.into_response(),
        None => nothing(),
    }
}

async fn query(State(engine): State<Engine>, body: Bytes) -> Response<Body> {
    match engine.rehearsal() {
        Some(bench) => verbs::query(State(bench), body).await.into_response(),
        None => nothing(),
    }
}

async fn watch(State(engine): State<Engine>) -> Response<Body> {
    match engine.rehearsal() {
        Some(bench) => verbs::watch(State(bench)).await,
        None => nothing(),
    }
}

fn nothing() -> Response<Body> {
    Outcome::<()>(Err(none_runs())).into_response()
}
