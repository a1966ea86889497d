//! Ratios against peers, measured in the same run on the same files: TFTP against dnsmasq and
//! tftpd-hpa, DHCP against dnsmasq, HTTP against nginx, import against `xz -d | zstd`, the agent's
//! write pipeline against `curl | zstd -d | dd`; and what the daemon and the window cost while they
//! idle.
//!
//! Contestants take turns, several rounds, and the best of each counts: other work on the machine
//! only ever makes a run slower. `cargo bench -p punnet-tests -- tftp http` runs only these parts.
//! The programs under test are built with `--release` by `tests/bench.sh`.

mod daemon;
mod dhcp;
mod files;
mod http;
mod import;
mod pipeline;
mod process;
mod table;
mod tftp;
mod window;

use punnet_tests::ground;

type Part = (&'static str, fn());

const PARTS: [Part; 7] = [
    ("daemon", daemon::run),
    ("window", window::run),
    ("import", import::run),
    ("http", http::run),
    ("pipeline", pipeline::run),
    ("dhcp", dhcp::run),
    ("tftp", tftp::run),
];

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let programs = ["dnsmasq", "in.tftpd", "nginx", "xz", "zstd", "tc"];
    let Some(_turn) = ground::heavy_lab("bench", &programs) else {
        return;
    };
    for (name, part) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|w| w == name) {
            part();
        }
    }
}
