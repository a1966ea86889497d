//! What the window costs: the time until it is on the screen, and the memory of everything that
//! belongs to it while nothing happens.

use crate::process::{family, memory};
use crate::table::figure;
use punnet_tests::binaries;
use punnet_tests::ground::{find, not_run};
use punnet_tests::running::Running;
use punnet_tests::screen::{PROGRAMS, Screen, soon};
use punnet_tests::window::{PATIENCE, own_configuration};
use std::time::{Duration, Instant};

pub(crate) fn run() {
    println!("\nThe window, with an engine of its own");
    if std::env::var_os("PUNNET_WINDOW").is_none() || PROGRAMS.iter().any(|p| find(p).is_none()) {
        not_run(
            "bench: window",
            "needs a build with the window and a display",
        );
        return;
    }
    let mut best = Duration::MAX;
    for round in 0..3 {
        let screen = Screen::new(1280, 800);
        let mut program = screen.command(binaries::punnet_window());
        program.arg("--config").arg(own_configuration(&screen));
        let begun = Instant::now();
        let running = Running::start(program);
        soon("the window", PATIENCE, || {
            let titles = screen.titles();
            titles.iter().any(|title| title == "Punnet").then_some(())
        });
        best = best.min(begun.elapsed());
        if round == 2 {
            // Long enough for the page to be there and start-up buffers to be returned.
            std::thread::sleep(Duration::from_secs(8));
            let family = family(running.pid());
            figure(
                "resident memory, idle: program with engine",
                &megabytes(memory(running.pid(), "Rss")),
                "-",
            );
            let all = |field| family.iter().map(|pid| memory(*pid, field)).sum();
            figure(
                "all its processes, shared pages counted once",
                &megabytes(all("Pss")),
                "under 300 MB",
            );
        }
    }
    figure(
        "start to a window on the screen",
        &format!("{:.2} s", best.as_secs_f64()),
        "under 1 s",
    );
}

fn megabytes(kib: f64) -> String {
    format!("{:.0} MB", kib * 1024.0 / 1e6)
}
