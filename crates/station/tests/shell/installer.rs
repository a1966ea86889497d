//! The compatible device API, as existing installer scripts speak it.

use crate::rig::{Rig, mac_of};
use std::net::Ipv4Addr;
use wire::batch::BatchId;
use wire::command::Command;

/// Somebody on the wire whom the station gave no address.
const LAPTOP: Ipv4Addr = Ipv4Addr::new(127, 64, 0, 9);
const SERIAL: u32 = 0xd137_e638;

fn config(rig: &Rig, from: Ipv4Addr, body: &str) -> crate::rig::Reply {
    // As netcat in a shell script does it: HTTP/1.0, no content type.
    rig.board(from, "POST /api/config HTTP/1.0", body.as_bytes())
}

fn status(rig: &Rig, from: Ipv4Addr, body: &str) -> crate::rig::Reply {
    let request = "POST /api/status HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded";
    rig.board(from, request, body.as_bytes())
}

fn asks() -> String {
    let mac = mac_of(SERIAL);
    format!(
        r#"{{"product_type":"KXP2","venue_code":"CORO",
            "serial_number":"9d00ce41d137e638","mac_address":"{mac}"}}"#
    )
}

#[test]
fn an_installer_completes() {
    let rig = Rig::with_batch();
    let board = rig.lease(SERIAL).address;
    let reply = config(&rig, board, &asks());
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
    let image = rig.board(board, &format!("GET {path} HTTP/1.0"), b"");
    assert_eq!(
        image.body.len() as u64,
        said["image_size"].as_u64().unwrap()
    );

    let again = config(&rig, board, &asks());
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
        let reply = status(&rig, board, &body);
        assert_eq!(reply.status, 200, "{step}: {}", reply.json());
        assert_eq!(reply.json()["received"], true);
    }
}

#[test]
fn whoever_was_given_no_address_gets_no_name_and_no_image_and_reports_nothing() {
    let rig = Rig::with_batch();
    let board = rig.lease(SERIAL).address;
    let image = "GET /images/kart.img HTTP/1.0";
    let success = r#"{"status":"success","hostname":"KXP2-CORO-001"}"#;
    assert_eq!(config(&rig, board, &asks()).status, 200);
    for reply in [
        config(&rig, LAPTOP, &asks()),
        rig.board(LAPTOP, image, b""),
        status(&rig, LAPTOP, success),
    ] {
        assert_eq!(reply.status, 403);
        let words = reply.json()["error"].as_str().unwrap().to_owned();
        assert!(words.contains("device_api"), "{words}");
    }
    // Nor does a board report for another.
    let other = rig.lease(8).address;
    let foreign = status(&rig, other, success);
    assert_eq!(foreign.status, 403, "{}", foreign.json());
    assert_eq!(status(&rig, board, success).status, 200);
}

#[test]
fn a_board_that_has_to_wait_is_told_423_and_why() {
    let rig = Rig::with_batch();
    rig.command(Command::BatchPause { batch: BatchId(1) })
        .unwrap();
    let board = rig.lease(SERIAL).address;
    let reply = config(&rig, board, &asks());
    assert_eq!(reply.status, 423, "{}", reply.json());
    assert!(reply.json()["error"].as_str().unwrap().contains("paused"));
}

#[test]
fn what_makes_no_sense_is_the_callers_error() {
    let rig = Rig::open_to_installers();
    rig.prepare(5);
    for body in [
        "{",
        "[]",
        r#"{"serial_number":5}"#,
        r#"{"serial_number":"xyz"}"#,
        "",
    ] {
        let reply = config(&rig, LAPTOP, body);
        assert_eq!(reply.status, 400, "{body}: {}", reply.json());
        assert!(reply.json()["error"].is_string());
    }
    let unknown = r#"{"status":"success","hostname":"NOBODY-1","serial":"0000000000000001"}"#;
    assert_eq!(status(&rig, LAPTOP, unknown).status, 404);
    assert_eq!(
        rig.board(LAPTOP, "GET /api/config HTTP/1.1", b"").status,
        405
    );
    assert_eq!(
        rig.board(LAPTOP, "GET /api/v1/boards HTTP/1.1", b"").status,
        404
    );
    assert_eq!(
        rig.board(LAPTOP, "POST /api/v1/command HTTP/1.1", b"{}")
            .status,
        404
    );
}

#[test]
fn health_is_said_when_it_is_true() {
    let rig = Rig::with_batch();
    let reply = rig.board(LAPTOP, "GET /health HTTP/1.0", b"");
    assert_eq!(reply.status, 200, "{}", reply.json());
    assert_eq!(reply.json()["status"], "healthy");
    assert!(reply.json()["timestamp"].is_string());
    let ready = rig.board(LAPTOP, "GET /ready HTTP/1.0", b"");
    assert_eq!(ready.json()["ready"], ready.status == 200);
    assert!(ready.json()["subsystems"].as_array().unwrap().len() >= 4);
}
