//! Which figures there are.

use super::page::Kind::{Counter, Gauge, Summary};
use super::page::Page;
use crate::counts::Tally;
use crate::process;
use crate::store::figures::Figures;
use std::collections::BTreeMap;
use wire::batch::{BatchState, Counters};
use wire::event::Level;
use wire::health::{ServerState, Subsystem, Works};
use wire::query::Stats;
use wire::update::Snapshot;
use wire::{ProductCode, Stage, VenueCode};

/// Everything that figures are read off.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) snapshot: Snapshot,
    pub(super) stats: Stats,
    pub(super) leases: usize,
    pub(super) ready: Vec<Subsystem>,
    pub(super) figures: Figures,
    pub(super) tally: Tally,
    pub(super) works: Works,
    pub(super) process: process::Figures,
}

/// The whole page.
pub(super) fn render(facts: &Facts) -> String {
    let mut page = Page::default();
    station(&mut page, facts);
    boards(&mut page, &facts.snapshot);
    batches(&mut page, &facts.snapshot);
    names(&mut page, &facts.figures);
    deployments(&mut page, facts);
    servers(&mut page, facts);
    disk(&mut page, facts);
    of_process(&mut page, &facts.process);
    page.0
}

fn yes(is: bool) -> f64 {
    f64::from(u8::from(is))
}

fn station(page: &mut Page, facts: &Facts) {
    let snapshot = &facts.snapshot;
    page.many(
        Gauge,
        "punnet_info",
        "The station's version.",
        [([("version", snapshot.version.as_str())], 1.0)],
    );
    page.many(
        Gauge,
        "punnet_ready",
        "1 while this part of the station is fit to serve.",
        facts
            .ready
            .iter()
            .map(|part| ([("subsystem", part.name.as_str())], yes(part.ready))),
    );
    page.many(
        Gauge,
        "punnet_findings",
        "Findings of the wire checks by level.",
        [Level::Info, Level::Warning, Level::Error].map(|level| {
            let count = snapshot.findings.iter().filter(|f| f.level == level);
            ([("level", level.as_str())], count.count() as f64)
        }),
    );
    page.one(
        Gauge,
        "punnet_images",
        "Images in the library.",
        snapshot.images.len() as f64,
    );
}

fn boards(page: &mut Page, snapshot: &Snapshot) {
    let boards = &snapshot.boards;
    page.many(
        Gauge,
        "punnet_boards",
        "Boards on the bench by stage.",
        Stage::ALL.map(|stage| {
            let count = boards.iter().filter(|b| b.stage == stage).count();
            ([("stage", stage.as_str())], count as f64)
        }),
    );
    page.one(
        Gauge,
        "punnet_boards_stalled",
        "Boards that have been quiet for too long.",
        boards.iter().filter(|b| b.stalled.is_some()).count() as f64,
    );
    let working = boards.iter().filter(|b| b.stage.is_working());
    let rate: u64 = working.filter_map(|b| Some(b.progress?.rate)).sum();
    page.one(
        Gauge,
        "punnet_rate_bytes_per_second",
        "Bytes a second of all working boards together.",
        rate as f64,
    );
}

fn batches(page: &mut Page, snapshot: &Snapshot) {
    let states = [
        BatchState::Pending,
        BatchState::Active,
        BatchState::Paused,
        BatchState::Completed,
        BatchState::Cancelled,
    ];
    page.many(
        Gauge,
        "punnet_batches",
        "Batches by state.",
        states.map(|state| {
            let count = snapshot.batches.iter().filter(|b| b.state == state);
            ([("state", state.as_str())], count.count() as f64)
        }),
    );
    let mut pools: BTreeMap<(&ProductCode, &VenueCode), Counters> = BTreeMap::new();
    let open = |state| !matches!(state, BatchState::Completed | BatchState::Cancelled);
    for batch in snapshot.batches.iter().filter(|b| open(b.state)) {
        let sum = pools
            .entry((&batch.plan.product, &batch.plan.venue))
            .or_default();
        sum.planned += batch.counters.planned;
        sum.running += batch.counters.running;
        sum.done += batch.counters.done;
        sum.failed += batch.counters.failed;
        sum.confirmed += batch.counters.confirmed;
    }
    let rows = pools.iter().flat_map(|((product, venue), sum)| {
        let named = [
            ("planned", sum.planned),
            ("running", sum.running),
            ("done", sum.done),
            ("failed", sum.failed),
            ("confirmed", sum.confirmed),
        ];
        named.map(|(what, count)| {
            let labels = [
                ("product", product.as_str()),
                ("venue", venue.as_str()),
                ("what", what),
            ];
            (labels, f64::from(count))
        })
    });
    page.many(
        Gauge,
        "punnet_batch_boards",
        "Boards of the open batches by how they stand.",
        rows,
    );
}

fn names(page: &mut Page, figures: &Figures) {
    page.many(
        Gauge,
        "punnet_names",
        "Names of each pool by state; those available are left.",
        figures.names.iter().map(|pool| {
            let labels = [
                ("product", pool.product.as_str()),
                ("venue", pool.venue.as_str()),
                ("state", pool.state.as_str()),
            ];
            (labels, f64::from(pool.count))
        }),
    );
}

fn deployments(page: &mut Page, facts: &Facts) {
    let of = |stages: &[Stage]| {
        let counted = facts.figures.deployments.iter();
        let some = counted.filter(|(stage, _)| stages.contains(stage));
        some.map(|(_, count)| f64::from(*count)).sum::<f64>()
    };
    let done = of(&[Stage::Done, Stage::FirstBootConfirmed]);
    let (failed, cancelled) = (of(&[Stage::Failed]), of(&[Stage::Cancelled]));
    let all: u32 = facts.figures.deployments.iter().map(|(_, n)| n).sum();
    page.many(
        Counter,
        "punnet_deployments_total",
        "Deployments that have ended, by result.",
        [("done", done), ("failed", failed), ("cancelled", cancelled)]
            .map(|(result, count)| ([("result", result)], count)),
    );
    page.one(
        Gauge,
        "punnet_deployments_running",
        "Deployments under way.",
        f64::from(all) - done - failed - cancelled,
    );
    let name = "punnet_stage_duration_seconds";
    let seconds = |ms: i64| ms as f64 / 1000.0;
    let shares = facts.stats.stages.iter().flat_map(|time| {
        [("0.5", time.median_ms), ("0.95", time.p95_ms)].map(|(share, ms)| {
            let labels = [("stage", time.stage.as_str()), ("quantile", share)];
            (labels, seconds(ms))
        })
    });
    page.many(
        Summary,
        name,
        "How long deployments stayed in each stage.",
        shares,
    );
    for time in &facts.stats.stages {
        let labels = [("stage", time.stage.as_str())];
        page.line(&format!("{name}_count"), &labels, f64::from(time.count));
    }
}

fn servers(page: &mut Page, facts: &Facts) {
    let servers = &facts.snapshot.servers;
    page.many(
        Gauge,
        "punnet_server_up",
        "1 while the server serves.",
        servers.iter().map(|server| {
            let labels = [("server", server.server.as_str())];
            (labels, yes(server.state == ServerState::Serving))
        }),
    );
    page.many(
        Gauge,
        "punnet_server_restarts",
        "Restarts since the server last served for a minute.",
        servers.iter().map(|server| {
            let times = match &server.state {
                ServerState::Restarting { times, .. } => *times,
                _ => 0,
            };
            ([("server", server.server.as_str())], f64::from(times))
        }),
    );
    page.one(Gauge, "punnet_leases", "Leases known.", facts.leases as f64);
    let tally = &facts.tally;
    page.many(
        Counter,
        "punnet_dhcp_events_total",
        "What the DHCP server told of.",
        named("event", &tally.dhcp),
    );
    page.many(
        Counter,
        "punnet_tftp_requests_total",
        "Requests for boot files by how they ended.",
        named("result", &tally.tftp),
    );
    page.one(
        Counter,
        "punnet_tftp_retransmissions_total",
        "Blocks of boot files that had to be sent again.",
        tally.tftp_resent as f64,
    );
    page.many(
        Counter,
        "punnet_sent_bytes_total",
        "Bytes of boot files and images sent to boards, by transport.",
        named("transport", &tally.bytes),
    );
    page.many(
        Counter,
        "punnet_http_requests_total",
        "Answered HTTP requests by door and class of status.",
        tally
            .http
            .iter()
            .map(|(door, class, count)| ([("door", *door), ("code", *class)], *count as f64)),
    );
    page.one(
        Gauge,
        "punnet_transfers",
        "Boot files and images on their way to boards.",
        facts.works.transfers.len() as f64,
    );
}

fn named<'t>(
    label: &'t str,
    counts: &'t [(&'static str, u64)],
) -> impl Iterator<Item = ([(&'t str, &'static str); 1], f64)> + use<'t> {
    counts
        .iter()
        .map(move |(name, count)| ([(label, *name)], *count as f64))
}

fn disk(page: &mut Page, facts: &Facts) {
    let disk = &facts.works.disk;
    for (name, help, bytes) in [
        (
            "punnet_disk_free_bytes",
            "Room that is left on the disk of the data folder.",
            disk.free,
        ),
        (
            "punnet_disk_size_bytes",
            "Size of the disk of the data folder.",
            disk.total,
        ),
        (
            "punnet_packs_size_bytes",
            "What the images take on the disk.",
            disk.packs,
        ),
        (
            "punnet_database_size_bytes",
            "What the database takes on the disk.",
            disk.database,
        ),
    ] {
        page.one(Gauge, name, help, bytes as f64);
    }
    page.many(
        Gauge,
        "punnet_last_backup_timestamp_seconds",
        "When the newest backup was made; absent while there is none.",
        facts
            .figures
            .last_backup
            .map(|at| ([("", ""); 0], at.0 as f64 / 1000.0)),
    );
}

fn of_process(page: &mut Page, process: &process::Figures) {
    page.one(
        Counter,
        "process_cpu_seconds_total",
        "Processor time used.",
        process.cpu_seconds,
    );
    for (name, help, value) in [
        (
            "process_resident_memory_bytes",
            "Memory in use.",
            process.resident_bytes as f64,
        ),
        (
            "process_virtual_memory_bytes",
            "Address space.",
            process.virtual_bytes as f64,
        ),
        ("process_threads", "Threads.", process.threads as f64),
        (
            "process_open_fds",
            "Open file descriptors.",
            process.open_fds as f64,
        ),
        (
            "process_max_fds",
            "Most open file descriptors at once.",
            process.max_fds as f64,
        ),
        (
            "process_start_time_seconds",
            "When the process started.",
            process.started,
        ),
    ] {
        page.one(Gauge, name, help, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::Millis;
    use wire::health::{ServerKind, ServerStatus};

    #[test]
    fn every_line_is_help_type_or_a_figure() {
        let facts = Facts {
            snapshot: Snapshot {
                version: "0.1 \"x\"".to_owned(),
                servers: vec![ServerStatus {
                    server: ServerKind::Dhcp,
                    state: ServerState::Serving,
                    listen: None,
                    since: Millis(0),
                }],
                ..Snapshot::default()
            },
            leases: 3,
            figures: Figures {
                names: vec![wire::query::PoolCount {
                    product: "KXP2".parse().unwrap(),
                    venue: "CORO".parse().unwrap(),
                    state: wire::batch::NameState::Available,
                    count: 7,
                }],
                deployments: vec![(Stage::Done, 2), (Stage::FirstBootConfirmed, 3)],
                last_backup: Some(Millis(1_761_300_000_250)),
            },
            ..Facts::default()
        };
        let text = render(&facts);
        for wanted in [
            "punnet_info{version=\"0.1 \\\"x\\\"\"} 1",
            "punnet_server_up{server=\"dhcp\"} 1",
            "punnet_names{product=\"KXP2\",venue=\"CORO\",state=\"available\"} 7",
            "punnet_boards{stage=\"writing\"} 0",
            "punnet_leases 3",
            "punnet_deployments_total{result=\"done\"} 5",
            "punnet_deployments_running 0",
            "punnet_last_backup_timestamp_seconds 1761300000.25",
        ] {
            assert!(text.lines().any(|l| l == wanted), "{wanted}\n{text}");
        }
        for line in text.lines().filter(|l| !l.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let ours = name.starts_with("punnet_") || name.starts_with("process_");
            assert!(ours && value.parse::<f64>().is_ok(), "{line}");
        }
    }

    #[test]
    fn names_and_types_follow_the_conventions() {
        let text = render(&Facts::default());
        let types = text.lines().filter_map(|l| l.strip_prefix("# TYPE "));
        for line in types {
            let (name, kind) = line.split_once(' ').unwrap();
            assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
            let units = [
                "_ms",
                "_kb",
                "_mb",
                "_minutes",
                "_percent",
                "_seconds_bytes",
            ];
            assert!(!units.iter().any(|u| name.ends_with(u)), "{line}");
            assert_eq!(text.matches(&format!("# HELP {name} ")).count(), 1);
        }
        for endless in ["board=", "batch=", "serial=", "hostname=", "deployment="] {
            assert!(!text.contains(endless), "{endless}");
        }
    }
}
