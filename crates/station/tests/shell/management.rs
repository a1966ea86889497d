//! The management side as a browser, a script and a stranger meet it: logins over a real socket, what
//! they allow, how they end, and what a browser is kept from.

use crate::rig::{Reply, Rig};
use std::io::{BufRead as _, BufReader, Write as _};
use wire::command::Command;
use wire::operator::{Deed, DeedFilter, DeedOutcome, Door, Password, Role, Session};
use wire::query::{Answer, Query};

pub(crate) const GOOD: &str = "four words in a row";
const NEW: &str = "other words than before";
const ADD: &[u8] = br#"{"command":"venue_add","code":"ARIA","name":"Aria"}"#;
const COMMAND: &str = "POST /api/v1/command HTTP/1.1";

impl Rig {
    pub(crate) fn add_operator(&self, name: &str, role: Role) {
        self.command(Command::OperatorAdd {
            name: name.parse().unwrap(),
            role,
            password: Password::new(GOOD),
        })
        .unwrap();
    }

    pub(crate) fn try_login(&self, name: &str, password: &str) -> Reply {
        let body = serde_json::json!({"name": name, "password": password}).to_string();
        let line = "POST /api/v1/login HTTP/1.1\r\nX-Punnet: page";
        self.operator(line, body.as_bytes())
    }

    /// Logs in; the result is the line of the cookie, as a browser sends it.
    pub(crate) fn login(&self, name: &str) -> String {
        let reply = self.try_login(name, GOOD);
        assert_eq!(reply.status, 200, "{}", reply.json());
        cookie(&reply)
    }

    fn change_password(&self, cookie: &str, present: &str, password: &str) -> Reply {
        let body = serde_json::json!({"present": present, "password": password}).to_string();
        let line = format!("POST /api/v1/password HTTP/1.1{cookie}{PAGE}");
        self.operator(&line, body.as_bytes())
    }

    fn session(&self, headers: &str) -> Session {
        self.operator(&format!("GET /api/v1/session HTTP/1.1{headers}"), b"")
            .as_()
    }

    pub(crate) fn deeds(&self) -> Vec<Deed> {
        match self.query(Query::Deeds(DeedFilter::default())).unwrap() {
            Answer::Deeds(mut rows) => {
                rows.reverse();
                rows
            }
            other => panic!("{other:?}"),
        }
    }
}

/// The header of a request that carries the cookie of an answer.
pub(crate) fn cookie(reply: &Reply) -> String {
    let set = reply.header("set-cookie").unwrap();
    format!("\r\nCookie: {}", set.split(';').next().unwrap())
}

/// The mark of the page.
pub(crate) const PAGE: &str = "\r\nX-Punnet: page";

#[test]
fn a_browser_logs_in_works_and_logs_out_and_all_of_it_is_on_the_record() {
    let rig = Rig::new();
    let before = rig.session("");
    assert!(before.open && !before.operators && before.role.is_none());
    rig.add_operator("tess", Role::Operator);
    let closed = rig.session("");
    assert!(!closed.open && closed.operators, "who can log in, must");
    assert_eq!(rig.operator("GET /api/v1/boards HTTP/1.1", b"").status, 401);
    let page = rig.operator("GET / HTTP/1.1", b"");
    assert_eq!(page.status, 200, "the page is for everybody");

    let reply = rig.try_login(" Tess ", GOOD);
    let set = reply.header("set-cookie").unwrap().to_owned();
    assert!(set.starts_with(&format!("punnet-{}=", rig.at.operator.port())));
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict") && !set.contains("Secure"));
    let cookie = cookie(&reply);
    let now = rig.session(&cookie);
    assert_eq!(
        (now.name.as_deref(), now.role),
        (Some("tess"), Some(Role::Operator))
    );
    assert!(now.until.is_some());
    let get = format!("GET /api/v1/boards HTTP/1.1{cookie}");
    assert_eq!(rig.operator(&get, b"").status, 200);
    let done = rig.operator(&format!("{COMMAND}{cookie}{PAGE}"), ADD);
    assert_eq!(done.status, 200, "{}", done.json());

    let out = rig.operator(&format!("POST /api/v1/logout HTTP/1.1{cookie}{PAGE}"), b"");
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(
        rig.operator(&get, b"").status,
        401,
        "the key is worth nothing now"
    );
    let rows = rig.deeds();
    let seen: Vec<_> = rows
        .iter()
        .map(|row| (row.who.as_str(), row.door, row.action.as_str()))
        .collect();
    assert_eq!(
        seen[1..],
        [
            ("tess", Door::Login, "login"),
            ("tess", Door::Login, "venue_add"),
            ("tess", Door::Login, "logout"),
        ]
    );
    assert!(rows[1..].iter().all(|row| row.origin == "127.0.0.1"));
    assert!(rows.iter().all(|row| row.outcome == DeedOutcome::Done));
}

#[test]
fn the_socket_and_the_token_are_known_by_name_on_the_record() {
    let rig = Rig::new();
    let socket = rig.operator_socket(COMMAND, ADD);
    assert_eq!(socket.status, 200);
    let bearer = format!("\r\nAuthorization: Bearer {}", rig.token());
    let again = rig.operator(&format!("{COMMAND}{bearer}"), ADD);
    assert_eq!(again.status, 409);
    let rows = rig.deeds();
    let user = station::who::Who::here().name;
    assert_eq!(
        (rows[0].who.as_str(), rows[0].door),
        (user.as_str(), Door::Socket)
    );
    assert_eq!((rows[1].who.as_str(), rows[1].door), ("token", Door::Token));
    assert_eq!(rows[1].outcome, DeedOutcome::Refused);
    let of_socket: Session = rig
        .operator_socket("GET /api/v1/session HTTP/1.1", b"")
        .as_();
    assert_eq!(of_socket.role, Some(Role::Admin));
}

#[test]
fn a_script_that_watches_has_a_token_that_only_looks() {
    let rig = Rig::new();
    rig.add_operator("ada", Role::Admin);
    let token = std::fs::read_to_string(rig.folder().join("data/viewer.token")).unwrap();
    let token = format!("\r\nAuthorization: Bearer {}", token.trim());
    let metrics = rig.operator(&format!("GET /metrics HTTP/1.1{token}"), b"");
    assert_eq!(metrics.status, 200);
    let query = format!("POST /api/v1/query HTTP/1.1{token}");
    let settings = rig.operator(&query, br#"{"query":"configuration"}"#);
    assert_eq!(settings.status, 403, "{}", settings.json());
    let change = rig.operator(&format!("{COMMAND}{token}"), ADD);
    assert_eq!(change.status, 403, "{}", change.json());
    let session = rig.session(&token);
    assert_eq!(session.role, Some(Role::Viewer));
    assert_eq!(session.name.as_deref(), Some("viewer token"));
}

#[test]
fn the_token_makes_no_first_operator_and_then_it_makes_more() {
    let rig = Rig::new();
    let add = |name: &str| {
        let body = serde_json::json!({
            "command": "operator_add", "name": name, "role": "admin", "password": GOOD,
        });
        body.to_string()
    };
    let token = format!("\r\nAuthorization: Bearer {}", rig.token());
    let command = format!("{COMMAND}{token}");
    let first = rig.operator(&command, add("eve").as_bytes());
    assert_eq!(first.status, 403, "{}", first.json());
    let next = first.json()["next"].as_str().unwrap().to_owned();
    assert!(
        next.contains("punnet operator add NAME --role admin"),
        "{next}"
    );
    let tried = format!(r#"{{"query":"try","of":{}}}"#, add("eve"));
    let query = format!("POST /api/v1/query HTTP/1.1{token}");
    let tried = rig.operator(&query, tried.as_bytes()).json();
    assert_eq!(tried["value"]["would"], "refuse", "{tried}");
    let rows = rig.deeds();
    assert_eq!(rows[0].outcome, DeedOutcome::Refused);

    let socket = rig.operator_socket(COMMAND, add("ada").as_bytes());
    assert_eq!(socket.status, 200, "{}", socket.json());
    assert_eq!(rig.operator(&command, add("bess").as_bytes()).status, 200);
}

#[test]
fn a_viewer_looks_an_operator_works_and_an_administrator_decides() {
    let rig = Rig::new();
    rig.add_operator("ada", Role::Admin);
    rig.add_operator("tess", Role::Operator);
    rig.add_operator("wall", Role::Viewer);
    let add: &[u8] =
        br#"{"command":"operator_add","name":"bess","role":"viewer","password":"four words in a row"}"#;
    let remove = br#"{"command":"image_remove","image":"abababababababababababababababababababababababababababababababab"}"#;
    let deeds = br#"{"query":"deeds"}"#;
    let tried = br#"{"query":"try","of":{"command":"venue_add","code":"CORO","name":"Corona"}}"#;
    for (name, look, work, decide, removes) in [
        ("wall", 200, 403, 403, 403),
        ("tess", 200, 200, 403, 403),
        ("ada", 200, 409, 200, 404),
    ] {
        let with = format!("{}{PAGE}", rig.login(name));
        let query = format!("POST /api/v1/query HTTP/1.1{with}");
        let command = |body: &[u8]| rig.operator(&format!("{COMMAND}{with}"), body).status;
        let looked = rig.operator(&query, br#"{"query":"boards"}"#).status;
        assert_eq!((looked, command(ADD)), (look, work), "{name}");
        assert_eq!((command(add), command(remove)), (decide, removes), "{name}");
        let read = rig.operator(&query, deeds).status;
        assert_eq!(read, if name == "ada" { 200 } else { 403 }, "{name}");
        let would = rig.operator(&query, tried).json();
        let expected = if name == "wall" { "refuse" } else { "do" };
        assert_eq!(would["value"]["would"], expected, "{name}");
    }
    let viewer = rig.operator(&format!("{COMMAND}{}{PAGE}", rig.login("wall")), ADD);
    let words = viewer.json()["next"].as_str().unwrap().to_owned();
    assert!(words.contains("role operator"), "{words}");
}

#[test]
fn a_login_that_was_not_used_for_too_long_is_none() {
    let rig = Rig::set(|config| config.management.sessions.idle = std::time::Duration::ZERO);
    rig.add_operator("tess", Role::Operator);
    let cookie = rig.login("tess");
    let reply = rig.operator(&format!("GET /api/v1/boards HTTP/1.1{cookie}"), b"");
    assert_eq!(reply.status, 401);
    let forged = cookie.replace(|c: char| c.is_ascii_lowercase() && c <= 'f', "0");
    let reply = rig.operator(&format!("GET /api/v1/boards HTTP/1.1{forged}"), b"");
    assert_eq!(reply.status, 401);
}

#[test]
fn a_watch_ends_with_its_login() {
    let rig = Rig::new();
    rig.add_operator("ada", Role::Admin);
    rig.add_operator("tess", Role::Viewer);
    let cookie = rig.login("tess");
    let mut stream = rig.connect();
    let host = rig.operator_host();
    write!(
        stream,
        "GET /api/v1/watch HTTP/1.1\r\nHost: {host}{cookie}\r\n\r\n"
    )
    .unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.starts_with("{\"update\":\"snapshot\"")));
    rig.command(Command::OperatorRemove {
        name: "tess".parse().unwrap(),
    })
    .unwrap();
    // The last chunk is empty, and nothing follows.
    assert!(lines.any(|line| line == "0"), "the watch goes on");
}

#[test]
fn pages_of_other_sites_change_nothing_with_somebody_elses_login() {
    let rig = Rig::new();
    rig.add_operator("tess", Role::Operator);
    let cookie = rig.login("tess");
    let host = rig.operator_host();
    for (headers, why) in [
        (cookie.clone(), "a form sends no header of its own"),
        (
            format!("{cookie}{PAGE}\r\nOrigin: http://evil.example"),
            "another site",
        ),
        (
            format!("{cookie}{PAGE}\r\nOrigin: null"),
            "a frame without a site",
        ),
        (
            format!("{cookie}{PAGE}\r\nOrigin: https://{host}"),
            "another scheme",
        ),
        (
            format!("{cookie}{PAGE}\r\nHost: evil.example"),
            "another name of this machine",
        ),
    ] {
        let reply = rig.operator(&format!("{COMMAND}{headers}"), ADD);
        assert_eq!(reply.status, 403, "{why}: {}", reply.json());
        assert!(reply.header("access-control-allow-origin").is_none());
    }
    let login = "POST /api/v1/login HTTP/1.1";
    let body = format!(r#"{{"name":"tess","password":"{GOOD}"}}"#);
    assert_eq!(
        rig.operator(login, body.as_bytes()).status,
        403,
        "a forged login"
    );
    let own = format!("{COMMAND}{cookie}{PAGE}\r\nOrigin: http://{host}");
    assert_eq!(rig.operator(&own, ADD).status, 200);
}

#[test]
fn a_name_that_the_station_was_given_is_its_own() {
    let rig = Rig::set(|config| config.management.names = vec!["bench.example".to_owned()]);
    let get = |host: &str| {
        let line = format!("GET /api/v1/boards HTTP/1.1\r\nHost: {host}");
        rig.operator(&line, b"").status
    };
    assert_eq!(get("bench.example:5000"), 200);
    assert_eq!(get("other.example:5000"), 403);
}

#[test]
fn guessing_a_password_is_slowed_down_and_waiting_is_said() {
    let rig = Rig::new();
    rig.add_operator("tess", Role::Operator);
    for _ in 0..5 {
        assert_eq!(rig.try_login("tess", "guess after guess").status, 401);
    }
    // The sixth fault in a row costs a wait; whoever then has the right password waits as well.
    assert_eq!(rig.try_login("bess", "guess after guess").status, 401);
    let held = rig.try_login("tess", GOOD);
    assert_eq!(held.status, 429, "{}", held.json());
    let wait: u64 = held.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=3).contains(&wait), "{wait}");
    assert_eq!(held.json()["code"], "too_many");
    let wrong = rig
        .deeds()
        .iter()
        .filter(|row| row.action == "login")
        .count();
    assert_eq!(wrong, 6, "what was not looked at is not on the record");
}

#[test]
fn whoever_is_logged_in_changes_their_own_password_and_their_other_logins_end() {
    let rig = Rig::new();
    rig.add_operator("wall", Role::Viewer);
    rig.add_operator("tess", Role::Operator);
    let [own, lost] = [rig.login("wall"), rig.login("wall")];
    let hers = rig.login("tess");
    let reply = rig.change_password(&own, GOOD, NEW);
    assert_eq!(reply.status, 200, "{}", reply.json());
    let session: Session = reply.as_();
    assert_eq!(session.name.as_deref(), Some("wall"));
    assert!(session.until.is_some());
    let looks = |cookie: &str| {
        let line = format!("GET /api/v1/boards HTTP/1.1{cookie}");
        rig.operator(&line, b"").status
    };
    assert_eq!((looks(&own), looks(&lost), looks(&hers)), (200, 401, 200));
    assert_eq!(rig.try_login("wall", GOOD).status, 401);
    assert_eq!(rig.try_login("wall", NEW).status, 200);
    assert_eq!(rig.try_login("tess", GOOD).status, 200);
    let rows = rig.deeds();
    let row = rows.iter().find(|row| row.action == "password_change");
    let row = row.unwrap();
    assert_eq!((row.who.as_str(), row.door), ("wall", Door::Login));
    assert_eq!((row.outcome, row.subject.as_str()), (DeedOutcome::Done, ""));
}

#[test]
fn a_wrong_present_password_and_a_weak_new_one_are_refused_at_their_fields() {
    let rig = Rig::new();
    rig.add_operator("tess", Role::Operator);
    let [own, other] = [rig.login("tess"), rig.login("tess")];
    let wrong = rig.change_password(&own, "guess after guess", NEW);
    assert_eq!((wrong.status, wrong.field()), (400, "present".to_owned()));
    for weak in ["", "short", "tess1234567"] {
        let reply = rig.change_password(&own, GOOD, weak);
        assert_eq!((reply.status, reply.field()), (400, "password".to_owned()));
    }
    let forged = format!("POST /api/v1/password HTTP/1.1{own}");
    let body = serde_json::json!({"present": GOOD, "password": NEW}).to_string();
    assert_eq!(rig.operator(&forged, body.as_bytes()).status, 403);
    let line = format!("GET /api/v1/boards HTTP/1.1{other}");
    assert_eq!(rig.operator(&line, b"").status, 200, "no login has ended");
    assert_eq!(rig.try_login("tess", GOOD).status, 200);
    let rows = rig.deeds();
    let changes = rows.iter().filter(|row| row.action == "password_change");
    let refused = changes.map(|row| (row.who.as_str(), row.outcome));
    let expected = [("tess", DeedOutcome::Refused); 4];
    assert_eq!(refused.collect::<Vec<_>>(), expected);
    let all = format!("{rows:?}");
    for secret in [GOOD, NEW, "guess after guess", "short"] {
        assert!(!all.contains(secret), "{secret}");
    }
}

#[test]
fn a_stolen_login_guesses_no_password_and_a_right_one_is_forgiven() {
    let rig = Rig::new();
    rig.add_operator("tess", Role::Operator);
    let stolen = rig.login("tess");
    let guess = || {
        rig.change_password(&stolen, "guess after guess", NEW)
            .status
    };
    assert_eq!([guess(), guess(), guess(), guess()], [400; 4]);
    // Right, though the new one is none: what was wrong before counts no more.
    assert_eq!(rig.change_password(&stolen, GOOD, "short").status, 400);
    assert_eq!([guess(), guess(), guess(), guess(), guess()], [400; 5]);
    // Wrong logins and wrong present passwords are one count.
    assert_eq!(rig.try_login("tess", "guess after guess").status, 401);
    let held = rig.change_password(&stolen, GOOD, NEW);
    assert_eq!(held.status, 429, "{}", held.json());
    assert!(held.header("retry-after").is_some());
    assert_eq!(rig.try_login("tess", GOOD).status, 429);
}

#[test]
fn the_token_and_the_socket_are_told_that_they_have_no_password() {
    let rig = Rig::new();
    let line = "POST /api/v1/password HTTP/1.1";
    let body = br#"{"present":"","password":""}"#;
    let bearer = format!("{line}\r\nAuthorization: Bearer {}", rig.token());
    // However often it asks, it guesses nothing.
    for _ in 0..8 {
        let reply = rig.operator(&bearer, body);
        assert_eq!(reply.status, 409);
        let said = reply.json()["message"].as_str().unwrap().to_owned();
        assert!(said.contains("token has no password"), "{said}");
    }
    let reply = rig.operator_socket(line, body);
    assert_eq!(reply.status, 409);
    let said = reply.json()["message"].as_str().unwrap().to_owned();
    assert!(said.contains("This machine says who you are"), "{said}");
    assert_eq!(rig.operator(line, body).status, 401, "nobody");
}

#[test]
fn one_address_cannot_take_all_of_the_station() {
    let rig = Rig::new();
    let mut stream = rig.connect();
    let host = rig.operator_host();
    let one = format!("GET /api/v1/session HTTP/1.1\r\nHost: {host}\r\n\r\n");
    stream.write_all(one.repeat(1500).as_bytes()).unwrap();
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    let mut statuses = lines.filter(|line| line.contains("HTTP/1.1 "));
    let refused = statuses
        .by_ref()
        .take(1500)
        .any(|line| line.contains("HTTP/1.1 429"));
    assert!(refused);
}

#[test]
fn every_answer_tells_the_browser_to_be_careful() {
    let rig = Rig::new();
    for path in [
        "/",
        "/api/v1/boards",
        "/api/v1/history.csv",
        "/nothing",
        "/metrics",
    ] {
        let reply = rig.operator(&format!("GET {path} HTTP/1.1"), b"");
        let has = |name: &str| reply.header(name).unwrap_or_default().to_owned();
        assert_eq!(has("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(has("x-frame-options"), "DENY", "{path}");
        assert_eq!(has("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(has("cache-control"), "no-store", "{path}");
        let policy = has("content-security-policy");
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(reply.header("strict-transport-security").is_none());
    }
}

#[test]
fn a_group_of_this_machine_is_let_in_and_others_are_not() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::os::unix::process::CommandExt as _;
    const DAEMON: u32 = 1;
    if !nix::unistd::geteuid().is_root() {
        eprintln!("not run: only root can be somebody else");
        return;
    }
    let rig = Rig::set(|config| config.management.group = Some("daemon".to_owned()));
    let file = std::fs::metadata(&rig.at.socket).unwrap();
    assert_eq!((file.mode() & 0o777, file.gid()), (0o660, DAEMON));
    // The folders let them through, so that it is the socket that decides.
    for folder in [rig.folder(), &rig.folder().join("data")] {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o711)).unwrap();
    }
    let ask = |group: u32| {
        std::process::Command::new("curl")
            .args(["-sS", "--unix-socket"])
            .arg(&rig.at.socket)
            .args(["-w", "\n%{http_code}", "-d"])
            .arg(std::str::from_utf8(ADD).unwrap())
            .arg("http://localhost/api/v1/command")
            .uid(65_534)
            .gid(group)
            .output()
            .unwrap()
    };
    let member = ask(DAEMON);
    let said = String::from_utf8_lossy(&member.stdout).into_owned();
    assert!(said.ends_with("\n200"), "{said} {member:?}");
    let stranger = ask(65_534);
    assert!(!stranger.status.success(), "the kernel keeps them out");
    std::fs::set_permissions(&rig.at.socket, std::fs::Permissions::from_mode(0o666)).unwrap();
    let said = String::from_utf8_lossy(&ask(65_534).stdout).into_owned();
    assert!(said.ends_with("\n403"), "{said}");
    let rows = rig.deeds();
    assert_eq!(
        (rows[0].who.as_str(), rows[0].door),
        ("nobody", Door::Socket)
    );
}
