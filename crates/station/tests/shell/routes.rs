//! Every route of both doors, called by everybody. The lists come from the doors themselves: a route
//! that has no line here fails the test, and so does a line without a route.

use crate::management::GOOD;
use crate::rig::Rig;
use station::doors::routes::Listed;
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::Ipv4Addr;
use wire::operator::Role;

/// A route, what is sent to it, and the statuses that come back.
struct Line {
    method: &'static str,
    path: &'static str,
    real: &'static str,
    body: &'static str,
    /// To nobody, a viewer, an operator, an administrator, whoever has the token.
    statuses: [u16; 5],
}

const fn line(
    method: &'static str,
    path: &'static str,
    real: &'static str,
    body: &'static str,
    statuses: [u16; 5],
) -> Line {
    Line {
        method,
        path,
        real,
        body,
        statuses,
    }
}

/// A list that is there, for whoever is known.
const fn list(path: &'static str) -> Line {
    line("GET", path, path, "", [401, 200, 200, 200, 200])
}

/// Something that is not there, for whoever is known.
const fn none(path: &'static str, real: &'static str) -> Line {
    line("GET", path, real, "", [401, 404, 404, 404, 404])
}

/// What the operator's door answers. Commands name a venue that does not exist, so that the answer is
/// the same each time.
const OPERATORS: &[Line] = &[
    line(
        "POST",
        "/api/v1/command",
        "/api/v1/command",
        r#"{"command":"venue_archive","code":"NONE","archived":true}"#,
        [401, 403, 404, 404, 404],
    ),
    line(
        "POST",
        "/api/v1/query",
        "/api/v1/query",
        r#"{"query":"boards"}"#,
        [401, 200, 200, 200, 200],
    ),
    list("/api/v1/watch"),
    list("/api/v1/openapi.json"),
    list("/metrics"),
    // No rehearsal runs.
    line(
        "POST",
        "/api/v1/rehearsal/command",
        "/api/v1/rehearsal/command",
        r#"{"command":"rehearsal_stop"}"#,
        [401, 403, 503, 503, 503],
    ),
    line(
        "POST",
        "/api/v1/rehearsal/query",
        "/api/v1/rehearsal/query",
        r#"{"query":"boards"}"#,
        [401, 503, 503, 503, 503],
    ),
    line(
        "GET",
        "/api/v1/rehearsal/watch",
        "/api/v1/rehearsal/watch",
        "",
        [401, 503, 503, 503, 503],
    ),
    list("/api/v1/boards"),
    list("/api/v1/batches"),
    list("/api/v1/images"),
    list("/api/v1/products"),
    list("/api/v1/venues"),
    list("/api/v1/leases"),
    list("/api/v1/stats"),
    list("/api/v1/ready"),
    list("/api/v1/names"),
    list("/api/v1/history"),
    list("/api/v1/events"),
    none("/api/v1/boards/{board}", "/api/v1/boards/d137e638"),
    none("/api/v1/batches/{batch}", "/api/v1/batches/9"),
    none(
        "/api/v1/batches/{batch}/certificate",
        "/api/v1/batches/9/certificate",
    ),
    none(
        "/api/v1/batches/{batch}/certificate.pdf",
        "/api/v1/batches/9/certificate.pdf",
    ),
    none(
        "/api/v1/batches/{batch}/certificate.html",
        "/api/v1/batches/9/certificate.html",
    ),
    none(
        "/api/v1/batches/{batch}/certificate.csv",
        "/api/v1/batches/9/certificate.csv",
    ),
    none(
        "/api/v1/boards/{board}/bundle.zip",
        "/api/v1/boards/d137e638/bundle.zip",
    ),
    list("/api/v1/packets.pcap"),
    list("/health"),
    list("/ready"),
    list("/api/v1/history.csv"),
    list("/api/v1/history.json"),
    list("/api/v1/names.csv"),
    none("/api/v1/labels.pdf", "/api/v1/labels.pdf?board=0000dead"),
    none(
        "/api/v1/boards/{board}/log.txt",
        "/api/v1/boards/d137e638/log.txt",
    ),
    list("/api/stats"),
    list("/api/venues"),
    none("/api/venues/{code}/stats", "/api/venues/NONE/stats"),
    list("/api/deployments"),
    list("/api/system/status"),
    list("/api/batches"),
    none("/api/batches/active", "/api/batches/active"),
    none("/api/batches/{id}", "/api/batches/9"),
    line(
        "POST",
        "/api/v1/upload",
        "/api/v1/upload?file_name=kart.img",
        "x",
        [401, 403, 200, 200, 200],
    ),
    // It waits to be fetched, so that there is no other.
    line(
        "POST",
        "/api/v1/archive",
        "/api/v1/archive",
        "{}",
        [401, 403, 403, 200, 409],
    ),
    line(
        "GET",
        "/api/v1/archive/{key}",
        "/api/v1/archive/00",
        "",
        [404; 5],
    ),
    // A wrong present password; the token has none. Before the wrong logins, which count with it.
    line(
        "POST",
        "/api/v1/password",
        "/api/v1/password",
        r#"{"present":"","password":""}"#,
        [401, 400, 400, 400, 409],
    ),
    line(
        "POST",
        "/api/v1/login",
        "/api/v1/login",
        r#"{"name":"","password":""}"#,
        [401, 401, 401, 401, 429],
    ),
    line("GET", "/api/v1/session", "/api/v1/session", "", [200; 5]),
    // The last: it ends the logins.
    line("POST", "/api/v1/logout", "/api/v1/logout", "", [200; 5]),
];

/// What both sides have.
const BOTH: [&str; 2] = ["/health", "/ready"];

/// What the deployment side answers to somebody who is no board it knows.
const BOARDS: &[(&str, &str, &str, &str, u16)] = &[
    (
        "POST",
        "/agent/v1/check-in",
        "/agent/v1/check-in",
        "{}",
        400,
    ),
    ("POST", "/agent/v1/report", "/agent/v1/report", "{}", 400),
    ("POST", "/agent/v1/hello", "/agent/v1/hello", "{}", 400),
    (
        "GET",
        "/agent/v1/packs/{image}/manifest",
        "/agent/v1/packs/abababababababababababababababababababababababababababababababab/manifest",
        "",
        403,
    ),
    (
        "GET",
        "/agent/v1/packs/{image}",
        "/agent/v1/packs/abababababababababababababababababababababababababababababababab",
        "",
        403,
    ),
    ("POST", "/api/config", "/api/config", "{}", 403),
    ("POST", "/api/status", "/api/status", "{}", 403),
    ("GET", "/images/{file}", "/images/none.img", "", 403),
    // Nobody's visit runs.
    (
        "POST",
        "/agent/v1/self-test/{key}",
        "/agent/v1/self-test/00",
        "{}",
        404,
    ),
    ("GET", "/health", "/health", "", 200),
    ("GET", "/ready", "/ready", "", 200),
];

fn known(list: &[Listed]) -> BTreeSet<(&str, &str)> {
    let known: BTreeSet<_> = list.iter().map(|one| (one.method, one.path)).collect();
    assert_eq!(known.len(), list.len(), "a route is listed twice");
    known
}

/// The status alone: a watch has no end.
fn status(rig: &Rig, line: &Line, headers: &str) -> u16 {
    let mut stream = rig.connect();
    let host = rig.operator_host();
    let Line {
        method, real, body, ..
    } = line;
    let length = body.len();
    let head = format!(
        "{method} {real} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\nX-Punnet: page{headers}\r\n\r\n{body}"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut first = String::new();
    BufReader::new(stream).read_line(&mut first).unwrap();
    first.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn every_route_of_the_operators_door_answers_each_role_as_it_should() {
    let rig = Rig::new();
    let served = rig.station().served().clone();
    let listed: BTreeSet<_> = OPERATORS.iter().map(|one| (one.method, one.path)).collect();
    assert_eq!(
        listed,
        known(&served.operators),
        "a route without its line here"
    );
    let mut callers = vec![String::new()];
    for (name, role) in [
        ("wall", Role::Viewer),
        ("tess", Role::Operator),
        ("ada", Role::Admin),
    ] {
        rig.add_operator(name, role);
        callers.push(rig.login(name));
    }
    callers.push(format!("\r\nAuthorization: Bearer {}", rig.token()));
    for line in OPERATORS {
        let mut got = [0; 5];
        for (status_of, caller) in got.iter_mut().zip(&callers) {
            *status_of = status(&rig, line, caller);
        }
        if line.path == "/api/v1/login" {
            // Wrong logins add up, whoever makes them; how far is another test's.
            assert!(got.iter().all(|s| [401, 429].contains(s)), "{got:?}");
            continue;
        }
        assert_eq!(got, line.statuses, "{} {}", line.method, line.path);
    }
}

#[test]
fn on_the_loopback_looking_is_open_until_somebody_can_log_in_and_changing_never_is() {
    let rig = Rig::new();
    for line in OPERATORS {
        // Nobody has a password either.
        let closed =
            line.statuses[0] == 401 && (line.statuses[1] == 403 || line.path == "/api/v1/password");
        let got = status(&rig, line, "");
        let expected = if closed { 401 } else { line.statuses[1] };
        if line.path != "/api/v1/login" {
            assert_eq!(got, expected, "{} {}", line.method, line.path);
        }
    }
}

#[test]
fn the_deployment_side_has_what_a_board_needs_and_nothing_of_the_operators() {
    let rig = Rig::new();
    let served = rig.station().served().clone();
    let listed: BTreeSet<_> = BOARDS.iter().map(|one| (one.0, one.1)).collect();
    assert_eq!(
        listed,
        known(&served.boards),
        "a route without its line here"
    );
    let board = Ipv4Addr::new(127, 64, 0, 77);
    rig.lease(0x0000_4d4d);
    for (method, path, real, body, expected) in BOARDS {
        let reply = rig.board(board, &format!("{method} {real} HTTP/1.1"), body.as_bytes());
        assert_eq!(reply.status, *expected, "{method} {path}");
    }
    let ours: BTreeSet<_> = BOARDS.iter().map(|one| one.2).collect();
    rig.add_operator("ada", Role::Admin);
    let cookie = rig.login("ada");
    let token = format!("\r\nAuthorization: Bearer {}", rig.token());
    let pages = ["/", "/index.html", "/assets/app-1a2b.js", "/operator.token"];
    let operators = OPERATORS.iter().map(|one| (one.method, one.real, one.body));
    // Whether the station is fit is said on both sides.
    let operators = operators.filter(|one| !BOTH.contains(&one.1));
    for (method, real, body) in operators.chain(pages.map(|path| ("GET", path, ""))) {
        assert!(!ours.contains(real), "{real} is on both sides");
        for headers in ["", &cookie, &token] {
            let request = format!("{method} {real} HTTP/1.1\r\nX-Punnet: page{headers}");
            let reply = rig.board(board, &request, body.as_bytes());
            assert_eq!(reply.status, 404, "{method} {real}{headers}");
            assert_eq!(reply.json()["error"], "Resource not found");
        }
    }
    // And nothing of the boards' on the operators' side.
    for (method, path, real, body, _) in BOARDS {
        if BOTH.contains(real) {
            continue;
        }
        let token = format!("{method} {real} HTTP/1.1{token}");
        let reply = rig.operator(&token, body.as_bytes());
        assert_eq!(reply.status, 404, "{method} {path}");
    }
    assert_eq!(rig.try_login("ada", GOOD).status, 200);
}
