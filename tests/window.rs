//! The native window and the desktop around it, as a person meets them. What is on the page has tests
//! of its own; here any page will do.

mod day;

use punnet_tests::ground::Turn;
use punnet_tests::running::{Running, output};
use punnet_tests::screen::{PROGRAMS, Screen, soon};
use punnet_tests::station::Station;
use punnet_tests::window::{PATIENCE, Window, own_configuration};
use punnet_tests::{binaries, ground};
use serde_json::json;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};

/// Does this machine have what the test needs? Its turn, if so.
fn turn(test: &str) -> Option<Turn> {
    let driver = ["WebKitWebDriver"];
    let programs: Vec<&str> = PROGRAMS.into_iter().chain(driver).collect();
    ground::desktop(test, &programs)
}

/// A daemon that needs no rights, and the port of its door for boards.
fn daemon() -> (Station, u16) {
    let (mut station, doors) = Station::for_virtual_boards();
    let configuration = std::fs::read_to_string(station.configuration()).expect("written");
    let configuration = format!("{configuration}[boards]\ndevice_api = \"open\"\n");
    std::fs::write(station.configuration(), configuration).expect("written");
    station.serve();
    (station, doors.http)
}

/// The program as a person starts it.
fn started(screen: &Screen, configuration: &Path) -> Running {
    let mut program = screen.command(binaries::punnet_window());
    program
        .arg("--config")
        .arg(configuration)
        .stdin(Stdio::null());
    let running = Running::start(program);
    on_screen(screen, 1);
    running
}

fn on_screen(screen: &Screen, windows: usize) {
    soon("the window on the screen", PATIENCE, || {
        let titles = screen.titles();
        let ours = titles.iter().filter(|title| *title == "Punnet");
        (ours.count() == windows).then_some(())
    });
}

#[test]
fn the_window_opens_and_its_page_speaks_to_the_station() {
    let Some(_turn) = turn("window: opening") else {
        return;
    };
    let screen = Screen::new(1280, 800);
    let window = Window::alone(&screen);
    assert_eq!(window.title(), "Punnet");
    on_screen(&screen, 1);
    let about = window.invoke("about", json!({})).expect("about");
    assert_eq!(about["home"], "window");
    assert_eq!(about["engine"], "own");

    let stats = json!({"bench": "real", "query": {"query": "stats"}});
    let answer = window.invoke("query", stats).expect("an answer");
    assert_eq!(answer["answer"], "stats");
    let venue = json!({"command": "venue_add", "code": "CORO", "name": "Corona"});
    let add = json!({"bench": "real", "command": venue});
    let receipt = window.invoke("command", add.clone()).expect("a receipt");
    assert_eq!(receipt["receipt"], "venue");
    let again = window.invoke("command", add).expect_err("a refusal");
    assert_eq!(again["code"], "conflict");
    let nonsense = json!({"bench": "real", "command": {"command": 7}});
    let refused = window.invoke("command", nonsense).expect_err("a refusal");
    assert_eq!(refused["code"], "invalid");
    window.shot("window-open");
}

#[test]
fn the_page_can_do_nothing_but_what_it_is_for() {
    let Some(_turn) = turn("window: what the page may do") else {
        return;
    };
    let screen = Screen::new(1280, 800);
    let window = Window::alone(&screen);
    window.until("the page", "return document.readyState === 'complete'");
    for (command, arguments) in [
        (
            "plugin:window|set_title",
            json!({"label": "main", "value": "x"}),
        ),
        ("plugin:dialog|open", json!({"options": {}})),
        (
            "plugin:webview|create_webview_window",
            json!({"options": {}}),
        ),
        ("plugin:resources|close", json!({"rid": 0})),
    ] {
        let refused = window.invoke(command, arguments).expect_err(command);
        assert!(refused.to_string().contains("not allowed"), "{refused}");
    }
    let passwd = json!({"path": "/etc/passwd"});
    let refused = window.invoke("reveal", passwd).expect_err("a refusal");
    assert_eq!(refused["code"], "forbidden");
    let evaluated = "try { new Function('return 1')(); return 'ran'; } catch { return 'refused'; }";
    assert_eq!(window.script(evaluated, vec![]), "refused");
    let inline = "const s = document.createElement('script'); s.textContent = 'window.ran = 1'; \
         document.body.append(s); return window.ran ?? 'refused';";
    assert_eq!(window.script(inline, vec![]), "refused");
}

#[test]
fn a_notification_reaches_the_desktop_and_a_click_leads_to_the_board() {
    let Some(_turn) = turn("window: notifications") else {
        return;
    };
    let mut screen = Screen::new(1280, 800);
    screen.notifications();
    let (station, door) = daemon();
    let window = Window::open(&screen, &station);
    let about = window.invoke("about", json!({})).expect("about");
    assert_eq!(about["engine"], "daemon");
    let hear = "const [done] = arguments; const internals = window.__TAURI_INTERNALS__; \
         const handler = internals.transformCallback((e) => { window.led = e.payload; }); \
         internals.invoke('plugin:event|listen', { event: 'open', target: { kind: 'Any' }, handler }) \
           .then(() => done('hears'), (e) => done(String(e)));";
    assert_eq!(window.script_async(hear, vec![]), "hears");

    ask_as_a_board(door, "10000000d137e638");
    let shown = screen.notified("the notice of the held board", |shown| {
        shown.summary.contains("needs your decision")
    });
    assert!(shown.body.contains("d137e638"), "{shown:?}");
    screen.shot("window-notification");
    screen.click_notification();
    let led = window.until("the page to be led there", "return window.led");
    assert_eq!(led, "board/d137e638");
}

/// Asks for a name as an installer script does; without a batch the board is held.
fn ask_as_a_board(door: u16, serial: &str) {
    let said = output(
        Command::new("curl")
            .args(["-sS", "-o", "-", "-w", "%{http_code}"])
            .args(["-H", "Content-Type: application/json", "-d"])
            .arg(json!({ "serial_number": serial }).to_string())
            .arg(format!("http://127.0.0.1:{door}/api/config")),
    );
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.ends_with("423"), "{said}");
}

#[test]
fn a_daemon_that_goes_away_and_comes_back_is_spoken_to_again() {
    let Some(_turn) = turn("window: losing the daemon") else {
        return;
    };
    let screen = Screen::new(1280, 800);
    let (mut station, _) = daemon();
    let window = Window::open(&screen, &station);
    let stats = json!({"bench": "real", "query": {"query": "stats"}});
    window.invoke("query", stats.clone()).expect("an answer");
    let watch = "const internals = window.__TAURI_INTERNALS__; window.heard = 0; \
         const id = internals.transformCallback((m) => { if (m && 'message' in m) window.heard += 1; }); \
         internals.invoke('watch', { bench: 'real', updates: '__CHANNEL__:' + id }).then( \
           () => { window.over = 'ended'; }, (e) => { window.over = 'lost'; });";
    window.script(watch, vec![]);
    window.until("the first update", "return window.heard > 0");

    station.kill();
    window.until("the watch to be over", "return window.over");
    let refused = window
        .invoke("query", stats.clone())
        .expect_err("a refusal");
    assert_eq!(refused["code"], "unavailable");

    station.serve();
    window.invoke("query", stats).expect("an answer again");
    let about = window.invoke("about", json!({})).expect("about");
    assert_eq!(about["engine"], "daemon", "it started no engine of its own");
}

#[test]
fn closing_the_window_ends_an_idle_engine_and_leaves_a_daemon_alone() {
    let Some(_turn) = turn("window: closing") else {
        return;
    };
    let screen = Screen::new(1280, 800);
    let (station, _) = daemon();
    let mut window = started(&screen, &station.configuration());
    screen.close_window("Punnet");
    assert!(window.wait(PATIENCE).success());
    assert!(station.boards().is_empty(), "the daemon answers");

    let configuration = own_configuration(&screen);
    let mut window = started(&screen, &configuration);
    let socket = screen.scratch().join("station/punnet.sock");
    soon("its engine", PATIENCE, || UnixStream::connect(&socket).ok());
    screen.close_window("Punnet");
    assert!(window.wait(PATIENCE).success());
    assert!(!socket.exists(), "its engine was stopped in order");
}

#[test]
fn its_own_engine_follows_the_configuration_when_it_is_told_to() {
    let Some(_turn) = turn("window: configuration") else {
        return;
    };
    let screen = Screen::new(1280, 800);
    let configuration = own_configuration(&screen);
    let _window = started(&screen, &configuration);
    let socket = screen.scratch().join("station/punnet.sock");
    soon("its engine", PATIENCE, || UnixStream::connect(&socket).ok());
    let text = std::fs::read_to_string(&configuration).expect("the configuration");
    let more = format!("{text}[dhcp]\nlease_seconds = 600\n[log]\nfiles = 3\n");
    std::fs::write(&configuration, more).expect("written");
    let mut reload = Command::new(binaries::punnet());
    reload.arg("--config").arg(&configuration);
    let said = output(reload.args(["config", "reload"]));
    let words = String::from_utf8_lossy(&said.stdout);
    assert!(said.status.success(), "{words}");
    for change in ["dhcp.lease_seconds is 600 now", "log.files is 3 now"] {
        assert!(words.contains(change), "{words}");
    }
}

#[test]
fn closing_over_a_batch_asks_first_and_goes_out_of_the_way_when_nobody_answers() {
    let Some(_turn) = turn("window: closing over a batch") else {
        return;
    };
    let screen = Screen::new(1280, 800);
    let window = Window::alone(&screen);
    let command = |command| {
        let arguments = json!({"bench": "real", "command": command});
        window.invoke("command", arguments).expect("a receipt")
    };
    let pattern = "{product}-{venue}-{number:03}";
    command(json!({"command": "product_add", "code": "KXP2", "name": "Kart", "pattern": pattern}));
    command(json!({"command": "venue_add", "code": "CORO", "name": "Corona"}));
    let names = json!({"from": "spec", "text": "1-5"});
    command(
        json!({"command": "names_import", "product": "KXP2", "venue": "CORO",
                   "source": names, "dry_run": false}),
    );
    let batch = command(
        json!({"command": "batch_create", "product": "KXP2", "venue": "CORO",
                               "count": 3}),
    );
    command(json!({"command": "batch_start", "batch": batch["id"]}));
    let hear = "const [done] = arguments; const internals = window.__TAURI_INTERNALS__; \
         const handler = internals.transformCallback(() => { window.asked = true; }); \
         internals.invoke('plugin:event|listen', { event: 'closing', target: { kind: 'Any' }, handler }) \
           .then(() => done('hears'), (e) => done(String(e)));";
    assert_eq!(window.script_async(hear, vec![]), "hears");

    screen.close_window("Punnet");
    window.until("the page to be asked", "return window.asked");
    on_screen(&screen, 1);
    screen.close_window("Punnet");
    on_screen(&screen, 0);
    let stats = json!({"bench": "real", "query": {"query": "stats"}});
    window.invoke("query", stats).expect("the engine goes on");
}

#[test]
fn starting_it_again_brings_up_the_window_that_is_there() {
    let Some(_turn) = turn("window: starting twice") else {
        return;
    };
    let screen = Screen::new(1280, 800);
    let configuration = own_configuration(&screen);
    let mut first = started(&screen, &configuration);
    let again = output(
        screen
            .command(binaries::punnet_window())
            .arg("--config")
            .arg(&configuration),
    );
    assert!(again.status.success(), "{again:?}");
    on_screen(&screen, 1);
    assert!(first.ended().is_none());
}

#[test]
fn without_a_display_it_says_what_to_do_instead() {
    let said = output(
        Command::new(binaries::punnet_window())
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY"),
    );
    assert_eq!(said.status.code(), Some(1));
    let words = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(
        words.contains("no display") && words.contains("--daemon"),
        "{words}"
    );
}

#[test]
fn the_launcher_and_the_description_for_software_centres_are_valid() {
    let folder = binaries::root().join("packaging/desktop");
    for (program, arguments, file) in [
        ("desktop-file-validate", &[][..], "punnet.desktop"),
        (
            "appstreamcli",
            &["validate", "--no-net"][..],
            "punnet.metainfo.xml",
        ),
    ] {
        if ground::find(program).is_none() {
            ground::not_run("window: launcher", &format!("needs {program}"));
            continue;
        }
        let said = output(Command::new(program).args(arguments).arg(folder.join(file)));
        assert!(
            said.status.success() && !contains(&said.stdout, "error"),
            "{said:?}"
        );
    }
}

fn contains(text: &[u8], word: &str) -> bool {
    String::from_utf8_lossy(text).contains(word)
}
