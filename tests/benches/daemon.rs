//! What the daemon costs while nothing happens, and how soon it knows where it stands.

use crate::process::status;
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
            let field = |name: &str| format!("{:.1} MB", status(station.pid(), name));
            figure("resident memory, idle", &field("VmRSS"), "under 30 MB");
            figure("of which not backed by files", &field("RssAnon"), "-");
            host.plug(false);
            station.until_server(ServerKind::Dhcp, |s| {
                matches!(s, ServerState::WaitingForLink)
            });
            let begun = Instant::now();
            host.plug(true);
            station.serve_soon();
            let took = format!("{:.2} s", begun.elapsed().as_secs_f64());
            figure("cable in to every server serving", &took, "under 3 s");
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
