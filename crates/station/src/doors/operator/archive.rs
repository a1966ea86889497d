//! An archive of the station for an administrator, in two steps.
//!
//! | path | what |
//! |---|---|
//! | `POST /api/v1/archive` | `{"packs": true}`; answered by a [`Download`] |
//! | `GET /api/v1/archive/{key}` | the archive, as it is made |
//!
//! To its disk a browser downloads only what it is led to, and such a request carries nothing by which
//! the page could be told from another site's. So what begins it is a POST, which no other site can send,
//! and the answer has a key that is good once and for a minute. Whoever shows it needs nothing else, so
//! that it also serves a browser that has the token; the login that asked must still be open.

use crate::backup::outgoing::Outgoing;
use crate::doors::json::{Outcome, read};
use crate::doors::routes::{Access, Caller, Routes, refused};
use crate::engine::Engine;
use crate::who::{Key, Who};
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Extension, Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, Response};
use axum::response::IntoResponse as _;
use serde::Deserialize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use wire::Refusal;
use wire::backup::Download;
use wire::operator::Role;

/// How long an archive waits to be fetched.
const WAITS: Duration = Duration::from_mins(1);
/// Largest body.
const BODY: usize = 4096;

/// The routes. They stand outside the limits of the others: a database takes its time.
pub fn routes(engine: Engine) -> Routes {
    Routes::new()
        .post("/api/v1/archive", Access::Role(Role::Admin), begin)
        .get("/api/v1/archive/{key}", Access::Anybody, fetch)
        .with(|router| {
            router
                .layer(DefaultBodyLimit::max(BODY))
                .with_state(Counter {
                    engine,
                    waiting: Arc::default(),
                })
        })
}

/// Where an archive waits. There is one at a time.
#[derive(Clone)]
struct Counter {
    engine: Engine,
    waiting: Arc<Mutex<Option<Waiting>>>,
}

struct Waiting {
    key: Key,
    who: Who,
    archive: Outgoing,
}

impl Counter {
    fn lock(&self) -> MutexGuard<'_, Option<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, key: &Key) -> Option<Waiting> {
        // Compared by their hashes, so that the time it takes says nothing.
        self.lock().take_if(|w| w.key.hash() == key.hash())
    }
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    packs: bool,
}

async fn begin(
    State(counter): State<Counter>,
    Extension(Caller { who, .. }): Extension<Caller>,
    body: Bytes,
) -> Response<Body> {
    let begun = async {
        let Wanted { packs } = read(&body)?;
        let key = Key::random()?;
        let archive = counter.engine.archive_by(&who, packs).await?;
        let download = Download {
            key: key.text().to_owned(),
            file_name: archive.file_name(),
        };
        *counter.lock() = Some(Waiting {
            key: key.clone(),
            who,
            archive,
        });
        tokio::spawn(async move {
            tokio::time::sleep(WAITS).await;
            drop(counter.take(&key));
        });
        Ok(download)
    };
    Outcome(begun.await).into_response()
}

async fn fetch(State(counter): State<Counter>, Path(key): Path<String>) -> Response<Body> {
    match fetched(&counter, &key).await {
        Ok(archive) => send(archive),
        Err(refusal) => refused(refusal),
    }
}

async fn fetched(counter: &Counter, key: &str) -> Result<Outgoing, Refusal> {
    let waiting = Key::parse(key).and_then(|key| counter.take(&key));
    let Some(Waiting { who, archive, .. }) = waiting else {
        return Err(
            Refusal::not_found("No archive waits to be fetched by this.")
                .next("Begin again: it can be fetched once, within a minute."),
        );
    };
    if let Some(login) = &who.login {
        let holder = counter.engine.who_holds(login, &who.origin, Duration::MAX);
        let now = holder.await?.map(|(who, _)| who);
        now.unwrap_or_else(|| Who::nobody(who.origin))
            .may(Role::Admin)?;
    }
    Ok(archive)
}

fn send(archive: Outgoing) -> Response<Body> {
    let save = format!("attachment; filename=\"{}\"", archive.file_name());
    let mut response = Response::new(Body::from_stream(archive.stream()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/zstd"));
    if let Ok(save) = HeaderValue::from_str(&save) {
        headers.insert(CONTENT_DISPOSITION, save);
    }
    response
}
