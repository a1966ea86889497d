//! The tap between a board's transfer and the producer's reader of the same file.
//!
//! The producer knows neither back pressure nor an end from outside: left alone it sends a block
//! and repeats it until somebody acknowledges. So its reader is the lever. It waits here until
//! there is room for another piece, which means that no timer of the producer runs while a board
//! takes its time, and it fails as soon as the gate is closed, which makes the producer drop the
//! transfer at once. The gate also tells when the producer has let go of the reader: only then may
//! the loopback port be used by anybody else.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::sync::Notify;

#[derive(Debug, Default)]
pub(super) struct Gate {
    state: Mutex<State>,
    let_go: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Bytes that may have been read in all.
    allowed: u64,
    closed: bool,
    let_go: bool,
    reader: Option<Waker>,
}

/// The gate was closed; nobody wants the rest.
#[derive(Debug)]
pub(super) struct Closed;

impl Gate {
    /// Lets the reader go on up to this many bytes in all.
    pub(super) fn allow(&self, bytes: u64) {
        let mut state = self.lock();
        if bytes > state.allowed {
            state.allowed = bytes;
            wake(state);
        }
    }

    /// Lets nothing through any more.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        wake(state);
    }

    /// How many more bytes may be read by a reader that has read `done`.
    pub(super) fn poll_room(&self, done: u64, cx: &Context<'_>) -> Poll<Result<u64, Closed>> {
        let mut state = self.lock();
        if state.closed {
            return Poll::Ready(Err(Closed));
        }
        match state.allowed.saturating_sub(done) {
            0 => {
                state.reader = Some(cx.waker().clone());
                Poll::Pending
            }
            room => Poll::Ready(Ok(room)),
        }
    }

    /// The producer dropped its reader.
    pub(super) fn let_go(&self) {
        self.lock().let_go = true;
        self.let_go.notify_one();
    }

    /// Waits until the producer has dropped its reader.
    pub(super) async fn until_let_go(&self) {
        while !self.lock().let_go {
            self.let_go.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the reader outside the lock.
fn wake(mut state: MutexGuard<'_, State>) {
    let waker = state.reader.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}
