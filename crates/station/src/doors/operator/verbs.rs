//! The three verbs.

use crate::doors::json::{Outcome, read};
use crate::doors::routes::Caller;
use crate::engine::Engine;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, Response};
use axum::response::IntoResponse;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, interval_at};
use tokio_stream::{Stream, StreamExt as _};
use wire::update::Update;

/// An empty line goes out when nothing changed for this long, so that a reader notices a dead
/// connection and a dead reader is noticed.
const HEARTBEAT: Duration = Duration::from_secs(15);

pub(super) async fn command(
    State(engine): State<Engine>,
    Extension(Caller { who, .. }): Extension<Caller>,
    body: Bytes,
) -> impl IntoResponse {
    Outcome(match read(&body) {
        Ok(command) => engine.command_by(&who, command).await,
        Err(refusal) => Err(refusal),
    })
}

pub(super) async fn query(
    State(engine): State<Engine>,
    Extension(Caller { who, .. }): Extension<Caller>,
    body: Bytes,
) -> impl IntoResponse {
    Outcome(match wire::request::read_question(&body) {
        Ok(question) => engine.question_by(&who, question).await,
        Err(refusal) => Err(refusal),
    })
}

pub(super) async fn watch(
    State(engine): State<Engine>,
    Extension(caller): Extension<Caller>,
) -> Response<Body> {
    follow(&engine.clone(), engine, caller)
}

/// Follows `bench` for as long as the caller may look at it; `engine` knows the caller.
pub(super) fn follow(bench: &Engine, engine: Engine, caller: Caller) -> Response<Body> {
    let following = Following {
        updates: bench.watch(),
        beat: interval_at(Instant::now() + HEARTBEAT, HEARTBEAT),
        look: interval_at(Instant::now() + HEARTBEAT, HEARTBEAT),
        logins: engine.logins(),
        engine,
        caller,
    };
    let lines = futures_lite::stream::unfold(following, |mut following| async move {
        let line = following.next().await?;
        Some((Ok::<_, Infallible>(line), following))
    });
    let mut response = Response::new(Body::from_stream(lines));
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-ndjson"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A reader that is sent updates.
struct Following<S> {
    updates: S,
    beat: Interval,
    look: Interval,
    logins: watch::Receiver<u64>,
    engine: Engine,
    caller: Caller,
}

impl<S: Stream<Item = Update> + Unpin> Following<S> {
    /// The next line; nothing when the station or the login has ended.
    async fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            tokio::select! {
                biased;
                _ = self.look.tick() => self.may_look().await?,
                Ok(()) = self.logins.changed() => self.may_look().await?,
                update = self.updates.next() => {
                    self.beat.reset();
                    return Some(line(&update?));
                }
                _ = self.beat.tick() => return Some(b"\n".to_vec()),
            }
        }
    }

    /// Nothing when the caller is no longer allowed to look. A watch counts as use of a login.
    async fn may_look(&self) -> Option<()> {
        let who = &self.caller.who;
        let allowed = match (&who.login, self.caller.open) {
            (Some(key), _) => {
                let holder = self.engine.who_holds(key, &who.origin, Duration::MAX);
                matches!(holder.await, Ok(Some(_)))
            }
            (None, true) => matches!(self.engine.has_operators().await, Ok(false)),
            (None, false) => true,
        };
        allowed.then_some(())
    }
}

fn line(update: &Update) -> Vec<u8> {
    let mut line = serde_json::to_vec(update).unwrap_or_default();
    line.push(b'\n');
    line
}
