//! The operator's door over HTTP and over the Unix socket.

use crate::rig::Rig;
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use wire::update::Update;

const ADD: &[u8] = br#"{"command":"venue_add","code":"ARIA","name":"Aria"}"#;

#[test]
fn a_change_over_http_needs_the_token_and_over_the_socket_does_not() {
    let rig = Rig::new();
    let bare = rig.operator("POST /api/v1/command HTTP/1.1", ADD);
    assert_eq!(bare.status, 401, "{}", bare.json());
    let with_token = format!(
        "POST /api/v1/command HTTP/1.1\r\nAuthorization: Bearer {}",
        rig.token()
    );
    let done = rig.operator(&with_token, ADD);
    assert_eq!(done.status, 200, "{}", done.json());
    assert_eq!(done.json()["receipt"], "venue");
    let again = rig.operator_socket("POST /api/v1/command HTTP/1.1", ADD);
    assert_eq!(again.status, 409, "{}", again.json());
    assert_eq!(again.json()["code"], "conflict");
}

#[test]
fn what_cannot_be_read_is_refused_at_its_field_and_a_try_of_it_is_an_answer() {
    let rig = Rig::new();
    let short = br#"{"command":"venue_add","code":"COR","name":"Corona"}"#;
    let refused = rig.operator_socket("POST /api/v1/command HTTP/1.1", short);
    assert_eq!(refused.status, 400);
    let said = refused.json();
    assert_eq!(
        (said["code"].as_str(), said["field"].as_str()),
        (Some("invalid"), Some("code"))
    );
    let words = "A venue code has exactly 4 letters or digits, \"COR\" has 3.";
    assert_eq!(said["message"], words);
    let tried = br#"{"query":"try","of":{"command":"venue_add","code":"COR","name":"Corona"}}"#;
    let answer = rig.operator("POST /api/v1/query HTTP/1.1", tried);
    assert_eq!(answer.status, 200);
    let answer = answer.json();
    assert_eq!(
        (&answer["answer"], &answer["value"]["would"]),
        (&"try".into(), &"refuse".into())
    );
    assert_eq!(answer["value"]["refusal"], said);
    let wrong = rig.operator(
        "POST /api/v1/query HTTP/1.1",
        br#"{"query":"sheet","board":"x"}"#,
    );
    assert_eq!(
        (wrong.status, &wrong.json()["field"]),
        (400, &"board".into())
    );
}

#[test]
fn pages_of_other_sites_are_turned_away() {
    let rig = Rig::new();
    for headers in [
        "\r\nHost: evil.example",
        "\r\nOrigin: http://evil.example",
        "\r\nHost: 127.0.0.1.evil.example:5000",
    ] {
        let reply = rig.operator(&format!("GET /api/v1/boards HTTP/1.1{headers}"), b"");
        assert_eq!(reply.status, 403, "{headers}");
        assert!(reply.header("access-control-allow-origin").is_none());
    }
}

#[test]
fn a_browser_gets_the_page_without_a_token_and_under_a_strict_policy() {
    let rig = Rig::new();
    let index = rig.operator("GET / HTTP/1.1", b"");
    assert_eq!(index.status, 200);
    assert!(index.body.starts_with(b"<!doctype html>"));
    let policy = index.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"));
    assert_eq!(index.header("cache-control"), Some("no-store"));
    let script = rig.operator("GET /assets/app-1a2b.js HTTP/1.1", b"");
    assert_eq!(script.body, b"'use strict'");
    let head = rig.operator("HEAD / HTTP/1.1", b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
    let beside = rig.operator("GET /assets/../operator.token HTTP/1.1", b"");
    assert_eq!(beside.status, 404, "{}", beside.json());
    let other = rig.operator("GET / HTTP/1.1\r\nHost: evil.example", b"");
    assert_eq!(other.status, 403);
}

#[test]
fn the_socket_and_the_token_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let rig = Rig::new();
    let data = rig.folder().join("data");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&rig.at.socket) & 0o777, 0o600);
    assert_eq!(mode(&data.join("operator.token")) & 0o777, 0o600);
    assert_eq!(mode(&data) & 0o007, 0);
}

#[test]
fn every_path_of_the_description_is_served() {
    let rig = Rig::with_batch();
    let spec = rig
        .operator("GET /api/v1/openapi.json HTTP/1.1", b"")
        .json();
    let mut served = BTreeSet::new();
    for (path, methods) in spec["paths"].as_object().unwrap() {
        let real = path
            .replace("{board}", "d137e638")
            .replace("{batch}", "1")
            .replace("{id}", "1")
            .replace("{code}", "CORO");
        for method in methods.as_object().unwrap().keys() {
            if path == "/api/v1/watch" {
                continue;
            }
            let method = method.to_ascii_uppercase();
            let body: &[u8] = if method == "GET" { b"" } else { b"{}" };
            let reply = rig.operator_socket(&format!("{method} {real} HTTP/1.1"), body);
            let missing = reply.status == 404 && reply.json()["error"] == "Resource not found";
            assert!(
                !missing && reply.status != 405,
                "{method} {path}: {}",
                reply.status
            );
            served.insert(path.clone());
        }
    }
    assert!(served.len() > 20, "{served:?}");
}

#[test]
fn lists_are_plain_json_and_filters_are_checked() {
    let rig = Rig::with_batch();
    let get = |path: &str| rig.operator(&format!("GET {path} HTTP/1.1"), b"");
    for path in [
        "boards", "batches", "images", "products", "venues", "names", "history", "events",
    ] {
        let reply = get(&format!("/api/v1/{path}"));
        assert_eq!(reply.status, 200, "{path}");
        assert!(reply.json().is_array(), "{path}: {}", reply.json());
    }
    let reserved = get("/api/v1/names?state=reserved&venue=coro").json();
    assert_eq!(reserved.as_array().unwrap().len(), 5);
    assert_eq!(get("/api/v1/names?venue=TOOLONG").status, 400);
    assert_eq!(get("/api/v1/history?limit=x").status, 400);
    assert_eq!(get("/api/v1/boards/zzz").status, 404);
    assert_eq!(
        get("/api/v1/batches/1/certificate").json()["batch"]["id"],
        1
    );
    let csv = get("/api/v1/history.csv");
    assert!(csv.body.starts_with(b"hostname,board,mac,"));
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    let metrics = get("/metrics");
    let text = String::from_utf8(metrics.body).unwrap();
    assert!(
        text.contains("punnet_server_up{server=\"dhcp\"} 1"),
        "{text}"
    );
    assert!(
        text.contains("punnet_batch_boards{product=\"KXP2\",venue=\"CORO\",what=\"planned\"} 5"),
        "{text}"
    );
}

#[test]
fn documents_come_as_they_are_and_refusals_in_words() {
    let rig = Rig::with_batch();
    let get = |path: &str| rig.operator(&format!("GET /api/v1/{path} HTTP/1.1"), b"");
    let pdf = get("batches/1/certificate.pdf");
    assert_eq!(pdf.header("content-type"), Some("application/pdf"));
    let name = "inline; filename=\"punnet-certificate-1.pdf\"";
    assert_eq!(pdf.header("content-disposition"), Some(name));
    assert!(pdf.body.starts_with(b"%PDF-"));
    let html = get("batches/1/certificate.html");
    let kind = Some("text/html; charset=utf-8");
    assert_eq!(html.header("content-type"), kind);
    let policy = html.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(
        get("batches/1/certificate.csv")
            .body
            .starts_with(b"hostname,")
    );
    assert_eq!(get("batches/9/certificate.pdf").status, 404);
    assert!(
        get("names.csv?state=reserved")
            .body
            .starts_with(b"hostname,")
    );
    assert!(get("history.json").json().is_array());
    assert_eq!(get("history.csv?limit=2&stage=done").status, 200);
    let none = get("labels.pdf?batch=1&sheet=a4x65");
    assert_eq!(none.status, 409);
    let words = none.json()["message"].as_str().unwrap().to_owned();
    assert!(
        words.starts_with("No board of batch 1 is finished yet"),
        "{words}"
    );
    assert_eq!(get("labels.pdf?board=0000dead").status, 404);
    assert_eq!(
        get("labels.pdf?batch=1&sheet=wallpaper").json()["field"],
        "sheet"
    );
    assert_eq!(get("boards/0000dead/log.txt").status, 404);
}

#[test]
fn readers_of_the_older_system_find_what_they_know() {
    let rig = Rig::with_batch();
    let get = |path: &str| rig.operator(&format!("GET {path} HTTP/1.1"), b"");
    let stats = get("/api/stats").json();
    assert_eq!(stats["total_hostnames"], 10);
    assert_eq!(stats["available_kxp2"], 5);
    assert_eq!(get("/api/venues").json()[0]["kxp2_available"], 5);
    let added = get("/api/venues").json()[0]["created_at"].clone();
    assert!(added.as_str().unwrap().starts_with("20"), "{added}");
    assert_eq!(get("/api/venues/coro/stats").json()["total_hostnames"], 10);
    assert_eq!(get("/api/venues/NONE/stats").status, 404);
    let active = get("/api/batches/active").json();
    assert_eq!(
        (&active["total_count"], &active["status"]),
        (&5.into(), &"active".into())
    );
    assert_eq!(get("/api/batches/1").json()["venue_code"], "CORO");
    assert_eq!(get("/api/batches/99").json()["error"], "Batch not found");
    assert_eq!(
        get("/api/deployments?limit=5").json(),
        serde_json::json!([])
    );
    assert_eq!(get("/api/deployments?limit=x").status, 400);
    assert_eq!(
        get("/api/system/status").json()["services"]["nginx"],
        "active"
    );
    let unknown = get("/api/nothing");
    assert_eq!(unknown.status, 404);
    assert_eq!(unknown.json()["error"], "Resource not found");
}

#[test]
fn readers_of_the_older_system_find_whole_serial_numbers_and_ended_batches_last() {
    let rig = Rig::with_batch();
    let get = |path: &str| rig.operator(&format!("GET {path} HTTP/1.1"), b"").json();
    rig.at_work(0xd137_e638);
    let deployment = &get("/api/deployments")[0];
    assert_eq!(deployment["serial_number"], "9d00ce41d137e638");
    let open = get("/api/batches/1")["priority"].as_i64().unwrap();
    assert_eq!(open, -1);
    let batch = wire::batch::BatchId(1);
    rig.command(wire::command::Command::BatchCancel { batch })
        .unwrap();
    let ended = get("/api/batches/1")["priority"].as_i64().unwrap();
    assert!(ended < open, "{ended}");
}

#[test]
fn a_watch_is_a_snapshot_and_then_changes_line_by_line() {
    let rig = Rig::new();
    let mut stream = TcpStream::connect(rig.at.operator).unwrap();
    let host = rig.at.operator;
    write!(stream, "GET /api/v1/watch HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
    let lines = BufReader::new(stream).lines().map(Result::unwrap);
    // Chunk sizes and headers are lines as well; updates are the ones in braces.
    let mut updates = lines.filter(|l| l.starts_with('{')).map(|l| {
        let update: Update = serde_json::from_str(&l).unwrap();
        update
    });
    assert!(matches!(updates.next(), Some(Update::Snapshot(_))));
    rig.stock();
    let prepared = rig.image("kart.img", 1);
    rig.import(&prepared, true);
    let images = updates.find(|u| matches!(u, Update::Images(_)));
    assert!(matches!(images, Some(Update::Images(list)) if list.len() == 1));
}
