//! `/metrics`: figures in Prometheus' text format, version 0.0.4. Every figure is read off the same
//! snapshot that a screen shows, so there is nothing to keep in step.

use crate::engine::Engine;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Response};
use std::fmt::Write as _;
use tokio_stream::StreamExt as _;
use wire::Stage;
use wire::event::Level;
use wire::health::ServerState;
use wire::query::{Answer, Query, Stats};
use wire::update::{Snapshot, Update};

pub(super) async fn metrics(State(engine): State<Engine>) -> Response<Body> {
    let mut watch = std::pin::pin!(engine.watch());
    let snapshot = match watch.next().await {
        Some(Update::Snapshot(snapshot)) => *snapshot,
        _ => Snapshot::default(),
    };
    let stats = match engine.query(Query::Stats).await {
        Ok(Answer::Stats(stats)) => stats,
        _ => Stats::default(),
    };
    let leases = match engine.query(Query::Leases).await {
        Ok(Answer::Leases(leases)) => leases.len(),
        _ => 0,
    };
    let mut response = Response::new(Body::from(render(&snapshot, &stats, leases)));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// One metric: its help, its type, and a line for each set of labels.
struct Page(String);

impl Page {
    fn metric(&mut self, name: &str, help: &str, rows: impl IntoIterator<Item = (String, f64)>) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} gauge");
        for (labels, value) in rows {
            let labels = if labels.is_empty() {
                labels
            } else {
                format!("{{{labels}}}")
            };
            let _ = writeln!(self.0, "{name}{labels} {value}");
        }
    }
}

fn one(value: f64) -> [(String, f64); 1] {
    [(String::new(), value)]
}

/// A label with its value quoted as the format wants.
fn label(name: &str, value: &str) -> String {
    let value = value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("{name}=\"{value}\"")
}

fn render(snapshot: &Snapshot, stats: &Stats, leases: usize) -> String {
    let mut page = Page(String::new());
    page.metric(
        "punnet_info",
        "The station's version.",
        [(label("version", &snapshot.version), 1.0)],
    );
    page.metric(
        "punnet_boards",
        "Boards on the bench by stage.",
        Stage::ALL.map(|stage| {
            let count = snapshot.boards.iter().filter(|b| b.stage == stage).count();
            (label("stage", stage.as_str()), count as f64)
        }),
    );
    let stalled = snapshot.boards.iter().filter(|b| b.stalled.is_some());
    page.metric(
        "punnet_boards_stalled",
        "Boards that have been quiet for too long.",
        one(stalled.count() as f64),
    );
    let rate: u64 = snapshot
        .boards
        .iter()
        .filter(|b| b.stage.is_working())
        .filter_map(|b| b.progress.map(|p| p.rate))
        .sum();
    page.metric(
        "punnet_rate_bytes_per_second",
        "Bytes a second of all working boards together.",
        one(rate as f64),
    );
    page.metric(
        "punnet_server_up",
        "1 while the server serves.",
        snapshot.servers.iter().map(|server| {
            let up = server.state == ServerState::Serving;
            (
                label("server", server.server.as_str()),
                f64::from(u8::from(up)),
            )
        }),
    );
    page.metric(
        "punnet_server_restarts",
        "Restarts since the server last served for a minute.",
        snapshot.servers.iter().map(|server| {
            let times = match &server.state {
                ServerState::Restarting { times, .. } => *times,
                _ => 0,
            };
            (label("server", server.server.as_str()), f64::from(times))
        }),
    );
    page.metric(
        "punnet_findings",
        "Findings of the wire checks by level.",
        [Level::Info, Level::Warning, Level::Error].map(|level| {
            let count = snapshot.findings.iter().filter(|f| f.level == level);
            (label("level", level.as_str()), count.count() as f64)
        }),
    );
    batches(&mut page, snapshot);
    page.metric(
        "punnet_names",
        "Names by product and state.",
        stats.names.iter().map(|(product, state, count)| {
            let product = label("product", product.as_str());
            let state = label("state", state.as_str());
            (format!("{product},{state}"), f64::from(*count))
        }),
    );
    page.metric(
        "punnet_deployments_day",
        "Deployments of the last 24 hours.",
        one(f64::from(stats.recent)),
    );
    page.metric(
        "punnet_deployments_day_done",
        "Deployments of the last 24 hours that were done.",
        one(f64::from(stats.recent_done)),
    );
    page.metric("punnet_leases", "Leases known.", one(leases as f64));
    page.metric(
        "punnet_images",
        "Images in the library.",
        one(snapshot.images.len() as f64),
    );
    page.0
}

fn batches(page: &mut Page, snapshot: &Snapshot) {
    type Counter = (&'static str, fn(&wire::batch::Counters) -> u32);
    let counters: [Counter; 5] = [
        ("planned", |c| c.planned),
        ("running", |c| c.running),
        ("done", |c| c.done),
        ("failed", |c| c.failed),
        ("confirmed", |c| c.confirmed),
    ];
    let rows = snapshot.batches.iter().flat_map(|batch| {
        counters.map(|(what, count)| {
            let id = label("batch", &batch.id.to_string());
            let what = label("what", what);
            (format!("{id},{what}"), f64::from(count(&batch.counters)))
        })
    });
    page.metric(
        "punnet_batch_boards",
        "Boards of a batch by how they stand.",
        rows,
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::Millis;
    use wire::health::{ServerKind, ServerStatus};

    #[test]
    fn every_line_is_help_type_or_a_figure() {
        let snapshot = Snapshot {
            version: "0.1 \"x\"".to_owned(),
            servers: vec![ServerStatus {
                server: ServerKind::Dhcp,
                state: ServerState::Serving,
                listen: None,
                since: Millis(0),
            }],
            ..Snapshot::default()
        };
        let stats = Stats {
            names: vec![(
                "KXP2".parse().unwrap(),
                wire::batch::NameState::Available,
                7,
            )],
            ..Stats::default()
        };
        let text = render(&snapshot, &stats, 3);
        for wanted in [
            "punnet_info{version=\"0.1 \\\"x\\\"\"} 1",
            "punnet_server_up{server=\"dhcp\"} 1",
            "punnet_names{product=\"KXP2\",state=\"available\"} 7",
            "punnet_boards{stage=\"writing\"} 0",
            "punnet_leases 3",
        ] {
            assert!(text.lines().any(|l| l == wanted), "{wanted}\n{text}");
        }
        for line in text.lines().filter(|l| !l.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(
                name.starts_with("punnet_") && value.parse::<f64>().is_ok(),
                "{line}"
            );
        }
    }
}
