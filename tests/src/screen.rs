//! A desktop without a screen: a virtual display, a window manager, a session bus and, when wanted, a
//! real notification daemon, all of one test's own and gone with it.
//!
//! Nothing of the person who runs the tests is touched: programs started with [`Screen::command`]
//! have a home, settings and a session bus of their own. The bus starts nothing by itself, so a
//! desktop without a notification daemon is one without [`Screen::notifications`].

use crate::binaries::root;
use crate::running::{Running, expect, output};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The programs that a screen is made of.
pub const PROGRAMS: [&str; 7] = [
    "Xvfb",
    "openbox",
    "dbus-daemon",
    "dunst",
    "import",
    "wmctrl",
    "xdotool",
];

/// Longest wait for a notification.
const PATIENCE: Duration = Duration::from_mins(1);

/// A session bus without activation: on it is only what a test put there.
const BUS: &str = r#"<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>"#;

/// Notifications stay on the screen until they are clicked, and are remembered.
const DUNST: &str = "[global]
    monitor = 0
    width = 400
    origin = top-right
    markup = full
    idle_threshold = 0
    history_length = 100
[urgency_low]
    timeout = 0
[urgency_normal]
    timeout = 0
[urgency_critical]
    timeout = 0
";

/// A virtual desktop.
pub struct Screen {
    // Dropped in this order: what stands on the display goes before the display.
    daemon: Option<Running>,
    _manager: Running,
    _bus: Running,
    _xvfb: Running,
    display: String,
    bus: String,
    /// What the notification daemon printed.
    printed: Arc<(Mutex<String>, Condvar)>,
    folder: TempDir,
}

/// A notification, as the daemon showed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its line.
    pub summary: String,
    /// Its text.
    pub body: String,
}

impl Screen {
    /// A desktop of this size in pixels.
    pub fn new(width: u32, height: u32) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("punnet-screen-")
            .tempdir()
            .expect("a temporary folder");
        let mut xvfb = Command::new("Xvfb");
        xvfb.args(["-displayfd", "1", "-nolisten", "tcp", "-screen", "0"])
            .arg(format!("{width}x{height}x24"));
        let (xvfb, number) = start_and_hear(xvfb);
        let display = format!(":{number}");
        let settings = folder.path().join("bus.conf");
        std::fs::write(&settings, BUS).expect("the bus settings");
        let mut bus = Command::new("dbus-daemon");
        bus.args(["--nofork", "--print-address=1", "--config-file"])
            .arg(&settings);
        let (bus, address) = start_and_hear(bus);
        for name in ["run", "home/Downloads", "data", "config", "cache"] {
            std::fs::create_dir_all(folder.path().join(name)).expect("a folder");
        }
        let private = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o700);
        std::fs::set_permissions(folder.path().join("run"), private).expect("permissions");
        let mut manager = Command::new("openbox");
        manager.env("DISPLAY", &display);
        quiet(&mut manager);
        Self {
            daemon: None,
            _manager: Running::start(manager),
            _bus: bus,
            _xvfb: xvfb,
            display,
            bus: address,
            printed: Arc::default(),
            folder,
        }
    }

    /// A program on this desktop.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        let at = |name: &str| self.folder.path().join(name);
        command
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("PUNNET_CONFIG")
            .env_remove("SESSION_MANAGER")
            .env("DISPLAY", &self.display)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus)
            .env("XDG_RUNTIME_DIR", at("run"))
            .env("HOME", at("home"))
            .env("XDG_DATA_HOME", at("data"))
            .env("XDG_CONFIG_HOME", at("config"))
            .env("XDG_CACHE_HOME", at("cache"))
            // Accessibility and input methods would be looked for on the bus.
            .env("NO_AT_BRIDGE", "1")
            .env("GTK_IM_MODULE", "gtk-im-context-simple")
            .env("LANG", "C.UTF-8");
        command
    }

    /// The person's folder for downloads.
    pub fn downloads(&self) -> PathBuf {
        self.folder.path().join("home/Downloads")
    }

    /// A folder that lasts as long as the desktop.
    pub fn scratch(&self) -> &Path {
        self.folder.path()
    }

    /// Starts a notification daemon (dunst) and waits until it is on the bus.
    pub fn notifications(&mut self) {
        let settings = self.folder.path().join("dunstrc");
        std::fs::write(&settings, DUNST).expect("the settings");
        let mut dunst = self.command(Path::new("dunst"));
        dunst
            .arg("-print")
            .arg("-config")
            .arg(&settings)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut dunst = Running::start(dunst);
        let said = dunst.child().stdout.take().expect("piped above");
        let printed = Arc::clone(&self.printed);
        std::thread::spawn(move || {
            for line in BufReader::new(said).lines().map_while(Result::ok) {
                let (text, changed) = &*printed;
                let mut text = text.lock().unwrap_or_else(PoisonError::into_inner);
                text.push_str(&line);
                text.push('\n');
                changed.notify_all();
            }
        });
        self.daemon = Some(dunst);
        soon("the notification daemon", Duration::from_secs(20), || {
            let asked = output(self.command(Path::new("dunstctl")).arg("count"));
            asked.status.success().then_some(())
        });
    }

    /// Waits until the notification daemon has shown a notification that fits; returns it.
    pub fn notified(&self, what: &str, fits: impl Fn(&Shown) -> bool) -> Shown {
        let deadline = Instant::now() + PATIENCE;
        let (text, changed) = &*self.printed;
        let mut text = text.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let all = shown(&text);
            if let Some(found) = all.iter().find(|shown| fits(shown)) {
                return found.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited for {what}; shown was {all:?}");
            text = changed
                .wait_timeout(text, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Clicks the topmost notification on the screen.
    pub fn click_notification(&self) {
        expect(self.command(Path::new("dunstctl")).args(["action", "0"]));
    }

    /// Titles of the windows that are on the screen.
    pub fn titles(&self) -> Vec<String> {
        let found = output(self.command(Path::new("xdotool")).args([
            "search",
            "--onlyvisible",
            "--name",
            ".*",
            "getwindowname",
            "%@",
        ]));
        let text = String::from_utf8_lossy(&found.stdout).into_owned();
        text.lines().map(str::to_owned).collect()
    }

    /// Asks the window manager to close the window with this title, as its cross does.
    pub fn close_window(&self, title: &str) {
        expect(self.command(Path::new("wmctrl")).args(["-F", "-c", title]));
    }

    /// Takes a picture of the whole screen into `tests/artefacts`.
    pub fn shot(&self, name: &str) {
        let file = artefact(name);
        expect(
            self.command(Path::new("import"))
                .args(["-window", "root"])
                .arg(file),
        );
    }
}

/// Where a picture called `name` is kept.
pub fn artefact(name: &str) -> PathBuf {
    let folder = root().join("tests/artefacts");
    std::fs::create_dir_all(&folder).expect("the folder of artefacts");
    folder.join(format!("{name}.png"))
}

/// Looks again until something is there.
pub fn soon<T>(what: &str, at_most: Duration, look: impl FnMut() -> Option<T>) -> T {
    soon_or(at_most, look).unwrap_or_else(|| panic!("waited {at_most:?} for {what}"))
}

/// Looks again until something is there, or the time is over.
pub fn soon_or<T>(at_most: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + at_most;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() >= deadline {
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The notifications in what dunst printed.
fn shown(text: &str) -> Vec<Shown> {
    let between = |text: &str, from: &str, to: &str| {
        let text = text.split_once(from)?.1;
        Some(text.split_once(to)?.0.to_owned())
    };
    text.split("\n{\n")
        .filter_map(|one| {
            Some(Shown {
                summary: between(one, "\tsummary: '", "'\n\tbody: '")?,
                body: between(one, "\tbody: '", "'\n\ticon")?,
            })
        })
        .collect()
}

fn quiet(command: &mut Command) {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
}

/// Starts a program that says in its first line where it can be reached.
fn start_and_hear(mut command: Command) -> (Running, String) {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut running = Running::start(command);
    let stdout = running.child().stdout.take().expect("piped above");
    let mut line = String::new();
    let mut reader = BufReader::new(stdout);
    reader.read_line(&mut line).expect("a first line");
    assert!(!line.trim().is_empty(), "a program of the screen ended");
    // Its pipe stays open, so that it never writes into nothing.
    std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
    (running, line.trim().to_owned())
}
