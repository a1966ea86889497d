//! What a screen would show: the fold of the station's watch stream, on which tests wait.

use crate::running::Running;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};
use wire::event::Event;
use wire::update::{Snapshot, Update};

/// Everything heard so far.
#[derive(Default)]
pub struct Heard {
    /// The station as it is now; `None` before the first snapshot.
    pub now: Option<Snapshot>,
    /// Every event row heard, oldest first.
    pub events: Vec<Event>,
    /// Every line that was no update.
    pub nonsense: Vec<String>,
    /// The stream has ended.
    pub ended: bool,
}

/// A reader of the watch stream.
pub struct Watch {
    heard: Arc<(Mutex<Heard>, Condvar)>,
    _curl: Running,
}

impl Watch {
    /// Reads the stream behind a Unix socket, with curl: the protocol is for everybody.
    pub fn open(socket: &Path) -> Self {
        let mut command = Command::new("curl");
        command
            .args(["--silent", "--no-buffer", "--unix-socket"])
            .arg(socket)
            .arg("http://punnet/api/v1/watch")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut curl = Running::start(command);
        let stdout = curl.child().stdout.take().expect("piped above");
        let heard: Arc<(Mutex<Heard>, Condvar)> = Arc::default();
        let writer = Arc::clone(&heard);
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                note(&writer, &line);
            }
            change(&writer, |heard| heard.ended = true);
        });
        Self { heard, _curl: curl }
    }

    /// Waits until the closure finds what it looks for.
    ///
    /// # Errors
    /// What was last known, when that takes longer than `at_most` or the stream ends.
    pub fn find<T>(
        &self,
        at_most: Duration,
        mut found: impl FnMut(&Heard) -> Option<T>,
    ) -> Result<T, String> {
        let deadline = Instant::now() + at_most;
        let (lock, changed) = &*self.heard;
        let mut heard = lock.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(it) = found(&heard) {
                return Ok(it);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || heard.ended {
                return Err(describe(&heard));
            }
            heard = changed
                .wait_timeout(heard, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

fn note(heard: &(Mutex<Heard>, Condvar), line: &str) {
    // Server-sent events carry each update behind `data:`; comments and blank lines say nothing.
    let text = line.strip_prefix("data:").unwrap_or(line).trim();
    if text.is_empty() || text.starts_with(':') || text.starts_with("event:") {
        return;
    }
    match serde_json::from_str::<Update>(text) {
        Ok(update) => change(heard, |heard| {
            if let Update::Event(event) = &update {
                heard.events.push(event.clone());
            }
            match (&mut heard.now, update) {
                (Some(now), update) => now.fold(update),
                (now @ None, Update::Snapshot(all)) => *now = Some(*all),
                (None, other) => heard
                    .nonsense
                    .push(format!("before the first snapshot: {other:?}")),
            }
        }),
        Err(e) => change(heard, |heard| heard.nonsense.push(format!("{e}: {text}"))),
    }
}

fn change(heard: &(Mutex<Heard>, Condvar), apply: impl FnOnce(&mut Heard)) {
    let mut guard = heard.0.lock().unwrap_or_else(PoisonError::into_inner);
    apply(&mut guard);
    drop(guard);
    heard.1.notify_all();
}

fn describe(heard: &Heard) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    let Some(now) = &heard.now else {
        return format!(
            "the watch stream gave no snapshot (ended: {}; {:?})",
            heard.ended, heard.nonsense
        );
    };
    for server in &now.servers {
        let _ = writeln!(text, "server {server:?}");
    }
    for finding in &now.findings {
        let _ = writeln!(text, "finding {}: {}", finding.check, finding.text);
    }
    for board in &now.boards {
        let _ = writeln!(
            text,
            "board {} {} {:?} hold {:?} failure {:?} detail {:?}",
            board.id, board.mac, board.stage, board.hold, board.failure, board.detail
        );
    }
    for import in &now.imports {
        let _ = writeln!(text, "import {import:?}");
    }
    for event in heard.events.iter().rev().take(30).rev() {
        let _ = writeln!(text, "event {} {}: {}", event.id, event.kind, event.text);
    }
    if heard.ended {
        text.push_str("the watch stream has ended\n");
    }
    for line in &heard.nonsense {
        let _ = writeln!(text, "not an update: {line}");
    }
    text
}
