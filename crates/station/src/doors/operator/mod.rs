//! The door for operators: the three verbs, and plain GETs where people and scripts expect them.
//!
//! The same routes serve two listeners. On the Unix socket [`peers`] asks the kernel who it is. On HTTP
//! [`guard`] finds out who is asking, by a login ([`login`]) or by the token, and turns away pages of
//! other sites. Each route says beside itself what it needs.
//!
//! | path | what |
//! |---|---|
//! | `POST /api/v1/command` | a [`wire::command::Command`], answered by a receipt |
//! | `POST /api/v1/query` | a [`wire::query::Query`], answered by its answer |
//! | `GET /api/v1/watch` | one [`wire::update::Update`] per line, for as long as the reader stays |
//! | `POST /api/v1/upload` | an image out of a browser, [`upload`] |
//! | `POST /api/v1/archive`, `GET …/archive/{key}` | everything in one file, for an administrator, [`archive`] |
//! | `…/api/v1/rehearsal/{command,query,watch}` | the same three, of the rehearsal beside the station |
//! | `GET /api/v1/…` | lists, [`plain`]; documents, [`papers`] |
//! | `POST /api/v1/login`, `/logout`, `/password`, `GET /api/v1/session` | who is asking, [`login`] |
//! | `GET /health`, `GET /ready` | is the station fit, [`super::health`] |
//! | `GET /metrics` | figures for Prometheus, [`metrics`] |
//! | `GET /`, its files | the operator's page for a browser, [`page`] |
//! | `GET /api/…` | what readers of the older system expect, [`origin`] |

pub mod archive;
mod cookie;
pub mod guard;
mod headers;
pub mod login;
pub mod metrics;
mod origin;
pub mod page;
mod papers;
pub mod peers;
mod plain;
mod rehearsal;
pub mod token;
pub mod upload;
mod verbs;

use super::{health, json};
use crate::doors::routes::{Access, Routes};
use crate::engine::Engine;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Response, StatusCode, Uri};
use page::Page;
use serde_json::json;
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use wire::operator::Role;

/// Largest body: a CSV of names.
const BODY: usize = 8 << 20;
/// Longest time until an answer begins.
const ANSWER: Duration = Duration::from_mins(1);

/// The description of the interface, served beside it.
const OPENAPI: &str = include_str!("openapi.json");

/// The routes of the door, the same for both listeners.
pub fn routes(engine: Engine, page: Page) -> Routes {
    Routes::new()
        .post(
            "/api/v1/command",
            Access::Role(Role::Operator),
            verbs::command,
        )
        .post("/api/v1/query", Access::Look, verbs::query)
        .get("/api/v1/watch", Access::Look, verbs::watch)
        .get("/api/v1/openapi.json", Access::Look, openapi)
        .get("/metrics", Access::Look, metrics::metrics)
        .merge(health::routes(engine.clone(), Access::Look))
        .merge(rehearsal::routes())
        .merge(plain::routes())
        .merge(papers::routes())
        .merge(origin::routes())
        .with(|router| {
            router
                .fallback(move |method: Method, uri: Uri| async move {
                    page.answer(&method, uri.path())
                        .unwrap_or_else(nothing_here)
                })
                .method_not_allowed_fallback(wrong_method)
                .layer(DefaultBodyLimit::max(BODY))
                .layer(TimeoutLayer::with_status_code(
                    StatusCode::SERVICE_UNAVAILABLE,
                    ANSWER,
                ))
                .layer(CatchPanicLayer::new())
                .with_state(engine)
        })
}

async fn openapi() -> Response<Body> {
    let mut response = Response::new(Body::from(OPENAPI));
    let kind = axum::http::HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(axum::http::header::CONTENT_TYPE, kind);
    response
}

fn nothing_here() -> Response<Body> {
    json::answer(
        StatusCode::NOT_FOUND,
        &json!({"error": "Resource not found"}),
    )
}

async fn wrong_method() -> Response<Body> {
    json::answer(
        StatusCode::METHOD_NOT_ALLOWED,
        &json!({"error": "Method not allowed here"}),
    )
}

#[cfg(test)]
mod tests {
    use super::OPENAPI;
    use wire::command::Command;
    use wire::query::Query;

    fn examples(kind: &str) -> Vec<serde_json::Value> {
        let spec: serde_json::Value = serde_json::from_str(OPENAPI).unwrap();
        let arms = spec["components"]["schemas"][kind]["oneOf"].clone();
        let arms: Vec<serde_json::Value> = serde_json::from_value(arms).unwrap();
        arms.iter().map(|arm| arm["examples"][0].clone()).collect()
    }

    #[test]
    fn every_verb_of_the_description_is_understood() {
        for example in examples("Command") {
            let command: Command = serde_json::from_value(example.clone())
                .unwrap_or_else(|e| panic!("{example}: {e}"));
            assert_ne!(command, Command::Unknown, "{example}");
        }
        for example in examples("Query") {
            let query: Query = serde_json::from_value(example.clone())
                .unwrap_or_else(|e| panic!("{example}: {e}"));
            assert_ne!(query, Query::Unknown, "{example}");
        }
        assert_eq!(
            (examples("Command").len(), examples("Query").len()),
            (47, 24)
        );
    }
}
