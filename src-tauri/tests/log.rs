//! What a station says while a batch runs: every step of every board as one line with fields, in its
//! files and in a journal; and never a secret.

#![expect(
    clippy::unwrap_used,
    reason = "what a test needs and does not get ends it, helpers included"
)]

use serde_json::Value;
use station::store::{Store, tokens};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::{SocketAddrV4, UdpSocket};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use virtual_pi::pace::Pace;
use virtual_pi::rehearse::{HttpOperator, Operator as _, Options, StationDoors, rehearse};
use wire::query::{Answer, Deployment, HistoryFilter, Query};

const PATIENCE: Duration = Duration::from_mins(1);

/// Gives the daemon a `/run` of its own, in which the journal's socket is the test's.
const OWN_RUN: &str = "mount -t tmpfs none /run && mkdir -p /run/systemd/journal \
    && mount --bind \"$1\" /run/systemd/journal && shift && exec \"$@\"";

fn free_port() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}

/// May this machine's kernel be asked for a mount namespace, and how?
fn unshare() -> Option<Vec<&'static str>> {
    let root = nix::unistd::geteuid().is_root();
    let words: &[&str] = if root {
        &["--mount"]
    } else {
        &["--mount", "--map-root-user"]
    };
    let tried = Command::new("unshare")
        .args(words)
        .args(["mount", "-t", "tmpfs", "none", "/run"])
        .stderr(Stdio::null())
        .status();
    tried.is_ok_and(|s| s.success()).then(|| words.to_vec())
}

/// A daemon in whose `/run` the test listens as the journal.
struct Daemon {
    child: Child,
    folder: TempDir,
    journal: Option<UnixDatagram>,
    ports: [u16; 4],
}

impl Daemon {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ports = std::array::from_fn(|_| free_port());
        let [dhcp, tftp, http, operator] = ports;
        let settings = format!(
            "data_dir = \"{}/data\"\n[deployment]\ndhcp_port = {dhcp}\ntftp_port = {tftp}\n\
             http_port = {http}\n[management]\nlisten = \"127.0.0.1:{operator}\"\n\
             [agent]\narm64 = \"/none\"\n",
            folder.path().display(),
        );
        let file = folder.path().join("station.toml");
        fs::write(&file, settings).unwrap();
        let said = File::create(folder.path().join("said")).unwrap();
        let about = said.metadata().unwrap();
        let program = env!("CARGO_BIN_EXE_punnet");
        let (mut command, journal) = if let Some(words) = unshare() {
            let place = folder.path().join("journal");
            fs::create_dir(&place).unwrap();
            let journal = UnixDatagram::bind(place.join("socket")).unwrap();
            let mut command = Command::new("unshare");
            command.args(words).args(["sh", "-c", OWN_RUN, "sh"]);
            command.arg(place).arg(program);
            (command, Some(journal))
        } else {
            println!("NOT RUN the journal: no mount namespace may be made here");
            (Command::new(program), None)
        };
        command
            .env_remove("PUNNET_CONFIG")
            .env("PUNNET_LOG", "debug")
            .env("JOURNAL_STREAM", format!("{}:{}", about.dev(), about.ino()))
            .arg("--config")
            .arg(file)
            .args(["--daemon", "--rehearsal"])
            .stderr(said);
        let mut daemon = Self {
            child: command.spawn().unwrap(),
            folder,
            journal,
            ports,
        };
        let begun = Instant::now();
        while daemon.operator().snapshot().is_err() {
            assert!(daemon.child.try_wait().unwrap().is_none(), "it ended");
            assert!(begun.elapsed() < PATIENCE, "it does not come up");
            std::thread::yield_now();
        }
        daemon
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn token(&self) -> Option<String> {
        let token = fs::read_to_string(self.path("data/operator.token")).ok()?;
        Some(token.trim().to_owned())
    }

    fn operator(&self) -> HttpOperator {
        let at = format!("http://127.0.0.1:{}", self.ports[3]);
        HttpOperator::new(&at, self.token())
    }

    fn doors(&self) -> StationDoors {
        let at = |port| SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, port);
        StationDoors {
            dhcp: at(self.ports[0]),
            tftp: at(self.ports[1]),
            operator: Arc::new(self.operator()),
            stop: Box::new(|| {}),
        }
    }

    /// Stops it; what the journal got is read while it ends, so that it never waits for us.
    fn stop(&mut self) {
        let id = i32::try_from(self.child.id()).unwrap();
        let term = nix::sys::signal::Signal::SIGTERM;
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), term).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Already ended when the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One entry as the journal gets it: `KEY=value` lines, or the key, a length and the value.
fn entry(mut bytes: &[u8]) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    while let Some(end) = bytes.iter().position(|b| *b == b'\n') {
        let line = String::from_utf8_lossy(&bytes[..end]).into_owned();
        bytes = &bytes[end + 1..];
        if let Some((key, value)) = line.split_once('=') {
            fields.insert(key.to_owned(), value.to_owned());
            continue;
        }
        let (length, rest) = bytes.split_first_chunk::<8>().unwrap();
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap();
        let value = String::from_utf8_lossy(&rest[..length]).into_owned();
        fields.insert(line, value);
        bytes = &rest[length + 1..];
    }
    fields
}

/// Reads entries as they come, until the line that a station ends with.
fn entries(journal: UnixDatagram) -> std::thread::JoinHandle<Vec<BTreeMap<String, String>>> {
    journal.set_read_timeout(Some(PATIENCE)).unwrap();
    std::thread::spawn(move || {
        let mut all = Vec::new();
        let mut buffer = vec![0; 1 << 20];
        while let Ok(length) = journal.recv(&mut buffer) {
            let fields = entry(&buffer[..length]);
            let last = fields.get("MESSAGE").is_some_and(|m| m == "stopping");
            all.push(fields);
            if last {
                break;
            }
        }
        all
    })
}

/// The lines of all files of the log, oldest first.
fn lines(folder: &Path) -> Vec<Value> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .iter()
        .rev()
        .flat_map(|file| {
            let text = fs::read_to_string(file).unwrap();
            let lines: Vec<Value> = text
                .lines()
                .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
                .collect();
            lines
        })
        .collect()
}

fn all_text(daemon: &Daemon) -> String {
    let mut text = fs::read_to_string(daemon.path("said")).unwrap();
    for entry in fs::read_dir(daemon.path("data/logs")).unwrap() {
        text += &fs::read_to_string(entry.unwrap().path()).unwrap();
    }
    text
}

/// Everything that opens a door in this station.
fn secrets(daemon: &Daemon, deployments: &[Deployment]) -> Vec<String> {
    let store = Store::open(&daemon.path("data")).unwrap();
    let reader = store.reader().unwrap();
    let mut secrets: Vec<String> = deployments
        .iter()
        .map(|d| tokens::newest(&reader, d.board).unwrap().unwrap().token)
        .collect();
    secrets.push(daemon.token().unwrap());
    secrets
}

#[test]
fn every_step_is_a_line_that_its_deployment_finds_and_no_line_holds_a_secret() {
    let mut daemon = Daemon::start();
    let journal = daemon.journal.take().map(entries);
    let options = Options {
        boards: 3,
        pace: Pace::HURRIED,
        ..Options::default()
    };
    let station = virtual_pi::rehearse::Station::Attach(daemon.doors());
    let report = rehearse(&options, station, &|_| {}).unwrap();
    assert!(report.verified, "{report:#?}");
    let history = Query::History(HistoryFilter::default());
    let Answer::History(deployments) = daemon.operator().query(history).unwrap() else {
        panic!("no history")
    };
    assert_eq!(deployments.len(), 3);
    daemon.stop();

    let log = lines(&daemon.path("data/logs"));
    for deployment in &deployments {
        let own = |line: &&Value| line["deployment"] == deployment.id.as_str();
        let stages: Vec<&str> = log
            .iter()
            .filter(own)
            .filter(|line| line["kind"] == "stage")
            .map(|line| line["stage"].as_str().unwrap())
            .collect();
        let wanted = ["assigned", "writing", "verifying", "personalising", "done"];
        assert!(wanted.iter().all(|w| stages.contains(w)), "{stages:?}");
        let done = log.iter().filter(own).find(|line| line["stage"] == "done");
        let done = done.unwrap();
        assert_eq!(done["hostname"], deployment.hostname.as_str());
        assert_eq!(done["batch"], deployment.batch.0);
        assert_eq!(done["board"], deployment.board.to_string());
        let whole = done["serial"].as_str().unwrap();
        assert!(whole.len() == 16 && whole.ends_with(&deployment.board.to_string()));
        assert!(done["timestamp"].as_str().unwrap().ends_with('Z'));
    }

    let secrets = secrets(&daemon, &deployments);
    assert!(secrets.iter().all(|secret| secret.len() >= 16));
    let mut said = all_text(&daemon);
    if let Some(journal) = journal {
        let entries = journal.join().unwrap();
        let of = |id: &str| {
            let mut own = entries.iter();
            own.any(|e| {
                let is = |key: &str, value: &str| e.get(key).is_some_and(|v| v == value);
                is("PUNNET_DEPLOYMENT", id)
                    && is("PUNNET_STAGE", "done")
                    && is("SYSLOG_IDENTIFIER", "punnet")
                    && is("PRIORITY", "5")
                    && ["SERIAL", "HOSTNAME", "BATCH", "BOARD"]
                        .iter()
                        .all(|name| e.contains_key(&format!("PUNNET_{name}")))
            })
        };
        for deployment in &deployments {
            assert!(of(&deployment.id), "{entries:#?}");
        }
        said += &format!("{entries:?}");
    } else {
        assert!(said.contains(&deployments[0].id));
    }
    for secret in &secrets {
        assert!(!said.contains(secret.as_str()), "{secret} is in the log");
    }
}
