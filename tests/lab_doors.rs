//! The door for operators listens on every address of the machine, and boards reach it on none of them:
//! not on the one beside theirs, not through their own card on another, and not where they hang next.

use punnet_tests::net::{Host, Net, inside};
use punnet_tests::running::{expect, output};
use punnet_tests::station::{ADDRESS, Station};
use punnet_tests::{ground, plan};
use std::process::Command;
use wire::command::Command as Wish;
use wire::health::{ServerKind, ServerState};
use wire::nic::DeploymentChoice;

const TOOLS: &[&str] = &["curl"];
/// The station's address on its other card.
const OFFICE: &str = "10.77.0.5";

/// A second card of the station, with one machine at its far end; that machine's namespace.
fn office(net: &Net, station: &Host) -> String {
    let office = net.namespace("office");
    station.ip(&[
        "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", &office,
    ]);
    station.ip(&["addr", "add", &format!("{OFFICE}/24"), "dev", "eth0"]);
    station.ip(&["link", "set", "eth0", "up"]);
    for arguments in [
        ["addr", "add", "10.77.0.9/24", "dev", "eth0"].as_slice(),
        &["link", "set", "eth0", "up"],
    ] {
        expect(inside(&office, "ip").args(arguments));
    }
    office
}

fn choice(network: &str) -> Wish {
    Wish::DeploymentSet(DeploymentChoice {
        interface: Some("eth1".to_owned()),
        address: format!("{network}.1/24"),
        leases: format!("{network}.100-{network}.150"),
        force_default_route: false,
    })
}

/// Asks who is asking; how the client ended, and what it was told.
fn ask(mut client: Command, at: &str) -> (Option<i32>, String) {
    let url = format!("https://{at}:5000/api/v1/session");
    let said = output(client.args(["-sSk", "--max-time", "20", &url]));
    let words = [said.stdout, said.stderr].concat();
    (
        said.status.code(),
        String::from_utf8_lossy(&words).into_owned(),
    )
}

#[test]
fn boards_reach_the_page_on_no_address_wherever_they_hang() {
    let Some(_turn) = ground::lab("lab_doors: the page", TOOLS) else {
        return;
    };
    let net = Net::new();
    let host = net.host("station");
    let office = office(&net, &host);
    let board = net.host("pi");
    let settings = "[management]\nlisten = \"0.0.0.0:5000\"\n";
    let mut station = Station::prepared(Some(host), settings, &[]);
    station.start();
    for (network, own) in [("192.168.151", ADDRESS), ("192.168.77", "192.168.77.1")] {
        plan::done(&station, &choice(network));
        for server in ServerKind::ALL {
            station.until_server(server, |s| matches!(s, ServerState::Serving));
        }
        board.ip(&["addr", "flush", "dev", "eth1"]);
        board.address(&format!("{network}.9/24"));
        board.ip(&["route", "replace", OFFICE, "via", own]);
        let fit = format!("http://{own}:5001/health");
        let fit = expect(
            board
                .command("curl")
                .args(["-sS", "--max-time", "20", &fit]),
        );
        assert!(fit.contains("healthy"), "it is connected: {fit}");
        for at in [own, OFFICE] {
            let (ended, words) = ask(board.command("curl"), at);
            // 35: the connection was there, and closed before a word of TLS.
            assert_eq!(ended, Some(35), "{at}: {words}");
        }
        let (ended, words) = ask(inside(&office, "curl"), OFFICE);
        assert_eq!(ended, Some(0), "{words}");
        assert!(words.contains("\"operators\":false"), "{words}");
    }
}
