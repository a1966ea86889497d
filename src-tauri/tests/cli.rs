//! The program as it is typed: what it prints, how it exits, with and without a running station.

#![expect(
    clippy::unwrap_used,
    reason = "what a test needs and does not get ends it, helpers included"
)]

#[path = "cli/afar.rs"]
mod afar;
#[path = "cli/keep.rs"]
mod keep;
#[path = "cli/tls.rs"]
mod tls;
#[path = "cli/trust.rs"]
mod trust;

use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use virtual_pi::golden::Golden;

const PATIENCE: Duration = Duration::from_secs(30);

struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = format!(
            "data_dir = \"{}\"\n[deployment]\ndhcp_port = {}\ntftp_port = {}\nhttp_port = {}\n\
             [management]\nlisten = \"127.0.0.1:0\"\n[agent]\narm64 = \"/none\"\n",
            folder.path().join("data").display(),
            free_port(),
            free_port(),
            free_port()
        );
        std::fs::write(folder.path().join("station.toml"), config).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn punnet(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_punnet"));
        command
            .env_remove("PUNNET_CONFIG")
            .arg("--config")
            .arg(self.path("station.toml"));
        command
    }

    fn run(&self, words: &str) -> Output {
        self.punnet()
            .args(words.split_whitespace())
            .output()
            .unwrap()
    }

    /// Runs a verb that must succeed and gives its JSON.
    fn json(&self, words: &str) -> Value {
        let out = self.run(&format!("--json {words}"));
        assert_eq!(out.status.code(), Some(0), "{words}: {}", text(&out));
        serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{words}: {e}"))
    }

    fn stock(&self) {
        for words in [
            "product add KXP2 --name Kart",
            "venue add CORO --name Corona",
            "names import CORO --product KXP2 1-10",
        ] {
            self.json(words);
        }
    }
}

fn text(out: &Output) -> String {
    let both = [&out.stdout[..], &out.stderr[..]].concat();
    String::from_utf8(both).unwrap()
}

fn free_port() -> u16 {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}

fn make_image(file: &Path, seed: u64) {
    let golden = Golden {
        seed,
        ..Golden::default()
    };
    golden.make(file).unwrap();
}

/// A station in another process, stopped as systemd stops it.
struct Daemon(Child);

impl Daemon {
    fn start(place: &Place) -> Self {
        let child = place
            .punnet()
            .args(["--daemon", "--rehearsal"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut daemon = Self(child);
        let socket = place.path("data/punnet.sock");
        let begun = Instant::now();
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            assert!(daemon.0.try_wait().unwrap().is_none(), "it ended");
            assert!(begun.elapsed() < PATIENCE, "it does not come up");
            std::thread::sleep(Duration::from_millis(5));
        }
        daemon
    }

    fn stop(mut self) -> Option<i32> {
        let id = i32::try_from(self.0.id()).unwrap();
        nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(id),
            nix::sys::signal::Signal::SIGTERM,
        )
        .unwrap();
        let begun = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code();
            }
            assert!(begun.elapsed() < PATIENCE, "it does not stop");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Already ended when the test went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn planning_works_without_a_station() {
    let place = Place::new();
    place.stock();
    assert_eq!(place.json("product list")[0]["code"], "KXP2");
    assert_eq!(
        place
            .json("names list --state available")
            .as_array()
            .unwrap()
            .len(),
        10
    );
    let again = place.run("venue add CORO --name Corona");
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again).starts_with("Refused: "), "{}", text(&again));
    let again = place.run("--json venue add CORO --name Corona");
    assert_eq!(again.status.code(), Some(1));
    let refusal: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(refusal["code"], "conflict");
    let live = place.run("server stop dhcp");
    assert_eq!(live.status.code(), Some(1));
    assert!(text(&live).contains("punnet --daemon"), "{}", text(&live));
}

#[test]
fn wrong_usage_is_another_exit_than_a_refusal() {
    let place = Place::new();
    for words in [
        "nonsense",
        "venue add TOOLONG --name x",
        "batch create",
        "server stop printer",
        "names retire KXP2-CORO-001",
        "board release d137e638",
    ] {
        assert_eq!(place.run(words).status.code(), Some(2), "{words}");
    }
}

#[test]
fn without_a_verb_the_ways_are_listed() {
    let out = Place::new().run("");
    assert_eq!(out.status.code(), Some(0));
    assert!(text(&out).contains("punnet rehearse"), "{}", text(&out));
}

#[test]
fn a_bad_token_is_named_by_line_and_column_and_nothing_is_imported() {
    let place = Place::new();
    place.stock();
    let csv = place.path("names.csv");
    std::fs::write(&csv, "number,serial,note\n20,,\n2x,,\n21,,\n").unwrap();
    let out = place.run(&format!(
        "names import CORO --product KXP2 {}",
        csv.display()
    ));
    assert_eq!(out.status.code(), Some(1));
    assert!(
        text(&out).contains("line 3, column 1: \"2x\""),
        "{}",
        text(&out)
    );
    assert!(
        text(&out).contains("Nothing was imported"),
        "{}",
        text(&out)
    );
    assert_eq!(place.json("names list").as_array().unwrap().len(), 10);
}

#[test]
fn a_configuration_is_checked_by_line() {
    let place = Place::new();
    assert_eq!(place.run("config check").status.code(), Some(0));
    let wrong = place.path("wrong.toml");
    std::fs::write(
        &wrong,
        "[deployment]\ninterfaec = \"eth1\"\nhttp_port = 0\n",
    )
    .unwrap();
    let out = place.run(&format!("config check {}", wrong.display()));
    assert_eq!(out.status.code(), Some(1));
    let said = text(&out);
    assert!(said.contains("line 2, column 1"), "{said}");
    assert!(said.contains("did you mean interface?"), "{said}");
    assert!(said.contains("line 3, column 13"), "{said}");
    std::fs::write(&wrong, b"[log]\n# f\xfcr\n").unwrap();
    let said = text(&place.run(&format!("config check {}", wrong.display())));
    assert!(
        said.contains("line 2, column 4: this is not UTF-8"),
        "{said}"
    );
    let missing = place.run("config check /none/at/all.toml");
    assert_eq!(missing.status.code(), Some(1));
}

#[test]
fn a_batch_larger_than_its_names_says_how_many_are_missing() {
    let place = Place::new();
    place.stock();
    let out = place.run("batch create --product KXP2 --venue CORO --count 13");
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out).contains('3'), "{}", text(&out));
    assert!(place.json("batch list").as_array().unwrap().is_empty());
}

#[test]
fn documents_are_written_where_they_are_wanted() {
    let place = Place::new();
    place.stock();
    let file = place.path("kart.img");
    make_image(&file, 3);
    place.json(&format!(
        "image add {} --product KXP2 --version 1 --activate",
        file.display()
    ));
    place.json("batch create --product KXP2 --venue CORO --count 3");
    let table = place.run("batch certificate 1 --format csv");
    assert!(
        text(&table).starts_with("hostname,board,"),
        "{}",
        text(&table)
    );
    let page = place.path("certificate.html");
    let words = format!("batch certificate 1 -o {}", page.display());
    let written = place.json(&words);
    assert_eq!(written["media_type"], "text/html; charset=utf-8");
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(
        html.contains("None of the 3 boards is finished yet."),
        "{html}"
    );
    assert_eq!(written["bytes"], html.len());
    let nameless = place.run(&format!(
        "batch certificate 1 -o {}",
        place.path("x").display()
    ));
    assert_eq!(nameless.status.code(), Some(1));
    assert!(text(&nameless).contains("--format"), "{}", text(&nameless));

    let labels = place.path("labels.pdf");
    let none = place.run(&format!("label --batch 1 -o {}", labels.display()));
    assert_eq!(none.status.code(), Some(1));
    assert!(
        text(&none).contains("No board of batch 1 is finished yet"),
        "{}",
        text(&none)
    );
    assert!(!labels.exists());
    for wrong in [
        "label -o x.pdf",
        "label --batch 1 --board 00000001 -o x.pdf",
        "label --batch 1",
    ] {
        assert_eq!(place.run(wrong).status.code(), Some(2), "{wrong}");
    }
}

#[test]
fn verbs_attach_to_the_running_station() {
    let place = Place::new();
    let daemon = Daemon::start(&place);
    place.stock();
    let servers = place.json("server list");
    let serving = servers.as_array().unwrap().iter();
    assert!(
        serving.clone().all(|s| s["state"] == "serving"),
        "{servers}"
    );
    assert_eq!(place.run("check").status.code(), Some(0));

    let file = place.path("kart.img");
    make_image(&file, 1);
    let file = file.display();
    let image = place.json(&format!(
        "image add {file} --product KXP2 --version 1 --activate"
    ));
    let id = image["id"].as_str().unwrap();
    assert_eq!(
        place.json(&format!("image show {}", &id[..8]))["active"],
        true
    );
    let none = place.run("image show ffffffffffff");
    assert_eq!(none.status.code(), Some(1));

    let begins = &id[..8];
    let batch = place.json(&format!(
        "batch create --product KXP2 --venue CORO --count 3 --start --image {begins} \
         --only-disk nvme --reimage overwrite-foreign"
    ));
    assert_eq!(batch["state"], "active");
    assert_eq!(batch["plan"]["image"], id);
    let shown = text(&place.run("batch show 1"));
    assert!(shown.contains("boot from: NVMe"), "{shown}");
    assert!(shown.contains("Used disks: overwrite-foreign"), "{shown}");
    place.json("batch pause 1");
    place.json("batch resume 1");
    place.json("batch extend 1 2");
    assert_eq!(place.json("batch show 1")["counters"]["planned"], 5);
    place.json("server stop dhcp");

    let mut watch = place
        .punnet()
        .args(["--json", "boards", "--watch"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(watch.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    assert!(first.starts_with("{\"update\":\"snapshot\""), "{first}");
    watch.kill().unwrap();
    watch.wait().unwrap();

    assert_eq!(daemon.stop(), Some(0));
    assert!(!Path::new(&place.path("data/punnet.sock")).exists());
    assert_eq!(
        place.json("image list")[0]["id"],
        id,
        "what was planned stays"
    );
}

#[test]
fn two_stations_do_not_share_a_folder() {
    let place = Place::new();
    let daemon = Daemon::start(&place);
    let second = place.run("--daemon --rehearsal");
    assert_eq!(second.status.code(), Some(1), "{}", text(&second));
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn an_import_without_a_station_is_done_here_and_a_bad_file_leaves_nothing() {
    let place = Place::new();
    place.stock();
    let junk = place.path("junk.img");
    std::fs::write(&junk, vec![1; 2 << 20]).unwrap();
    let out = place.run(&format!(
        "image add {} --product KXP2 --version 1",
        junk.display()
    ));
    assert_eq!(out.status.code(), Some(1), "{}", text(&out));
    let packs = std::fs::read_dir(place.path("data/packs")).unwrap();
    assert_eq!(packs.count(), 0);
    let file = place.path("kart.img");
    make_image(&file, 2);
    let file = file.display();
    place.json(&format!("image add {file} --product KXP2 --version 1"));
    assert_eq!(place.json("image list").as_array().unwrap().len(), 1);
}

/// Runs a verb with a line on standard input.
fn with_input(place: &Place, words: &str, line: &str) -> Output {
    use std::io::Write as _;
    let mut child = place
        .punnet()
        .args(words.split_whitespace())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{line}").unwrap();
    drop(input);
    child.wait_with_output().unwrap()
}

/// A browser's login at the running station, by curl; the HTTP status.
fn log_in(door: &str, name: &str, password: &str) -> String {
    let body = format!(r#"{{"name":"{name}","password":"{password}"}}"#);
    let out = Command::new("curl")
        .args(["-s", "-o", "/dev/null", "-w", "%{http_code}"])
        .args(["-H", "x-punnet: page", "-d", &body])
        .arg(format!("{door}/api/v1/login"))
        .output()
        .unwrap();
    text(&out)
}

#[test]
fn operators_are_made_on_the_command_line_and_log_in_at_the_running_station() {
    let place = Place::new();
    let none = place.run("operator list");
    assert!(
        text(&none).contains("punnet operator add NAME --role admin"),
        "{}",
        text(&none)
    );
    let short = with_input(&place, "operator add ada --role admin", "short");
    assert_eq!(short.status.code(), Some(1));
    assert!(
        text(&short).contains("at least 10 characters"),
        "{}",
        text(&short)
    );
    let added = with_input(
        &place,
        "operator add Ada --role admin",
        "four words in a row",
    );
    assert_eq!(text(&added), "ada may log in as admin.\n");

    let daemon = Daemon::start(&place);
    let added = with_input(&place, "operator add tess", "four words in a row");
    assert_eq!(text(&added), "tess may log in as operator.\n");
    let sockets = place.json("check");
    assert!(sockets.get("fingerprint").is_none(), "it has no TLS here");
    let door = operator_door(&place);
    assert_eq!(log_in(&door, "tess", "four words in a row"), "200");
    assert_eq!(place.json("operator list")[1]["sessions"], 1);
    let changed = with_input(&place, "operator passwd tess", "other words than before");
    assert_eq!(changed.status.code(), Some(0), "{}", text(&changed));
    assert_eq!(log_in(&door, "tess", "four words in a row"), "401");
    assert_eq!(log_in(&door, "tess", "other words than before"), "200");
    place.json("operator disable tess");
    assert_eq!(log_in(&door, "tess", "other words than before"), "401");
    place.json("operator enable tess");
    assert_eq!(place.json("operator role tess viewer")["role"], "viewer");
    let last = place.run("operator remove ada");
    assert_eq!(last.status.code(), Some(1));
    assert!(
        text(&last).contains("last administrator"),
        "{}",
        text(&last)
    );
    place.json("operator remove tess");
    assert_eq!(place.json("operator list").as_array().unwrap().len(), 1);
    assert_eq!(place.run("operator add").status.code(), Some(2));
    assert_eq!(
        place.run("operator add x --role emperor").status.code(),
        Some(2)
    );

    let deeds = place.json("deeds");
    let deeds = deeds.as_array().unwrap();
    let of = |action: &str| deeds.iter().filter(|d| d["action"] == action).count();
    assert_eq!((of("operator_add"), of("login")), (3, 4));
    assert_eq!((of("operator_remove"), of("operator_password")), (2, 1));
    assert!(deeds.iter().any(|d| d["door"] == "here"));
    assert!(deeds.iter().any(|d| d["door"] == "socket"));
    let all = text(&place.run("deeds"));
    assert!(all.contains("tess") && !all.contains("words"), "{all}");
    let refused = place.json("deeds --refused --who tess");
    assert_eq!(refused.as_array().unwrap().len(), 1, "{refused}");
    assert_eq!(daemon.stop(), Some(0));
}

/// Where the running station's door for operators is.
fn operator_door(place: &Place) -> String {
    let socket = place.path("data/punnet.sock");
    let out = Command::new("curl")
        .arg("-s")
        .arg("--unix-socket")
        .arg(socket)
        .args(["-d", r#"{"query":"works"}"#])
        .arg("http://localhost/api/v1/query")
        .output()
        .unwrap();
    let works: Value = serde_json::from_slice(&out.stdout).unwrap();
    let mut sockets = works["value"]["sockets"].as_array().unwrap().iter();
    let door = sockets.find(|open| open["what"] == "the page and programs");
    format!("http://{}", door.unwrap()["at"].as_str().unwrap())
}

#[test]
fn an_alert_is_tried_and_what_became_of_it_is_said() {
    use std::io::{Read as _, Write as _};
    let place = Place::new();
    let none = place.run("alert test");
    assert_eq!(none.status.code(), Some(1));
    assert!(text(&none).contains("[alerts]"), "{}", text(&none));

    let receiver = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = receiver.local_addr().unwrap();
    let settings = std::fs::read_to_string(place.path("station.toml")).unwrap();
    let settings = format!("{settings}[alerts]\nwebhook = \"http://{at}/hooks/s3cret\"\n");
    std::fs::write(place.path("station.toml"), settings).unwrap();
    let answering = std::thread::spawn(move || {
        for status in ["200 OK", "404 Not Found"] {
            let (mut stream, _) = receiver.accept().unwrap();
            let mut said = [0; 8192];
            let mut length = stream.read(&mut said).unwrap();
            while !String::from_utf8_lossy(&said[..length]).contains("\"test\":true") {
                length += stream.read(&mut said[length..]).unwrap();
            }
            let answer =
                format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let sent = place.json("alert test");
    assert_eq!(sent[0]["sent"], true, "{sent}");
    let refused = place.run("alert test");
    assert_eq!(refused.status.code(), Some(1));
    let words = text(&refused);
    assert!(
        words.contains("404") && !words.contains("s3cret"),
        "{words}"
    );
    answering.join().unwrap();
}

#[test]
fn a_running_station_is_checked_by_a_synthetic_board_and_hands_out_packets() {
    let place = Place::new();
    place.stock();
    let image = place.path("golden.img");
    make_image(&image, 3);
    let image = image.display();
    place.json(&format!(
        "image add {image} --product KXP2 --version 1 --activate"
    ));
    let daemon = Daemon::start(&place);
    let begun = Instant::now();
    let check = loop {
        let check = place.run("--json check");
        let report: Value = serde_json::from_slice(&check.stdout).unwrap();
        // The servers come up a moment after the door.
        if report["fit"] == true {
            break report;
        }
        assert!(begun.elapsed() < PATIENCE, "{report}");
    };
    let steps = check["self_test"]["steps"].as_array().unwrap();
    let verdict = |name: &str| {
        let step = steps.iter().find(|s| s["step"] == name).unwrap();
        step["verdict"].as_str().unwrap().to_owned()
    };
    for step in ["offer", "boot_files", "check_in", "manifest", "range"] {
        assert_eq!(verdict(step), "passed", "{check}");
    }
    assert_eq!(verdict("wire"), "not_run");
    let boards = place.json("boards");
    assert_eq!(boards.as_array().unwrap().len(), 0, "{boards}");
    let words = text(&place.run("check"));
    assert!(words.contains("used nothing up"), "{words}");

    let file = place.path("packets.pcap");
    let written = place.json(&format!("packets {}", file.display()));
    assert_eq!(written["media_type"], "application/vnd.tcpdump.pcap");
    let packets = std::fs::read(&file).unwrap();
    assert_eq!(packets[..4], [0xd4, 0xc3, 0xb2, 0xa1]);
    assert_eq!(daemon.stop(), Some(0));
}
