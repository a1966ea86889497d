//! The door for boards: HTTP on the deployment NIC.
//!
//! | path | who calls |
//! |---|---|
//! | `/agent/v1/…` | the agent; the contract is [`wire::agent`] |
//! | `/agent/v1/self-test/{key}` | the self-test, from this machine alone; without effect |
//! | `/api/config`, `/api/status` | installer scripts; the contract is [`wire::device`] |
//! | `/images/{file}` | installer scripts: the whole image |
//! | `/health`, `/ready` | whoever wants to know whether the station is fit |

mod agent;
mod device;
mod images;
mod visitor;

use super::listen::Ends;
use super::{health, json};
use crate::engine::Engine;
use crate::library::Library;
use crate::self_test::visits::Visits;
use crate::traffic::Traffic;
use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use wire::device::DeviceError;

/// Largest body a board may send. A report spools many events; an inventory is far smaller.
const BODY: usize = 2 << 20;
/// Longest time until an answer begins.
const ANSWER: Duration = Duration::from_secs(30);

/// What the routes work with.
#[derive(Debug, Clone)]
pub struct Rooms {
    /// The engine.
    pub engine: Engine,
    /// The images.
    pub library: Library,
    /// What is on its way to boards.
    pub traffic: Traffic,
    /// The visits of the self-test.
    pub visits: Visits,
}

/// The routes of the door.
pub fn router(rooms: Rooms) -> Router {
    Router::new()
        .route("/agent/v1/check-in", post(agent::check_in))
        .route("/agent/v1/report", post(agent::report))
        .route("/agent/v1/hello", post(agent::hello))
        .route("/agent/v1/self-test/{key}", post(visitor::check_in))
        .route("/agent/v1/packs/{image}/manifest", get(agent::manifest))
        .route("/agent/v1/packs/{image}", get(agent::pack))
        .merge(device::routes())
        .route("/images/{file}", get(images::image))
        .merge(health::routes(rooms.engine.clone()))
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            ANSWER,
        ))
        .layer(CatchPanicLayer::new())
        .with_state(rooms)
}

fn error(status: StatusCode, words: impl Into<String>) -> Response<Body> {
    json::answer(
        status,
        &DeviceError {
            error: words.into(),
        },
    )
}

async fn nothing_here() -> Response<Body> {
    error(StatusCode::NOT_FOUND, "Resource not found")
}

async fn wrong_method() -> Response<Body> {
    error(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed here")
}

/// The board's address. The door listens on IPv4 alone.
fn sender(ends: Ends) -> Ipv4Addr {
    match ends.peer.map(|peer| peer.ip().to_canonical()) {
        Some(IpAddr::V4(ip)) => ip,
        _ => Ipv4Addr::UNSPECIFIED,
    }
}
