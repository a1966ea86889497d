//! The check-in of the self-test: answered like a board's, and without effect. Only this machine itself
//! is let in, and only with the key of the test that runs; for everybody else there is nothing here.

use super::{Rooms, nothing_here, sender};
use crate::doors::json::{Outcome, read};
use crate::doors::listen::Ends;
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::Response;
use axum::response::IntoResponse;

pub(super) async fn check_in(
    State(rooms): State<Rooms>,
    Path(key): Path<String>,
    Extension(ends): Extension<Ends>,
    body: Bytes,
) -> Response<Body> {
    let ip = |end: Option<std::net::SocketAddr>| end.map(|at| at.ip().to_canonical());
    let from_here = ends.peer.is_some() && ip(ends.peer) == ip(ends.own);
    if !from_here || !rooms.visits.knows_text(&key) {
        return nothing_here().await;
    }
    let call = match read(&body) {
        Ok(introduction) => rooms.engine.try_check_in(sender(ends), introduction).await,
        Err(refusal) => Err(refusal),
    };
    Outcome(call).into_response()
}
