//! Who may use the operator's HTTP door.
//!
//! Three rules, in this order:
//! - The `Host` must be an IP address or `localhost`. A page of another site that points its own name
//!   at this machine (DNS rebinding) arrives with that name, and is turned away.
//! - A request that a browser makes for another site's page (`Origin` of another host) is turned
//!   away; no CORS header is ever sent.
//! - A request that changes something carries the token. When the door listens beyond loopback,
//!   reading carries it too. The page itself is the same for everybody and needs none; what it shows
//!   does.

use super::page::Page;
use super::token::Token;
use crate::doors::json::{Outcome, status_of};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN, WWW_AUTHENTICATE};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Response};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::IntoResponse;
use std::net::IpAddr;
use wire::Refusal;
use wire::refusal::Code;

/// What the guard goes by.
#[derive(Debug, Clone)]
pub struct Guard {
    /// The secret.
    pub token: Token,
    /// Ask for it on every path, because others than this machine can reach the door.
    pub always: bool,
    /// The page, which a browser cannot fetch with a token.
    pub page: Page,
}

/// Puts the guard before every route.
pub fn guarded(router: Router, guard: Guard) -> Router {
    router.layer(from_fn_with_state(guard, check))
}

async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response<Body> {
    match guard.admits(request.uri().path(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => {
            let mut response = Outcome::<()>(Err(refusal.clone())).into_response();
            if status_of(&refusal).as_u16() == 403 {
                let bearer = HeaderValue::from_static("Bearer");
                response.headers_mut().insert(WWW_AUTHENTICATE, bearer);
            }
            response
        }
    }
}

impl Guard {
    fn admits(&self, path: &str, headers: &HeaderMap) -> Result<(), Refusal> {
        let forbidden = |text: &str| Refusal::new(Code::Forbidden, text);
        let host = headers
            .get(HOST)
            .and_then(|h| h.to_str().ok())
            .filter(|h| is_plain_address(h))
            .ok_or_else(|| {
                forbidden(
                    "This address is reached by its number or as localhost, not by another name.",
                )
            })?;
        if let Some(origin) = headers.get(ORIGIN) {
            let own = format!("http://{host}");
            if origin.as_bytes() != own.as_bytes() {
                return Err(forbidden(
                    "Pages of other sites may not speak to the station.",
                ));
            }
        }
        let changes = matches!(path, "/api/v1/command" | "/api/v1/rehearsal/command")
            || path == super::upload::PATH;
        let reads = self.always && !self.page.has(path);
        if (changes || reads) && !self.has_token(headers) {
            return Err(forbidden("A change over HTTP needs the operator token.").next(
                "Send it as `Authorization: Bearer …`; it is in operator.token in the data folder.",
            ));
        }
        Ok(())
    }

    fn has_token(&self, headers: &HeaderMap) -> bool {
        headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .is_some_and(|(scheme, token)| {
                scheme.eq_ignore_ascii_case("bearer") && self.token.is(token.trim())
            })
    }
}

fn is_plain_address(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let name = authority.host();
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(always: bool) -> (Guard, String) {
        let dir = tempfile::tempdir().unwrap();
        let token = Token::load_or_create(dir.path()).unwrap();
        let text = token.text().to_owned();
        let page = Page::new(&[("/index.html", b"")]);
        let guard = Guard {
            token,
            always,
            page,
        };
        (guard, text)
    }

    fn headers(list: &[(axum::http::HeaderName, &str)]) -> HeaderMap {
        list.iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn a_change_needs_the_token_and_reading_does_not() {
        let (guard, token) = guard(false);
        let plain = headers(&[(HOST, "127.0.0.1:5000")]);
        assert!(guard.admits("/api/v1/boards", &plain).is_ok());
        assert!(guard.admits("/api/v1/command", &plain).is_err());
        assert!(guard.admits("/api/v1/rehearsal/watch", &plain).is_ok());
        assert!(guard.admits("/api/v1/rehearsal/command", &plain).is_err());
        let wrong = headers(&[(HOST, "localhost"), (AUTHORIZATION, "Bearer 00")]);
        assert!(guard.admits("/api/v1/command", &wrong).is_err());
        let right = format!("bearer {token}");
        let right = headers(&[(HOST, "[::1]:5000"), (AUTHORIZATION, &right)]);
        assert!(guard.admits("/api/v1/command", &right).is_ok());
    }

    #[test]
    fn a_door_beyond_loopback_asks_readers_too() {
        let (guard, _) = guard(true);
        let plain = headers(&[(HOST, "192.168.1.5:5000")]);
        assert!(guard.admits("/api/v1/boards", &plain).is_err());
        assert!(guard.admits("/metrics", &plain).is_err());
    }

    #[test]
    fn the_page_needs_no_token_and_still_no_other_name() {
        let (guard, _) = guard(true);
        let plain = headers(&[(HOST, "192.168.1.5:5000")]);
        assert!(guard.admits("/", &plain).is_ok());
        assert!(guard.admits("/index.html", &plain).is_ok());
        let other = headers(&[(HOST, "evil.example:5000")]);
        assert!(guard.admits("/", &other).is_err());
    }

    #[test]
    fn other_names_and_other_sites_are_turned_away_even_with_the_token() {
        let (guard, token) = guard(false);
        let bearer = format!("Bearer {token}");
        for list in [
            vec![(HOST, "evil.example:5000")],
            vec![(HOST, "127.0.0.1.evil.example")],
            vec![],
            vec![(HOST, "127.0.0.1:5000"), (ORIGIN, "http://evil.example")],
            vec![(HOST, "127.0.0.1:5000"), (ORIGIN, "null")],
        ] {
            let mut list = headers(&list);
            list.insert(AUTHORIZATION, bearer.parse().unwrap());
            assert!(guard.admits("/api/v1/boards", &list).is_err(), "{list:?}");
        }
        let own = headers(&[(HOST, "127.0.0.1:5000"), (ORIGIN, "http://127.0.0.1:5000")]);
        assert!(guard.admits("/api/v1/boards", &own).is_ok());
    }
}
