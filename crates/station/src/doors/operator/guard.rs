//! Who may use the operator's HTTP door, and who is asking.
//!
//! In this order:
//! - One address may ask only so often.
//! - The `Host` must be an IP address, `localhost`, or a name that the station was given. A page of
//!   another site that points its own name at this machine (DNS rebinding) arrives with that name, and
//!   is turned away.
//! - A request that a browser makes for another site's page (`Origin` of another host) is turned
//!   away; no CORS header is ever sent.
//! - Whoever shows a token is an administrator or a viewer, as the token is. Whoever shows the key of
//!   an open login is that operator; to change something such a request must carry the header
//!   [`PAGE_HEADER`], which no form and no link of another site can send.
//! - Whoever shows neither is nobody. Nobody may look while the door listens on the loopback alone and
//!   nobody can log in; the page and the way to log in are for everybody.
//!
//! What each route then needs stands beside it, see [`crate::doors::routes`].

use super::{cookie, headers};
use crate::config::Sessions;
use crate::doors::limits::{Backoff, Buckets, asker};
use crate::doors::listen::Ends;
use crate::doors::operator::token::Tokens;
use crate::doors::routes::{Caller, refused};
use crate::doors::terms::Terms;
use crate::engine::Engine;
use crate::who::Who;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, Response};
use axum::middleware::{Next, from_fn_with_state};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use wire::Refusal;
use wire::operator::{Door, Role};
use wire::refusal::Code;

/// Every request of the page carries this header; its value does not matter.
pub const PAGE_HEADER: &str = "x-punnet";

/// Requests of one address: in a burst, as when a page is opened, and then each second.
const BURST: u32 = 1000;
const PER_SECOND: u32 = 200;
/// Logins of one address that may be wrong before it has to wait, and the longest wait.
const WRONG_BY_ADDRESS: u32 = 5;
const LONGEST_BY_ADDRESS: Duration = Duration::from_mins(5);
/// The same for one name, whoever tries it. The wait is short, so that nobody is locked out by others.
const WRONG_BY_NAME: u32 = 10;
const LONGEST_BY_NAME: Duration = Duration::from_secs(10);

/// What the guard goes by.
#[derive(Debug, Clone)]
pub struct Guard {
    /// Knows the operators.
    pub engine: Engine,
    /// The secrets of scripts.
    pub tokens: Tokens,
    /// Can only this machine reach the door?
    pub loopback: bool,
    /// The port it listens on.
    pub port: u16,
    /// What may change while the door is open.
    pub terms: watch::Receiver<Terms>,
    /// How often somebody may ask.
    pub limits: Arc<Limits>,
}

/// How often somebody may ask.
#[derive(Debug)]
pub struct Limits {
    requests: Buckets,
    pub(super) logins_of_address: Backoff<IpAddr>,
    pub(super) logins_of_name: Backoff<String>,
}

impl Default for Limits {
    fn default() -> Self {
        let second = Duration::from_secs(1);
        Self {
            requests: Buckets::new(PER_SECOND, BURST),
            logins_of_address: Backoff::new(WRONG_BY_ADDRESS, second, LONGEST_BY_ADDRESS),
            logins_of_name: Backoff::new(WRONG_BY_NAME, second, LONGEST_BY_NAME),
        }
    }
}

/// Puts the guard before every route.
pub fn guarded(router: Router, guard: Guard) -> Router {
    router.layer(from_fn_with_state(guard, check))
}

async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response<Body> {
    let (mut head, body) = request.into_parts();
    let mut response = match guard.caller(&head).await {
        Ok(caller) => {
            head.extensions.insert(caller);
            next.run(Request::from_parts(head, body)).await
        }
        Err(Denied::Wait(wait)) => too_many(wait),
        Err(Denied::Refused(refusal)) => refused(refusal),
    };
    headers::put(&mut response, guard.is_secure());
    response
}

/// Why a request goes no further.
enum Denied {
    Wait(Duration),
    Refused(Refusal),
}

impl From<Refusal> for Denied {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// The answer to whoever asks too often.
pub(super) fn too_many(wait: Duration) -> Response<Body> {
    let seconds = wait.as_secs() + 1;
    let text = "Too much was asked from this address in too short a time.";
    let mut response =
        refused(Refusal::new(Code::TooMany, text).next(format!("Try again in {seconds} s.")));
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// The address of a peer.
pub(super) fn address(ends: Option<&Ends>) -> IpAddr {
    let peer = ends.and_then(|ends| ends.peer);
    peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| {
        peer.ip().to_canonical()
    })
}

impl Guard {
    async fn caller(&self, request: &Parts) -> Result<Caller, Denied> {
        let from = address(request.extensions.get());
        let taken = self.limits.requests.take(asker(from), Instant::now());
        taken.map_err(Denied::Wait)?;
        let headers = &request.headers;
        self.comes_from_here(headers)?;
        let known = |who| Caller { who, open: false };
        if let Some((name, role)) = self.holder(headers) {
            return Ok(known(Who {
                name: name.to_owned(),
                role: Some(role),
                door: Door::Token,
                ..Who::nobody(from.to_string())
            }));
        }
        if let Some(key) = cookie::read(headers, self.port, self.is_secure()) {
            let origin = from.to_string();
            let holder = self.engine.who_holds(&key, &origin, self.sessions().idle);
            if let Some((who, _)) = holder.await? {
                let reads = [Method::GET, Method::HEAD].contains(&request.method);
                if !reads && !headers.contains_key(PAGE_HEADER) {
                    let text = "A change by a logged-in browser carries the header x-punnet.";
                    return Err(Refusal::new(Code::Forbidden, text).into());
                }
                return Ok(known(who));
            }
        }
        Ok(Caller {
            open: self.is_open().await?,
            who: Who::nobody(from.to_string()),
        })
    }

    /// Is the door behind TLS?
    pub(super) fn is_secure(&self) -> bool {
        self.terms.borrow().tls.is_some()
    }

    /// How long logins last.
    pub(super) fn sessions(&self) -> Sessions {
        self.terms.borrow().sessions
    }

    /// May somebody unknown look?
    pub(super) async fn is_open(&self) -> Result<bool, Refusal> {
        Ok(self.loopback && !self.engine.has_operators().await?)
    }

    /// Turns away other names and the pages of other sites.
    fn comes_from_here(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let forbidden = |text: &str| Refusal::new(Code::Forbidden, text);
        let host = headers.get(HOST).and_then(|h| h.to_str().ok());
        let names = Arc::clone(&self.terms.borrow().names);
        let Some(host) = host.filter(|h| is_own(h, &names)) else {
            let text =
                "This address is reached by its number or as localhost, not by another name.";
            return Err(forbidden(text).next(
                "Names that it is to be reached by stand in station.toml, as `names` under \
                 [management].",
            ));
        };
        if let Some(origin) = headers.get(ORIGIN) {
            let scheme = if self.is_secure() { "https" } else { "http" };
            let own = format!("{scheme}://{host}");
            if !origin.as_bytes().eq_ignore_ascii_case(own.as_bytes()) {
                return Err(forbidden(
                    "Pages of other sites may not speak to the station.",
                ));
            }
        }
        Ok(())
    }

    /// Whose token a request shows.
    fn holder(&self, headers: &HeaderMap) -> Option<(&'static str, Role)> {
        let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = value.split_once(' ')?;
        let bearer = scheme.eq_ignore_ascii_case("bearer");
        self.tokens.holder(token.trim()).filter(|_| bearer)
    }
}

/// Is this host (and port) one that the station is reached by?
pub(crate) fn is_own(host: &str, names: &[String]) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    // What stands before an @ is nobody's business here.
    if authority.as_str().contains('@') {
        return false;
    }
    let name = authority.host();
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok()
        || names.iter().any(|own| own.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::is_own;

    #[test]
    fn numbers_localhost_and_given_names_are_own_and_no_others() {
        let names = ["bench.example".to_owned()];
        for own in [
            "127.0.0.1:5000",
            "[::1]:5000",
            "LocalHost",
            "192.168.1.5",
            "Bench.Example:5000",
        ] {
            assert!(is_own(own, &names), "{own}");
        }
        for other in [
            "evil.example:5000",
            "127.0.0.1.evil.example",
            "bench.example.evil.example",
            "localhost@evil.example",
            "",
            "/",
        ] {
            assert!(!is_own(other, &names), "{other}");
        }
    }
}
