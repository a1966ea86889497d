//! Logging in and out, who is logged in, and their own password.
//!
//! | path | what |
//! |---|---|
//! | `POST /api/v1/login` | a name and a password, answered by a [`Session`] and a cookie |
//! | `POST /api/v1/logout` | ends the login |
//! | `GET /api/v1/session` | a [`Session`]: who is asking, and what that allows |
//! | `POST /api/v1/password` | the present password and a new one; the other logins end |
//!
//! Whoever is wrong too often waits, by address and by name, in whichever way the password is guessed.
//! An attempt counts before it is looked at, so that many at once are as many.

use super::cookie;
use super::guard::{Guard, Limits, PAGE_HEADER, address, too_many};
use crate::doors::json::{answer, read};
use crate::doors::limits::asker;
use crate::doors::listen::Ends;
use crate::doors::routes::{Access, Caller, Routes, refused};
use crate::who::Who;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Extension, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde::Deserialize;
use std::net::IpAddr;
use std::time::{Duration, Instant};
use wire::operator::{OperatorName, Password, Role, Session};
use wire::refusal::Code;
use wire::{Millis, Refusal};

/// Largest body: a name and a password.
const BODY: usize = 4096;

/// The routes.
pub fn routes(guard: Guard) -> Routes {
    Routes::new()
        .post("/api/v1/login", Access::Anybody, login)
        .post("/api/v1/logout", Access::Anybody, logout)
        .get("/api/v1/session", Access::Anybody, session)
        .post("/api/v1/password", Access::Role(Role::Viewer), password)
        .with(|router| router.layer(DefaultBodyLimit::max(BODY)).with_state(guard))
}

#[derive(Deserialize)]
struct Asked {
    name: String,
    password: Password,
}

async fn login(
    State(guard): State<Guard>,
    Extension(ends): Extension<Ends>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    if !headers.contains_key(PAGE_HEADER) {
        let text = "A login carries the header x-punnet.";
        return refused(Refusal::new(Code::Forbidden, text));
    }
    let asked: Asked = match read(&body) {
        Ok(asked) => asked,
        Err(refusal) => return refused(refusal),
    };
    let from = address(Some(&ends));
    // One count for everything that is nobody's name.
    let name = asked
        .name
        .parse::<OperatorName>()
        .map_or_else(|_| "?".to_owned(), String::from);
    let guess = match Guess::begin(&guard.limits, from, &name) {
        Ok(guess) => guess,
        Err(wait) => return too_many(wait),
    };
    let longest = guard.sessions().longest;
    let opened = guard
        .engine
        .log_in(&name, asked.password, &from.to_string(), longest)
        .await;
    match opened {
        Ok(opened) => {
            guess.was_right();
            let cookie = cookie::write(Some((&opened.key, longest)), guard.port, guard.is_secure());
            said(&guard, &opened.who, Some(opened.until), cookie).await
        }
        Err(refusal) => refused(refusal),
    }
}

/// A password that is tried, and counted as wrong until it was right.
struct Guess<'a> {
    limits: &'a Limits,
    from: IpAddr,
    name: &'a str,
}

impl<'a> Guess<'a> {
    fn begin(limits: &'a Limits, from: IpAddr, name: &'a str) -> Result<Self, Duration> {
        let now = Instant::now();
        let waits = [
            limits.logins_of_address.may(&asker(from), now),
            limits.logins_of_name.may(&name.to_owned(), now),
        ];
        if let Some(wait) = waits.into_iter().filter_map(Result::err).max() {
            tracing::warn!(%from, "too many wrong passwords; one more was not looked at");
            return Err(wait);
        }
        limits.logins_of_address.wrong(asker(from), now);
        limits.logins_of_name.wrong(name.to_owned(), now);
        Ok(Self { limits, from, name })
    }

    fn was_right(self) {
        self.limits.logins_of_address.right(&asker(self.from));
        self.limits.logins_of_name.right(&self.name.to_owned());
    }
}

async fn logout(
    State(guard): State<Guard>,
    Extension(Caller { who, .. }): Extension<Caller>,
) -> Response<Body> {
    if let Err(refusal) = guard.engine.log_out(&who).await {
        return refused(refusal);
    }
    let cookie = cookie::write(None, guard.port, guard.is_secure());
    said(&guard, &Who::nobody(who.origin), None, cookie).await
}

async fn session(
    State(guard): State<Guard>,
    Extension(Caller { who, .. }): Extension<Caller>,
) -> Response<Body> {
    let until = match &who.login {
        Some(key) => {
            let holder = guard
                .engine
                .who_holds(key, &who.origin, guard.sessions().idle);
            holder.await.ok().flatten().map(|(_, until)| until)
        }
        None => None,
    };
    said(&guard, &who, until, None).await
}

#[derive(Deserialize)]
struct Change {
    present: Password,
    password: Password,
}

async fn password(
    State(guard): State<Guard>,
    Extension(ends): Extension<Ends>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Response<Body> {
    let Change { present, password } = match read(&body) {
        Ok(change) => change,
        Err(refusal) => return refused(refusal),
    };
    let who = &caller.who;
    if let Err(refusal) = who.own_login() {
        return refused(refusal);
    }
    let guess = match Guess::begin(&guard.limits, address(Some(&ends)), &who.name) {
        Ok(guess) => guess,
        Err(wait) => return too_many(wait),
    };
    let proved = match guard.engine.prove(who, present).await {
        Ok(proved) => proved,
        Err(refusal) => return refused(refusal),
    };
    guess.was_right();
    match guard.engine.change_password(who, proved, password).await {
        Ok(()) => session(State(guard), Extension(caller)).await,
        Err(refusal) => refused(refusal),
    }
}

async fn said(
    guard: &Guard,
    who: &Who,
    until: Option<Millis>,
    cookie: Option<HeaderValue>,
) -> Response<Body> {
    let operators = match guard.engine.has_operators().await {
        Ok(operators) => operators,
        Err(refusal) => return refused(refusal),
    };
    let session = Session {
        door: who.door,
        name: Some(who.name.clone()).filter(|name| !name.is_empty()),
        role: who.role,
        open: guard.loopback && !operators,
        operators,
        until,
    };
    let mut response = answer(StatusCode::OK, &session);
    if let Some(cookie) = cookie {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}
