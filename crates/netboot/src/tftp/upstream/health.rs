//! Whether the producer still answers at all.
//!
//! One transfer that gets no blocks may be one transfer's trouble. Several in a row, with nobody
//! served in between, mean that the producer hangs; then the whole server is started anew.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Notify;

const MOST_SILENT: u32 = 3;

#[derive(Debug, Default)]
pub(in super::super) struct Health {
    silent: AtomicU32,
    dead: Notify,
}

impl Health {
    /// A transfer got a piece.
    pub(super) fn answered(&self) {
        self.silent.store(0, Ordering::Relaxed);
    }

    /// A transfer waited in vain.
    pub(super) fn silent(&self) {
        if self.silent.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_SILENT {
            self.dead.notify_one();
        }
    }

    /// Waits until the producer has to be given up.
    pub(in super::super) async fn until_dead(&self) -> io::Error {
        self.dead.notified().await;
        io::Error::new(io::ErrorKind::TimedOut, "it does not answer any more")
    }
}

#[cfg(test)]
mod tests {
    use futures_lite::future::{block_on, poll_once};

    use super::Health;

    #[test]
    fn only_silence_without_an_answer_in_between_counts() {
        let health = Health::default();
        let is_dead = || block_on(poll_once(health.until_dead())).is_some();
        for _ in 0..4 {
            health.silent();
            health.silent();
            health.answered();
        }
        assert!(!is_dead());
        for _ in 0..3 {
            health.silent();
        }
        assert!(is_dead());
    }
}
