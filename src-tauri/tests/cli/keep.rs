//! Backups, the configuration that is read again, and profiles, as they are typed.

use super::{Daemon, PATIENCE, Place, free_port, text};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Instant;

/// A station in another process, and the socket on which it tells a service manager how it is.
struct Service {
    child: Child,
    manager: UnixDatagram,
}

impl Service {
    fn start(place: &Place) -> Self {
        Self::start_with(place, &[])
    }

    fn start_with(place: &Place, environment: &[(&str, &str)]) -> Self {
        let at = place.path("notify");
        let manager = UnixDatagram::bind(&at).unwrap();
        manager.set_read_timeout(Some(PATIENCE)).unwrap();
        let child = place
            .punnet()
            .args(["--daemon", "--rehearsal"])
            .env("NOTIFY_SOCKET", &at)
            .envs(environment.iter().copied())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let service = Self { child, manager };
        service.hear("READY=1");
        service
    }

    /// Waits for a message that holds this line.
    fn hear(&self, line: &str) -> String {
        let mut buffer = [0; 4096];
        loop {
            let n = self.manager.recv(&mut buffer).unwrap();
            let said = String::from_utf8_lossy(&buffer[..n]).into_owned();
            if said.lines().any(|said| said == line) {
                return said;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).unwrap();
        kill(Pid::from_raw(id), signal).unwrap();
    }

    /// SIGHUP, as service managers send it.
    fn reload(&self) {
        self.signal(Signal::SIGHUP);
        let begun = self.hear("RELOADING=1");
        assert!(begun.contains("MONOTONIC_USEC="), "{begun}");
        self.hear("READY=1");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Already ended when the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a value is, and where it comes from.
fn value(place: &Place, key: &str) -> (String, String) {
    let shown = place.json("config show");
    let mut values = shown["values"].as_array().unwrap().iter();
    let found = values.find(|v| v["key"] == key).unwrap();
    let of = |name: &str| found[name].as_str().unwrap().to_owned();
    (of("value"), of("from"))
}

pub(super) fn rewrite(place: &Place, change: impl FnOnce(String) -> String) {
    let file = place.path("station.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(file, change(text)).unwrap();
}

#[test]
fn a_reload_applies_what_it_can_names_the_rest_and_refuses_what_is_wrong() {
    let place = Place::new();
    let service = Service::start(&place);
    let shown = value(&place, "backup.keep");
    assert_eq!(shown, ("14".to_owned(), "default".to_owned()));
    let port = free_port();
    rewrite(&place, |text| {
        let text = text.replace("127.0.0.1:0", "127.0.0.1:1");
        let ports = text.find("http_port").unwrap();
        let (before, after) = text.split_at(ports);
        let (_, after) = after.split_once('\n').unwrap();
        format!(
            "{before}http_port = {port}\n{after}[backup]\nkeep = 3\n[dhcp]\nlease_seconds = 600\n"
        )
    });
    service.reload();
    let (keep, from) = value(&place, "backup.keep");
    assert_eq!(keep, "3");
    assert!(from.starts_with("line "), "{from}");
    assert_eq!(value(&place, "dhcp.lease_seconds").0, "600");
    assert_eq!(value(&place, "management.listen").0, "\"127.0.0.1:0\"");
    // The door for boards has moved.
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < PATIENCE, "it is not at its new port");
        std::thread::yield_now();
    }
    // What waits is said again until the station is started again.
    let again = place.json("config reload");
    let changes = again["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "{again}");
    assert_eq!(changes[0]["key"], "management.listen");
    let waits = changes[0]["waits"].as_str().unwrap();
    assert!(waits.contains("started again"), "{waits}");

    rewrite(&place, |text| text.replace("keep = 3", "kept = 3"));
    service.reload();
    let refused = place.run("config reload");
    assert_eq!(refused.status.code(), Some(78), "as sysexits.h has it");
    assert!(
        text(&refused).contains("did you mean keep?"),
        "{}",
        text(&refused)
    );
    assert!(text(&refused).contains("line "), "{}", text(&refused));
    rewrite(&place, |text| text.replace("kept = 3", "keep = 3"));
    let again = place.json("config reload");
    let changes = again["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "it went on as it was: {again}");
}

#[test]
fn a_service_manager_is_told_that_the_engine_lives() {
    let place = Place::new();
    // Systemd's word for how long it waits, in microseconds.
    let service = Service::start_with(&place, &[("WATCHDOG_USEC", "30000")]);
    for _ in 0..3 {
        service.hear("WATCHDOG=1");
    }
}

#[test]
fn settings_that_do_not_fit_this_machine_are_not_tried_again_and_again() {
    let place = Place::new();
    fs::write(place.path("own.crt"), "nothing").unwrap();
    fs::write(place.path("own.key"), "nothing").unwrap();
    let files = place.path("own").display().to_string();
    for (line, wanted) in [
        (
            "group = \"no-such-group\"".to_owned(),
            "no group no-such-group",
        ),
        (
            format!("tls = true\ncertificate = \"{files}.crt\"\nkey = \"{files}.pem\""),
            "own.pem cannot be used",
        ),
        (
            format!("tls = true\ncertificate = \"{files}.crt\"\nkey = \"{files}.key\""),
            "chmod o=",
        ),
    ] {
        let plain = fs::read_to_string(place.path("station.toml")).unwrap();
        rewrite(&place, |text| {
            text.replace("[management]\n", &format!("[management]\n{line}\n"))
        });
        let refused = place.run("--daemon --rehearsal");
        assert_eq!(refused.status.code(), Some(78), "{}", text(&refused));
        assert!(text(&refused).contains(wanted), "{}", text(&refused));
        let checked = place.run("config check");
        assert_eq!(checked.status.code(), Some(1), "{}", text(&checked));
        assert!(text(&checked).contains(wanted), "{}", text(&checked));
        assert!(text(&checked).contains("line "), "{}", text(&checked));
        rewrite(&place, |_| plain);
    }
    // What is not used need not fit.
    rewrite(&place, |text| {
        let files = format!("certificate = \"{files}.crt\"\nkey = \"{files}.pem\"");
        text.replace("[management]\n", &format!("[management]\n{files}\n"))
    });
    let checked = place.run("config check");
    assert!(checked.status.success(), "{}", text(&checked));
    Service::start(&place);
}

#[test]
fn whom_alerts_go_to_changes_without_a_restart() {
    let place = Place::new();
    rewrite(&place, |text| {
        format!("{text}\n[boards]\ndevice_api = \"open\"\n")
    });
    let service = Service::start(&place);
    let port: u16 = value(&place, "deployment.http_port").0.parse().unwrap();
    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = receiver.local_addr().unwrap();
    rewrite(&place, |text| {
        format!("{text}\n[alerts]\nwebhook = \"http://{at}/bench\"\ngather_seconds = 1\n")
    });
    service.reload();
    // A board that nobody has planned for has to be decided about.
    let mut board = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let body = r#"{"serial_number":"d137e638"}"#;
    let request = format!(
        "POST /api/config HTTP/1.1\r\nHost: station\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    board.write_all(request.as_bytes()).unwrap();
    let (mut call, _) = receiver.accept().unwrap();
    call.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut told = Vec::new();
    let mut buffer = [0; 4096];
    while !String::from_utf8_lossy(&told).contains("d137e638") {
        let n = call.read(&mut buffer).unwrap();
        assert_ne!(n, 0, "{}", String::from_utf8_lossy(&told));
        told.extend_from_slice(&buffer[..n]);
    }
    assert!(told.starts_with(b"POST /bench "));
    // Another address is a change, and neither is shown.
    rewrite(&place, |text| text.replace("/bench", "/s3cret"));
    let reloaded = text(&place.run("config reload"));
    assert!(
        reloaded.starts_with("alerts.webhook is another (not shown) now"),
        "{reloaded}"
    );
    assert_eq!(value(&place, "alerts.webhook").0, "(not shown)");
    let nothing = text(&place.run("config reload"));
    assert_eq!(nothing, "Nothing has changed.\n");
}

/// What the log says in this folder.
fn log_in(folder: &Path) -> String {
    fs::read_to_string(folder.join("station.log")).unwrap()
}

#[test]
fn the_log_moves_and_is_turned_off_and_on_without_a_restart() {
    let place = Place::new();
    let service = Service::start(&place);
    let (first, second) = (place.path("data/logs"), place.path("elsewhere"));
    assert!(log_in(&first).contains("the station is up"));
    let said = "the configuration was read again";
    let write = |log: &str| {
        rewrite(&place, |text| {
            let kept = text.split("[log]").next().unwrap();
            format!("{kept}[log]\n{log}\n")
        });
    };
    write(&format!("dir = \"{}\"\nfiles = 3", second.display()));
    service.reload();
    assert!(log_in(&second).contains(said));
    assert!(!log_in(&first).contains(said), "the old file is left alone");
    assert_eq!(value(&place, "log.files").0, "3");

    // A folder cannot be where a file is.
    let none = place.path("station.toml").join("logs");
    write(&format!("dir = \"{}\"", none.display()));
    let refused = place.json("config reload");
    let changes = refused["changes"].as_array().unwrap();
    let keys: Vec<&str> = changes.iter().map(|c| c["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["log.dir", "log.files"], "{refused}");
    for change in changes {
        let why = change["waits"].as_str().unwrap();
        assert!(why.contains("station.toml/logs"), "{refused}");
    }
    assert!(log_in(&second).contains("log.dir is to be"), "it goes on");
    assert_eq!(value(&place, "log.files").0, "3");

    write("files = 0");
    service.reload();
    let before = log_in(&second);
    write("files = 0\n[dhcp]\nlease_seconds = 600");
    service.reload();
    assert_eq!(value(&place, "dhcp.lease_seconds").0, "600");
    assert_eq!(log_in(&second), before);
    write(&format!("dir = \"{}\"", second.display()));
    service.reload();
    let after = log_in(&second);
    assert!(after.len() > before.len() && after.starts_with(&before));
}

#[test]
fn one_file_brings_a_station_to_another_place() {
    let place = Place::new();
    let daemon = Daemon::start(&place);
    place.stock();
    let file = place.path("all.punnet");
    let made = place.json(&format!("backup {}", file.display()));
    assert_eq!(made["left_out"], Value::Array(Vec::new()));
    assert_eq!(
        place.json("backup list")["list"].as_array().unwrap().len(),
        1
    );
    let twice = place.run(&format!("backup {}", file.display()));
    assert!(text(&twice).contains("exists already"), "{}", text(&twice));
    let running = place.run(&format!("restore {} --force", file.display()));
    assert_eq!(running.status.code(), Some(1));
    assert!(
        text(&running).contains("Stop the station first"),
        "{}",
        text(&running)
    );

    let new = place.path("new machine/data");
    let restore = |force: &[&str]| {
        let mut command = place.punnet();
        command
            .arg("--data-dir")
            .arg(&new)
            .args(["--json", "restore"]);
        command.arg(&file).args(force).output().unwrap()
    };
    let restored = restore(&[]);
    assert_eq!(restored.status.code(), Some(0), "{}", text(&restored));
    let names = |folder: &Path| {
        let mut command = place.punnet();
        command.arg("--data-dir").arg(folder);
        let out = command.args(["--json", "names", "list"]).output().unwrap();
        let list: Value = serde_json::from_slice(&out.stdout).unwrap();
        list.as_array().unwrap().len()
    };
    assert_eq!(names(&new), 10);
    let unasked = restore(&[]);
    assert!(text(&unasked).contains("--force"), "{}", text(&unasked));
    let forced = restore(&["--force"]);
    let report: Value = serde_json::from_slice(&forced.stdout).unwrap();
    let aside = report["aside"].as_str().unwrap();
    assert_eq!(names(Path::new(aside)), 10, "what was replaced is whole");
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn a_damaged_database_is_refused_with_the_command_that_heals_it() {
    let place = Place::new();
    place.stock();
    place.json("backup");
    let database = place.path("data/punnet.db");
    let mut bytes = fs::read(&database).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8192].fill(0x5a);
    fs::write(&database, bytes).unwrap();
    let refused = place.run("--daemon --rehearsal");
    assert_eq!(refused.status.code(), Some(1));
    let said = text(&refused);
    let (_, command) = said.split_once("To go back to it: punnet ").unwrap();
    let command = command.lines().next().unwrap();
    let healed = place.run(command);
    assert_eq!(healed.status.code(), Some(0), "{}", text(&healed));
    assert_eq!(place.json("names list").as_array().unwrap().len(), 10);
}

#[test]
fn a_backup_that_is_killed_leaves_the_older_ones_good_and_counts_for_nothing() {
    let place = Place::new();
    place.stock();
    place.json("names import CORO --product KXP2 11-9999");
    let good = place.json("backup");
    let good = place
        .path("data/backups")
        .join(good["file"].as_str().unwrap());
    let folder = place.path("data/backups");
    let is_half = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().ends_with(".part");
    let halves = || {
        fs::read_dir(&folder)
            .unwrap()
            .flatten()
            .filter(is_half)
            .count()
    };
    // Killed the moment that the half file is there; a backup may be faster than that.
    for _ in 0..20 {
        let mut backup = place
            .punnet()
            .arg("backup")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while halves() == 0 && backup.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        backup.kill().unwrap();
        backup.wait().unwrap();
        if halves() > 0 {
            break;
        }
    }
    assert_eq!(halves(), 1, "no backup was caught half-way");
    let listed = place.json("backup list");
    for one in listed["list"].as_array().unwrap() {
        assert!(!one["file"].as_str().unwrap().contains("part"), "{one}");
    }
    let new = place.path("new");
    let mut restore = place.punnet();
    restore.arg("--data-dir").arg(&new).arg("restore").arg(good);
    let restored = restore.output().unwrap();
    assert_eq!(restored.status.code(), Some(0), "{}", text(&restored));
    place.json("backup");
    assert_eq!(halves(), 0, "the next one clears it away");
}

#[test]
fn profiles_travel_as_files() {
    let place = Place::new();
    let daemon = Daemon::start(&place);
    place.stock();
    place.json("profile save Hall --product KXP2 --venue CORO");
    let file = place.path("hall.toml");
    place.json(&format!("profile export Hall {}", file.display()));
    place.json("profile remove Hall");
    let seen = place.json(&format!("profile import {} --dry-run", file.display()));
    assert_eq!(seen["profile"]["name"], "Hall");
    assert_eq!(place.json("profile list"), Value::Array(Vec::new()));
    place.json(&format!("profile import {}", file.display()));
    let applied = place.json("profile apply Hall");
    assert_eq!(applied["changes"], Value::Array(Vec::new()));
    let text_of = fs::read_to_string(&file).unwrap();
    fs::write(&file, text_of.replace("[venue]", "[venu]")).unwrap();
    let refused = place.run(&format!("profile import {} --replace", file.display()));
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused).contains("did you mean venue?"),
        "{}",
        text(&refused)
    );
    assert_eq!(daemon.stop(), Some(0));
}
