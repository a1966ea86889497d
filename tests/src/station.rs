//! The station under test: the real `punnet --daemon` on a machine of the lab network, driven by
//! its command line and by its three verbs over the Unix socket.

use crate::binaries;
use crate::net::Host;
use crate::person::Person;
use crate::running::{Running, output};
use crate::watch::{Heard, Watch};
use nix::sys::signal::Signal;
use serde_json::Value;
use std::fmt::Write as _;
use std::fs::File;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use wire::board::Board;
use wire::command::{Command as Wish, Receipt};
use wire::health::{ServerKind, ServerState};
use wire::query::{Answer, Query};
use wire::refusal::Refusal;
use wire::{BoardId, Stage};

/// The station's address in the lab.
pub const ADDRESS: &str = "192.168.151.1";

/// A station, running or not.
pub struct Station {
    host: Option<Host>,
    folder: TempDir,
    daemon: Option<Running>,
    watch: Option<Watch>,
    arguments: Vec<String>,
    person: Option<Person>,
}

/// The ports of a station on the loopback.
#[derive(Debug, Clone, Copy)]
pub struct Doors {
    /// DHCP.
    pub dhcp: u16,
    /// TFTP.
    pub tftp: u16,
    /// The door for boards.
    pub http: u16,
    /// The door for operators.
    pub operator: u16,
}

/// What the service's unit puts into its environment.
fn environment_of_service() -> Vec<(String, String)> {
    let unit = binaries::root().join("packaging/systemd/punnet.service");
    let unit = std::fs::read_to_string(unit).expect("the unit");
    let set = unit.lines().filter_map(|line| {
        let (name, value) = line.strip_prefix("Environment=")?.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    });
    set.collect()
}

/// What a command line said.
#[derive(Debug)]
pub struct Said {
    /// How it ended.
    pub status: ExitStatus,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Said {
    /// Both outputs, for assertions on words.
    pub fn words(&self) -> String {
        format!("{}{}", self.out, self.err)
    }

    /// Standard output as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(self.out.trim())
            .unwrap_or_else(|e| panic!("{e} in the output of a command: {self:?}"))
    }
}

impl Station {
    /// A station on `host` with its usual address, not yet started. `extra` is appended to its
    /// configuration.
    pub fn on(host: &Host, extra: &str) -> Self {
        let mut text = String::from("[deployment]\ninterface = \"eth1\"\n");
        let _ = writeln!(text, "address = \"{ADDRESS}/24\"");
        text.push_str(extra);
        Self::prepared(Some(host.clone()), &text, &[])
    }

    /// A station with exactly this configuration (`data_dir` apart), on a machine of the lab or, for
    /// `None`, on the machine that runs the tests.
    pub fn prepared(host: Option<Host>, configuration: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("punnet-test-")
            .tempdir()
            .expect("a temporary folder");
        Self::in_folder(folder, host, configuration, arguments)
    }

    fn in_folder(
        folder: TempDir,
        host: Option<Host>,
        configuration: &str,
        arguments: &[&str],
    ) -> Self {
        let data = folder.path().join("data");
        let text = format!("data_dir = \"{}\"\n{configuration}", data.display());
        std::fs::write(folder.path().join("station.toml"), text).expect("the configuration");
        Self {
            host,
            folder,
            daemon: None,
            watch: None,
            arguments: arguments.iter().map(ToString::to_string).collect(),
            person: None,
        }
    }

    /// A station for virtual boards, not yet started: on the loopback, without any rights, on ports
    /// that were free a moment ago and stay the same when it is started again.
    pub fn for_virtual_boards() -> (Self, Doors) {
        let udp = || UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let tcp = || TcpListener::bind("127.0.0.1:0").expect("a socket");
        let (dhcp, tftp, http, operator) = (udp(), udp(), tcp(), tcp());
        let doors = Doors {
            dhcp: dhcp.local_addr().expect("bound").port(),
            tftp: tftp.local_addr().expect("bound").port(),
            http: http.local_addr().expect("bound").port(),
            operator: operator.local_addr().expect("bound").port(),
        };
        let configuration = format!(
            "[deployment]\ndhcp_port = {}\ntftp_port = {}\nhttp_port = {}\n\
             [management]\nlisten = \"127.0.0.1:{}\"\n",
            doors.dhcp, doors.tftp, doors.http, doors.operator
        );
        let station = Self::prepared(None, &configuration, &["--rehearsal"]);
        (station, doors)
    }

    /// A station that an ordinary person runs on a machine of the lab: without any right of its own.
    /// `configuration` as for [`Self::prepared`].
    pub fn of_person(host: &Host, configuration: &str) -> Self {
        let folder = Person::folder();
        let person = Person::in_folder(folder.path());
        let agent = person.may_read(&binaries::agent_arm64());
        let text = format!("{configuration}[agent]\narm64 = \"{}\"\n", agent.display());
        let mut station = Self::in_folder(folder, Some(host.clone()), &text, &[]);
        station.person = Some(person);
        station
    }

    /// Starts the daemon and waits until its operator door answers.
    pub fn start(&mut self) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_path())
            .expect("the log");
        let mut command = self.command();
        command
            .arg("--daemon")
            .args(&self.arguments)
            .envs(environment_of_service())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log"))
            .stderr(log);
        self.daemon = Some(Running::start(command));
        let deadline = Instant::now() + Duration::from_secs(20);
        // A connection is the daemon's own sign that it is there.
        while UnixStream::connect(self.socket()).is_err() {
            let ended = self.daemon.as_mut().and_then(Running::ended);
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "the daemon has no operator door (ended: {ended:?})\n{}",
                self.log_tail()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        self.watch = Some(Watch::open(&self.socket()));
        self.until("the first snapshot", |heard| heard.now.as_ref().map(|_| ()));
    }

    /// Starts the daemon and waits until everything serves.
    pub fn serve(&mut self) {
        self.start();
        self.serve_soon();
    }

    /// Waits until everything serves.
    pub fn serve_soon(&self) {
        for server in ServerKind::ALL {
            self.until_server(server, |state| matches!(state, ServerState::Serving));
        }
    }

    /// SIGKILL: no farewell, no clean-up.
    pub fn kill(&mut self) {
        self.watch = None;
        if let Some(daemon) = self.daemon.take() {
            daemon.kill();
        }
    }

    /// SIGTERM, and waits for the end.
    pub fn stop(&mut self) -> ExitStatus {
        let mut daemon = self.daemon.take().expect("the daemon runs");
        daemon.signal(Signal::SIGTERM);
        let status = daemon.wait(Duration::from_secs(30));
        self.watch = None;
        status
    }

    /// The daemon's process.
    pub fn pid(&self) -> u32 {
        self.daemon.as_ref().map_or(0, Running::pid)
    }

    /// Its operator socket.
    pub fn socket(&self) -> PathBuf {
        self.data().join("punnet.sock")
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A folder for what the test itself needs.
    pub fn scratch(&self) -> &Path {
        self.folder.path()
    }

    /// Its configuration file.
    pub fn configuration(&self) -> PathBuf {
        self.folder.path().join("station.toml")
    }

    /// Runs the command line and returns what it said.
    pub fn cli(&self, arguments: &[&str]) -> Said {
        let said = output(self.command().args(arguments));
        Said {
            status: said.status,
            out: String::from_utf8_lossy(&said.stdout).into_owned(),
            err: String::from_utf8_lossy(&said.stderr).into_owned(),
        }
    }

    /// Runs a command line that must succeed.
    pub fn ok(&self, arguments: &[&str]) -> Said {
        let said = self.cli(arguments);
        assert!(
            said.status.success(),
            "punnet {} ended with {}: {}\n{}",
            arguments.join(" "),
            said.status,
            said.words(),
            self.log_tail()
        );
        said
    }

    /// The verb *command*, as any program would say it.
    ///
    /// # Errors
    /// The station's refusal.
    pub fn command_over_http(&self, wish: &Wish) -> Result<Receipt, Refusal> {
        self.post(
            "command",
            &serde_json::to_value(wish).expect("a wish is JSON"),
        )
        .map(|receipt| serde_json::from_value(receipt).expect("a receipt"))
    }

    /// The verb *query*.
    pub fn query(&self, query: &Query) -> Answer {
        let answer = self
            .post(
                "query",
                &serde_json::to_value(query).expect("a query is JSON"),
            )
            .unwrap_or_else(|refusal| panic!("{query:?} was refused: {refusal}"));
        serde_json::from_value(answer).expect("an answer")
    }

    /// The boards of the bench.
    pub fn boards(&self) -> Vec<Board> {
        match self.query(&Query::Boards) {
            Answer::Boards(boards) => boards,
            other => panic!("boards were asked for, not {other:?}"),
        }
    }

    /// Waits, at most a minute, until the closure finds what it looks for.
    pub fn until<T>(&self, what: &str, found: impl FnMut(&Heard) -> Option<T>) -> T {
        self.until_within(Duration::from_mins(1), what, found)
    }

    /// Waits until the closure finds what it looks for.
    pub fn until_within<T>(
        &self,
        at_most: Duration,
        what: &str,
        found: impl FnMut(&Heard) -> Option<T>,
    ) -> T {
        let watch = self.watch.as_ref().expect("the daemon runs");
        watch.find(at_most, found).unwrap_or_else(|known| {
            panic!(
                "waited {at_most:?} for {what}; known is:\n{known}\n{}",
                self.log_tail()
            )
        })
    }

    /// Waits until a server is in a state; returns that state.
    pub fn until_server(
        &self,
        server: ServerKind,
        wanted: impl Fn(&ServerState) -> bool,
    ) -> ServerState {
        self.until(&format!("{} to get there", server.as_str()), |heard| {
            let servers = &heard.now.as_ref()?.servers;
            let status = servers.iter().find(|s| s.server == server)?;
            wanted(&status.state).then(|| status.state.clone())
        })
    }

    /// Waits until a board is in one of these stages; returns it.
    pub fn until_board(&self, at_most: Duration, id: BoardId, stages: &[Stage]) -> Board {
        self.until_within(at_most, &format!("board {id} to be {stages:?}"), |heard| {
            let boards = &heard.now.as_ref()?.boards;
            let board = boards.iter().find(|b| b.id == id)?;
            stages.contains(&board.stage).then(|| board.clone())
        })
    }

    /// The person who runs it, if it is not root.
    pub fn person(&self) -> &Person {
        self.person.as_ref().expect("a person runs it")
    }

    /// Takes the helper away from the person who runs it.
    pub fn without_helper(&mut self) {
        let person = self.person.as_mut().expect("a person runs it");
        person.set_helper("/bin/false");
    }

    /// The end of the daemon's log.
    pub fn log_tail(&self) -> String {
        let text = std::fs::read_to_string(self.log_path()).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        let from = lines.len().saturating_sub(60);
        format!(
            "--- end of the daemon's log ---\n{}",
            lines[from..].join("\n")
        )
    }

    /// A command of the `punnet` binary with this station's configuration.
    pub fn command(&self) -> Command {
        let program = binaries::punnet();
        let mut command = match (&self.host, &self.person) {
            (Some(host), Some(person)) => person.command(host),
            (Some(host), None) => host.command(&program.to_string_lossy()),
            (None, _) => Command::new(program),
        };
        command
            .env("PUNNET_CONFIG", self.configuration())
            .env("RUST_BACKTRACE", "1");
        command
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("daemon.log")
    }

    fn post(&self, verb: &str, body: &Value) -> Result<Value, Refusal> {
        let said = output(
            Command::new("curl")
                .args(["--silent", "--show-error", "--unix-socket"])
                .arg(self.socket())
                .args([
                    "-H",
                    "content-type: application/json",
                    "-w",
                    "\n%{http_code}",
                ])
                .args(["--data-binary", &body.to_string()])
                .arg(format!("http://punnet/api/v1/{verb}")),
        );
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        let (reply, status) = text.rsplit_once('\n').unwrap_or_default();
        let reply: Value = serde_json::from_str(reply)
            .unwrap_or_else(|e| panic!("{e} in the reply to {body}: {text} {said:?}"));
        if status == "200" {
            return Ok(reply);
        }
        Err(serde_json::from_value(reply).expect("a refusal"))
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            println!("{}", self.log_tail());
        }
    }
}
