//! What the station believes of the deployment network, and what it does not.

use crate::boards::check_in;
use crate::rig::{Reply, Rig, converse, mac_of};
use netboot::tftp::client::Outcome;
use std::io::{Read as _, Write as _};
use std::net::Ipv4Addr;
use wire::agent::{AgentEvent, Order, Outcome as Finished, Report};
use wire::batch::{BatchId, VerifyLevel};
use wire::command::Command;

const LAPTOP: Ipv4Addr = Ipv4Addr::new(127, 64, 7, 7);
const SERIAL: u32 = 0xd137_e638;

#[track_caller]
fn forbidden(reply: &Reply, words: &str) {
    assert_eq!(reply.status, 403, "{}", reply.json());
    let said = reply.json().to_string();
    assert!(said.contains(words), "{said}");
}

#[test]
fn a_token_is_good_for_its_board_at_its_address_alone() {
    let rig = Rig::with_batch();
    let own = rig.lease(SERIAL).address;
    let other = rig.lease(8).address;
    let token = rig.token_of(own);
    let post = |from, serial, token: &str| {
        let check_in = check_in(serial, Some(token.to_owned()));
        rig.board_post(from, "/agent/v1/check-in", &check_in)
    };
    forbidden(&post(LAPTOP, SERIAL, &token), "speaks from 127.64.7.7");
    forbidden(&post(other, SERIAL, &token), "not the address");
    forbidden(&post(other, 8, &token), "the boot token of another board");
    forbidden(&post(own, SERIAL, "0123"), "not of this station");
    assert_eq!(post(own, SERIAL, &token).status, 200);
    forbidden(&post(LAPTOP, SERIAL, &token), "speaks from");
}

#[test]
fn a_token_of_an_earlier_boot_is_worth_nothing() {
    let rig = Rig::with_batch();
    let first = rig.at_work(SERIAL);
    let token = rig.token_of(first.ip);
    // It was switched off and boots anew, while the disk of the station has other things to do.
    let busy = rig.hold_up_writing();
    let ip = rig.lease(SERIAL).address;
    assert_eq!(ip, first.ip);
    let new = std::thread::scope(|scope| {
        let asks = scope.spawn(|| rig.token_of(ip));
        drop(busy);
        asks.join().unwrap()
    });
    assert_ne!(new, token, "it is told what held before");
    let old = check_in(SERIAL, Some(token));
    forbidden(
        &rig.board_post(ip, "/agent/v1/check-in", &old),
        "the boot token of an earlier boot",
    );
    let order: Order = rig
        .board_post(ip, "/agent/v1/check-in", &check_in(SERIAL, Some(new)))
        .as_();
    assert!(matches!(order, Order::Provision(_)), "{order:?}");
}

#[test]
fn nobody_else_is_served_the_boot_files_of_a_board() {
    let rig = Rig::open_to_installers();
    rig.prepare(5);
    let own = rig.lease(SERIAL).address;
    let path = format!("{SERIAL:08x}/cmdline.txt");
    let is_refused = |from| !matches!(rig.fetch(from, &path), Outcome::File { .. });
    assert!(is_refused(LAPTOP), "an address that nobody was given");
    // Saying to be the board, as a foreign installer may, changes nothing.
    let claim = format!(
        r#"{{"serial_number":"{SERIAL:08x}","mac_address":"{}"}}"#,
        mac_of(SERIAL)
    );
    let claimed = rig.board(LAPTOP, "POST /api/config HTTP/1.1", claim.as_bytes());
    assert_eq!(claimed.status, 200, "{}", claimed.json());
    assert!(is_refused(LAPTOP));
    assert!(rig.fetch_text(own, &path).contains("punnet.token="));
}

#[test]
fn packs_are_for_boards_at_work() {
    let rig = Rig::with_batch();
    let board = rig.at_work(SERIAL);
    let other = rig.at_work(8);
    let get = |from, headers: &str| {
        let request = format!("GET {} HTTP/1.1\r\nRange: bytes=0-9{headers}", board.pack());
        rig.board(from, &request, b"")
    };
    let manifest = format!("GET {}/manifest HTTP/1.1", board.pack());
    forbidden(&get(board.ip, ""), "shows no session");
    forbidden(&rig.board(board.ip, &manifest, b""), "shows no session");
    let session = board.session();
    assert_eq!(get(board.ip, &session).status, 206);
    forbidden(&get(LAPTOP, &session), "at another address");
    forbidden(&get(other.ip, &session), "at another address");
    let guessed = format!("\r\nx-punnet-session: {}:0", board.job.deployment);
    forbidden(&get(board.ip, &guessed), "is none, or is over");
    let elsewhere = format!("GET /agent/v1/packs/{} HTTP/1.1{session}", "00".repeat(32));
    forbidden(&rig.board(board.ip, &elsewhere, b""), "another image");

    let done = AgentEvent::Done(Finished {
        verified: VerifyLevel::FullReadBack,
        bytes_written: 1 << 30,
        bytes_read_back: 1 << 30,
        bytes_received: 5,
        rewritten_chunks: 0,
        transport: "http".to_owned(),
        stage_ms: Vec::new(),
        changed_files: Vec::new(),
    });
    let report = Report {
        deployment: board.job.deployment.clone(),
        secret: board.job.secret.clone(),
        events: vec![(1, done)],
        progress: None,
    };
    assert_eq!(
        rig.board_post(board.ip, "/agent/v1/report", &report).status,
        200
    );
    assert_eq!(get(board.ip, &session).status, 206, "what it was given");
    let batch = BatchId(1);
    rig.command(Command::BatchCancel { batch }).unwrap();
    let request = format!("GET {} HTTP/1.1{}", other.pack(), other.session());
    forbidden(&rig.board(other.ip, &request, b""), "is none, or is over");
}

#[test]
fn no_path_leads_out_of_the_trees() {
    let rig = Rig::with_batch();
    let ip = rig.lease(SERIAL).address;
    std::fs::write(rig.folder().join("data/secret.txt"), b"secret").unwrap();
    for path in [
        "../secret.txt",
        "../../secret.txt",
        "d137e638/../../secret.txt",
        "d137e638/..//../secret.txt",
        "./../operator.token",
        "..\\secret.txt",
        "/etc/passwd",
        "//etc/passwd",
        "overlays/../../operator.token",
        "%2e%2e/secret.txt",
        "secret.txt\0.img",
    ] {
        let got = rig.fetch(ip, path);
        assert!(!matches!(got, Outcome::File { .. }), "{path}: {got:?}");
    }
    for path in [
        "/images/../operator.token",
        "/images/..%2foperator.token",
        "/images/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/images/%2e%2e/%2e%2e/etc/passwd",
        "/images/%2fetc%2fpasswd",
        "/images/....//operator.token",
        "/agent/v1/packs/..%2f..%2foperator.token",
        "/agent/v1/packs/../../operator.token/manifest",
        "//etc/passwd",
        "/operator.token",
    ] {
        let reply = rig.board(ip, &format!("GET {path} HTTP/1.1"), b"");
        assert!(
            matches!(reply.status, 400 | 403 | 404),
            "{path}: {}",
            reply.head
        );
        assert!(!reply.body.starts_with(b"root:"), "{path}");
    }
}

#[test]
fn a_request_too_large_is_refused_and_so_are_too_many() {
    let rig = Rig::new();
    let mut stream = rig.call(LAPTOP);
    stream.write_all(b"GET /health HTTP/1.1\r\n").unwrap();
    let line = format!("X-Long: {}\r\n", "x".repeat(8000));
    // The station may hang up before all of it is out.
    for _ in 0..200 {
        if stream.write_all(line.as_bytes()).is_err() {
            break;
        }
    }
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said);
    let said = String::from_utf8_lossy(&said);
    assert!(
        said.is_empty() || said.starts_with("HTTP/1.1 431 "),
        "{said}"
    );

    let head = "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1500);
    let mut stream = rig.call(LAPTOP);
    let mut reader = stream.try_clone().unwrap();
    let answers = std::thread::spawn(move || {
        let mut all = Vec::new();
        reader.read_to_end(&mut all).unwrap();
        String::from_utf8(all).unwrap()
    });
    stream.write_all(head.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let answers = answers.join().unwrap();
    let count = |status: &str| answers.matches(&format!("HTTP/1.1 {status}")).count();
    assert!(count("404 ") >= 1000, "an honest burst passes");
    assert!(count("429 ") > 100, "{}", count("429 "));
    let other = converse(
        rig.call(Ipv4Addr::new(127, 64, 7, 8)),
        "GET /health HTTP/1.1",
        "x",
        b"",
    );
    assert_eq!(other.json()["status"], "healthy", "others are not hurt");
}
