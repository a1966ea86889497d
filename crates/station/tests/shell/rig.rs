//! A station to test, and the clients that speak to it: DHCP and TFTP as a bootloader speaks them,
//! HTTP as bytes over a socket.

use crate::boards::check_in;
use crate::image;
use netboot::dhcp::client::Persona;
use netboot::dhcp::client::{Conversation, Event, Grant, Lessee, Network};
use netboot::tftp::client::{Client, Outcome, Output, Want};
use station::config::{AgentFiles, Config, DeviceApi};
use station::doors::operator::page::Page;
use station::rehearsal::Rehearsals;
use station::service::{Addresses, Extras, Mode, RunningStation, run, run_with};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_stream::StreamExt as _;
use wire::agent::{Job, Order, SESSION_HEADER};
use wire::batch::{Batch, BatchPlan};
use wire::command::{Command, ImportState, NameSource, Receipt};
use wire::query::{Answer, Query};
use wire::revision::Revision;
use wire::update::Update;
use wire::{ImageId, Mac, Refusal};

/// Longest wait for anything that should take a moment.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Boots so far.
static BOOTS: AtomicU64 = AtomicU64::new(1);

/// A page for browsers.
const PAGE: &[(&str, &[u8])] = &[
    ("/index.html", b"<!doctype html><title>Punnet</title>"),
    ("/assets/app-1a2b.js", b"'use strict'"),
];

pub(crate) struct Rig {
    pub runtime: Runtime,
    station: Option<RunningStation>,
    pub at: Addresses,
    folder: TempDir,
    /// What this station's configuration has of its own.
    change: fn(&mut Config),
}

/// A board that booted and has its job.
pub(crate) struct AtWork {
    /// Its address.
    pub ip: Ipv4Addr,
    /// Its job.
    pub job: Job,
}

impl AtWork {
    /// The header line that lets it fetch its pack.
    pub(crate) fn session(&self) -> String {
        let Job {
            deployment, secret, ..
        } = &self.job;
        format!("\r\n{SESSION_HEADER}: {deployment}:{secret}")
    }

    /// Where its pack is.
    pub(crate) fn pack(&self) -> String {
        format!("/agent/v1/packs/{}", self.job.image)
    }
}

/// An answer of an HTTP server.
#[derive(Debug)]
pub(crate) struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn as_<T: serde::de::DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// The field at fault.
    pub(crate) fn field(&self) -> String {
        self.json()["field"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

impl Rig {
    /// A station with nothing in it.
    pub(crate) fn new() -> Self {
        Self::beside(|_| None)
    }

    /// The same with another configuration.
    pub(crate) fn set(change: fn(&mut Config)) -> Self {
        Self::built(change, |_| None)
    }

    /// The same, for installers at addresses that no board was given.
    pub(crate) fn open_to_installers() -> Self {
        Self::set(|config| config.boards.device_api = DeviceApi::Open)
    }

    /// The same, with somebody who rehearses beside it.
    pub(crate) fn beside(rehearsals: impl FnOnce(&Runtime) -> Option<Arc<dyn Rehearsals>>) -> Self {
        Self::built(|_| {}, rehearsals)
    }

    fn built(
        change: fn(&mut Config),
        rehearsals: impl FnOnce(&Runtime) -> Option<Arc<dyn Rehearsals>>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let mut config = config(folder.path());
        change(&mut config);
        let extras = Extras {
            page: Page::new(PAGE),
            rehearsals: rehearsals(&runtime),
            ..Extras::default()
        };
        let station = run_with(config, Mode::Rehearsal, extras);
        let station = runtime.block_on(station).unwrap();
        Self {
            at: station.addresses(),
            station: Some(station),
            runtime,
            folder,
            change,
        }
    }

    /// A station with an image, a product, a venue, ten names and an active batch of five boards.
    pub(crate) fn with_batch() -> Self {
        let rig = Self::new();
        rig.prepare(5);
        rig
    }

    pub(crate) fn prepare(&self, boards: u32) -> Batch {
        self.stock();
        self.prepare_image();
        self.start_batch(boards)
    }

    /// A batch of the active image.
    pub(crate) fn start_batch(&self, boards: u32) -> Batch {
        let plan = BatchPlan {
            product: "KXP2".parse().unwrap(),
            venue: "CORO".parse().unwrap(),
            count: boards,
            image: None,
            rules: wire::batch::BatchRules::default(),
            disks: wire::disk::DiskPolicy::default(),
            reimage: wire::batch::ReimagePolicy::default(),
        };
        let Receipt::Batch(batch) = self.command(Command::BatchCreate(plan)).unwrap() else {
            panic!("no batch")
        };
        let start = Command::BatchStart { batch: batch.id };
        match self.command(start).unwrap() {
            Receipt::Batch(batch) => batch,
            other => panic!("{other:?}"),
        }
    }

    /// An active image.
    pub(crate) fn prepare_image(&self) {
        let path = self.image("kart.img", 1);
        self.import(&path, true);
    }

    /// A product, a venue and ten names.
    pub(crate) fn stock(&self) {
        for command in [
            Command::ProductAdd {
                code: "KXP2".parse().unwrap(),
                name: "Kart".to_owned(),
                pattern: "{product}-{venue}-{number:03}".to_owned(),
            },
            Command::VenueAdd {
                code: "CORO".parse().unwrap(),
                name: "Corona".to_owned(),
                location: String::new(),
                contact: String::new(),
            },
            Command::NamesImport {
                product: "KXP2".parse().unwrap(),
                venue: "CORO".parse().unwrap(),
                source: NameSource::Spec {
                    text: "1-10".to_owned(),
                },
                dry_run: false,
            },
        ] {
            self.command(command).unwrap();
        }
    }

    /// A golden image with a file of noise, which no pack makes smaller.
    pub(crate) fn noisy_image(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        image::make_with(&path, 1, &image::noise(16 << 20));
        path
    }

    /// A golden image in the test's folder.
    pub(crate) fn image(&self, name: &str, seed: u8) -> PathBuf {
        let path = self.folder.path().join(name);
        image::make(&path, seed);
        path
    }

    /// Imports an image and waits for its end.
    pub(crate) fn import(&self, path: &Path, activate: bool) -> ImageId {
        match self.try_import(path, activate) {
            ImportState::Done { image } => image,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn try_import(&self, path: &Path, activate: bool) -> ImportState {
        let receipt = self.command(Command::ImageAdd {
            path: path.to_str().unwrap().to_owned(),
            product: "KXP2".parse().unwrap(),
            version: "1".to_owned(),
            description: String::new(),
            activate,
        });
        let Receipt::Import { import } = receipt.unwrap() else {
            panic!("no import")
        };
        self.import_end(&import)
    }

    /// Waits for the end of an import.
    pub(crate) fn import_end(&self, import: &str) -> ImportState {
        let station = self.station().station();
        self.wait(async {
            let mut watch = station.watch().await.unwrap();
            loop {
                let imports = match watch.next().await.unwrap() {
                    Update::Snapshot(all) => all.imports,
                    Update::Import(one) => vec![one],
                    _ => continue,
                };
                let ended = imports
                    .into_iter()
                    .find(|i| i.id == import && i.state != ImportState::Running);
                if let Some(ended) = ended {
                    return ended.state;
                }
            }
        })
    }

    pub(crate) fn station(&self) -> &RunningStation {
        self.station.as_ref().unwrap()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime
            .block_on(async { tokio::time::timeout(PATIENCE, work).await })
            .expect("took too long")
    }

    pub(crate) fn command(&self, command: Command) -> Result<Receipt, Refusal> {
        self.wait(self.station().engine().command(command))
    }

    pub(crate) fn query(&self, query: Query) -> Result<Answer, Refusal> {
        self.wait(self.station().engine().query(query))
    }

    /// Stops the station and starts it again in the same folder.
    pub(crate) fn restart(&mut self) {
        self.stop();
        let mut config = config(self.folder.path());
        (self.change)(&mut config);
        let station = self.runtime.block_on(run(config, Mode::Rehearsal)).unwrap();
        self.at = station.addresses();
        self.station = Some(station);
    }

    pub(crate) fn stop(&mut self) {
        if let Some(station) = self.station.take() {
            self.wait(station.stop());
        }
    }

    /// Starts a second station in the same folder.
    pub(crate) fn second(&self) -> Result<RunningStation, station::service::StartError> {
        let config = config(self.folder.path());
        self.runtime.block_on(run(config, Mode::Rehearsal))
    }

    /// The station writes nothing down for as long as the result lives, as when a disk is slow.
    pub(crate) fn hold_up_writing(&self) -> rusqlite::Connection {
        let database = self.folder().join("data/punnet.db");
        let connection = rusqlite::Connection::open(database).unwrap();
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        connection
    }

    // --- the deployment side -------------------------------------------------------------------

    /// Gets an address as a Raspberry Pi 5 with this serial number does.
    pub(crate) fn lease(&self, serial: u32) -> Grant {
        let mac = mac_of(serial);
        let persona = Persona::eeprom(Revision(0x00d0_4170), mac, serial, false);
        let server = self.at.dhcp.unwrap();
        let own = SocketAddrV4::new(Ipv4Addr::new(127, 64, 0, (serial % 250) as u8 + 1), 0);
        let socket = UdpSocket::bind(own).unwrap();
        let mut conversation = Conversation::begin(socket, |now| {
            // Each boot has numbers of its own.
            let seed = BOOTS.fetch_add(1, Ordering::Relaxed);
            Lessee::new(persona, mac, Network::Only(server), seed, now)
        });
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            let patience = Duration::from_millis(500);
            if let Some(Event::Bound(grant)) = conversation.next_event(patience).unwrap() {
                return grant;
            }
        }
        panic!("no address for {serial:08x}")
    }

    /// The token in the boot files of the board that has this address.
    pub(crate) fn token_of(&self, ip: Ipv4Addr) -> String {
        let cmdline = self.fetch_text(ip, "cmdline.txt");
        let mut words = cmdline.split_whitespace();
        let token = words.find_map(|w| w.strip_prefix("punnet.token="));
        token.expect("no token").to_owned()
    }

    /// A board boots and is given a job of the batch that runs.
    pub(crate) fn at_work(&self, serial: u32) -> AtWork {
        let ip = self.lease(serial).address;
        let check_in = check_in(serial, Some(self.token_of(ip)));
        match self.board_post(ip, "/agent/v1/check-in", &check_in).as_() {
            Order::Provision(job) => AtWork { ip, job: *job },
            other => panic!("{other:?}"),
        }
    }

    /// Fetches a file by TFTP from the address `from`.
    pub(crate) fn fetch(&self, from: Ipv4Addr, path: &str) -> Outcome {
        let socket = UdpSocket::bind(SocketAddrV4::new(from, 0)).unwrap();
        let server = SocketAddr::V4(self.at.tftp.unwrap());
        let mut client = Client::new(Want::file(path), server, Instant::now());
        let mut buffer = [0; 2048];
        loop {
            client.handle_timeout(Instant::now());
            while let Some(output) = client.poll(Instant::now()) {
                match output {
                    Output::Send { to, bytes } => drop(socket.send_to(&bytes, to).unwrap()),
                    Output::Ended(outcome) => return outcome,
                }
            }
            let due = client.next_deadline().unwrap_or_else(Instant::now);
            let wait = due.saturating_duration_since(Instant::now());
            socket
                .set_read_timeout(Some(wait.max(Duration::from_millis(1))))
                .unwrap();
            if let Ok((length, from)) = socket.recv_from(&mut buffer) {
                client.handle(&buffer[..length], from);
            }
        }
    }

    /// The text of a file fetched by TFTP.
    pub(crate) fn fetch_text(&self, from: Ipv4Addr, path: &str) -> String {
        match self.fetch(from, path) {
            Outcome::File { bytes } => String::from_utf8(bytes).unwrap(),
            other => panic!("{path}: {other:?}"),
        }
    }

    // --- HTTP ----------------------------------------------------------------------------------

    /// A request to the door for boards, from the address `from`.
    pub(crate) fn board(&self, from: Ipv4Addr, request: &str, body: &[u8]) -> Reply {
        let door = self.at.http.unwrap().to_string();
        converse(self.call(from), request, &door, body)
    }

    /// A connection from the address `from` to the door for boards.
    pub(crate) fn call(&self, from: Ipv4Addr) -> TcpStream {
        let own = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        own.bind(&SocketAddr::from((from, 0)).into()).unwrap();
        // Small, so that little is under way when a test stops reading.
        own.set_recv_buffer_size(64 << 10).unwrap();
        let door = SocketAddr::V4(self.at.http.unwrap());
        own.connect(&door.into()).unwrap();
        TcpStream::from(own)
    }

    /// A JSON request to the door for boards.
    pub(crate) fn board_post<T: serde::Serialize>(
        &self,
        from: Ipv4Addr,
        path: &str,
        body: &T,
    ) -> Reply {
        let body = serde_json::to_vec(body).unwrap();
        self.board(from, &format!("POST {path} HTTP/1.1"), &body)
    }

    /// A request to the operator's HTTP door. `request` may hold further header lines.
    pub(crate) fn operator(&self, request: &str, body: &[u8]) -> Reply {
        converse(self.connect(), request, &self.operator_host(), body)
    }

    /// A connection to the operator's HTTP door.
    pub(crate) fn connect(&self) -> TcpStream {
        TcpStream::connect(self.operator_host()).unwrap()
    }

    /// Where the operator's HTTP door is reached on this machine.
    pub(crate) fn operator_host(&self) -> String {
        format!("127.0.0.1:{}", self.at.operator.port())
    }

    /// A request to the operator's Unix socket.
    pub(crate) fn operator_socket(&self, request: &str, body: &[u8]) -> Reply {
        let stream = UnixStream::connect(&self.at.socket).unwrap();
        converse(stream, request, "localhost", body)
    }

    pub(crate) fn token(&self) -> String {
        let path = config(self.folder.path()).data_dir.join("operator.token");
        std::fs::read_to_string(path).unwrap().trim().to_owned()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.stop();
        }
    }
}

pub(crate) fn mac_of(serial: u32) -> Mac {
    let [_, a, b, c] = serial.to_be_bytes();
    Mac([0x2c, 0xcf, 0x67, a, b, c])
}

pub(crate) fn config(folder: &Path) -> Config {
    let agent = AgentFiles {
        arm64: folder.join("punnet-agent-arm64.cpio"),
        x86_64: folder.join("punnet-agent-amd64.cpio"),
    };
    Config::for_rehearsal(folder.join("data"), agent)
}

/// Sends a request line (and any header lines) with a body, and reads until the server closes.
pub(crate) fn converse(
    mut stream: impl Read + Write,
    request: &str,
    host: &str,
    body: &[u8],
) -> Reply {
    let host = if request.to_ascii_lowercase().contains("\r\nhost:") {
        String::new()
    } else {
        format!("Host: {host}\r\n")
    };
    let head = format!(
        "{request}\r\n{host}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    // In one piece: a body that arrives after the server has answered and closed resets the
    // connection, and the answer is lost with it.
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    reply(&all)
}

fn reply(all: &[u8]) -> Reply {
    let end = all
        .windows(4)
        .position(|w| w == b"\r\n\r\n")
        .expect("no head");
    let head = String::from_utf8(all[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let reply = Reply {
        status,
        head,
        body: all[end + 4..].to_vec(),
    };
    assert!(
        reply.header("transfer-encoding").is_none(),
        "this client reads no chunks"
    );
    reply
}
