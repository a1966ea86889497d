//! DHCP exchanges (DISCOVER, OFFER, REQUEST, ACK) per second against dnsmasq, the boards being
//! those of `dhcp_flood`; each contestant has a wire of its own.

use crate::table::{Contestant, race};
use punnet_tests::binaries;
use punnet_tests::net::{Host, Net};
use punnet_tests::running::{Running, expect};
use punnet_tests::station::Station;
use serde_json::Value;
use std::process::Stdio;
use std::time::Duration;

const BOARDS: u32 = 1000;

/// A wire with its boards' end.
struct Wire {
    client: Host,
    first: u32,
    _net: Net,
}

impl Wire {
    fn new(net: Net) -> Self {
        let client = net.host("client");
        client.address("10.77.255.1/16");
        Self {
            client,
            first: 0,
            _net: net,
        }
    }

    /// So many boards nobody has seen before; how long all of them took.
    fn flood(&mut self) -> Duration {
        let said = expect(
            self.client
                .command(&binaries::example("netboot", "dhcp_flood").to_string_lossy())
                .args(["--device", "eth1", "--boards", &BOARDS.to_string()])
                .args(["--first", &self.first.to_string()]),
        );
        self.first += BOARDS;
        let report: Value = serde_json::from_str(said.trim()).expect("a report");
        assert_eq!(report["done"], BOARDS, "{said}");
        Duration::from_secs_f64(report["seconds"].as_f64().unwrap_or_default())
    }
}

pub(crate) fn run() {
    let net = Net::new();
    let host = net.host("server");
    host.address("10.77.0.1/16");
    let mut bare = Wire::new(net);
    let program = binaries::example("netboot", "dhcp_serve")
        .display()
        .to_string();
    let pool = "10.77.1.0-10.77.200.255";
    let _ours = quiet(
        &host,
        &program,
        &[
            "--server",
            "10.77.0.1/16",
            "--pool",
            pool,
            "--device",
            "eth1",
        ],
    );

    let net = Net::new();
    let host = net.host("server");
    host.address("10.77.0.1/16");
    let mut peer = Wire::new(net);
    let folder = tempfile::tempdir().expect("a folder");
    let leases = format!("--dhcp-leasefile={}/leases", folder.path().display());
    let _peer = quiet(
        &host,
        "dnsmasq",
        &[
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--port=0",
            "--interface=eth1",
            "--bind-interfaces",
            "--no-ping",
            "--dhcp-authoritative",
            "--quiet-dhcp",
            // Without these a Raspberry Pi would not take the offer.
            "--dhcp-boot=x,,10.77.0.1",
            "--dhcp-option=66,10.77.0.1",
            "--pxe-service=0,Raspberry Pi Boot",
            "--dhcp-lease-max=60000",
            "--dhcp-range=10.77.1.0,10.77.200.255,255.255.0.0,1h",
            &leases,
        ],
    );

    let net = Net::new();
    let host = net.host("station");
    let mut station = Station::prepared(
        Some(host),
        &format!(
            "[deployment]\ninterface = \"eth1\"\naddress = \"10.77.0.1/16\"\nleases = \"{pool}\"\n"
        ),
        &[],
    );
    station.serve();
    let mut whole = Wire::new(net);

    race(
        &format!("DHCP, {BOARDS} boards never seen before, 64 at once"),
        3,
        f64::from(BOARDS),
        "boards/s",
        &mut [
            Contestant::new("punnet (the server alone)", || bare.flood()),
            Contestant::new("punnet (the daemon, all recorded)", || whole.flood()),
            Contestant::new("dnsmasq", || peer.flood()),
        ],
    );
}

fn quiet(host: &Host, program: &str, arguments: &[&str]) -> Running {
    let mut command = host.command(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Running::start(command)
}
