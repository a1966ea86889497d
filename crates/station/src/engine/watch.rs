//! The stream that every screen folds: a snapshot first, then changes, never a hole.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::sync::broadcast;
use tokio_stream::Stream;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;
use wire::Millis;
use wire::update::{Snapshot, Update};

/// Changes that a slow reader may be behind before it gets a fresh snapshot.
const BEHIND: usize = 1024;

/// The state as the world sees it, and the line to everybody who watches.
#[derive(Debug)]
pub(super) struct Published(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    snapshot: Snapshot,
    line: Option<broadcast::Sender<Update>>,
}

impl Published {
    pub(super) fn new(snapshot: Snapshot) -> Arc<Self> {
        let (line, _) = broadcast::channel(BEHIND);
        Arc::new(Self(Mutex::new(Inner {
            snapshot,
            line: Some(line),
        })))
    }

    /// Folds changes into the snapshot and tells everybody, under one lock: whoever subscribes
    /// sees each change either in the snapshot or after it.
    pub(super) fn publish(&self, updates: Vec<Update>) {
        let mut inner = self.lock();
        for update in updates {
            if let Some(line) = &inner.line {
                // Nobody watching is no fault.
                let _ = line.send(update.clone());
            }
            inner.snapshot.fold(update);
        }
    }

    /// Reads the snapshot.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Snapshot) -> T) -> T {
        read(&self.lock().snapshot)
    }

    /// Ends every watch.
    pub(super) fn close(&self) {
        self.lock().line = None;
    }

    fn subscribe(&self) -> (Box<Snapshot>, Option<broadcast::Receiver<Update>>) {
        let inner = self.lock();
        let mut snapshot = Box::new(inner.snapshot.clone());
        snapshot.at = Millis::now();
        (
            snapshot,
            inner.line.as_ref().map(broadcast::Sender::subscribe),
        )
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic while folding leaves a snapshot that is at worst one change old.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One reader's stream.
pub(super) struct Watch {
    published: Arc<Published>,
    first: Option<Box<Snapshot>>,
    changes: Option<BroadcastStream<Update>>,
}

impl Watch {
    pub(super) fn new(published: Arc<Published>) -> Self {
        let mut watch = Self {
            published,
            first: None,
            changes: None,
        };
        watch.restart();
        watch
    }

    fn restart(&mut self) {
        let (snapshot, line) = self.published.subscribe();
        self.first = Some(snapshot);
        self.changes = line.map(BroadcastStream::new);
    }
}

impl Stream for Watch {
    type Item = Update;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Update>> {
        loop {
            if let Some(snapshot) = self.first.take() {
                return Poll::Ready(Some(Update::Snapshot(snapshot)));
            }
            let Some(changes) = &mut self.changes else {
                return Poll::Ready(None);
            };
            match std::task::ready!(Pin::new(changes).poll_next(cx)) {
                Some(Ok(update)) => return Poll::Ready(Some(update)),
                Some(Err(BroadcastStreamRecvError::Lagged(_))) => self.restart(),
                None => return Poll::Ready(None),
            }
        }
    }
}
