//! Figures for monitoring, of a station that has done something; and the board of Grafana over them.

use crate::rig::Rig;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};

const DASHBOARD: &str = include_str!("../../../../packaging/grafana/punnet.json");

fn metrics(rig: &Rig) -> String {
    let reply = rig.operator("GET /metrics HTTP/1.1", b"");
    assert_eq!(reply.status, 200);
    let kind = reply.header("content-type").unwrap();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    String::from_utf8(reply.body).unwrap()
}

/// Every line of figures with its value.
fn figures(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|l| !l.starts_with('#'));
    lines
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

#[test]
fn figures_count_what_boards_were_given() {
    let rig = Rig::with_batch();
    let before = figures(&metrics(&rig));
    let grant = rig.lease(0x0000_0007);
    let from = grant.address;
    rig.fetch_text(from, "config.txt");
    rig.fetch(from, "no-such-file");
    let rest = |name: &str| {
        let now = figures(&metrics(&rig));
        now[name] - before[name]
    };
    // What the servers tell travels to the counters beside the answer that a board gets.
    let until = |name: &str, least: f64| {
        let begun = std::time::Instant::now();
        while rest(name) < least {
            assert!(begun.elapsed() < crate::rig::PATIENCE, "{name} stays");
            std::thread::yield_now();
        }
    };
    until("punnet_dhcp_events_total{event=\"leased\"}", 1.0);
    until("punnet_tftp_requests_total{result=\"done\"}", 1.0);
    until("punnet_tftp_requests_total{result=\"not_found\"}", 1.0);
    assert!(rest("punnet_sent_bytes_total{transport=\"tftp\"}") > 100.0);

    let at_work = rig.at_work(0x0000_0008);
    let request = format!(
        "GET {} HTTP/1.1\r\nRange: bytes=0-999{}",
        at_work.pack(),
        at_work.session()
    );
    let pack = rig.board(at_work.ip, &request, b"");
    assert_eq!(pack.status, 206);
    assert!((rest("punnet_sent_bytes_total{transport=\"http\"}") - 1000.0).abs() < 0.5);
    let lost = rig.board(Ipv4Addr::LOCALHOST, "GET /nowhere HTTP/1.1", b"");
    assert_eq!(lost.status, 404);
    assert!(rest("punnet_http_requests_total{door=\"boards\",code=\"2xx\"}") >= 1.0);
    assert!(rest("punnet_http_requests_total{door=\"boards\",code=\"4xx\"}") >= 1.0);

    let now = figures(&metrics(&rig));
    assert!(
        (now["punnet_names{product=\"KXP2\",venue=\"CORO\",state=\"available\"}"] - 5.0).abs()
            < 0.5
    );
    assert!(now["punnet_disk_free_bytes"] > 0.0 && now["punnet_database_size_bytes"] > 0.0);
    assert!(now["process_resident_memory_bytes"] > 1e6 && now["process_open_fds"] > 3.0);
    assert!((now["punnet_ready{subsystem=\"database\"}"] - 1.0).abs() < 0.5);
}

#[test]
fn the_dashboard_shows_only_figures_that_there_are() {
    let rig = Rig::with_batch();
    let text = metrics(&rig);
    let there: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    let dashboard: serde_json::Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut shown = BTreeSet::new();
    for target in panels.iter().flat_map(|p| p["targets"].as_array().unwrap()) {
        let words = target["expr"].as_str().unwrap();
        let names = words.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let ours = |n: &&str| n.starts_with("punnet_") || n.starts_with("process_");
        for name in names.filter(ours) {
            assert!(there.contains(name), "there is no {name} ({words})");
            shown.insert(name);
        }
    }
    assert!(shown.len() > 20, "{shown:?}");
}

#[test]
fn prometheus_itself_has_nothing_to_say_against_the_figures() {
    let rig = Rig::with_batch();
    let text = metrics(&rig);
    let checker = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut checker) = checker else {
        println!("NOT RUN: promtool is not installed (Debian: prometheus)");
        return;
    };
    checker
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let said = checker.wait_with_output().unwrap();
    let words = [said.stdout, said.stderr].concat();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&words));
}
