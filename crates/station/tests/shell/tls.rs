//! The operator's door behind TLS, met by a client that knows its certificate by the fingerprint.

use crate::management::{GOOD, cookie};
use crate::rig::{Reply, Rig, converse};
use rustls::{ClientConnection, StreamOwned};
use station::doors::pinned::Pinned;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use wire::operator::Role;
use wire::query::{Answer, Query};
use wire::self_test::TestVerdict;

type Secret = StreamOwned<ClientConnection, TcpStream>;

impl Rig {
    fn secret(&self, fingerprint: &str) -> Secret {
        let config = Pinned::new(fingerprint).client().unwrap();
        let name = "localhost".try_into().unwrap();
        let client = ClientConnection::new(Arc::new(config), name).unwrap();
        StreamOwned::new(client, self.connect())
    }

    /// A request over TLS.
    pub(crate) fn over_tls(&self, request: &str, body: &[u8]) -> Reply {
        let stream = self.secret(self.at.fingerprint.as_ref().unwrap());
        converse(stream, request, &self.operator_host(), body)
    }
}

fn beyond() -> Rig {
    Rig::set(|config| {
        config.management.listen = "0.0.0.0:0".parse().unwrap();
        config.management.tls = true;
    })
}

#[test]
fn a_login_over_tls_and_its_cookie_never_travels_without() {
    let rig = beyond();
    rig.add_operator("tess", Role::Operator);
    let body = format!(r#"{{"name":"tess","password":"{GOOD}"}}"#);
    let line = "POST /api/v1/login HTTP/1.1\r\nX-Punnet: page";
    let reply = rig.over_tls(line, body.as_bytes());
    assert_eq!(reply.status, 200, "{}", reply.json());
    let set = reply.header("set-cookie").unwrap();
    assert!(
        set.starts_with("__Host-punnet-") && set.contains("; Secure"),
        "{set}"
    );
    assert!(reply.header("strict-transport-security").is_some());
    let cookie = cookie(&reply);
    let add = br#"{"command":"venue_add","code":"ARIA","name":"Aria"}"#;
    let host = rig.operator_host();
    let command = format!("POST /api/v1/command HTTP/1.1{cookie}\r\nX-Punnet: page");
    let other = rig.over_tls(&format!("{command}\r\nOrigin: http://{host}"), add);
    assert_eq!(other.status, 403, "a page without TLS is another site");
    let own = rig.over_tls(&format!("{command}\r\nOrigin: https://{host}"), add);
    assert_eq!(own.status, 200, "{}", own.json());
}

#[test]
fn beyond_the_loopback_nobody_looks_without_being_known() {
    let rig = beyond();
    assert_eq!(rig.over_tls("GET / HTTP/1.1", b"").status, 200);
    assert_eq!(
        rig.over_tls("GET /api/v1/session HTTP/1.1", b"").status,
        200
    );
    assert_eq!(rig.over_tls("GET /api/v1/boards HTTP/1.1", b"").status, 401);
    let bearer = format!(
        "GET /api/v1/boards HTTP/1.1\r\nAuthorization: Bearer {}",
        rig.token()
    );
    assert_eq!(rig.over_tls(&bearer, b"").status, 200);
}

#[test]
fn the_certificate_stays_and_its_fingerprint_is_said() {
    let mut rig = beyond();
    let first = rig.at.fingerprint.clone().unwrap();
    let Answer::Settings(settings) = rig.query(Query::Settings).unwrap() else {
        panic!("no settings")
    };
    assert_eq!(settings.fingerprint.as_ref(), Some(&first));
    assert!(settings.page.unwrap().starts_with("https://"));
    let Answer::Works(works) = rig.query(Query::Works).unwrap() else {
        panic!("no works")
    };
    assert!(works.sockets.iter().any(|open| open.at.contains(&first)));
    let mut wrong = rig.secret(&first.replace(':', "-"));
    let refused = wrong.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap_err();
    assert!(
        refused.to_string().contains("another certificate"),
        "{refused}"
    );
    rig.restart();
    assert_eq!(rig.at.fingerprint, Some(first));
    assert_eq!(
        rig.over_tls("GET /api/v1/session HTTP/1.1", b"").status,
        200
    );
}

#[test]
fn the_self_test_meets_the_page_over_tls_and_knows_its_certificate() {
    let rig = beyond();
    let Answer::SelfTest(test) = rig.query(Query::SelfTest).unwrap() else {
        panic!("no self-test")
    };
    let step = test.steps.iter().find(|s| s.step == "page").unwrap();
    assert_eq!(step.verdict, TestVerdict::Passed, "{step:?}");
    let at = format!("https://{}", rig.operator_host());
    assert!(step.found.starts_with(&at), "{step:?}");
}

#[test]
fn whoever_comes_without_tls_is_sent_on_and_told_nothing() {
    let rig = beyond();
    let host = rig.operator_host();
    let reply = rig.operator("GET /history?x=1 HTTP/1.1", b"");
    assert_eq!(reply.status, 307);
    let target = format!("https://{host}/history?x=1");
    assert_eq!(reply.header("location"), Some(target.as_str()));
    let other = rig.operator("GET / HTTP/1.1\r\nHost: evil.example", b"");
    assert_eq!(other.status, 403);
    let bearer = format!(
        "POST /api/v1/command HTTP/1.1\r\nAuthorization: Bearer {}",
        rig.token()
    );
    let command = rig.operator(
        &bearer,
        br#"{"command":"venue_add","code":"ARIA","name":"x"}"#,
    );
    assert_eq!(command.status, 403);
    assert!(rig.deeds().is_empty());
}

#[test]
fn a_connection_that_says_nothing_holds_up_nobody_and_ends_with_the_station() {
    let mut rig = beyond();
    let mut silent: Vec<TcpStream> = (0..20).map(|_| rig.connect()).collect();
    let mut half = rig.connect();
    half.write_all(&[22, 3, 1]).unwrap();
    assert_eq!(
        rig.over_tls("GET /api/v1/session HTTP/1.1", b"").status,
        200
    );
    rig.stop();
    let mut byte = [0];
    for stream in &mut silent {
        assert!(matches!(stream.read(&mut byte), Ok(0) | Err(_)));
    }
}

#[test]
fn the_owners_own_certificate_is_used_and_a_bad_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["localhost".to_owned()];
    let own = station::doors::certificate::load_or_make(folder.path(), &names).unwrap();
    let mut config = crate::rig::config(&folder.path().join("station"));
    config.management.tls = true;
    let files = ["management.crt", "management.key"].map(|name| folder.path().join(name));
    config.management.certificate = Some((files[0].clone(), files[1].clone()));
    let rig = Rig::new();
    let start = |config| {
        let run = station::service::run(config, station::service::Mode::Rehearsal);
        rig.runtime.block_on(run)
    };
    let station = start(config.clone()).unwrap();
    assert_eq!(station.addresses().fingerprint, Some(own.fingerprint));
    rig.wait(station.stop());
    std::fs::write(&files[1], "no key").unwrap();
    let refused = start(config).unwrap_err().to_string();
    assert!(refused.contains("management.key holds no key"), "{refused}");
}
