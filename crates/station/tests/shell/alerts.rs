//! Alerts to real receivers on the loopback: a small HTTP server and a small SMTP server.

use crate::rig::{PATIENCE, Rig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use station::alerts::{Outlet, Patience, run_with, ways};
use station::config::{Alerts, Config, Environment, understand};
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Quick, so that a test need not wait for what a person may.
const QUICK: Patience = Patience {
    first: Duration::from_millis(20),
    longest: Duration::from_millis(40),
    tries: 50,
    apart: Duration::from_millis(1),
};

/// A POST that arrived.
#[derive(Debug)]
pub(crate) struct Post {
    pub signature: Option<String>,
    pub body: Vec<u8>,
}

impl Post {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Receives POSTs; each is answered with the next of `statuses`, and with 200 after those.
fn receiver(statuses: &'static [u16]) -> (String, Receiver<Post>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = format!("http://{}/hooks/s3cret", listener.local_addr().unwrap());
    let (tell, posts) = channel();
    std::thread::spawn(move || {
        let mut statuses = statuses.iter();
        for stream in listener.incoming() {
            let status = statuses.next().copied().unwrap_or(200);
            if answer(stream.unwrap(), status, &tell).is_none() {
                return;
            }
        }
    });
    (at, posts)
}

/// Takes one POST and answers it.
pub(crate) fn answer(stream: impl Read + Write, status: u16, tell: &Sender<Post>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (mut length, mut signature) = (0, None);
    for line in reader.by_ref().lines() {
        let line = line.ok()?;
        let Some((name, value)) = line.split_once(": ") else {
            if line.is_empty() {
                break;
            }
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "x-punnet-signature" => signature = Some(value.to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    write!(
        reader.get_mut(),
        "HTTP/1.1 {status} Word\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    tell.send(Post { signature, body }).ok()
}

/// An e-mail that arrived: the lines of the dialogue, and the letter.
#[derive(Debug, Default)]
pub(crate) struct Letter {
    pub said: Vec<String>,
    pub text: String,
}

/// A server that takes e-mail from anybody who logs in.
fn post_office() -> (u16, Receiver<Letter>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, letters) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            if tell.send(take_letter(stream.unwrap(), GREETING)).is_err() {
                return;
            }
        }
    });
    (port, letters)
}

/// What a server of e-mail says first.
pub(crate) const GREETING: &[u8] = b"220 post.example ESMTP\r\n";

/// Takes e-mail from whoever logs in, until that one goes.
pub(crate) fn take_letter(stream: impl Read + Write, greeting: &[u8]) -> Letter {
    let mut stream = BufReader::new(stream);
    let mut letter = Letter::default();
    // Whoever trusts no certificate ends before a word was said.
    if stream.get_mut().write_all(greeting).is_err() {
        return letter;
    }
    while let Some(line) = next_line(&mut stream) {
        let verb = line.split(' ').next().unwrap().to_ascii_uppercase();
        letter.said.push(line);
        let answer: &[u8] = match verb.as_str() {
            "EHLO" => b"250-post.example\r\n250 AUTH PLAIN LOGIN\r\n",
            "AUTH" => b"235 come in\r\n",
            "DATA" => {
                stream.get_mut().write_all(b"354 go on\r\n").unwrap();
                while let Some(line) = next_line(&mut stream).filter(|line| line != ".") {
                    letter.text += &line;
                    letter.text.push('\n');
                }
                b"250 taken\r\n"
            }
            "QUIT" => {
                stream.get_mut().write_all(b"221 bye\r\n").unwrap();
                break;
            }
            _ => b"250 fine\r\n",
        };
        stream.get_mut().write_all(answer).unwrap();
    }
    letter
}

fn next_line(stream: &mut impl BufRead) -> Option<String> {
    stream.lines().next()?.ok()
}

/// Alerts as they are written in a file.
pub(crate) fn written(section: &str) -> Alerts {
    let text = format!("[alerts]\ngather_seconds = 1\n{section}");
    let config: Config = understand(&text, &Environment::default()).unwrap();
    config.alerts
}

pub(crate) fn private_file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path
}

/// Sends alerts of the rig's station until the test ends.
fn begin(rig: &Rig, alerts: &Alerts) {
    let engine = rig.station().engine().clone();
    let outlets = ways(alerts)
        .into_iter()
        .map(|way| Outlet::open(way, QUICK))
        .collect();
    let alerting = run_with(&engine, alerts, outlets, CancellationToken::new());
    rig.runtime.spawn(alerting);
}

/// Boards that ask while no batch waits for them, so that a person has to decide.
fn boards_ask(rig: &Rig, serials: std::ops::RangeInclusive<u32>) {
    for serial in serials {
        let asked = json!({"serial_number": format!("{serial:08x}")});
        let from = Ipv4Addr::LOCALHOST;
        let reply = rig.board_post(from, "/api/config", &asked);
        assert_eq!(reply.status, 423, "{}", reply.json());
    }
}

#[test]
fn fifty_boards_that_wait_are_one_signed_message() {
    let rig = Rig::open_to_installers();
    rig.stock();
    let (at, posts) = receiver(&[]);
    let secret = private_file(rig.folder(), "hook.secret", "between us\n");
    begin(
        &rig,
        &written(&format!(
            "webhook = \"{at}\"\nwebhook_secret_file = \"{}\"\n",
            secret.display()
        )),
    );
    boards_ask(&rig, 1..=50);
    let post = posts.recv_timeout(PATIENCE).unwrap();
    let said = post.json();
    assert_eq!(said["notices"].as_array().unwrap().len(), 1, "{said}");
    let notice = &said["notices"][0];
    // The rig's station is one for virtual boards, and says so.
    assert_eq!(notice["summary"], "Rehearsal: 50 boards need your decision");
    assert_eq!(
        (&notice["kind"], &notice["count"]),
        (&json!("decision"), &json!(50))
    );
    assert_eq!(notice["about"].as_array().unwrap().len(), 50);
    let text = said["text"].as_str().unwrap();
    assert!(text.contains("50 boards need your decision"), "{text}");
    let mut mac = Hmac::<Sha256>::new_from_slice(b"between us").unwrap();
    mac.update(&post.body);
    let wanted = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    assert_eq!(post.signature.as_deref(), Some(wanted.as_str()));
    assert!(posts.try_recv().is_err(), "there was a second message");
}

#[test]
fn a_receiver_that_is_away_gets_everything_later_in_one_message() {
    let rig = Rig::open_to_installers();
    rig.stock();
    let (at, posts) = receiver(&[500, 503, 500]);
    begin(&rig, &written(&format!("webhook = \"{at}\"\n")));
    boards_ask(&rig, 1..=1);
    let refused: Vec<Post> = (0..3)
        .map(|_| posts.recv_timeout(PATIENCE).unwrap())
        .collect();
    let taken = posts.recv_timeout(PATIENCE).unwrap();
    assert_eq!(taken.json()["notices"], refused[0].json()["notices"]);
    assert_eq!(taken.signature, None);
}

#[test]
fn a_receiver_that_never_answers_holds_up_nobody() {
    let rig = Rig::open_to_installers();
    rig.stock();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = format!("http://{}/", listener.local_addr().unwrap());
    begin(&rig, &written(&format!("webhook = \"{at}\"\n")));
    boards_ask(&rig, 1..=1);
    // It is being spoken to, and says nothing.
    let (held, _) = listener.accept().unwrap();
    boards_ask(&rig, 2..=20);
    let health = rig.operator("GET /health HTTP/1.1", b"");
    assert_eq!(health.status, 200);
    drop(held);
}

#[test]
fn an_e_mail_says_what_happened_and_comes_with_a_login() {
    let rig = Rig::open_to_installers();
    rig.stock();
    let (port, letters) = post_office();
    let password = private_file(rig.folder(), "smtp.secret", "open sesame");
    let section = format!(
        "smtp_host = \"127.0.0.1\"\nsmtp_port = {port}\nsmtp_security = \"none\"\n\
         smtp_user = \"punnet\"\nsmtp_password_file = \"{}\"\n\
         mail_from = \"Punnet <punnet@example.org>\"\n\
         mail_to = [\"tess@example.org\", \"tom@example.org\"]\n",
        password.display()
    );
    begin(&rig, &written(&section));
    boards_ask(&rig, 1..=3);
    let letter = letters.recv_timeout(PATIENCE).unwrap();
    let said = letter.said.join("\n");
    for wanted in [
        "MAIL FROM:<punnet@example.org>",
        "RCPT TO:<tess@example.org>",
        "RCPT TO:<tom@example.org>",
        "AUTH PLAIN",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    let text = &letter.text;
    assert!(text.contains("3 boards need your decision"), "{text}");
    assert!(text.contains("From: Punnet <punnet@example.org>"), "{text}");
    assert!(!text.contains("open sesame"));
}

#[test]
fn a_password_that_others_may_read_is_not_used() {
    let rig = Rig::new();
    let (port, letters) = post_office();
    let password = private_file(rig.folder(), "smtp.secret", "open sesame");
    fs::set_permissions(&password, Permissions::from_mode(0o644)).unwrap();
    let section = format!(
        "smtp_host = \"127.0.0.1\"\nsmtp_port = {port}\nsmtp_security = \"none\"\n\
         smtp_user = \"punnet\"\nsmtp_password_file = \"{}\"\n\
         mail_from = \"punnet@example.org\"\nmail_to = [\"tess@example.org\"]\n",
        password.display()
    );
    let way = ways(&written(&section)).remove(0);
    let refused = way.send(&station::alerts::Message::test()).unwrap_err();
    assert!(refused.contains("chmod 600"), "{refused}");
    assert!(letters.try_recv().is_err());
}
