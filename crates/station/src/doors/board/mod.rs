//! The door for boards: HTTP on the deployment NIC.
//!
//! | path | who calls | what lets it in |
//! |---|---|---|
//! | `/agent/v1/check-in` | the agent; the contract is [`wire::agent`] | the token of its boot |
//! | `/agent/v1/report`, `/agent/v1/packs/…` | the agent | the session that its check-in opened |
//! | `/agent/v1/self-test/{key}` | the self-test, without effect | this machine, and the key of a visit |
//! | `/agent/v1/hello` | the installed system | a secret of its own |
//! | `/api/config`, `/api/status` | installer scripts; the contract is [`wire::device`] | `device_api` |
//! | `/images/{file}` | installer scripts: the whole image | `device_api` |
//! | `/health`, `/ready` | whoever wants to know whether the station is fit | nothing |
//!
//! Whoever calls, a request may be so large and no larger, has to arrive in time, and is one of so
//! many from its address.

mod agent;
mod device;
mod images;
mod visitor;

use super::limits::Buckets;
use super::listen::Ends;
use super::routes::{Access, Routes};
use super::{health, json};
use crate::config::DeviceApi;
use crate::engine::Engine;
use crate::library::Library;
use crate::self_test::visits::Visits;
use crate::traffic::Traffic;
use axum::Extension;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, Response, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use wire::device::DeviceError;

/// Largest body a board may send. A report spools many events; an inventory is far smaller.
const BODY: usize = 2 << 20;
/// Longest time until an answer begins.
const ANSWER: Duration = Duration::from_secs(30);

/// Requests that one address may make at once, and a second for ever. A board at work makes a dozen
/// a second on the fastest wire.
const BURST: u32 = 1000;
const RATE: u32 = 200;
/// By now the engine knows of a lease that a board has.
const NEWS_TRAVELS: Duration = Duration::from_secs(1);
/// How often it is looked for until then.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What the routes work with.
#[derive(Debug, Clone)]
pub struct Rooms {
    /// The engine.
    pub engine: Engine,
    /// The images.
    pub library: Library,
    /// What is on its way to boards.
    pub traffic: Traffic,
    /// Who may use the device API.
    pub device_api: DeviceApi,
    /// The visits of the self-test.
    pub visits: Visits,
}

/// The routes of the door.
pub fn routes(rooms: Rooms) -> Routes {
    let limits = Arc::new(Buckets::new(RATE, BURST));
    let installers = device::routes()
        .get("/images/{file}", Access::Board, images::image)
        .with(|router| router.layer(from_fn_with_state(rooms.clone(), device_api)));
    Routes::new()
        .post("/agent/v1/check-in", Access::Board, agent::check_in)
        .post("/agent/v1/report", Access::Board, agent::report)
        .post("/agent/v1/hello", Access::Board, agent::hello)
        .post(
            "/agent/v1/self-test/{key}",
            Access::Board,
            visitor::check_in,
        )
        .get(
            "/agent/v1/packs/{image}/manifest",
            Access::Board,
            agent::manifest,
        )
        .get("/agent/v1/packs/{image}", Access::Board, agent::pack)
        .merge(installers)
        .merge(health::routes(rooms.engine.clone(), Access::Board))
        .with(|router| {
            router
                .fallback(nothing_here)
                .method_not_allowed_fallback(wrong_method)
                .layer(DefaultBodyLimit::max(BODY))
                .layer(TimeoutLayer::with_status_code(
                    StatusCode::SERVICE_UNAVAILABLE,
                    ANSWER,
                ))
                .layer(CatchPanicLayer::new())
                .layer(from_fn_with_state(limits, in_measure))
                .with_state(rooms)
        })
}

/// Turns away an address that asks too often.
async fn in_measure(
    State(limits): State<Arc<Buckets>>,
    Extension(ends): Extension<Ends>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let Err(wait) = limits.take(sender(ends).into(), Instant::now()) else {
        return next.run(request).await;
    };
    let words = "This address asks too often. Ask again in a second.";
    let mut answer = error(StatusCode::TOO_MANY_REQUESTS, words);
    let seconds = HeaderValue::from(wait.as_secs() + 1);
    answer.headers_mut().insert(RETRY_AFTER, seconds);
    answer
}

/// Turns away whoever may not use the device API.
async fn device_api(
    State(rooms): State<Rooms>,
    Extension(ends): Extension<Ends>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let words = match rooms.device_api {
        DeviceApi::Open => return next.run(request).await,
        DeviceApi::Boards if is_leased(&rooms.engine, sender(ends)).await => {
            return next.run(request).await;
        }
        DeviceApi::Boards => {
            "This station has not given this address to any board, and serves installers on boards \
             alone (device_api in its settings)."
        }
        DeviceApi::Closed => "This station serves no installers (device_api in its settings).",
    };
    error(StatusCode::FORBIDDEN, words)
}

/// Has this station given the address to a board? An installer may be faster than the news of its lease.
async fn is_leased(engine: &Engine, address: Ipv4Addr) -> bool {
    let known = async {
        while !engine.has_leased(address) {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    tokio::time::timeout(NEWS_TRAVELS, known).await.is_ok()
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
