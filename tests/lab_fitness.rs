//! Is the station fit? Each cause is brought about for real: the cable, the disk, the database.

use punnet_tests::ground;
use punnet_tests::net::{Host, Net};
use punnet_tests::running::{expect, output};
use punnet_tests::station::Station;
use std::process::Command;
use std::time::{Duration, Instant};
use wire::health::{ServerKind, ServerState};

const TOOLS: &[&str] = &["fallocate", "mount", "umount"];

/// What the operator's door says, and with which status.
fn ask(host: &Host, path: &str) -> (String, String) {
    let said = output(
        host.command("curl")
            .args(["-sS", "-w", "\n%{http_code}"])
            .arg(format!("http://127.0.0.1:5000{path}")),
    );
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let (body, status) = text.rsplit_once('\n').expect("a status");
    (body.to_owned(), status.to_owned())
}

/// Waits until `/ready` says so of a part; then `/health` says the same.
fn until(host: &Host, part: &str, ready: bool, words: &str) {
    let wanted = format!("\"name\":\"{part}\",\"ready\":{ready}");
    let begun = Instant::now();
    loop {
        let (body, status) = ask(host, "/ready");
        if body.contains(&wanted) && body.contains(words) {
            assert!(ready || status == "503", "{status}: {body}");
            let (body, status) = ask(host, "/health");
            assert!(ready || status == "503", "{status}: {body}");
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{body}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_pulled_cable_and_a_full_disk_are_told_with_their_reason() {
    let Some(_turn) = ground::lab("readiness by cause", TOOLS) else {
        return;
    };
    let net = Net::new();
    let host = net.host("station");
    let mut station = Station::on(&host, "");
    std::fs::create_dir(station.data()).expect("the data folder");
    expect(
        Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=300m,mode=700", "none"])
            .arg(station.data()),
    );
    station.serve();
    until(&host, "nic", true, "eth1");
    let (body, status) = ask(&host, "/health");
    assert_eq!(status, "200", "{body}");

    host.plug(false);
    until(&host, "nic", false, "check the cable");
    host.plug(true);
    station.until_server(ServerKind::Dhcp, |s| matches!(s, ServerState::Serving));
    until(&host, "nic", true, "eth1");

    let filler = station.data().join("filler");
    let fill = |bytes: &str| {
        let mut fill = Command::new("fallocate");
        output(fill.args(["-l", bytes]).arg(&filler))
    };
    assert!(fill("100M").status.success());
    until(&host, "disk", false, "MiB free");
    until(&host, "database", true, "can be read and written");
    // To the last byte, so that nothing can be written any more.
    let mut size = 299 << 20;
    while !fill(&size.to_string()).status.success() {
        size -= 64 << 10;
    }
    while fill(&(size + 4096).to_string()).status.success() {
        size += 4096;
    }
    until(&host, "database", false, "full");
    std::fs::remove_file(&filler).expect("the filler");
    until(&host, "database", true, "can be read and written");
    until(&host, "disk", true, "MiB free");

    station.stop();
    expect(Command::new("umount").arg(station.data()));
}

#[test]
fn the_page_is_there_as_soon_as_its_network_is() {
    let Some(_turn) = ground::lab("management network that comes later", &[]) else {
        return;
    };
    let net = Net::new();
    let host = net.host("station");
    let mut station = Station::on(&host, "[management]\nlisten = \"10.77.0.1:5000\"\n");
    // Boards do not wait for the office's network.
    station.serve();
    let ask = || {
        let mut curl = host.command("curl");
        output(curl.args(["-sS", "-m", "5", "http://10.77.0.1:5000/"]))
    };
    assert!(!ask().status.success(), "there is no such network yet");
    host.ip(&["addr", "add", "10.77.0.1/32", "dev", "lo"]);
    let said = ask();
    assert!(said.status.success(), "{said:?}");
}
