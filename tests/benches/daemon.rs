//! What the daemon costs while nothing happens, and how soon it knows where it stands.

use crate::table::figure;
use punnet_tests::binaries;
use punnet_tests::net::Net;
use punnet_tests::station::Station;
use std::time::{Duration, Instant};
use wire::health::{ServerKind, ServerState};

pub(crate) fn run() {
    println!("\nThe daemon");
    let (mut best, mut best_serving) = (Duration::MAX, Duration::MAX);
    for round in 0..3 {
        // A switch of its own: on the last round's the address is taken.
        let net = Net::new();
        let host = net.host("station");
        let mut station = Station::on(&host, "");
        let begun = Instant::now();
        station.start();
        for server in ServerKind::ALL {
            station.until_server(server, |state| {
                !matches!(state, ServerState::Stopped | ServerState::Probing)
            });
        }
        best = best.min(begun.elapsed());
        station.serve_soon();
        best_serving = best_serving.min(begun.elapsed());
        if round == 2 {
            // Long enough for start-up buffers to be returned; this is a figure, not an assertion.
            std::thread::sleep(Duration::from_secs(5));
            let status = std::fs::read_to_string(format!("/proc/{}/status", station.pid()));
            let status = status.expect("the daemon runs");
            let field = |name: &str| {
                let line = status
                    .lines()
                    .find(|l| l.starts_with(name))
                    .unwrap_or_default();
                let kib = line
                    .split_whitespace()
                    .nth(1)
                    .and_then(|n| n.parse::<f64>().ok());
                format!("{:.1} MB", kib.unwrap_or_default() * 1024.0 / 1e6)
            };
            figure("resident memory, idle", &field("VmRSS"), "under 30 MB");
            figure("of which not backed by files", &field("RssAnon"), "-");
        }
    }
    let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f64());
    figure(
        "start to a definite state of every server",
        &seconds(best),
        "under 0.5 s",
    );
    figure(
        "start to every server serving, link up",
        &seconds(best_serving),
        "-",
    );
    let folder = binaries::punnet().parent().expect("it lies in a folder");
    for program in ["punnet", "punnet-net", "punnet-window"] {
        if let Ok(file) = std::fs::metadata(folder.join(program)) {
            let size = format!("{:.1} MB", file.len() as f64 / 1e6);
            figure(&format!("size of {program}"), &size, "-");
        }
    }
}
