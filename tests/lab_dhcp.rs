//! DHCP on a wire with clients and servers that nobody here wrote.

use punnet_tests::clients::{As, Pi, dhclient, rival, udhcpc};
use punnet_tests::ground;
use punnet_tests::net::{Host, Net};
use punnet_tests::station::{ADDRESS, Station};
use std::net::Ipv4Addr;
use std::time::Duration;
use wire::board::Board;
use wire::health::{ServerKind, ServerState};
use wire::query::{Answer, Query};
use wire::{BoardId, Stage};

const TOOLS: &[&str] = &["dhclient", "udhcpc", "dnsmasq"];

/// A network with a serving station.
fn serving(extra: &str) -> (Net, Host, Station) {
    let net = Net::new();
    let host = net.host("station");
    let mut station = Station::on(&host, extra);
    station.serve();
    (net, host, station)
}

fn refused(station: &Station) -> String {
    let state = station.until_server(ServerKind::Dhcp, |state| {
        matches!(state, ServerState::Refused { .. })
    });
    match state {
        ServerState::Refused { why } => why,
        _ => String::new(),
    }
}

fn seen(station: &Station, mac: &str, stages: &[Stage]) -> Board {
    station.until(&format!("{mac} to be {stages:?}"), |heard| {
        let boards = &heard.now.as_ref()?.boards;
        let board = boards.iter().find(|b| b.mac.to_string() == mac)?;
        stages.contains(&board.stage).then(|| board.clone())
    })
}

#[test]
fn a_raspberry_pi_gets_all_that_its_bootloader_needs() {
    let Some(_turn) = ground::lab("lab_dhcp: a Raspberry Pi's options", TOOLS) else {
        return;
    };
    let (net, _host, station) = serving("");
    // Both byte orders of the four-character code, as boards of several years send them.
    for (n, magic) in [b"RPi5", b"5iPR", b"4iPR", b"RPi4"].into_iter().enumerate() {
        let client = net.host(&format!("pi{n}"));
        let pi = Pi {
            magic: *magic,
            ..Pi::five(0xd137_e630 + u32::try_from(n).expect("small"))
        };
        let got = dhclient(&client, As::Pi(pi), 10).expect("a Raspberry Pi is answered");
        let octets = got.address.octets();
        assert_eq!(octets[..3], [192, 168, 151], "{got:?}");
        assert!((100..=250).contains(&octets[3]), "{got:?}");
        assert_eq!(got.field("subnet_mask"), "255.255.255.0", "{got:?}");
        assert_eq!(got.field("dhcp_server_identifier"), ADDRESS, "{got:?}");
        assert_eq!(got.field("tftp_server_name"), ADDRESS, "{got:?}");
        assert_eq!(got.field("next_server"), ADDRESS, "{got:?}");
        assert_eq!(got.field("vendor_class_identifier"), "PXEClient", "{got:?}");
        assert_eq!(got.field("dhcp_lease_time"), "3600", "{got:?}");
        // PXE sub-options 6, 9 and 10, the boot menu holding the words the bootloader looks for.
        let menu = "Raspberry Pi Boot"
            .bytes()
            .map(|b| format!("{b:x}"))
            .collect::<Vec<_>>();
        let option_43 = got.field("vendor_encapsulated_options");
        assert!(option_43.starts_with("6:1:3:"), "{option_43}");
        assert!(option_43.contains(&menu.join(":")), "{option_43}");

        // Model, memory and serial are known before any byte was served.
        let board = seen(&station, &client.mac(), &[Stage::Addressed]);
        assert_eq!(board.id, BoardId::Pi(pi.serial));
        assert!(board.model.contains("Raspberry Pi 5"), "{}", board.model);
        assert_eq!(board.ram_mib, Some(8192));
        assert_eq!(board.ip, Some(got.address));
    }
}

#[test]
fn nobody_else_is_answered_until_the_operator_accepts_it() {
    let Some(_turn) = ground::lab("lab_dhcp: deny by default", TOOLS) else {
        return;
    };
    let (net, _host, station) = serving("");
    let laptop = net.host("laptop");
    let other = net.host("other");
    assert!(
        dhclient(&laptop, As::Itself, 4).is_none(),
        "a laptop was answered"
    );
    assert!(udhcpc(&other, 3).is_none(), "a busybox client was answered");
    seen(&station, &laptop.mac(), &[Stage::NotOurs]);
    seen(&station, &other.mac(), &[Stage::NotOurs]);

    station.ok(&["board", "accept", &laptop.mac()]);
    assert!(
        dhclient(&laptop, As::Itself, 10).is_some(),
        "an accepted laptop was not answered"
    );
    assert!(
        udhcpc(&other, 3).is_none(),
        "accepting one client let another in"
    );
    station.ok(&["board", "accept", &other.mac()]);
    assert!(
        udhcpc(&other, 10).is_some(),
        "an accepted busybox client was not answered"
    );
}

#[test]
fn a_lease_outlives_the_station() {
    let Some(_turn) = ground::lab("lab_dhcp: leases survive a crash", TOOLS) else {
        return;
    };
    let (net, _host, mut station) = serving("");
    let first = net.host("first");
    let second = net.host("second");
    let pi = Pi::five(0x0000_0001);
    let before = dhclient(&first, As::Pi(pi), 10).expect("answered").address;
    let Answer::Leases(leases) = station.query(&Query::Leases) else {
        panic!("leases were asked for")
    };
    assert!(leases.iter().any(|l| l.ip == before), "{leases:?}");

    station.kill();
    station.serve();
    let stranger = dhclient(&second, As::Pi(Pi::five(0x0000_0002)), 10).expect("answered");
    assert_ne!(
        stranger.address, before,
        "a lease was given away after a crash"
    );
    let after = dhclient(&first, As::Pi(pi), 10).expect("answered").address;
    assert_eq!(after, before, "the lease changed over a crash");
}

#[test]
fn a_full_pool_is_said_aloud() {
    let Some(_turn) = ground::lab("lab_dhcp: pool full", TOOLS) else {
        return;
    };
    let (net, _host, station) = serving("leases = \"192.168.151.100-192.168.151.101\"\n");
    let mut addresses = Vec::new();
    for n in 0..2 {
        let client = net.host(&format!("pi{n}"));
        addresses.push(
            dhclient(&client, As::Pi(Pi::five(n)), 10)
                .expect("answered")
                .address,
        );
    }
    addresses.sort();
    assert_eq!(
        addresses,
        [
            Ipv4Addr::new(192, 168, 151, 100),
            Ipv4Addr::new(192, 168, 151, 101)
        ]
    );
    let third = net.host("pi2");
    assert!(dhclient(&third, As::Pi(Pi::five(2)), 4).is_none());
    station.until("word of the full pool", |heard| {
        heard
            .events
            .iter()
            .find(|e| e.kind == "dhcp.pool_full")
            .map(|_| ())
    });
}

#[test]
fn a_rival_that_was_there_first_is_named_and_not_fought() {
    let Some(_turn) = ground::lab("lab_dhcp: rival before the start", TOOLS) else {
        return;
    };
    let net = Net::new();
    let router = net.host("router");
    router.address("192.168.151.9/24");
    let running = rival(&router);
    // The rival answers before the station looks for it, or the test would prove nothing.
    let probe = net.host("probe");
    assert!(
        dhclient(&probe, As::Itself, 10).is_some(),
        "the rival does not serve"
    );

    let host = net.host("station");
    let mut station = Station::on(&host, "");
    station.start();
    let why = refused(&station);
    assert!(why.contains("192.168.151.9"), "{why}");
    assert!(why.contains(&router.mac()), "{why}");
    let finding = station.until("the finding", |heard| {
        let findings = &heard.now.as_ref()?.findings;
        findings.iter().find(|f| f.check == "rival_dhcp").cloned()
    });
    assert!(
        finding.next.is_some(),
        "what to do next is not said: {finding:?}"
    );

    // Nobody is answered by us meanwhile, and once the rival is gone the operator starts DHCP.
    running.kill();
    let client = net.host("pi");
    assert!(dhclient(&client, As::Pi(Pi::five(1)), 3).is_none());
    station.ok(&["server", "start", "dhcp"]);
    station.until_server(ServerKind::Dhcp, |s| matches!(s, ServerState::Serving));
    assert!(dhclient(&client, As::Pi(Pi::five(1)), 10).is_some());
}

#[test]
fn a_rival_that_appears_later_stops_dhcp() {
    let Some(_turn) = ground::lab("lab_dhcp: rival appears later", TOOLS) else {
        return;
    };
    let (net, _host, station) = serving("");
    let router = net.host("router");
    router.address("192.168.151.9/24");
    let _rival = rival(&router);
    let why = station.until_within(Duration::from_mins(2), "DHCP to stop", |heard| {
        let servers = &heard.now.as_ref()?.servers;
        servers.iter().find_map(|s| match &s.state {
            ServerState::Refused { why } if s.server == ServerKind::Dhcp => Some(why.clone()),
            _ => None,
        })
    });
    assert!(why.contains("192.168.151.9"), "{why}");
    assert!(why.contains(&router.mac()), "{why}");
    // The other servers go on.
    for server in [ServerKind::Tftp, ServerKind::Http] {
        station.until_server(server, |s| matches!(s, ServerState::Serving));
    }
}

#[test]
fn a_wire_that_could_not_be_looked_at_is_looked_at_again() {
    let Some(_turn) = ground::lab("lab_dhcp: a wire that cannot be looked at", TOOLS) else {
        return;
    };
    let net = Net::new();
    let router = net.host("router");
    router.address("192.168.151.9/24");
    let _rival = rival(&router);
    let host = net.host("station");
    // A firewall of the technician's that lets no DHCP client of this machine ask.
    host.nft("add table ip fw");
    host.nft("add chain ip fw out { type filter hook output priority 0; }");
    host.nft("add rule ip fw out udp dport 67 drop");
    let mut station = Station::on(&host, "");
    station.start();
    let unseen = station.until("the finding", |heard| {
        let findings = &heard.now.as_ref()?.findings;
        findings.iter().find(|f| f.check == "not_checked").cloned()
    });
    assert!(unseen.text.contains("other DHCP servers"), "{unseen:?}");
    host.nft("delete table ip fw");
    let why = refused(&station);
    assert!(why.contains("192.168.151.9"), "{why}");
    station.until("what could not be looked at to be forgotten", |heard| {
        let findings = &heard.now.as_ref()?.findings;
        let all: Vec<&str> = findings.iter().map(|f| f.check.as_str()).collect();
        (all.contains(&"rival_dhcp") && !all.contains(&"not_checked")).then_some(())
    });
}

#[test]
fn a_duplicate_of_our_own_address_is_named_by_its_ethernet_address() {
    let Some(_turn) = ground::lab("lab_dhcp: duplicate address", TOOLS) else {
        return;
    };
    let net = Net::new();
    let twin = net.host("twin");
    twin.address(&format!("{ADDRESS}/24"));
    let host = net.host("station");
    let mut station = Station::on(&host, "");
    station.start();
    let why = refused(&station);
    assert!(why.contains(&twin.mac()), "{why}");
    assert!(why.contains(ADDRESS), "{why}");
}

#[test]
fn serving_waits_for_the_cable() {
    let Some(_turn) = ground::lab("lab_dhcp: cable", TOOLS) else {
        return;
    };
    let net = Net::new();
    let host = net.host("station");
    host.plug(false);
    let mut station = Station::on(&host, "");
    station.start();
    for server in ServerKind::ALL {
        station.until_server(server, |s| matches!(s, ServerState::WaitingForLink));
    }
    host.plug(true);
    for server in ServerKind::ALL {
        station.until_server(server, |s| matches!(s, ServerState::Serving));
    }
    let client = net.host("pi");
    assert!(dhclient(&client, As::Pi(Pi::five(1)), 10).is_some());
}
