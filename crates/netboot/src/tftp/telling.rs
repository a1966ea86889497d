//! The way events leave: never in the way of a board.
//!
//! Transfers drop events into a queue without waiting; one task carries them on, as slowly as the
//! listener likes. Progress gives way first: it is left out while the queue is more than half
//! full. The queue holds far more than all transfers' steps at once; what overflows it (a flood of
//! requests for missing files that nobody listens to) is counted and logged.

use std::net::SocketAddr;

use tokio::sync::mpsc;

use super::{TftpEvent, What};

const QUEUE: usize = 8192;

/// Where events are dropped.
#[derive(Debug, Clone)]
pub(super) struct Telling(mpsc::Sender<TftpEvent>);

/// The other end of the queue, for [`carry`].
pub(super) type Told = mpsc::Receiver<TftpEvent>;

/// A queue for events.
pub(super) fn queue() -> (Telling, Told) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    (Telling(sender), receiver)
}

/// Carries events on until the last transfer has told its end.
pub(super) async fn carry(mut told: Told, listener: mpsc::Sender<TftpEvent>) {
    while let Some(event) = told.recv().await {
        if listener.send(event).await.is_err() {
            return;
        }
    }
}

impl Telling {
    pub(super) fn tell(&self, client: SocketAddr, transfer: u64, path: &str, what: What) {
        let progress = matches!(what, What::Progress { .. });
        if progress && self.0.capacity() < QUEUE / 2 {
            return;
        }
        let event = TftpEvent {
            client,
            transfer,
            path: path.to_owned(),
            what,
        };
        if let Err(mpsc::error::TrySendError::Full(event)) = self.0.try_send(event) {
            tracing::warn!(?event, "nobody takes the TFTP events; one is lost");
        }
    }
}
