//! The desk: the one thread at which all work is done, and everything it owns.

use super::advise::EVENTS;
use super::boot_view::BootView;
use super::config::Config;
use super::effect::Effect;
use super::noticed::Noticed;
use super::plans::Plans;
use super::turn::{Draft, Turn};
use super::watch::Published;
use crate::bench::boards::Bench;
use crate::bench::seat::Seat;
use crate::bench::{advice, stalls};
use crate::store::{self, Connection, Store, StoreError};
use std::collections::{BTreeSet, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use wire::refusal::Refusal;
use wire::update::Update;
use wire::{BoardId, Millis};

/// Progress of one board is published at most this often: twice a second.
pub(super) const PROGRESS_MS: i64 = 500;
/// A mere sign of life of one board is published at most this often.
const ALIVE_MS: i64 = 10_000;

/// Tells the time; tests bring their own.
pub(super) type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// One entry of the queue.
pub(super) enum Message {
    /// Work, with its own way to answer.
    Work(Box<dyn FnOnce(&mut Desk) + Send>),
    /// The last one.
    Close(oneshot::Sender<()>),
}

/// Everything the thread owns.
pub(super) struct Desk {
    pub(super) store: Store,
    pub(super) bench: Bench,
    pub(super) plans: Plans,
    pub(super) config: Config,
    pub(super) published: Arc<Published>,
    pub(super) boots: Arc<BootView>,
    pub(super) effects: mpsc::UnboundedSender<Effect>,
    pub(super) clock: Clock,
    pub(super) noticed: Noticed,
    /// When the disk of the data folder was last looked at.
    pub(super) looked_at_disk: Option<Millis>,
    /// When each board was last published.
    pub(super) told: HashMap<BoardId, Millis>,
    /// Boards with progress that was not published yet.
    pub(super) untold: BTreeSet<BoardId>,
}

impl Desk {
    /// Does one piece of work: all of it, or nothing.
    pub(super) fn turn<T>(
        &mut self,
        work: impl FnOnce(&mut Turn<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let now = (self.clock)();
        let tx = self.store.begin()?;
        let mut turn = Turn::new(
            &tx,
            now,
            &self.bench,
            &self.plans,
            &mut self.config,
            &self.published,
            &mut self.noticed,
        );
        let value = work(&mut turn)?;
        let draft = turn.settle()?;
        tx.commit().map_err(StoreError::from)?;
        self.take(draft, now);
        Ok(value)
    }

    /// Takes a committed draft over and publishes it.
    fn take(&mut self, draft: Draft, now: Millis) {
        let mut updates = Vec::new();
        let plans_changed = !draft.batches.is_empty() || draft.images.is_some();
        let mut changed = Vec::new();
        for (id, seat) in draft.seats {
            changed.push(id);
            if let Some(seat) = seat {
                self.seat(seat, now, &mut updates);
                continue;
            }
            self.told.remove(&id);
            self.untold.remove(&id);
            if self.bench.seat(id).is_some() {
                updates.push(Update::BoardGone(id));
            }
            self.bench.remove(id);
        }
        for (ip, mac) in draft.given {
            self.bench.give(ip, mac);
        }
        for (ip, mac) in draft.leased {
            self.bench.lease(ip, mac);
        }
        let batches = self.plans.take(draft.batches);
        updates.extend(batches.into_iter().map(|b| Update::Batch(Box::new(b))));
        if let Some(images) = draft.images {
            self.plans.images.clone_from(&images);
            updates.push(Update::Images(images));
        }
        updates.extend(draft.updates);
        updates.extend(draft.events.into_iter().map(Update::Event));
        let only = (!plans_changed).then_some(changed.as_slice());
        let strict = self.config.require_token;
        self.boots.refresh(&self.bench, &self.plans, only, strict);
        self.published.publish(updates);
        for effect in draft.effects {
            // Nobody there to do it: the shell is closing.
            let _ = self.effects.send(effect);
        }
    }

    /// Takes a seat over; publishes it now, or soon when only its progress changed.
    fn seat(&mut self, seat: Seat, now: Millis, updates: &mut Vec<Update>) {
        let id = seat.tile.id;
        let every = match self.bench.seat(id) {
            Some(old) if old.tile == seat.tile => None,
            Some(old) => Some(pace(old, &seat)),
            None => Some(0),
        };
        if let Some(every) = every {
            let told = self.told.get(&id);
            if told.is_none_or(|told| now.since(*told) >= every) {
                updates.push(Update::Board(Box::new(seat.tile.clone())));
                self.told.insert(id, now);
                self.untold.remove(&id);
            } else if every == PROGRESS_MS {
                self.untold.insert(id);
            }
        }
        self.bench.put(seat);
    }

    /// Publishes the progress that had to wait.
    pub(super) fn tell_progress(&mut self, now: Millis) {
        let due = |id: &BoardId| {
            let told = self.told.get(id);
            told.is_none_or(|told| now.since(*told) >= PROGRESS_MS)
        };
        let due: Vec<BoardId> = self.untold.iter().copied().filter(due).collect();
        let mut updates = Vec::new();
        for id in due {
            self.untold.remove(&id);
            self.told.insert(id, now);
            let tile = self.bench.seat(id).map(|seat| seat.tile.clone());
            updates.extend(tile.map(|tile| Update::Board(Box::new(tile))));
        }
        if !updates.is_empty() {
            self.published.publish(updates);
        }
    }

    /// Works until the queue ends or closes.
    pub(super) fn run(mut self, queue: &Receiver<Message>) {
        let mut next_tick = Some((self.clock)());
        let mut closing = None;
        loop {
            let wait = next_tick.map(|at| at.since((self.clock)()).max(0).unsigned_abs());
            let message = match wait {
                Some(ms) => queue.recv_timeout(Duration::from_millis(ms)),
                None => queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match message {
                Ok(Message::Work(work)) => {
                    self.guarded(work);
                    next_tick = next_tick.or_else(|| Some((self.clock)()));
                }
                Ok(Message::Close(reply)) => {
                    closing = Some(reply);
                    break;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let now = (self.clock)();
            if next_tick.is_some_and(|at| at <= now) {
                self.guarded(Box::new(Self::tick));
                next_tick = self.next_tick(now);
            }
        }
        self.close();
        if let Some(reply) = closing {
            // The one who asked may have gone.
            let _ = reply.send(());
        }
    }

    /// Work that panics is undone like work that was refused, and the desk goes on.
    fn guarded(&mut self, work: Box<dyn FnOnce(&mut Self) + Send>) {
        let done = std::panic::catch_unwind(AssertUnwindSafe(|| work(self)));
        if done.is_err() {
            tracing::error!("a piece of work broke off; nothing of it was stored");
        }
    }

    fn close(self) {
        self.published.close();
        if let Err(error) = self.store.close() {
            tracing::error!(%error, "the database was not closed tidily");
        }
    }
}

/// How often a change from `old` to `new` is published: at once unless it is only progress, or only
/// a sign of life.
fn pace(old: &Seat, new: &Seat) -> i64 {
    let mut same = old.tile.clone();
    same.last_seen = new.tile.last_seen;
    if same == new.tile {
        return ALIVE_MS;
    }
    same.progress = new.tile.progress;
    if new.tile.stage == wire::Stage::LoadingBootFiles {
        same.detail.clone_from(&new.tile.detail);
    }
    if same == new.tile { PROGRESS_MS } else { 0 }
}

/// Seats the boards where they were. Those that were at work are marked until they are heard of
/// again; those that had been quiet for long are marked as before, which is no news.
pub(super) fn recover(
    conn: &Connection,
    seats: Vec<Seat>,
    plans: &Plans,
    now: Millis,
) -> Result<Bench, StoreError> {
    let mut bench = Bench::default();
    for mut seat in seats {
        if seat.open().is_some() {
            seat.tile.stalled = Some(advice::after_restart(&seat));
        } else if stalls::due(&seat).is_some_and(|due| due <= now) {
            let around = advice::Around {
                events: store::events::newest_of(conn, seat.tile.id, EVENTS)?,
                has_image: plans.images.iter().any(|image| image.active),
                ..advice::Around::default()
            };
            seat.tile.stalled = Some(advice::stall(&seat, &around, now));
        }
        bench.put(seat);
    }
    Ok(bench)
}
