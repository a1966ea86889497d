//! The check-in of the self-test: answered like a board's, and without effect. Only this machine itself
//! is let in, and only with the key of the test that runs; for everybody else there is nothing here.

use super::{Rooms, nothing_here, sender};
use crate::doors::json::{Outcome, read};
use crate::doors::listen::Ends;
use crate::self_test::visits::SESSION;
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::Response;
use axum::response::IntoResponse;
use std::net::SocketAddr;
use wire::ImageId;

pub(super) async fn check_in(
    State(rooms): State<Rooms>,
    Path(key): Path<String>,
    Extension(ends): Extension<Ends>,
    body: Bytes,
) -> Response<Body> {
    if !is_visitor(&rooms, ends, &key) {
        return nothing_here().await;
    }
    let call = match read(&body) {
        Ok(introduction) => rooms.engine.try_check_in(sender(ends), introduction).await,
        Err(refusal) => Err(refusal),
    };
    Outcome(call).into_response()
}

/// Is this the self-test that runs, on this machine itself?
pub(super) fn is_visitor(rooms: &Rooms, ends: Ends, key: &str) -> bool {
    let ip = |end: Option<SocketAddr>| end.map(|at| at.ip().to_canonical());
    ends.peer.is_some() && ip(ends.peer) == ip(ends.own) && rooms.visits.knows_text(key)
}

/// Does a session name the self-test that runs, which may fetch of its own image what a board would?
pub(super) fn may_fetch(rooms: &Rooms, ends: Ends, session: Option<&str>, image: ImageId) -> bool {
    let key = session.and_then(|session| session.split_once(':'));
    key.is_some_and(|(kind, key)| {
        kind == SESSION && is_visitor(rooms, ends, key) && rooms.visits.image(key) == Some(image)
    })
}
