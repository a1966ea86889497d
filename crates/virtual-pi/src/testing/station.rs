//! A station in a few hundred lines, for tests of boards: it speaks every protocol for real (the
//! DHCP and TFTP servers are the product's own) and decides nothing but what a test tells it.

use super::boot::{Boot, Serve};
use super::door::{self, Request, Response};
use super::files;
use crate::board::Doors;
use crate::golden::Golden;
use imaging::pack::{Pack, Writer};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use wire::BoardId;
use wire::agent::{
    Ack, After, AgentEvent, CheckIn, Hello, HelloAck, HelloCall, Job, Order, Outcome, Personalise,
    Report, SIGNATURE_HEADER,
};
use wire::board::{Failure, Hold};
use wire::command::Command;
use wire::disk::DiskPolicy;
use wire::image::Grow;
use wire::manifest::{Chunk, ChunkClass, Hash32, Manifest};

/// What the station has written down about one board.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entry {
    pub(crate) number: u32,
    pub(crate) jobs: u32,
    pub(crate) check_ins: u32,
    pub(crate) from: Option<SocketAddr>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) failure: Option<Failure>,
    pub(crate) greeted: bool,
    acked: u64,
}

impl Entry {
    pub(crate) fn hostname(&self) -> String {
        format!("RHRS-LAB1-{:03}", self.number)
    }
}

#[derive(Default)]
pub(super) struct Books {
    pub(super) boards: BTreeMap<BoardId, Entry>,
    held: bool,
    port: u16,
}

/// What outlives a restart.
pub(super) struct Inner {
    books: Mutex<Books>,
    pub(super) pack: Pack,
    boot: Mutex<BTreeMap<String, bytes::Bytes>>,
    key: ed25519_dalek::SigningKey,
    grow: Grow,
}

/// A station for tests.
pub(crate) struct Station {
    inner: Arc<Inner>,
    dir: tempfile::TempDir,
    doors: Doors,
    running: Option<(Boot, door::Listener)>,
}

/// The verbs of its operator.
pub(crate) struct Desk {
    pub(super) inner: Arc<Inner>,
    /// Every command, in order.
    pub(crate) told: Mutex<Vec<Command>>,
}

impl Station {
    pub(crate) fn start(golden: &Golden) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let image = dir.path().join("golden.img");
        golden.make(&image).unwrap();
        let key = imaging::key::load_or_create(&dir.path().join("key")).unwrap();
        let inner = Arc::new(Inner {
            books: Mutex::default(),
            pack: pack(&image, dir.path(), &key),
            boot: Mutex::new(files::boot_files(&image)),
            key,
            grow: golden.grow,
        });
        let mut station = Self {
            inner,
            dir,
            doors: Doors {
                dhcp: "127.0.0.1:0".parse().unwrap(),
                tftp: "127.0.0.1:0".parse().unwrap(),
            },
            running: None,
        };
        station.come_back();
        station
    }

    /// Takes all its doors away, as a killed process would.
    pub(crate) fn go_away(&mut self) {
        self.running = None;
    }

    /// Serves again, on the same ports.
    pub(crate) fn come_back(&mut self) {
        let inner = Arc::clone(&self.inner);
        let port = inner.books().port;
        let door = Arc::clone(&inner);
        let listener = door::listen(port, move |request| door.answer(&request));
        inner.books().port = listener.port();
        let serve: Serve = {
            let inner = Arc::clone(&inner);
            Arc::new(move |_, path| inner.file(path))
        };
        let boot = Boot::serve(serve, (self.doors.dhcp.port() != 0).then_some(self.doors));
        self.doors = boot.doors();
        self.running = Some((boot, listener));
    }

    pub(crate) fn doors(&self) -> Doors {
        self.doors
    }

    pub(crate) fn folder(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn image_bytes(&self) -> u64 {
        self.inner.pack.manifest().raw_bytes
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        self.inner.pack.manifest()
    }

    pub(crate) fn entry(&self, board: BoardId) -> Entry {
        self.inner
            .books()
            .boards
            .get(&board)
            .cloned()
            .unwrap_or_default()
    }

    /// Its operator's verbs.
    pub(crate) fn desk(&self) -> Arc<Desk> {
        Arc::new(Desk {
            inner: Arc::clone(&self.inner),
            told: Mutex::default(),
        })
    }

    /// Replaces a boot file.
    pub(crate) fn put(&self, name: &str, bytes: Vec<u8>) {
        self.inner
            .boot
            .lock()
            .unwrap()
            .insert(name.to_owned(), bytes.into());
    }

    /// Forgets every board.
    pub(crate) fn forget(&self) {
        self.inner.books().boards.clear();
    }

    /// Holds every board that checks in, or no longer.
    pub(crate) fn hold(&self, held: bool) {
        self.inner.books().held = held;
    }
}

impl Inner {
    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    fn boot_file(&self, name: &str) -> Option<bytes::Bytes> {
        self.boot.lock().unwrap().get(name).cloned()
    }

    fn file(&self, path: &str) -> Option<bytes::Bytes> {
        let (folder, name) = path.split_once('/').unwrap_or(("", path));
        let Ok(board) = folder.parse::<BoardId>() else {
            // The ROM of a Pi 3 asks in the root.
            return (path == "bootcode.bin")
                .then(|| self.boot_file(path))
                .flatten();
        };
        let books = self.books();
        if books
            .boards
            .get(&board)
            .is_some_and(|b| b.outcome.is_some())
        {
            return None;
        }
        let public = self.key.verifying_key().to_bytes();
        match name {
            "config.txt" => Some(files::CONFIG.into()),
            "cmdline.txt" => Some(files::cmdline(books.port).into()),
            "agent.cpio" => Some(files::initramfs(&public).into()),
            _ => self.boot_file(name),
        }
    }

    fn answer(&self, request: &Request) -> Response {
        let path = request.path.as_str();
        match path {
            "/agent/v1/check-in" => door::json(&self.check_in(request)),
            "/agent/v1/report" => door::json(&self.report(&request.json())),
            "/agent/v1/hello" => door::json(&self.hello(&request.json())),
            _ => self.pack_door(path, request),
        }
    }

    fn pack_door(&self, path: &str, request: &Request) -> Response {
        let base = format!("/agent/v1/packs/{}", self.pack.id());
        if path == format!("{base}/manifest") {
            let signed = self.pack.signed();
            let signature = hex::encode(signed.signature);
            return Response {
                headers: vec![(SIGNATURE_HEADER, signature)],
                ..door::bytes(200, signed.bytes.clone())
            };
        }
        if path != base {
            return door::bytes(404, b"no".to_vec());
        }
        let range = request.header("range").unwrap_or_default();
        match delivery::range::parse(range, self.pack.length()) {
            delivery::range::Asked::Part(range) => {
                let place = format!(
                    "bytes {}-{}/{}",
                    range.start,
                    range.end - 1,
                    self.pack.length()
                );
                Response {
                    headers: vec![("content-range", place)],
                    ..door::bytes(206, self.pack.read_packed(range).unwrap())
                }
            }
            _ => door::bytes(416, Vec::new()),
        }
    }

    fn check_in(&self, request: &Request) -> Order {
        let check_in: CheckIn = request.json();
        let mut books = self.books();
        let (held, port) = (books.held, books.port);
        let count = u32::try_from(books.boards.len()).unwrap();
        let entry = books
            .boards
            .entry(check_in.inventory.board)
            .or_insert(Entry {
                number: count + 1,
                ..Entry::default()
            });
        entry.check_ins += 1;
        entry.from = Some(request.from);
        if entry.outcome.is_some() {
            return Order::BootFromDisk {
                hostname: entry.hostname().parse().unwrap(),
            };
        }
        if held || entry.failure.is_some() {
            return Order::Wait {
                hold: Hold::NeedsApproval,
                words: "wait".to_owned(),
                again_ms: 200,
                identify_s: 0,
            };
        }
        entry.jobs += 1;
        entry.acked = 0;
        let disk = &check_in.inventory.disks[0];
        Order::Provision(Box::new(Job {
            deployment: format!("D{}-{}", entry.number, entry.jobs),
            secret: format!("{}", check_in.inventory.board),
            hostname: entry.hostname().parse().unwrap(),
            image: self.pack.id(),
            disks: DiskPolicy::default(),
            disk: disk.path.clone(),
            overwrite: false,
            personalise: Personalise {
                grow: self.grow,
                fresh_machine_id: true,
                fresh_ssh_keys: true,
                hello: Some(HelloCall {
                    url: format!("http://127.0.0.1:{port}/agent/v1/hello"),
                    secret: format!("hello-{}", check_in.inventory.board),
                }),
            },
            after: After::Reboot,
        }))
    }

    fn report(&self, report: &Report) -> Ack {
        let mut books = self.books();
        let board: BoardId = report.secret.parse().unwrap();
        let Some(entry) = books.boards.get_mut(&board) else {
            return Ack {
                stop: Some("unknown".to_owned()),
                ..Ack::default()
            };
        };
        for (number, event) in &report.events {
            if *number != entry.acked + 1 {
                continue;
            }
            entry.acked = *number;
            match event {
                AgentEvent::Done(outcome) => entry.outcome = Some(outcome.clone()),
                AgentEvent::Failed(failure) => entry.failure = Some(failure.clone()),
                _ => {}
            }
        }
        Ack {
            acked: entry.acked,
            ..Ack::default()
        }
    }

    fn hello(&self, hello: &Hello) -> HelloAck {
        let mut books = self.books();
        let board = hello
            .secret
            .strip_prefix("hello-")
            .and_then(|b| b.parse().ok());
        let entry = board.and_then(|b: BoardId| books.boards.get_mut(&b));
        let confirmed = entry.is_some_and(|entry| {
            let right = entry.hostname() == hello.hostname && hello.machine_id.is_some();
            entry.greeted |= right;
            right
        });
        HelloAck { confirmed }
    }
}

fn pack(image: &Path, dir: &Path, key: &ed25519_dalek::SigningKey) -> Pack {
    const CHUNK: usize = 1 << 20;
    let bytes = std::fs::read(image).unwrap();
    let mut writer = Writer::create(dir).unwrap();
    let chunks = bytes.chunks(CHUNK).map(|raw| {
        if raw.iter().all(|b| *b == 0) {
            return Chunk {
                class: ChunkClass::Hole,
                hash: None,
                offset: 0,
                packed: 0,
            };
        }
        let frame = zstd::bulk::compress(raw, 1).unwrap();
        Chunk {
            class: ChunkClass::Data,
            hash: Some(Hash32(*blake3::hash(raw).as_bytes())),
            offset: writer.append(&frame).unwrap(),
            packed: frame.len() as u64,
        }
    });
    let manifest = Manifest {
        format: 1,
        raw_bytes: bytes.len() as u64,
        chunk_bytes: CHUNK as u32,
        head_bytes: 1 << 20,
        chunks: chunks.collect(),
    };
    let sealed = writer.seal(&manifest, Some(key)).unwrap();
    let (path, _) = sealed.keep().unwrap();
    Pack::open(&path).unwrap()
}
