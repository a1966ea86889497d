//! One server: whether it is wanted, what runs, and what is shown of it.

use super::backoff::Backoff;
use super::launch::Launched;
use std::net::SocketAddrV4;
use std::time::{Duration, Instant};
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;
use wire::Millis;
use wire::health::{ServerKind, ServerState, ServerStatus};

/// How often a server that cannot be opened is tried again.
const RETRY: Duration = Duration::from_secs(3);

/// One server of the deployment side.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) kind: ServerKind,
    /// Does the operator want it?
    pub(super) wanted: bool,
    running: Option<Running>,
    backoff: Backoff,
    /// What stands in the way of starting it, and when to try again.
    trouble: Option<(ServerState, Instant)>,
    shown: ServerStatus,
}

#[derive(Debug)]
struct Running {
    stop: CancellationToken,
    task: AbortHandle,
    listen: String,
    at: SocketAddrV4,
}

impl Slot {
    pub(super) fn new(kind: ServerKind) -> Self {
        Self {
            kind,
            wanted: true,
            running: None,
            backoff: Backoff::default(),
            trouble: None,
            shown: ServerStatus {
                server: kind,
                state: ServerState::Stopped,
                listen: None,
                since: Millis::now(),
            },
        }
    }

    /// The operator wants it; true when that is news.
    pub(super) fn start_wanted(&mut self) -> bool {
        !std::mem::replace(&mut self.wanted, true)
    }

    /// Where it listens now.
    pub(super) fn at(&self) -> Option<SocketAddrV4> {
        self.running.as_ref().map(|r| r.at)
    }

    /// May it be started now?
    pub(super) fn may_start(&self, now: Instant) -> bool {
        self.running.is_none() && self.trouble.as_ref().is_none_or(|(_, at)| *at <= now)
    }

    /// When it wants to be looked at again.
    pub(super) fn retry_at(&self) -> Option<Instant> {
        self.trouble.as_ref().map(|(_, at)| *at)
    }

    /// It was started.
    pub(super) fn started(
        &mut self,
        launched: &Launched,
        stop: CancellationToken,
        task: AbortHandle,
    ) {
        self.backoff.serving(Instant::now());
        self.trouble = None;
        self.running = Some(Running {
            stop,
            task,
            listen: launched.listen.clone(),
            at: launched.at,
        });
    }

    /// It could not be opened.
    pub(super) fn refused(&mut self, why: String) {
        self.trouble = Some((ServerState::Refused { why }, Instant::now() + RETRY));
    }

    /// Its task with this id ended; true when it ended by itself.
    pub(super) fn ended(&mut self, task: tokio::task::Id, why: String) -> bool {
        if self.running.as_ref().is_none_or(|r| r.task.id() != task) {
            return false;
        }
        self.running = None;
        let now = Instant::now();
        let (times, pause) = self.backoff.failed(now);
        self.trouble = Some((ServerState::Restarting { why, times }, now + pause));
        true
    }

    /// Asks it to stop; its task, which is named, ends on its own.
    pub(super) fn stop(&mut self) -> Option<tokio::task::Id> {
        self.trouble = None;
        let running = self.running.take()?;
        running.stop.cancel();
        Some(running.task.id())
    }

    /// What stands in the way of it.
    pub(super) fn trouble(&self) -> Option<&ServerState> {
        self.trouble.as_ref().map(|(state, _)| state)
    }

    /// Shows a state; the status, when that is news.
    pub(super) fn show(&mut self, state: ServerState) -> Option<ServerStatus> {
        let listen = self.running.as_ref().map(|r| r.listen.clone());
        if self.shown.state == state && self.shown.listen == listen {
            return None;
        }
        if self.shown.state != state {
            self.shown.since = Millis::now();
        }
        self.shown.state = state;
        self.shown.listen = listen;
        Some(self.shown.clone())
    }
}
