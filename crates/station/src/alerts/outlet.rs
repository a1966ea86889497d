//! A way with a thread and a queue of its own. What cannot be delivered is tried again, at growing
//! intervals, and meanwhile takes in what is to be said as well.

use super::{Message, Way};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

/// Messages that may wait; the thread takes them in at once unless it is sending.
const QUEUE: usize = 256;

/// How an outlet deals with its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Pause after a failure; each further one is twice as long.
    pub first: Duration,
    /// The longest of these pauses.
    pub longest: Duration,
    /// Failures after which a message is given up.
    pub tries: u32,
    /// Least time between two messages: what comes meanwhile is one.
    pub apart: Duration,
}

impl Default for Patience {
    /// About six hours.
    fn default() -> Self {
        Self {
            first: Duration::from_secs(5),
            longest: Duration::from_mins(30),
            tries: 20,
            apart: Duration::from_mins(1),
        }
    }
}

/// An open outlet; it ends when this is dropped.
#[derive(Debug)]
pub struct Outlet {
    queue: SyncSender<Message>,
    name: String,
}

impl Outlet {
    /// Opens a way.
    pub fn open(way: Way, patience: Patience) -> Self {
        let (queue, messages) = sync_channel(QUEUE);
        let name = way.name.clone();
        let thread = std::thread::Builder::new().name("alerts".to_owned());
        if let Err(error) = thread.spawn(move || deliver(&way, patience, &messages)) {
            tracing::error!(%error, way = %name, "no alert can be sent");
        }
        Self { queue, name }
    }

    /// Has a message sent. Never blocks.
    pub fn post(&self, message: Message) {
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) =
            self.queue.try_send(message)
        {
            tracing::warn!(way = %self.name, "an alert is lost: too many wait");
        }
    }
}

fn deliver(way: &Way, patience: Patience, messages: &Receiver<Message>) {
    let mut free = Instant::now();
    while let Ok(mut message) = messages.recv() {
        let mut failures = 0;
        let apart = free.saturating_duration_since(Instant::now());
        if !wait(apart, &mut message, messages) {
            return;
        }
        loop {
            let pause = match way.send(&message) {
                Ok(()) => {
                    tracing::debug!(way = %way.name, "an alert was sent");
                    break;
                }
                Err(why) => {
                    failures += 1;
                    if failures >= patience.tries {
                        tracing::error!(way = %way.name, why, "an alert is given up");
                        break;
                    }
                    tracing::warn!(way = %way.name, why, failures, "an alert was not delivered");
                    let pause = patience.first.saturating_mul(1 << (failures - 1).min(16));
                    pause.min(patience.longest)
                }
            };
            if !wait(pause, &mut message, messages) {
                return;
            }
        }
        free = Instant::now() + patience.apart;
    }
}

/// Waits, and takes in what comes meanwhile; false when nobody will post any more.
fn wait(pause: Duration, message: &mut Message, messages: &Receiver<Message>) -> bool {
    let end = Instant::now() + pause;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        match messages.recv_timeout(left) {
            Ok(later) => message.absorb(later),
            Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
}
