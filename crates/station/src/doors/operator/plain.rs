//! Plain GETs: each is one query, its answer without the envelope. For people with a browser and
//! scripts with curl; everything here can also be asked through the verb *query*.

use crate::doors::json::{Outcome, answer};
use crate::doors::routes::{Access, Routes};
use crate::engine::Engine;
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query as Params, State};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use wire::batch::BatchId;
use wire::query::{Answer, EventFilter, HistoryFilter, NameFilter, Query};
use wire::{BoardId, Refusal};

pub(super) type Filter<T> = Result<Params<T>, QueryRejection>;
pub(super) type Key<T> = Result<Path<T>, PathRejection>;

pub(super) fn routes() -> Routes<Engine> {
    Routes::new()
        .get("/api/v1/boards", Access::Look, |e| whole(e, Query::Boards))
        .get("/api/v1/batches", Access::Look, |e| {
            whole(e, Query::Batches)
        })
        .get("/api/v1/images", Access::Look, |e| whole(e, Query::Images))
        .get("/api/v1/products", Access::Look, |e| {
            whole(e, Query::Products)
        })
        .get("/api/v1/venues", Access::Look, |e| whole(e, Query::Venues))
        .get("/api/v1/leases", Access::Look, |e| whole(e, Query::Leases))
        .get("/api/v1/stats", Access::Look, |e| whole(e, Query::Stats))
        .get("/api/v1/ready", Access::Look, ready)
        .get("/api/v1/names", Access::Look, names)
        .get("/api/v1/history", Access::Look, history)
        .get("/api/v1/events", Access::Look, events)
        .get("/api/v1/boards/{board}", Access::Look, board)
        .get("/api/v1/batches/{batch}", Access::Look, batch)
        .get(
            "/api/v1/batches/{batch}/certificate",
            Access::Look,
            certificate,
        )
}

async fn whole(State(engine): State<Engine>, query: Query) -> Response<Body> {
    ask(&engine, Ok(query)).await
}

async fn ready(State(engine): State<Engine>) -> Response<Body> {
    match engine.query(Query::Ready).await {
        Ok(Answer::Ready(ready)) if !ready.ready => answer(StatusCode::SERVICE_UNAVAILABLE, &ready),
        other => bare(other),
    }
}

async fn names(State(engine): State<Engine>, filter: Filter<NameFilter>) -> Response<Body> {
    ask(&engine, sound(filter).map(Query::Names)).await
}

async fn history(State(engine): State<Engine>, filter: Filter<HistoryFilter>) -> Response<Body> {
    ask(&engine, sound(filter).map(Query::History)).await
}

async fn events(State(engine): State<Engine>, filter: Filter<EventFilter>) -> Response<Body> {
    ask(&engine, sound(filter).map(Query::Events)).await
}

async fn board(State(engine): State<Engine>, key: Key<BoardId>) -> Response<Body> {
    ask(&engine, path(key).map(|board| Query::Board { board })).await
}

async fn batch(State(engine): State<Engine>, key: Key<BatchId>) -> Response<Body> {
    ask(&engine, path(key).map(|batch| Query::Batch { batch })).await
}

async fn certificate(State(engine): State<Engine>, key: Key<BatchId>) -> Response<Body> {
    ask(&engine, path(key).map(|batch| Query::Certificate { batch })).await
}

pub(super) fn sound<T>(filter: Filter<T>) -> Result<T, Refusal> {
    filter.map(|Params(filter)| filter).map_err(|e| {
        Refusal::new(
            wire::refusal::Code::Invalid,
            format!("The filter cannot be read: {}.", e.body_text()),
        )
    })
}

pub(super) fn path<T>(key: Key<T>) -> Result<T, Refusal> {
    key.map(|Path(key)| key)
        .map_err(|e| Refusal::not_found(format!("{}.", e.body_text())))
}

async fn ask(engine: &Engine, query: Result<Query, Refusal>) -> Response<Body> {
    match query {
        Ok(query) => bare(engine.query(query).await),
        Err(refusal) => bare(Err(refusal)),
    }
}

/// The answer without its envelope.
pub(super) fn bare(outcome: Result<Answer, Refusal>) -> Response<Body> {
    let outcome = outcome.and_then(|answer| {
        let mut envelope = serde_json::to_value(answer)
            .map_err(|e| Refusal::internal(format!("The answer cannot be written: {e}.")))?;
        Ok(envelope["value"].take())
    });
    Outcome(outcome).into_response()
}
