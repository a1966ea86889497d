//! A scripted attack from the deployment network and from a web page, while a batch of virtual boards
//! runs on the same station: everything is refused with the right answer, all the time, and every
//! board comes out verified.
//!
//! Everything goes to loopback addresses, is bounded in number and time, and ends by itself.

use crate::rehearsal::assert_proven;
use netboot::dhcp::client::{Conversation, Event, Lessee, Network, Persona};
use netboot::tftp::client::{Client, Outcome, Output, Want};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use punnet_tests::running::Running;
use punnet_tests::station::{Doors, Station};
use punnet_tests::{binaries, ground, plan};
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use wire::Mac;
use wire::query::Answer;
use wire::rehearsal::RehearsalReport;
use wire::revision::Revision;

const BOARDS: u32 = 12;
/// Connections of the flood, from as many addresses as it takes with [`FROM_EACH`].
const FLOOD: u32 = 10_000;
const FROM_EACH: u32 = 100;
/// Unfinished requests that are dripped into each door.
const SLOW: u8 = 100;
/// No part of the attack takes longer.
const LONGEST: Duration = Duration::from_mins(2);

/// A stranger on the wire. Each round comes from another address, because one that asks as often as
/// this is soon told nothing but 429.
fn laptop(round: u32) -> Ipv4Addr {
    let [_, _, high, low] = round.to_be_bytes();
    Ipv4Addr::new(127, 66, high + 1, low)
}

/// Somebody who looks in now and then, and has done nothing.
const VISITOR: Ipv4Addr = Ipv4Addr::new(127, 66, 0, 99);

/// An answer: its status and all its text. Status 0 is a connection that was closed without one.
#[derive(Debug)]
struct Said {
    status: u16,
    text: String,
}

async fn call(from: Ipv4Addr, to: SocketAddrV4) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((from, 0)))?;
    socket.connect(to.into()).await
}

/// Sends bytes and reads until the station closes.
async fn say(from: Ipv4Addr, to: SocketAddrV4, bytes: &[u8]) -> Said {
    let talk = async {
        let mut stream = call(from, to).await.expect("connected");
        let (mut reader, mut writer) = stream.split();
        let mut all = Vec::new();
        // It may answer and hang up before everything is out.
        let (_, _) = tokio::join!(writer.write_all(bytes), reader.read_to_end(&mut all));
        all
    };
    let all = tokio::time::timeout(LONGEST, talk).await.expect("answered");
    let text = String::from_utf8_lossy(&all).into_owned();
    let status = text.split(' ').nth(1).and_then(|s| s.parse().ok());
    Said {
        status: status.unwrap_or(0),
        text,
    }
}

fn request(line: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let host = if headers.contains("Host:") {
        ""
    } else {
        "Host: 127.0.0.1\r\n"
    };
    let head = format!(
        "{line} HTTP/1.1\r\n{host}{headers}Connection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// The station as its attackers see it.
#[derive(Debug, Clone)]
struct Target {
    /// Where the attack comes from.
    from: Ipv4Addr,
    dhcp: SocketAddrV4,
    tftp: SocketAddrV4,
    boards: SocketAddrV4,
    operator: SocketAddrV4,
    /// The operator's secret, which a page of another site might have got hold of.
    token: String,
    image: String,
}

impl Target {
    #[track_caller]
    fn refused(said: &Said, statuses: &[u16], what: &str) {
        assert!(statuses.contains(&said.status), "{what}: {said:?}");
        assert!(!said.text.contains("root:x:"), "{what}: {said:?}");
    }

    /// What only the operator may do, asked for in every wrong way.
    async fn as_operator(&self) {
        let change = br#"{"command":"venue_add","code":"EVIL","name":"Evil"}"#;
        let bearer = format!("Authorization: Bearer {}\r\n", self.token);
        for (headers, what) in [
            (String::new(), "without a token"),
            (
                "Authorization: Bearer 00\r\n".to_owned(),
                "with a wrong token",
            ),
            (
                format!("{bearer}Origin: http://evil.example\r\n"),
                "from another site's page",
            ),
            (
                format!("{bearer}Host: evil.example:5000\r\n"),
                "under another name",
            ),
        ] {
            let line = "POST /api/v1/command";
            let said = say(self.from, self.operator, &request(line, &headers, change)).await;
            Self::refused(&said, &[401, 403], what);
            let text = said.text.to_ascii_lowercase();
            assert!(!text.contains("access-control-allow"), "{what}: {said:?}");
        }
        // The door for boards knows no such verb.
        let line = "POST /api/v1/command";
        let said = say(self.from, self.boards, &request(line, &bearer, change)).await;
        Self::refused(&said, &[404], "at the other door");
    }

    /// What only a board may do, asked for by somebody else. `token` is one of this boot, given to
    /// `holder`.
    async fn as_board(&self, holder: Ipv4Addr, token: &str) {
        let check_in = |serial: u32, token: Option<&str>| {
            let body = json!({"protocol": 1, "agent": "x", "token": token, "inventory": {
                "board": format!("{serial:08x}"), "model": "Raspberry Pi 5", "arch": "aarch64",
                "ram_mib": 8192, "mac": mac_of(serial).to_string(), "disks": []}});
            request("POST /agent/v1/check-in", "", body.to_string().as_bytes())
        };
        let thief = 0x0bad_0099;
        for (from, request, what) in [
            (self.from, check_in(thief, None), "without a token"),
            (
                self.from,
                check_in(thief, Some("00")),
                "with a guessed token",
            ),
            (
                self.from,
                check_in(HOLDER, Some(token)),
                "with a replayed token",
            ),
            (
                holder,
                check_in(thief, Some(token)),
                "with another board's token",
            ),
        ] {
            let said = say(from, self.boards, &request).await;
            Self::refused(&said, &[403], what);
            assert!(said.text.contains("Power-cycle it"), "{what}: {said:?}");
        }
        let pack = format!("/agent/v1/packs/{}", self.image);
        for (line, headers, statuses) in [
            (format!("GET {pack}"), "", &[403][..]),
            (format!("GET {pack}/manifest"), "", &[403]),
            (format!("GET {pack}"), "x-punnet-session: a:b\r\n", &[403]),
            ("GET /images/kart.img".to_owned(), "", &[403]),
            ("POST /api/config".to_owned(), "", &[403]),
            ("POST /api/status".to_owned(), "", &[403]),
        ] {
            let said = say(self.from, self.boards, &request(&line, headers, b"{}")).await;
            Self::refused(&said, statuses, &line);
        }
        let report = br#"{"deployment":"nobody","secret":""}"#;
        let report = request("POST /agent/v1/report", "", report);
        Self::refused(
            &say(self.from, self.boards, &report).await,
            &[404],
            "report",
        );
        let hello = br#"{"secret":"0","hostname":"x"}"#;
        let hello = request("POST /agent/v1/hello", "", hello);
        Self::refused(&say(self.from, self.boards, &hello).await, &[403], "hello");
    }

    /// Paths that lead out of what is served.
    async fn by_path(&self) {
        for path in [
            "/images/..%2f..%2foperator.token",
            "/images/../operator.token",
            "/images/%2fetc%2fpasswd",
            "/agent/v1/packs/..%2f..%2fpunnet.db",
            "//etc/passwd",
            "/../../../../etc/passwd",
        ] {
            for door in [self.boards, self.operator] {
                let said = say(self.from, door, &request(&format!("GET {path}"), "", b"")).await;
                Self::refused(&said, &[400, 401, 403, 404], path);
            }
        }
        let (from, tftp) = (self.from, self.tftp);
        let tried = tokio::task::spawn_blocking(move || {
            for path in [
                "../operator.token",
                "../../../../etc/passwd",
                "/etc/passwd",
                "0bad0001/../../operator.token",
                "..\\operator.token",
            ] {
                let outcome = tftp_get(from, tftp, path);
                assert!(
                    !matches!(outcome, Outcome::File { .. }),
                    "{path}: {outcome:?}"
                );
            }
        });
        tried.await.expect("tried");
    }

    /// Requests that are larger than any honest one.
    async fn by_size(&self) {
        let huge = vec![b' '; 9 << 20];
        for (door, line) in [
            (self.boards, "POST /agent/v1/report"),
            (self.boards, "POST /agent/v1/check-in"),
            (self.boards, "POST /api/config"),
            (self.operator, "POST /api/v1/query"),
        ] {
            let said = say(self.from, door, &request(line, "", &huge)).await;
            // A reset may overtake the answer.
            Self::refused(&said, &[413, 403, 401, 0], line);
        }
        let long = format!("X-Long: {}\r\n", "x".repeat(1 << 20));
        let many = "X-More: x\r\n".repeat(1000);
        for door in [self.boards, self.operator] {
            for headers in [&long, &many] {
                let said = say(self.from, door, &request("GET /health", headers, b"")).await;
                Self::refused(&said, &[431, 400, 0], "headers");
            }
        }
    }

    /// Requests that never end, dripped in. Returns when the station has closed every one of them.
    async fn slowly(self) {
        let mut all = JoinSet::new();
        for n in 0..SLOW {
            for door in [self.boards, self.operator] {
                let from = Ipv4Addr::new(127, 67, 0, n + 1);
                all.spawn(async move {
                    let mut stream = call(from, door).await.expect("connected");
                    let head = b"POST /agent/v1/report HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ";
                    // Half of them get through with their head, and drip the body.
                    let begun = if n % 2 == 0 {
                        stream.write_all(head).await
                    } else {
                        let head = request("POST /agent/v1/report", "", &[b' '; 4000]);
                        stream.write_all(&head[..head.len() - 3900]).await
                    };
                    let mut answer = [0; 4096];
                    // It may be closed already, when places are short.
                    while begun.is_ok() {
                        let read = stream.read(&mut answer);
                        let read = tokio::time::timeout(Duration::from_secs(1), read).await;
                        let closed = match read {
                            Ok(read) => !matches!(read, Ok(1..)),
                            Err(_) => stream.write_all(b"x").await.is_err(),
                        };
                        if closed {
                            break;
                        }
                    }
                });
            }
        }
        let ended = async { while all.join_next().await.is_some() {} };
        let ended = tokio::time::timeout(LONGEST, ended).await;
        ended.expect("a request that never ends was kept");
    }

    /// More connections than there is room for, at both doors. They are given back when the result is
    /// dropped.
    async fn flood(self, how_many: u32) -> Vec<TcpStream> {
        let mut all = JoinSet::new();
        for n in 0..how_many {
            let [_, _, high, low] = (n / FROM_EACH).to_be_bytes();
            let from = Ipv4Addr::new(127, 68, high, low + 1);
            let to = [self.boards, self.operator][(n % 2) as usize];
            all.spawn(async move { call(from, to).await });
        }
        let opened = async {
            let mut open = Vec::new();
            while let Some(one) = all.join_next().await {
                open.extend(one.expect("a task").ok());
            }
            open
        };
        tokio::time::timeout(LONGEST, opened)
            .await
            .expect("connections are taken, or refused, at once")
    }
}

/// Serial number of the attacker's own board, whose token it gets honestly.
const HOLDER: u32 = 0x0bad_0001;

fn mac_of(serial: u32) -> Mac {
    let [_, a, b, c] = serial.to_be_bytes();
    Mac([0x2c, 0xcf, 0x67, a, b, c])
}

fn tftp_get(from: Ipv4Addr, server: SocketAddrV4, path: &str) -> Outcome {
    let socket = UdpSocket::bind((from, 0)).expect("a socket");
    let mut client = Client::new(Want::file(path), server.into(), Instant::now());
    let mut buffer = [0; 2048];
    loop {
        client.handle_timeout(Instant::now());
        while let Some(output) = client.poll(Instant::now()) {
            match output {
                Output::Send { to, bytes } => {
                    socket.send_to(&bytes, to).expect("sent");
                }
                Output::Ended(outcome) => return outcome,
            }
        }
        let due = client.next_deadline().unwrap_or_else(Instant::now);
        let wait = due.saturating_duration_since(Instant::now());
        let wait = Some(wait.max(Duration::from_millis(1)));
        socket.set_read_timeout(wait).expect("set");
        if let Ok((length, from)) = socket.recv_from(&mut buffer) {
            client.handle(&buffer[..length], from);
        }
    }
}

/// Boots the attacker's own board far enough to have its address and its token.
fn own_token(target: &Target) -> (Ipv4Addr, String) {
    let mac = mac_of(HOLDER);
    let persona = Persona::eeprom(Revision(0x00d0_4170), mac, HOLDER, false);
    let socket = UdpSocket::bind((target.from, 0)).expect("a socket");
    let server = target.dhcp;
    let mut conversation = Conversation::begin(socket, |now| {
        Lessee::new(persona, mac, Network::Only(server), 1, now)
    });
    let limit = Instant::now() + LONGEST;
    let address = loop {
        let event = conversation.next_event(Duration::from_millis(500));
        if let Some(Event::Bound(grant)) = event.expect("a socket that works") {
            break grant.address;
        }
        assert!(Instant::now() < limit, "no address");
    };
    let Outcome::File { bytes } = tftp_get(address, target.tftp, "0bad0001/cmdline.txt") else {
        panic!("no boot files");
    };
    let cmdline = String::from_utf8(bytes).expect("text");
    let mut words = cmdline.split_whitespace();
    let token = words.find_map(|w| w.strip_prefix("punnet.token="));
    (address, token.expect("a token").to_owned())
}

/// As many files as the system allows; returns how many connections may be held.
fn room_for_connections() -> u32 {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    setrlimit(Resource::RLIMIT_NOFILE, most.min(65_536), most).expect("raised");
    let room = u32::try_from(most.min(65_536)).unwrap_or(u32::MAX);
    FLOOD.min(room.saturating_sub(1000))
}

#[test]
fn an_attack_is_refused_while_a_batch_goes_on() {
    let _turn = ground::alone();
    let (mut station, doors) = Station::for_virtual_boards();
    station.serve();
    plan::product_venue_names(&station, BOARDS);
    let image = plan::image(&station, binaries::small_image());
    let batch = plan::batch(&station, BOARDS);
    let mut target = target(&station, doors, &image.to_string());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");

    let (holder, token) = own_token(&target);
    let room = room_for_connections();
    let flood = runtime.block_on(target.clone().flood(room));
    println!("{} of {room} connections were taken", flood.len());
    assert!(flood.len() as u32 > room / 10 * 9, "that is no flood");
    let slow = runtime.spawn(target.clone().slowly());
    let report = station.scratch().join("report.json");
    let mut boards = Command::new(binaries::example("virtual-pi", "boards"));
    boards
        .args(["--dhcp", &target.dhcp.to_string()])
        .args(["--tftp", &target.tftp.to_string()])
        .args(["--boards", &BOARDS.to_string(), "--timeout", "300"])
        .args(["--disk-bytes", "536870912", "--json"])
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(&report).expect("a file"));
    let mut boards = Running::start(boards);

    let mut rounds = 0;
    let status = loop {
        let status = boards.ended();
        runtime.block_on(async {
            target.as_operator().await;
            target.as_board(holder, &token).await;
            target.by_path().await;
            target.by_size().await;
            let health = request("GET /health", "", b"");
            let said = say(VISITOR, target.boards, &health).await;
            assert_eq!(said.status, 200, "an honest visitor is let in: {said:?}");
        });
        rounds += 1;
        target.from = laptop(rounds);
        if let Some(status) = status {
            break status;
        }
    };
    println!("{rounds} rounds");
    runtime
        .block_on(slow)
        .expect("every slow request was closed");
    drop(flood);

    let words = std::fs::read_to_string(&report).expect("the report");
    assert!(
        status.success(),
        "{status}: {words}\n{}",
        station.log_tail()
    );
    let report: RehearsalReport = serde_json::from_str(words.trim()).expect("a report");
    assert_proven(&report, BOARDS);
    let Answer::Venues(venues) = station.query(&wire::query::Query::Venues) else {
        panic!("venues were asked for")
    };
    assert_eq!(venues.len(), 1, "{venues:?}");
    let Answer::Batch(batch) = station.query(&wire::query::Query::Batch { batch: batch.id }) else {
        panic!("a batch was asked for")
    };
    assert_eq!(batch.counters.done, BOARDS, "{:?}", batch.counters);
}

fn target(station: &Station, doors: Doors, image: &str) -> Target {
    let at = |port| SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
    let token = std::fs::read_to_string(station.data().join("operator.token"));
    Target {
        from: laptop(0),
        dhcp: at(doors.dhcp),
        tftp: at(doors.tftp),
        boards: at(doors.http),
        operator: at(doors.operator),
        token: token.expect("a token").trim().to_owned(),
        image: image.to_owned(),
    }
}
