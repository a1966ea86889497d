//! The kernel takes each server's socket away, as it does on an administrator's `ss -K`, and each
//! server comes back on the same NIC and address.

use punnet_tests::clients::{As, Pi, Tftp, dhclient};
use punnet_tests::ground;
use punnet_tests::net::{Host, Net};
use punnet_tests::running::expect;
use punnet_tests::screen::soon;
use punnet_tests::station::{ADDRESS, Station};
use std::time::Duration;
use wire::health::{ServerKind, ServerState};

const TOOLS: &[&str] = &["ss", "dhclient", "tftp", "curl"];
/// The servers' sockets: protocol and port.
const SOCKETS: [(&str, u16); 4] = [("-u", 67), ("-u", 69), ("-t", 5001), ("-t", 5000)];

/// Asks `ss` about one socket, or has it taken away.
fn ss(host: &Host, letters: &str, protocol: &str, port: u16) -> String {
    let mut command = host.command("ss");
    command.args([letters, protocol, "sport", "=", &format!(":{port}")]);
    expect(&mut command)
}

/// Where a socket listens and what it is called by the kernel.
fn socket(host: &Host, protocol: &str, port: u16) -> Option<(String, String)> {
    let said = ss(host, "-Hlne", protocol, port);
    let place = said.split_whitespace().nth(3)?.to_owned();
    let number = said.split_whitespace().find(|w| w.starts_with("ino:"))?;
    Some((place, number.to_owned()))
}

#[test]
fn every_server_whose_socket_is_taken_away_comes_back() {
    let Some(_turn) = ground::lab("lab_sockets: taken away", TOOLS) else {
        return;
    };
    let net = Net::new();
    let host = net.host("station");
    let mut station = Station::on(&host, "");
    station.serve();
    for (protocol, port) in SOCKETS {
        let before = socket(&host, protocol, port).expect("it listens");
        ss(&host, "-KHln", protocol, port);
        let after = soon("another socket", Duration::from_secs(20), || {
            socket(&host, protocol, port).filter(|now| now.1 != before.1)
        });
        assert_eq!(after.0, before.0, "port {port}");
    }
    for server in ServerKind::ALL {
        station.until_server(server, |s| matches!(s, ServerState::Serving));
    }
    let board = net.host("pi");
    let pi = Pi::five(0xd137_e638);
    dhclient(&board, As::Pi(pi), 10).expect("a board gets its address");
    let refused = Tftp::Hpa.get(&board, ADDRESS, &format!("{}/nothing", pi.folder()));
    let refused = refused.expect_err("there is no such file");
    assert!(refused.to_lowercase().contains("not found"), "{refused}");
    for (who, place) in [
        (&board, format!("{ADDRESS}:5001")),
        (&host, "127.0.0.1:5000".to_owned()),
    ] {
        let mut ask = who.command("curl");
        let said = expect(ask.args(["-sS", &format!("http://{place}/health")]));
        assert!(said.contains("\"healthy\""), "{said}");
    }
}
