//! Routes with what each needs, in one list: what is served and what it asks of the caller cannot
//! drift apart, because a route cannot be added without saying it.

use crate::doors::json::Outcome;
use crate::who::Who;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderValue, Response};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::IntoResponse as _;
use axum::routing::{MethodRouter, get, post};
use std::convert::Infallible;
use wire::Refusal;
use wire::operator::Role;
use wire::refusal::Code;

/// What a route needs of whoever calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing: it is how one becomes known, or says nothing that is not public.
    Anybody,
    /// To look. Where looking is open, nobody has to be known for it.
    Look,
    /// At least this role.
    Role(Role),
    /// It is for boards, which show their own tokens; no operator's route.
    Board,
}

/// A route as it was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// What it needs.
    pub access: Access,
}

/// Who calls, as the guard of a door found out. An extension of every request behind one.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub who: Who,
    /// May somebody unknown look?
    pub open: bool,
}

/// Routes, and the list of them.
#[derive(Debug)]
pub struct Routes<S = ()> {
    router: Router<S>,
    list: Vec<Listed>,
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self {
            router: Router::new(),
            list: Vec::new(),
        }
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// No routes.
    pub fn new() -> Self {
        Self::default()
    }

    /// A route that is read; HEAD comes with it.
    #[must_use]
    pub fn get<T: 'static>(
        self,
        path: &'static str,
        access: Access,
        handler: impl Handler<T, S>,
    ) -> Self {
        self.add("GET", path, access, get(handler))
    }

    /// A route that takes a body.
    #[must_use]
    pub fn post<T: 'static>(
        self,
        path: &'static str,
        access: Access,
        handler: impl Handler<T, S>,
    ) -> Self {
        self.add("POST", path, access, post(handler))
    }

    fn add(
        mut self,
        method: &'static str,
        path: &'static str,
        access: Access,
        handler: MethodRouter<S, Infallible>,
    ) -> Self {
        let handler = match access {
            Access::Board | Access::Anybody => handler,
            Access::Look | Access::Role(_) => {
                handler.route_layer(from_fn_with_state(access, check))
            }
        };
        self.router = self.router.route(path, handler);
        self.list.push(Listed {
            method,
            path,
            access,
        });
        self
    }

    /// These and others.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.list.extend(other.list);
        self
    }

    /// Changes the router, layers and fallbacks above all, and keeps the list.
    #[must_use]
    pub fn with<T: Clone + Send + Sync + 'static>(
        self,
        change: impl FnOnce(Router<S>) -> Router<T>,
    ) -> Routes<T> {
        Routes {
            router: change(self.router),
            list: self.list,
        }
    }

    /// Every route.
    pub fn list(&self) -> &[Listed] {
        &self.list
    }

    /// The router.
    pub fn into_router(self) -> Router<S> {
        self.router
    }
}

async fn check(State(access): State<Access>, request: Request, next: Next) -> Response<Body> {
    match admits(access, request.extensions().get()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refused(refusal),
    }
}

fn admits(access: Access, caller: Option<&Caller>) -> Result<(), Refusal> {
    let Some(Caller { who, open }) = caller else {
        return Err(Refusal::internal("It was not asked who is calling."));
    };
    match access {
        Access::Anybody | Access::Board => Ok(()),
        Access::Look if *open => Ok(()),
        Access::Look => who.may(Role::Viewer),
        Access::Role(role) => who.may(role),
    }
}

/// A refusal as an answer; one that asks who it is says how to say it.
pub fn refused(refusal: Refusal) -> Response<Body> {
    let asks = refusal.code == Code::LoginNeeded;
    let mut response = Outcome::<()>(Err(refusal)).into_response();
    if asks {
        let bearer = HeaderValue::from_static("Bearer");
        response.headers_mut().insert(WWW_AUTHENTICATE, bearer);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::who::unknown;

    #[test]
    fn a_door_without_a_guard_lets_nobody_in() {
        let refusal = admits(Access::Look, None).unwrap_err();
        assert_eq!(refusal.code, Code::Internal);
    }

    #[test]
    fn looking_is_open_or_needs_a_role_and_changing_always_does() {
        let mut caller = Caller {
            who: Who::nobody(String::new()),
            open: true,
        };
        assert!(admits(Access::Look, Some(&caller)).is_ok());
        assert_eq!(
            admits(Access::Role(Role::Operator), Some(&caller)),
            Err(unknown())
        );
        caller.open = false;
        assert_eq!(admits(Access::Look, Some(&caller)), Err(unknown()));
        caller.who.role = Some(Role::Viewer);
        assert!(admits(Access::Look, Some(&caller)).is_ok());
        let refusal = admits(Access::Role(Role::Operator), Some(&caller)).unwrap_err();
        assert_eq!(refusal.code, Code::Forbidden);
    }
}
