//! Where the agent shows itself: large on the screen, line by line on serial ports.

use super::{kernel, sysfs};
use agent::{Screen, render};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Progress goes to serial ports this often: they are slow and are kept as logs.
const SERIAL_PACE: Duration = Duration::from_secs(5);

/// The board's consoles. A clone is the same.
#[derive(Debug, Clone)]
pub(crate) struct Consoles(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    screen: Option<File>,
    serial: Vec<File>,
    /// State that the serial ports have seen, and when they saw anything.
    headline: String,
    told: Option<Instant>,
}

impl Consoles {
    /// Opens the first virtual terminal and every serial port that the kernel uses as a console.
    pub(crate) fn open() -> Self {
        let open = |name: &str| {
            let path = Path::new("/dev").join(name);
            OpenOptions::new().read(true).write(true).open(path).ok()
        };
        let active = sysfs::text(Path::new("/sys/class/tty/console/active")).unwrap_or_default();
        let serial: Vec<File> = active
            .split_ascii_whitespace()
            .filter(|name| !is_screen(name))
            .filter_map(open)
            .collect();
        let mut screen = open("tty1");
        if let Some(tty) = &mut screen {
            // No cursor, no blanking.
            tty.write_all(b"\x1b[?25l\x1b[9;0]").ok();
        }
        Self(Arc::new(Mutex::new(Inner {
            screen,
            serial,
            headline: String::new(),
            told: None,
        })))
    }

    /// Shows a state.
    pub(crate) fn show(&self, screen: &Screen) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tty) = &mut inner.screen {
            let (columns, rows) = kernel::window_size(tty).unwrap_or((80, 25));
            tty.write_all(render(screen, columns, rows).as_bytes()).ok();
        }
        let headline = format!("{}{:?}", screen.headline, screen.lines);
        let due = inner.told.is_none_or(|at| at.elapsed() >= SERIAL_PACE);
        if headline != inner.headline || (screen.progress.is_some() && due) {
            inner.tell(&screen.one_line());
            inner.headline = headline;
        }
    }

    /// Adds a line to the serial ports, for whoever looks closer.
    pub(crate) fn note(&self, words: &str) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.tell(words);
    }
}

impl Inner {
    fn tell(&mut self, line: &str) {
        self.told = Some(Instant::now());
        for port in &mut self.serial {
            write!(port, "punnet: {line}\r\n").ok();
        }
    }
}

/// `tty0`, `tty1`… are the screen; `ttyAMA0`, `ttyS0`, `hvc0` are not.
fn is_screen(name: &str) -> bool {
    name.strip_prefix("tty")
        .is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
}
