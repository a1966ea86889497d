//! The three verbs once more, for the bench of the rehearsal beside the station.

use super::verbs;
use crate::doors::json::{Outcome, read};
use crate::doors::routes::{Access, Caller, Routes};
use crate::engine::Engine;
use crate::rehearsal::none_runs;
use crate::who::words;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::Response;
use axum::response::IntoResponse;
use wire::Refusal;
use wire::command::{Command, Receipt};
use wire::operator::Role;

pub(super) fn routes() -> Routes<Engine> {
    Routes::new()
        .post(
            "/api/v1/rehearsal/command",
            Access::Role(Role::Operator),
            command,
        )
        .post("/api/v1/rehearsal/query", Access::Look, query)
        .get("/api/v1/rehearsal/watch", Access::Look, watch)
}

async fn command(
    State(engine): State<Engine>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Response<Body> {
    Outcome(done(&engine, &caller, &body).await).into_response()
}

/// The record of the rehearsal goes with it, so this one is written down here as well.
async fn done(engine: &Engine, caller: &Caller, body: &[u8]) -> Result<Receipt, Refusal> {
    let bench = engine.rehearsal().ok_or_else(none_runs)?;
    let command: Command = read(body)?;
    let (action, subject) = words::of(&command);
    let done = bench.command_by(&caller.who, command).await;
    let action = format!("rehearsal: {action}");
    engine
        .record(&caller.who, &action, &subject, done.as_ref().err())
        .await;
    done
}

async fn query(
    State(engine): State<Engine>,
    caller: Extension<Caller>,
    body: Bytes,
) -> Response<Body> {
    match engine.rehearsal() {
        Some(bench) => verbs::query(State(bench), caller, body)
            .await
            .into_response(),
        None => nothing(),
    }
}

async fn watch(
    State(engine): State<Engine>,
    Extension(caller): Extension<Caller>,
) -> Response<Body> {
    match engine.rehearsal() {
        Some(bench) => verbs::follow(&bench, engine, caller),
        None => nothing(),
    }
}

fn nothing() -> Response<Body> {
    Outcome::<()>(Err(none_runs())).into_response()
}
