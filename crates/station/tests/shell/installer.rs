//! The compatible device API, as existing installer scripts speak it.

use crate::rig::Rig;
use std::net::Ipv4Addr;
use wire::batch::BatchId;
use wire::command::Command;

const FROM: Ipv4Addr = Ipv4Addr::new(127, 64, 0, 9);

fn config(rig: &Rig, body: &str) -> crate::rig::Reply {
    // As netcat in a shell script does it: HTTP/1.0, no content type.
    rig.board(FROM, "POST /api/config HTTP/1.0", body.as_bytes())
}

fn status(rig: &Rig, body: &str) -> crate::rig::Reply {
    let request = "POST /api/status HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded";
    rig.board(FROM, request, body.as_bytes())
}

const ASKS: &str = r#"{"product_type":"KXP2","venue_code":"CORO",
    "serial_number":"9d00ce41d137e638","mac_address":"2c:cf:67:00:11:22"}"#;

#[test]
fn an_installer_completes() {
    let rig = Rig::with_batch();
    let reply = config(&rig, ASKS);
    assert_eq!(reply.status, 200, "{}", reply.json());
    let said = reply.json();
    assert_eq!(said["hostname"], "KXP2-CORO-001");
    assert_eq!(said["product_type"], "KXP2");
    assert_eq!(said["venue_code"], "CORO");
    assert_eq!(said["version"], "3.0");
    assert_eq!(said["server_ip"], "127.0.0.1");
    let compact = String::from_utf8(reply.body.clone()).unwrap();
    assert!(
        compact.contains(r#""hostname":"KXP2-CORO-001""#),
        "{compact}"
    );

    let door = format!("http://{}", rig.at.http.unwrap());
    let url = said["image_url"].as_str().unwrap();
    let path = url.strip_prefix(&door).unwrap_or_else(|| panic!("{url}"));
    let image = rig.board(FROM, &format!("GET {path} HTTP/1.0"), b"");
    assert_eq!(
        image.body.len() as u64,
        said["image_size"].as_u64().unwrap()
    );

    let again = config(&rig, ASKS);
    assert_eq!(
        again.json()["hostname"],
        "KXP2-CORO-001",
        "asking again takes no second name"
    );

    for step in [
        "starting",
        "downloading",
        "verifying",
        "customizing",
        "success",
    ] {
        let body = format!(
            r#"{{"status":"{step}","hostname":"KXP2-CORO-001","serial_number":"9d00ce41d137e638"}}"#
        );
        let reply = status(&rig, &body);
        assert_eq!(reply.status, 200, "{step}: {}", reply.json());
        assert_eq!(reply.json()["received"], true);
    }
}

#[test]
fn a_board_that_has_to_wait_is_told_423_and_why() {
    let rig = Rig::with_batch();
    rig.command(Command::BatchPause { batch: BatchId(1) })
        .unwrap();
    let reply = config(&rig, ASKS);
    assert_eq!(reply.status, 423, "{}", reply.json());
    assert!(reply.json()["error"].as_str().unwrap().contains("paused"));
}

#[test]
fn what_makes_no_sense_is_the_callers_error() {
    let rig = Rig::with_batch();
    for body in [
        "{",
        "[]",
        r#"{"serial_number":5}"#,
        r#"{"serial_number":"xyz"}"#,
        "",
    ] {
        let reply = config(&rig, body);
        assert_eq!(reply.status, 400, "{body}: {}", reply.json());
        assert!(reply.json()["error"].is_string());
    }
    let unknown = r#"{"status":"success","hostname":"NOBODY-1","serial":"0000000000000001"}"#;
    assert_eq!(status(&rig, unknown).status, 404);
    assert_eq!(rig.board(FROM, "GET /api/config HTTP/1.1", b"").status, 405);
    assert_eq!(
        rig.board(FROM, "GET /api/v1/boards HTTP/1.1", b"").status,
        404
    );
    assert_eq!(
        rig.board(FROM, "POST /api/v1/command HTTP/1.1", b"{}")
            .status,
        404
    );
}

#[test]
fn health_is_said_when_it_is_true() {
    let rig = Rig::with_batch();
    let reply = rig.board(FROM, "GET /health HTTP/1.0", b"");
    assert_eq!(reply.status, 200, "{}", reply.json());
    assert_eq!(reply.json()["status"], "healthy");
    assert!(reply.json()["timestamp"].is_string());
    let ready = rig.board(FROM, "GET /ready HTTP/1.0", b"");
    assert_eq!(ready.json()["ready"], ready.status == 200);
    assert!(ready.json()["subsystems"].as_array().unwrap().len() >= 4);
}
