//! A read-only part of the older system's web JSON, so that dashboards made for it keep working.
//!
//! Its field names and its times (UTC as a database prints them) are kept; what it called priority
//! counts the other way round than our rank, so the rank appears negated, and a batch that has ended
//! comes after all others. Changing anything goes through the verb *command* alone.

use super::super::clock::{database, naive_local};
use crate::doors::json::{Outcome, answer};
use crate::doors::routes::{Access, Routes};
use crate::engine::Engine;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query as Params, State};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use tokio_stream::StreamExt as _;
use wire::batch::{Batch, BatchState, Name, NameState};
use wire::health::{ServerKind, ServerState, ServerStatus};
use wire::query::{Answer, Deployment, HistoryFilter, NameFilter, Query};
use wire::update::Update;
use wire::{Millis, Refusal, Stage};

pub(super) fn routes() -> Routes<Engine> {
    Routes::new()
        .get("/api/stats", Access::Look, stats)
        .get("/api/venues", Access::Look, venues)
        .get("/api/venues/{code}/stats", Access::Look, venue_stats)
        .get("/api/deployments", Access::Look, deployments)
        .get("/api/system/status", Access::Look, system_status)
        .get("/api/batches", Access::Look, batches)
        .get("/api/batches/active", Access::Look, active_batch)
        .get("/api/batches/{id}", Access::Look, batch)
}

/// The priority of a batch that has ended.
const LAST: i64 = -(i32::MAX as i64);

/// Asks the engine and takes the arm that belongs to the question.
macro_rules! ask {
    ($engine:expr, $query:expr, $arm:ident) => {
        match $engine.query($query).await {
            Ok(Answer::$arm(value)) => value,
            Ok(_) => return internal(),
            Err(refusal) => return Outcome::<()>(Err(refusal)).into_response(),
        }
    };
}

fn internal() -> Response<Body> {
    let body = json!({"error": "Internal server error"});
    answer(StatusCode::INTERNAL_SERVER_ERROR, &body)
}

fn ok(body: &Value) -> Response<Body> {
    answer(StatusCode::OK, body)
}

fn missing(what: &str) -> Response<Body> {
    answer(
        StatusCode::NOT_FOUND,
        &json!({"error": format!("{what} not found")}),
    )
}

async fn stats(State(engine): State<Engine>) -> Response<Body> {
    let stats = ask!(engine, Query::Stats, Stats);
    let names = ask!(engine, Query::Names(NameFilter::default()), Names);
    let newest = ask!(
        engine,
        Query::History(HistoryFilter {
            limit: 10,
            ..HistoryFilter::default()
        }),
        History
    );
    let of = |product: &str, state| count(&names, state, |n| n.product.as_str() == product);
    let all = |state| count(&names, state, |_| true);
    let recent: Vec<Value> = newest
        .iter()
        .map(|d| {
            json!({
                "hostname": d.hostname,
                "status": status(d.stage),
                "started_at": database(d.started),
                "completed_at": d.ended.map(database),
            })
        })
        .collect();
    ok(&json!({
        "total_venues": stats.venues,
        "total_hostnames": names.len(),
        "available_kxp2": of("KXP2", NameState::Available),
        "available_rxp2": of("RXP2", NameState::Available),
        "assigned_kxp2": of("KXP2", NameState::Assigned),
        "assigned_rxp2": of("RXP2", NameState::Assigned),
        "available_hostnames": all(NameState::Available),
        "assigned_hostnames": all(NameState::Assigned),
        "recent_deployments": recent,
        "recent_deployments_count": stats.recent,
        "successful_deployments": stats.recent_done,
        "timestamp": naive_local(Millis::now()),
    }))
}

fn count(names: &[Name], state: NameState, of: impl Fn(&Name) -> bool) -> usize {
    names.iter().filter(|n| n.state == state && of(n)).count()
}

async fn venues(State(engine): State<Engine>) -> Response<Body> {
    let venues = ask!(engine, Query::Venues, Venues);
    let names = ask!(engine, Query::Names(NameFilter::default()), Names);
    let added = match engine.venues_added().await {
        Ok(added) => added,
        Err(refusal) => return Outcome::<()>(Err(refusal)).into_response(),
    };
    let mut counts: HashMap<(&str, &str, NameState), u32> = HashMap::new();
    for name in &names {
        let key = (name.venue.as_str(), name.product.as_str(), name.state);
        *counts.entry(key).or_default() += 1;
    }
    let rows: Vec<Value> = venues
        .iter()
        .filter(|v| !v.archived)
        .map(|v| {
            let of = |product, state| {
                counts
                    .get(&(v.code.as_str(), product, state))
                    .copied()
                    .unwrap_or(0)
            };
            json!({
                "code": v.code,
                "name": v.name,
                "location": v.location,
                "contact_email": v.contact,
                "created_at": added.get(&v.code).copied().map(database),
                "kxp2_available": of("KXP2", NameState::Available),
                "kxp2_assigned": of("KXP2", NameState::Assigned),
                "rxp2_available": of("RXP2", NameState::Available),
                "rxp2_assigned": of("RXP2", NameState::Assigned),
            })
        })
        .collect();
    ok(&Value::Array(rows))
}

async fn venue_stats(State(engine): State<Engine>, Path(code): Path<String>) -> Response<Body> {
    let venues = ask!(engine, Query::Venues, Venues);
    let wanted = code.to_ascii_uppercase();
    let Some(venue) = venues.into_iter().find(|v| v.code.as_str() == wanted) else {
        return missing("Venue");
    };
    let filter = NameFilter {
        venue: Some(venue.code.clone()),
        ..NameFilter::default()
    };
    let names = ask!(engine, Query::Names(filter), Names);
    let all = |state| count(&names, state, |_| true);
    ok(&json!({
        "venue_code": venue.code,
        "total_hostnames": names.len(),
        "available_hostnames": all(NameState::Available),
        "assigned_hostnames": all(NameState::Assigned),
        "retired_hostnames": all(NameState::Retired),
    }))
}

#[derive(Deserialize)]
struct Limit {
    limit: Option<u32>,
}

async fn deployments(
    State(engine): State<Engine>,
    limit: Result<Params<Limit>, QueryRejection>,
) -> Response<Body> {
    let Ok(Params(Limit { limit })) = limit else {
        let body = json!({"error": "limit must be a number"});
        return answer(StatusCode::BAD_REQUEST, &body);
    };
    let filter = HistoryFilter {
        limit: limit.unwrap_or(20).clamp(1, 100),
        ..HistoryFilter::default()
    };
    let rows = ask!(engine, Query::History(filter), History);
    let boards = ask!(engine, Query::Boards, Boards);
    let serials = match engine.serials().await {
        Ok(serials) => serials,
        Err(refusal) => return Outcome::<()>(Err(refusal)).into_response(),
    };
    let serial = |board| match serials.get(&board) {
        Some(whole) => whole.to_string(),
        None => board.to_string(),
    };
    let address: HashMap<_, _> = boards.iter().map(|b| (b.id, b.ip)).collect();
    let row = |d: &Deployment| {
        json!({
            "id": d.id,
            "hostname": d.hostname,
            "mac_address": d.mac,
            "serial_number": serial(d.board),
            "product_type": d.product,
            "venue_code": d.venue,
            "ip_address": address.get(&d.board).copied().flatten(),
            "status": status(d.stage),
            "started_at": database(d.started),
            "completed_at": d.ended.map(database),
            "error_message": d.error,
        })
    };
    ok(&rows.iter().map(row).collect())
}

/// A stage in the older system's words.
fn status(stage: Stage) -> &'static str {
    match stage {
        Stage::Done | Stage::FirstBootConfirmed | Stage::AlreadyDone => "success",
        Stage::Failed | Stage::Cancelled => "failed",
        Stage::Writing => "downloading",
        Stage::Verifying | Stage::Finishing => "verifying",
        Stage::Personalising => "customizing",
        _ => "started",
    }
}

async fn system_status(State(engine): State<Engine>) -> Response<Body> {
    let ready = ask!(engine, Query::Ready, Ready);
    let mut watch = std::pin::pin!(engine.watch());
    let servers = match watch.next().await {
        Some(Update::Snapshot(snapshot)) => snapshot.servers,
        _ => Vec::new(),
    };
    let up = |kind| {
        let serving = |s: &ServerStatus| s.server == kind && s.state == ServerState::Serving;
        if servers.iter().any(serving) {
            "active"
        } else {
            "inactive"
        }
    };
    let boot = [up(ServerKind::Dhcp), up(ServerKind::Tftp)];
    let detail = |name: &str| {
        let found = ready.subsystems.iter().find(|s| s.name == name);
        found
            .map(|s| (s.ready, s.detail.clone()))
            .unwrap_or_default()
    };
    let (disk_ready, disk) = detail("disk");
    let (_, nic) = detail("nic");
    ok(&json!({
        // The two programs whose work the station's own servers do.
        "services": {
            "dnsmasq": if boot == ["active"; 2] { "active" } else { "inactive" },
            "nginx": up(ServerKind::Http),
            "dhcp": boot[0],
            "tftp": boot[1],
            "http": up(ServerKind::Http),
        },
        "network": {"interfaces": [], "output": nic},
        "disk": {"status": if disk_ready { "ok" } else { "error" }, "output": disk},
        "timestamp": naive_local(Millis::now()),
    }))
}

#[derive(Deserialize)]
struct BatchFilter {
    venue: Option<String>,
    status: Option<String>,
}

async fn batches(
    State(engine): State<Engine>,
    Params(filter): Params<BatchFilter>,
) -> Response<Body> {
    let list = ask!(engine, Query::Batches, Batches);
    let matches = |wanted: &Option<String>, has: &str| {
        wanted
            .as_deref()
            .is_none_or(|w| w.is_empty() || w.eq_ignore_ascii_case(has))
    };
    let rows: Vec<Value> = list
        .iter()
        .filter(|b| matches(&filter.venue, b.plan.venue.as_str()))
        .filter(|b| matches(&filter.status, b.state.as_str()))
        .map(batch_row)
        .collect();
    ok(&Value::Array(rows))
}

async fn active_batch(State(engine): State<Engine>) -> Response<Body> {
    let list = ask!(engine, Query::Batches, Batches);
    let active = list.iter().filter(|b| b.state == BatchState::Active);
    match active.min_by_key(|b| b.rank) {
        Some(batch) => ok(&batch_row(batch)),
        None => answer(
            StatusCode::NOT_FOUND,
            &json!({"message": "No active batches"}),
        ),
    }
}

async fn batch(State(engine): State<Engine>, Path(id): Path<String>) -> Response<Body> {
    let Ok(id) = id.parse() else {
        return missing("Batch");
    };
    match engine.query(Query::Batch { batch: id }).await {
        Ok(Answer::Batch(batch)) => ok(&batch_row(&batch)),
        Ok(_) => internal(),
        Err(Refusal {
            code: wire::refusal::Code::NotFound,
            ..
        }) => missing("Batch"),
        Err(refusal) => Outcome::<()>(Err(refusal)).into_response(),
    }
}

fn batch_row(batch: &Batch) -> Value {
    let counters = batch.counters;
    json!({
        "id": batch.id,
        "venue_code": batch.plan.venue,
        "product_type": batch.plan.product,
        "total_count": counters.planned,
        "remaining_count": counters.planned.saturating_sub(counters.done),
        "priority": if batch.rank == 0 { LAST } else { -i64::from(batch.rank) },
        "status": batch.state.as_str(),
        "created_at": database(batch.created),
        "started_at": batch.started.map(database),
        "completed_at": batch.ended.map(database),
    })
}
