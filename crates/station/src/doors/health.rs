//! `/health` and `/ready`, on both doors: true only when they say so.

use super::clock;
use super::json::answer;
use super::routes::{Access, Routes};
use crate::engine::Engine;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use serde_json::json;
use wire::Millis;
use wire::health::{Ready, Subsystem};
use wire::query::{Answer, Query};

/// Subsystems without which a board that asks now is not served. A missing image or an empty pool of
/// names is work for the operator, not illness.
const VITAL: [&str; 6] = ["database", "disk", "nic", "http", "tftp", "dhcp"];

/// The routes, for a router of any state.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(
    engine: Engine,
    access: Access,
) -> Routes<S> {
    Routes::new()
        .get("/health", access, health)
        .get("/ready", access, ready)
        .with(|router| router.with_state(engine))
}

async fn health(State(engine): State<Engine>) -> Response<Body> {
    let timestamp = clock::naive_local(Millis::now());
    let ill: Vec<String> = match subsystems(&engine).await {
        Ok(ready) => ready
            .subsystems
            .into_iter()
            .filter(|s| !s.ready && VITAL.contains(&s.name.as_str()))
            .map(|Subsystem { name, detail, .. }| format!("{name}: {detail}"))
            .collect(),
        Err(why) => vec![why],
    };
    if ill.is_empty() {
        let body = json!({"status": "healthy", "timestamp": timestamp});
        return answer(StatusCode::OK, &body);
    }
    let body = json!({"status": "unhealthy", "timestamp": timestamp, "reasons": ill});
    answer(StatusCode::SERVICE_UNAVAILABLE, &body)
}

async fn ready(State(engine): State<Engine>) -> Response<Body> {
    let ready = subsystems(&engine).await.unwrap_or_else(|why| Ready {
        ready: false,
        subsystems: vec![Subsystem {
            name: "database".to_owned(),
            ready: false,
            detail: why,
        }],
        at: Millis::now(),
    });
    let status = if ready.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    answer(status, &ready)
}

async fn subsystems(engine: &Engine) -> Result<Ready, String> {
    match engine.query(Query::Ready).await {
        Ok(Answer::Ready(ready)) => Ok(ready),
        Ok(_) => Err("the engine gave another answer".to_owned()),
        Err(refusal) => Err(refusal.to_string()),
    }
}
