//! Rights without root: an ordinary person's station, the helper that has the rights, and a network
//! card that is afterwards as it was.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use punnet_tests::net::{Host, Net};
use punnet_tests::running::{Running, expect};
use punnet_tests::station::{ADDRESS, Station};
use punnet_tests::{binaries, ground, plan};
use serde_json::Value;
use std::process::Stdio;
use std::time::{Duration, Instant};
use wire::command::Command as Wish;
use wire::health::{ServerKind, ServerState};
use wire::nic::DeploymentChoice;
use wire::query::{Answer, Query};
use wire::rehearsal::RehearsalReport;

const TOOLS: &[&str] = &["setcap", "setpriv"];
/// The addresses that boards get.
const LEASES: std::ops::RangeInclusive<u8> = 100..=103;

/// The person's choice of a card.
fn choice() -> DeploymentChoice {
    let (first, last) = (LEASES.start(), LEASES.end());
    DeploymentChoice {
        interface: Some("eth1".to_owned()),
        address: format!("{ADDRESS}/24"),
        leases: format!("192.168.151.{first}-192.168.151.{last}"),
        force_default_route: false,
    }
}

/// What a station could have changed of a card: is it on, its addresses, the remark beside it.
fn card(host: &Host) -> (bool, Vec<String>, String) {
    let said = expect(
        host.command("ip")
            .args(["-j", "addr", "show", "dev", "eth1"]),
    );
    let said: Value = serde_json::from_str(&said).expect("ip speaks JSON");
    let card = &said[0];
    let flags = card["flags"].as_array().expect("flags");
    let addresses = card["addr_info"].as_array().expect("addresses");
    (
        flags.iter().any(|flag| flag == "UP"),
        addresses
            .iter()
            .map(|a| a["local"].as_str().unwrap_or_default().to_owned())
            .collect(),
        card["ifalias"].as_str().unwrap_or_default().to_owned(),
    )
}

/// The UDP ports below 1024 that are open on a machine.
fn low_ports(host: &Host) -> Vec<u16> {
    let table = expect(host.command("cat").arg("/proc/net/udp"));
    let local = table.lines().filter_map(|l| l.split_whitespace().nth(1));
    let ports = local.filter_map(|l| u16::from_str_radix(l.split_once(':')?.1, 16).ok());
    ports.filter(|port| *port < 1024).collect()
}

/// Waits, at most half a minute, until it is so.
fn soon(what: &str, so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !so() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Two virtual boards on a machine of their own, which ask as boards do.
fn two_boards(host: &Host, report: &std::path::Path) -> Running {
    for last in LEASES {
        host.address(&format!("192.168.151.{last}/24"));
    }
    // Where a board's broadcasts go.
    host.ip(&["route", "add", "default", "dev", "eth1"]);
    let program = binaries::example("virtual-pi", "boards");
    let mut boards = host.command(&program.to_string_lossy());
    boards
        .args(["--dhcp", "255.255.255.255:67"])
        .args(["--tftp", &format!("{ADDRESS}:69")])
        .args(["--boards", "2", "--json", "--timeout", "240"])
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(report).expect("a file"));
    Running::start(boards)
}

#[test]
fn an_ordinary_person_provisions_boards_over_the_real_ports() {
    let Some(_turn) = ground::lab("lab_rights: ordinary person", TOOLS) else {
        return;
    };
    let net = Net::new();
    let host = net.host("station");
    host.ip(&["link", "set", "eth1", "down"]);
    let before = card(&host);
    assert!(!before.0 && before.1.is_empty());
    let mut station = Station::of_person(&host, "");
    station.start();

    // The card is chosen while the station runs.
    let why = station.until_server(ServerKind::Dhcp, |s| {
        matches!(s, ServerState::Refused { .. })
    });
    let ServerState::Refused { why } = why else {
        unreachable!("that was waited for")
    };
    assert!(why.contains("eth1"), "{why}");
    plan::done(&station, &Wish::DeploymentSet(choice()));
    station.serve_soon();
    assert_eq!(card(&host).1, [ADDRESS]);
    let Answer::Nics(nics) = station.query(&Query::Nics) else {
        panic!("cards were asked for")
    };
    assert!(
        nics.iter().any(|n| n.name == "eth1" && n.chosen),
        "{nics:?}"
    );

    plan::product_venue_names(&station, 2);
    let image = station.person().may_read(binaries::small_image());
    plan::image(&station, &image);
    plan::batch(&station, 2);
    let report = station.scratch().join("report.json");
    let mut boards = two_boards(&net.host("boards"), &report);
    let mut seen = false;
    while !seen && boards.ended().is_none() {
        let Answer::Works(works) = station.query(&Query::Works) else {
            panic!("works were asked for")
        };
        assert!(works.memory > 0 && works.disk.total > 0, "{works:?}");
        seen = !works.transfers.is_empty();
    }
    assert!(seen, "no transfer was ever shown");

    // The helper is killed in the middle of it.
    let first = station.person().helpers();
    assert_eq!(first.len(), 1, "{first:?}");
    kill(Pid::from_raw(first[0]), Signal::SIGKILL).expect("killed");
    let finding = station.until("word of the dead helper", |heard| {
        let findings = &heard.now.as_ref()?.findings;
        findings.iter().find(|f| f.check == "rights").cloned()
    });
    assert!(finding.text.contains("killed by signal 9"), "{finding:?}");
    let second = station.person().helpers();
    assert!(second.len() == 1 && second != first, "{second:?}");

    let status = boards.wait_blocking();
    let words = std::fs::read_to_string(&report).expect("the report");
    assert!(
        status.success(),
        "{status}: {words}\n{}",
        station.log_tail()
    );
    let report: RehearsalReport = serde_json::from_str(words.trim()).expect("a report");
    assert_eq!((report.done, report.verified), (2, true), "{words}");

    // The station is killed: nobody says goodbye, and the card is as it was all the same.
    station.kill();
    soon("the card to be as it was", || card(&host) == before);
    soon("the helper to end", || {
        station.person().helpers().is_empty()
    });
    assert_eq!(low_ports(&host), Vec::<u16>::new());

    // The choice is still known, and an orderly end leaves nothing either.
    station.serve();
    assert_eq!(card(&host).1, [ADDRESS]);
    assert!(station.stop().success());
    assert_eq!(card(&host), before);
}

#[test]
fn what_two_dead_processes_left_is_cleaned_up_by_the_next() {
    let Some(_turn) = ground::lab("lab_rights: leftovers", TOOLS) else {
        return;
    };
    let net = Net::new();
    let host = net.host("station");
    let before = card(&host);
    let mut station = Station::of_person(&host, "");
    station.start();
    plan::done(&station, &Wish::DeploymentSet(choice()));
    station.serve_soon();
    // A station that hangs starts no other helper.
    let daemon = Pid::from_raw(i32::try_from(station.pid()).expect("a process"));
    kill(daemon, Signal::SIGSTOP).expect("stopped");
    for helper in station.person().helpers() {
        kill(Pid::from_raw(helper), Signal::SIGKILL).expect("killed");
    }
    station.kill();
    soon("the helper to end", || {
        station.person().helpers().is_empty()
    });
    assert_eq!(card(&host).1, [ADDRESS], "nobody was left to undo it");

    // The next one takes over what it wants too, and undoes it when it goes elsewhere.
    station.serve();
    assert_eq!(card(&host).1, [ADDRESS]);
    let elsewhere = DeploymentChoice {
        address: "192.168.77.1/24".to_owned(),
        leases: String::new(),
        ..choice()
    };
    plan::done(&station, &Wish::DeploymentSet(elsewhere));
    soon("the other address", || card(&host).1 == ["192.168.77.1"]);
    station.serve_soon();
    assert!(station.stop().success());
    assert_eq!(card(&host), before);
}

#[test]
fn where_no_rights_can_be_had_the_ways_are_said() {
    let Some(_turn) = ground::lab("lab_rights: no rights", TOOLS) else {
        return;
    };
    let net = Net::new();
    let host = net.host("station");
    let mut station = Station::of_person(&host, "");
    station.without_helper();
    station.start();
    plan::done(&station, &Wish::DeploymentSet(choice()));
    let refused = |s: &ServerState| matches!(s, ServerState::Refused { why } if why.contains("sudo") && why.contains("rehearsal"));
    for server in ServerKind::ALL {
        station.until_server(server, refused);
    }
    assert_eq!(card(&host).1, Vec::<String>::new());
}
