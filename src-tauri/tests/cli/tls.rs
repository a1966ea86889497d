//! `punnet check` and the certificate of the page: everybody says the same fingerprint.

use super::keep::rewrite;
use super::{Daemon, PATIENCE, Place, operator_door, text};
use serde_json::Value;
use station::doors::certificate::fingerprint_in;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

fn encrypted(place: &Place, more: &str) {
    let file = place.path("station.toml");
    let text = fs::read_to_string(&file).unwrap();
    let listen = "listen = \"127.0.0.1:0\"\n";
    fs::write(
        file,
        text.replace(listen, &format!("{listen}tls = true\n{more}")),
    )
    .unwrap();
}

/// Does a client that knows this certificate and no other get an answer?
fn answers(door: &str, certificate: &Path) -> bool {
    let out = Command::new("curl")
        .args(["-s", "-f", "-o", "/dev/null", "--cacert"])
        .arg(certificate)
        .arg(format!("https://{door}/api/v1/session"))
        .status();
    out.unwrap().success()
}

#[test]
fn the_fingerprint_is_the_one_that_the_log_says_and_a_client_is_shown() {
    let place = Place::new();
    encrypted(&place, "");
    let daemon = Daemon::start(&place);
    let begun = Instant::now();
    let report = loop {
        let report: Value = serde_json::from_slice(&place.run("--json check").stdout).unwrap();
        // The servers come up a moment after the door.
        if report["fit"] == true {
            break report;
        }
        assert!(begun.elapsed() < PATIENCE, "{report}");
    };
    let fingerprint = report["fingerprint"].as_str().unwrap();
    let steps = report["self_test"]["steps"].as_array().unwrap();
    let page = steps.iter().find(|s| s["step"] == "page").unwrap();
    assert_eq!(page["verdict"], "passed", "{page}");

    let door = operator_door(&place);
    let door = door
        .trim_start_matches("http://")
        .split(' ')
        .next()
        .unwrap();
    let certificate = place.path("data/management.crt");
    assert!(answers(door, &certificate));
    assert_eq!(fingerprint_in(&certificate).as_deref(), Some(fingerprint));
    let log = fs::read_to_string(place.path("data/logs/station.log")).unwrap();
    let lines = log
        .lines()
        .map(|l| serde_json::from_str::<Value>(l).unwrap());
    let said: Vec<Value> = lines.filter(|l| l["fingerprint"].is_string()).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(said[0]["fingerprint"], fingerprint);
    let check = place.run("check");
    assert_eq!(check.status.code(), Some(0), "{}", text(&check));
    assert!(text(&check).contains(fingerprint), "{}", text(&check));
    assert_eq!(daemon.stop(), Some(0));

    // Nobody runs now, and the next one shows the same.
    let report: Value = serde_json::from_slice(&place.run("--json check").stdout).unwrap();
    assert_eq!(report["running"], false);
    assert_eq!(report["fingerprint"], fingerprint);
}

/// Puts a new certificate and its key where the configuration says; the certificate.
fn renew(place: &Place) -> PathBuf {
    let [certificate, key] = files(place);
    let names = ["localhost", "127.0.0.1"].map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    certificate
}

fn files(place: &Place) -> [PathBuf; 2] {
    ["bench.crt", "bench.key"].map(|name| place.path(name))
}

fn own_certificate(place: &Place) -> String {
    let [certificate, key] = files(place);
    format!(
        "certificate = \"{}\"\nkey = \"{}\"\n",
        certificate.display(),
        key.display()
    )
}

#[test]
fn a_renewed_certificate_and_another_name_need_no_restart() {
    let place = Place::new();
    encrypted(&place, &own_certificate(&place));
    renew(&place);
    let _daemon = Daemon::start(&place);
    let door = operator_door(&place);
    let door = door.trim_start_matches("http://");
    let door = door.split(' ').next().unwrap();
    let old = place.path("old.crt");
    fs::copy(&files(&place)[0], &old).unwrap();
    assert!(answers(door, &old));

    let new = renew(&place);
    place.json("config reload");
    assert!(answers(door, &new) && !answers(door, &old));

    // One that does not do is not taken.
    fs::copy(&new, place.path("kept.crt")).unwrap();
    fs::write(&new, "no certificate").unwrap();
    rewrite(&place, |text| {
        text.replace("tls = true\n", "tls = true\nnames = [\"bench.example\"]\n")
    });
    let refused = place.json("config reload");
    let why = refused["changes"][0]["waits"].as_str().unwrap();
    assert!(why.contains("bench.crt"), "{refused}");
    assert!(answers(door, &place.path("kept.crt")));
    assert!(!called(door, "bench.example"));

    renew(&place);
    let taken = place.json("config reload");
    assert_eq!(taken["changes"][0]["key"], "management.names", "{taken}");
    assert_eq!(taken["changes"][0]["waits"], Value::Null, "{taken}");
    assert!(called(door, "bench.example"));

    // What follows from where it listens waits for it.
    rewrite(&place, |text| {
        text.replace("127.0.0.1:0", "0.0.0.0:0")
            .replace("bench.example", "b.example")
    });
    let waits = place.json("config reload");
    for change in waits["changes"].as_array().unwrap() {
        assert!(change["waits"].is_string(), "{waits}");
    }
    assert!(called(door, "bench.example"));
}

/// Is the door reached by this name?
fn called(door: &str, name: &str) -> bool {
    let out = Command::new("curl")
        .args(["-s", "-f", "-k", "-o", "/dev/null", "-H"])
        .arg(format!("Host: {name}"))
        .arg(format!("https://{door}/api/v1/session"))
        .status();
    out.unwrap().success()
}

#[test]
fn a_certificate_that_cannot_be_shown_is_found_before_the_station_is_started() {
    let place = Place::new();
    let [certificate, key] = files(&place);
    fs::write(&certificate, "no certificate").unwrap();
    fs::write(&key, "no key").unwrap();
    encrypted(&place, &own_certificate(&place));
    let report: Value = serde_json::from_slice(&place.run("--json check").stdout).unwrap();
    let mut found = report["findings"].as_array().unwrap().iter();
    let finding = found.find(|f| f["check"] == "certificate").unwrap();
    assert_eq!(finding["level"], "error");
    let said = finding["text"].as_str().unwrap();
    assert!(said.contains("bench.key"), "{said}");
}
