//! The compatible device API, spoken by a shell installer as they are in the field: curl or
//! busybox, `grep` instead of a JSON parser, HTTP/1.0 by netcat.

use punnet_tests::clients::{As, Pi, dhclient};
use punnet_tests::net::{Host, Net};
use punnet_tests::running::{expect, output};
use punnet_tests::screen::soon;
use punnet_tests::station::{ADDRESS, Station};
use punnet_tests::{binaries, ground, plan};
use std::time::Duration;
use wire::batch::VerifyLevel;
use wire::query::{Answer, Deployment, HistoryFilter, Query};
use wire::{BoardId, Stage};

const TOOLS: &[&str] = &["dhclient", "busybox", "jq", "sha256sum"];

/// The installer: asks for its name and image, fetches the image in two ranges, checks the
/// checksum, reports every step. Prints the hostname it was given.
const INSTALLER: &str = r#"
set -eu
server=$1 serial=$2 mac=$3 folder=$4
base="http://$server:5001"
answer=$(curl -sS --fail-with-body -H 'Content-Type: application/json' \
    -d "{\"product_type\":\"KXP2\",\"venue_code\":\"CORO\",\"serial_number\":\"$serial\",\"mac_address\":\"$mac\"}" \
    "$base/api/config")
# As installers without a JSON parser do it: compact JSON is part of the contract.
field() { printf '%s' "$answer" | grep -o "\"$1\":\"[^\"]*\"" | cut -d'"' -f4; }
number() { printf '%s' "$answer" | grep -o "\"$1\":[0-9]*" | cut -d: -f2; }
hostname=$(field hostname) url=$(field image_url) checksum=$(field image_checksum)
size=$(number image_size)
[ -n "$hostname" ] && [ -n "$url" ] && [ -n "$checksum" ] && [ "$(field version)" = 3.0 ]
report() {
    curl -sS --fail-with-body -H 'Content-Type: application/json' \
        -d "{\"status\":\"$1\",\"hostname\":\"$hostname\",\"serial\":\"$serial\",\"mac_address\":\"$mac\",\"message\":\"$1\",\"timestamp\":1761300000.25}" \
        "$base/api/status" | grep -q '"received":true'
}
report starting
report downloading
half=$((size / 2))
curl -sS --fail -r "0-$((half - 1))" -o "$folder/image" "$url"
[ "$(stat -c %s "$folder/image")" -eq "$half" ]
curl -sS --fail -r "$half-" "$url" >>"$folder/image"
[ "$(stat -c %s "$folder/image")" -eq "$size" ]
report verifying
echo "$checksum  $folder/image" | sha256sum -c --quiet
report customizing
report success
echo "$hostname"
"#;

/// The same with nothing but busybox, HTTP/1.0 and the other spelling of the serial.
const NETCAT: &str = r#"
set -eu
server=$1 serial=$2
body="{\"serial_number\":\"$serial\"}"
printf 'POST /api/config HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: %s\r\n\r\n%s' \
    "${#body}" "$body" | busybox nc -w 10 "$server" 5001
"#;

/// Runs the installer on a board; returns the hostname it was given.
pub(crate) fn install(host: &Host, pi: &Pi) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let said = expect(
        host.command("sh")
            .args([
                "-c",
                INSTALLER,
                "installer",
                ADDRESS,
                &pi.folder(),
                &host.mac(),
            ])
            .arg(folder.path()),
    );
    said.lines().last().unwrap_or_default().to_owned()
}

/// A status line and body from the device API.
fn call(host: &Host, path: &str, body: &str) -> (u32, String) {
    let said = output(
        host.command("curl")
            .args([
                "-sS",
                "-w",
                "\n%{http_code}",
                "-H",
                "Content-Type: application/json",
            ])
            .args(["-d", body])
            .arg(format!("http://{ADDRESS}:5001{path}")),
    );
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let (body, status) = text.rsplit_once('\n').unwrap_or_default();
    (status.parse().unwrap_or(0), body.to_owned())
}

fn history(station: &Station) -> Vec<Deployment> {
    match station.query(&Query::History(HistoryFilter::default())) {
        Answer::History(rows) => rows,
        other => panic!("history was asked for, not {other:?}"),
    }
}

fn bench(names: u32, boards: u32) -> (Net, Station, Host) {
    let net = Net::new();
    let host = net.host("station");
    let mut station = Station::on(&host, "");
    station.serve();
    plan::product_venue_names(&station, names);
    plan::image(&station, binaries::small_image());
    if boards > 0 {
        plan::batch(&station, boards);
    }
    (net, station, host)
}

#[test]
fn an_unmodified_installer_completes() {
    let Some(_turn) = ground::lab("device_api: installer", TOOLS) else {
        return;
    };
    let (net, station, _host) = bench(2, 1);
    let client = net.host("pi");
    let pi = Pi::five(0xd137_e638);
    dhclient(&client, As::Pi(pi), 10).expect("answered");
    assert_eq!(install(&client, &pi), "KXP2-CORO-001");
    let id = BoardId::Pi(pi.serial);
    station.until_board(Duration::from_secs(10), id, &[Stage::Done]);
    let rows = history(&station);
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0].hostname.as_str(), "KXP2-CORO-001");
    assert_eq!(rows[0].stage, Stage::Done);
    // A foreign installer reports no read-back; the record says so.
    assert_eq!(rows[0].verified, Some(VerifyLevel::Reported));
}

#[test]
fn asking_again_gives_the_same_name_also_over_netcat() {
    let Some(_turn) = ground::lab("device_api: same name", TOOLS) else {
        return;
    };
    let (net, _station, _host) = bench(3, 3);
    let client = net.host("pi");
    dhclient(&client, As::Pi(Pi::five(0x00ab_cdef)), 10).expect("answered");
    let mut names = Vec::new();
    // Full serial, low half, leading zeros stripped: one board.
    for serial in ["1000000000abcdef", "00abcdef", "abcdef"] {
        let (status, body) = call(
            &client,
            "/api/config",
            &format!(
                "{{\"serial_number\":\"{serial}\",\"mac_address\":\"{}\"}}",
                client.mac()
            ),
        );
        assert_eq!(status, 200, "{serial}: {body}");
        names.push(body);
    }
    let said = expect(
        client
            .command("sh")
            .args(["-c", NETCAT, "nc", ADDRESS, "00abcdef"]),
    );
    assert!(said.contains("200 OK"), "{said}");
    names.push(said);
    for said in &names {
        assert!(said.contains("\"hostname\":\"KXP2-CORO-001\""), "{said}");
    }
}

#[test]
fn nobody_gets_an_invented_name() {
    let Some(_turn) = ground::lab("device_api: holds", TOOLS) else {
        return;
    };
    let (net, station, _host) = bench(1, 0);
    let ask = |host: &Host, pi: &Pi| {
        let body = format!("{{\"serial_number\":\"{}\"}}", pi.folder());
        call(host, "/api/config", &body)
    };
    let first = net.host("first");
    let second = net.host("second");
    let (one, two) = (Pi::five(1), Pi::five(2));
    dhclient(&first, As::Pi(one), 10).expect("answered");
    dhclient(&second, As::Pi(two), 10).expect("answered");

    // No batch: held.
    let (status, body) = ask(&first, &one);
    assert_eq!(status, 423, "{body}");
    assert!(body.contains("batch"), "{body}");

    // One name, two boards: the second is held and nothing is made up.
    plan::batch(&station, 1);
    let (status, body) = ask(&first, &one);
    assert_eq!(status, 200, "{body}");
    let (status, body) = ask(&second, &two);
    assert_eq!(status, 423, "{body}");
    assert!(
        !body.contains("DEFAULT") && !body.contains("unknown"),
        "{body}"
    );
    let board = station
        .boards()
        .into_iter()
        .find(|b| b.id == BoardId::Pi(2))
        .expect("there");
    assert_eq!(board.stage, Stage::OnHold);
    assert!(board.hold.is_some());
}

#[test]
fn wrong_requests_get_words_and_change_nothing() {
    let Some(_turn) = ground::lab("device_api: bad input", TOOLS) else {
        return;
    };
    let (net, station, _host) = bench(2, 2);
    let client = net.host("pi");
    dhclient(&client, As::Pi(Pi::five(1)), 10).expect("answered");
    for (path, body, expected) in [
        ("/api/config", "{not json", 400),
        ("/api/config", "[]", 400),
        ("/api/config", "{\"serial_number\":\"zzzz\"}", 400),
        ("/api/config", "{\"serial_number\":17}", 400),
        (
            "/api/status",
            "{\"status\":\"success\",\"hostname\":\"KXP2-CORO-777\"}",
            404,
        ),
        (
            "/api/status",
            "{\"status\":\"success\",\"serial\":\"0badcafe\"}",
            404,
        ),
        (
            "/api/status",
            "{\"status\":\"banana\",\"hostname\":\"KXP2-CORO-001\"}",
            400,
        ),
    ] {
        let (status, words) = call(&client, path, body);
        assert_eq!(status, expected, "{path} {body}: {words}");
        assert!(words.contains("\"error\":\""), "{path} {body}: {words}");
    }
    // More than any request can be.
    let big = format!("{{\"serial_number\":\"{}\"}}", "1".repeat(300_000));
    let file = station.scratch().join("big");
    std::fs::write(&file, big).expect("written");
    let (status, _) = call(&client, "/api/config", &format!("@{}", file.display()));
    assert_eq!(status, 413);
    assert!(history(&station).is_empty(), "{:?}", history(&station));
    let names = station.query(&Query::Names(wire::query::NameFilter::default()));
    let Answer::Names(names) = names else {
        panic!("names were asked for")
    };
    assert!(names.iter().all(|n| n.board.is_none()), "{names:?}");
}

#[test]
fn health_is_only_good_when_it_is_true() {
    let Some(_turn) = ground::lab("device_api: health", TOOLS) else {
        return;
    };
    let (_net, station, host) = bench(1, 1);
    let get = |path: &str| {
        let said = output(
            host.command("curl")
                .args(["-sS", "-w", "\n%{http_code}"])
                .arg(format!("http://{ADDRESS}:5001{path}")),
        );
        String::from_utf8_lossy(&said.stdout).into_owned()
    };
    let healthy = get("/health");
    assert!(healthy.contains("\"status\":\"healthy\""), "{healthy}");
    assert!(
        healthy.contains("\"timestamp\":\"") && healthy.ends_with("\n200"),
        "{healthy}"
    );
    station.ok(&["server", "stop", "dhcp"]);
    // What was found holds for a moment.
    soon("the station to be unfit", Duration::from_secs(20), || {
        let ready = get("/ready");
        let unfit = ready.starts_with("{\"ready\":false,") && ready.ends_with("\n503");
        let dhcp = "{\"name\":\"dhcp\",\"ready\":false,\"detail\":\"\"}";
        (unfit && ready.contains(dhcp)).then_some(())
    });
    station.ok(&["server", "start", "dhcp"]);
}
