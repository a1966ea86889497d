//! The activity LED: blinks so that a person finds the board.

use super::sysfs;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const LEDS: &str = "/sys/class/leds";
/// Names of the activity LED over the years.
const ACTIVITY: [&str; 4] = ["ACT", "led0", "act", "user-led"];

/// The activity LED and until when it blinks.
#[derive(Debug)]
pub(crate) struct Led {
    path: Option<PathBuf>,
    until: Mutex<Option<Instant>>,
}

impl Led {
    /// Finds the LED; a board without one blinks nothing.
    pub(crate) fn find() -> Self {
        let found = ACTIVITY.iter().map(|name| Path::new(LEDS).join(name));
        Self {
            path: found.into_iter().find(|path| path.exists()),
            until: Mutex::new(None),
        }
    }

    /// Blinks for `time` from now on. The kernel does the blinking; `'static` because a thread
    /// waits for the end.
    pub(crate) fn blink(&'static self, time: Duration) {
        let Some(path) = &self.path else { return };
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        let running = until.is_some();
        *until = Some(Instant::now() + time);
        drop(until);
        if running {
            return;
        }
        let before = trigger(path);
        fs::write(path.join("trigger"), "timer").ok();
        fs::write(path.join("delay_on"), "100").ok();
        fs::write(path.join("delay_off"), "100").ok();
        std::thread::spawn(move || {
            self.wait();
            fs::write(path.join("trigger"), before).ok();
        });
    }

    fn wait(&self) {
        loop {
            let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
            match until.and_then(|u| u.checked_duration_since(Instant::now())) {
                Some(left) if !left.is_zero() => {
                    drop(until);
                    std::thread::sleep(left);
                }
                _ => {
                    *until = None;
                    return;
                }
            }
        }
    }
}

/// What drives the LED now: the word in brackets.
fn trigger(path: &Path) -> String {
    let all = sysfs::text(&path.join("trigger")).unwrap_or_default();
    let chosen = all.split(['[', ']']).nth(1);
    chosen.unwrap_or("none").to_owned()
}
