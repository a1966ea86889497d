//! `/health` and `/ready`, on both doors: true only when they say so.
//!
//! Finding out means writing a row, so what was found is said to everybody who asks within a moment, and
//! many who ask at once wait for one look. Boards are told which parts are unfit, and nothing of them:
//! names of batches and images are nobody's business on that wire.

use super::clock;
use super::json::answer;
use super::routes::{Access, Routes};
use crate::engine::Engine;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use wire::Millis;
use wire::health::{Ready, Subsystem};
use wire::query::{Answer, Query};

/// Subsystems without which a board that asks now is not served. A missing image or an empty pool of
/// names is work for the operator, not illness.
const VITAL: [&str; 6] = ["database", "disk", "nic", "http", "tftp", "dhcp"];
/// How long what was found holds.
const HOLDS: Duration = Duration::from_secs(1);

/// The routes, for a router of any state.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(
    engine: Engine,
    access: Access,
) -> Routes<S> {
    let fitness = Fitness {
        engine,
        found: Arc::default(),
        in_detail: access != Access::Board,
    };
    Routes::new()
        .get("/health", access, health)
        .get("/ready", access, ready)
        .with(|router| router.with_state(fitness))
}

/// How fit the station is, as one door tells it.
#[derive(Clone)]
struct Fitness {
    engine: Engine,
    found: Arc<Mutex<Option<(Instant, Ready)>>>,
    in_detail: bool,
}

impl Fitness {
    async fn now(&self) -> Ready {
        // Held while it is found out: whoever comes meanwhile is answered with the same.
        let mut found = self.found.lock().await;
        if let Some((at, ready)) = &*found
            && at.elapsed() < HOLDS
        {
            return ready.clone();
        }
        let mut ready = match self.engine.query(Query::Ready).await {
            Ok(Answer::Ready(ready)) => ready,
            Ok(_) => unreadable("the engine gave another answer".to_owned()),
            Err(refusal) => unreadable(refusal.to_string()),
        };
        if !self.in_detail {
            for part in &mut ready.subsystems {
                part.detail.clear();
            }
        }
        *found = Some((Instant::now(), ready.clone()));
        ready
    }
}

fn unreadable(detail: String) -> Ready {
    Ready {
        ready: false,
        subsystems: vec![Subsystem {
            name: "database".to_owned(),
            ready: false,
            detail,
        }],
        at: Millis::now(),
    }
}

async fn health(State(fitness): State<Fitness>) -> Response<Body> {
    let timestamp = clock::naive_local(Millis::now());
    let ready = fitness.now().await;
    let vital = |part: &&Subsystem| VITAL.contains(&part.name.as_str());
    let ill = ready.subsystems.iter().filter(vital).filter(|s| !s.ready);
    let ill: Vec<String> = ill
        .map(|Subsystem { name, detail, .. }| match detail.as_str() {
            "" => name.clone(),
            detail => format!("{name}: {detail}"),
        })
        .collect();
    if ill.is_empty() {
        let body = json!({"status": "healthy", "timestamp": timestamp});
        return answer(StatusCode::OK, &body);
    }
    let body = json!({"status": "unhealthy", "timestamp": timestamp, "reasons": ill});
    answer(StatusCode::SERVICE_UNAVAILABLE, &body)
}

async fn ready(State(fitness): State<Fitness>) -> Response<Body> {
    let ready = fitness.now().await;
    let status = if ready.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    answer(status, &ready)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Options;

    #[tokio::test]
    async fn many_who_ask_at_once_are_told_what_one_look_found() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options {
            data_dir: folder.path().to_owned(),
            rehearsal: true,
        };
        let engine = Engine::open(options).unwrap();
        let fitness = Fitness {
            engine: engine.clone(),
            found: Arc::default(),
            in_detail: false,
        };
        let (one, two, three) = tokio::join!(fitness.now(), fitness.now(), fitness.now());
        assert!(one.subsystems.iter().all(|part| part.detail.is_empty()));
        assert_eq!(one.subsystems[0].name, "database");
        assert_eq!((&one, &one), (&two, &three));
        engine.close().await;
    }
}
