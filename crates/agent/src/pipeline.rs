//! From the wire to the writer: fetch, decompress and check, hand on.
//!
//! Two threads keep two ranges under way, a few threads decompress and hash, the caller's thread
//! writes. Frames and chunks in flight share one [`Budget`], so that the whole pipeline fits a board
//! with 1 GB of memory whatever the size of chunks. A connection that breaks or a chunk that comes
//! damaged goes back into the plan; nothing that was accepted is fetched again.

use crate::budget::Budget;
use crate::failure::Trouble;
use crate::gauge::Gauge;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use delivery::plan::{Fetch, Next, Plan};
use delivery::{Sink, Transport, TransportError};
use imaging::pack::decode_chunk;
use imaging::write::{Chunks, WriteError};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use wire::manifest::Manifest;
use wire::time::Millis;

/// Memory for frames and chunks in flight, in bytes. With the writer's and the sockets' own buffers
/// the whole stays below 64 MiB.
const BUDGET: usize = 48 << 20;
/// Threads that fetch; each keeps one range under way.
const FETCHERS: usize = 2;
/// How often threads that wait look whether the work was called off.
const LOOK: Duration = Duration::from_millis(200);
/// Answers of "no" in a row after which the pack counts as not to be had.
const MOST_REFUSALS: u32 = 20;
/// How often a single chunk may come damaged.
const MOST_DAMAGED: u32 = 5;

/// What the threads share.
struct Line<'a> {
    transport: &'a dyn Transport,
    manifest: &'a Manifest,
    gauge: &'a Gauge,
    plan: Mutex<Plan>,
    changed: Condvar,
    budget: Budget,
    closed: AtomicBool,
    received: &'a AtomicU64,
    started: Instant,
}

/// What a job's pipeline works with.
pub(crate) struct Intake<'a> {
    /// Brings the frames.
    pub(crate) transport: &'a dyn Transport,
    /// Says what they must be.
    pub(crate) manifest: &'a Manifest,
    /// Is told who is busy.
    pub(crate) gauge: &'a Gauge,
    /// Counts bytes received.
    pub(crate) received: &'a AtomicU64,
    /// Says when to end.
    pub(crate) halted: &'a (dyn Fn() -> Option<Trouble> + Sync),
    /// First and longest pause after a failure.
    pub(crate) pauses: (Duration, Duration),
}

/// Threads that decompress on this machine.
pub(crate) fn decoders() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    // One core is left to the kernel and the writer.
    cores.saturating_sub(1).clamp(1, 4)
}

impl Intake<'_> {
    /// Starts the pipeline for every chunk but the first, which is at hand already, and lends its
    /// end to `body`. All threads have ended when this returns.
    pub(crate) fn with_feed<R>(&self, body: impl FnOnce(&mut Feed<'_>) -> R) -> R {
        let (pause, longest_pause) = self.pauses;
        let settings = delivery::plan::Settings {
            at_once: FETCHERS,
            pause,
            longest_pause,
            most_damaged: MOST_DAMAGED,
            ..delivery::plan::Settings::default()
        };
        let mut plan = Plan::new(self.manifest, settings);
        plan.arrived(0);
        plan.accepted(0);
        let line = Line {
            transport: self.transport,
            manifest: self.manifest,
            gauge: self.gauge,
            plan: Mutex::new(plan),
            changed: Condvar::new(),
            budget: Budget::new(BUDGET),
            closed: AtomicBool::new(false),
            received: self.received,
            started: Instant::now(),
        };
        let (to_decode, decode) = unbounded();
        let (to_write, write) = unbounded();
        std::thread::scope(|scope| {
            for _ in 0..FETCHERS {
                let (line, to_decode, to_write) = (&line, to_decode.clone(), to_write.clone());
                scope.spawn(move || line.fetcher(&to_decode, &to_write));
            }
            for _ in 0..decoders() {
                let (line, decode, to_write) = (&line, decode.clone(), to_write.clone());
                scope.spawn(move || line.decoder(&decode, &to_write));
            }
            drop((to_decode, to_write));
            let mut feed = Feed {
                intake: self,
                line: &line,
                write,
                handed_on: None,
            };
            let result = body(&mut feed);
            line.close();
            result
        })
    }

    /// Fetches one chunk by itself: the first one, and those that have to be written again.
    pub(crate) fn fetch_one(&self, index: usize) -> Result<Vec<u8>, WriteError> {
        struct One(Option<Vec<u8>>);
        impl Sink for One {
            fn room(&mut self, _: usize, bytes: usize) -> Option<Vec<u8>> {
                Some(Vec::with_capacity(bytes))
            }
            fn frame(&mut self, _: usize, frame: Vec<u8>) {
                self.0 = Some(frame);
            }
        }
        let chunk = &self.manifest.chunks[index];
        let fetch = Fetch {
            id: 0,
            range: chunk.offset..chunk.offset.saturating_add(chunk.packed),
            frames: vec![(index, chunk.packed as usize)],
        };
        let (mut damaged, mut refused) = (0, 0);
        let (mut pause, longest) = self.pauses;
        loop {
            if let Some(trouble) = (self.halted)() {
                return Err(stopped(trouble));
            }
            let mut one = One(None);
            let result = self.transport.fetch(&fetch, &mut one);
            if let Some(frame) = one.0 {
                self.received
                    .fetch_add(frame.len() as u64, Ordering::Relaxed);
                match decode_chunk(self.manifest, index, &frame) {
                    Ok(raw) => return Ok(raw),
                    Err(e) => {
                        damaged += 1;
                        if damaged >= MOST_DAMAGED {
                            return Err(WriteError::Chunks(format!("{e}, {damaged} times")));
                        }
                    }
                }
            } else if let Err(TransportError::Refused(why)) = result {
                refused += 1;
                if refused >= MOST_REFUSALS {
                    return Err(WriteError::Chunks(why));
                }
            }
            self.rest(pause);
            pause = (pause * 2).min(longest);
        }
    }

    /// Waits, but not when the work is called off.
    fn rest(&self, time: Duration) {
        let until = Instant::now() + time;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            if left.is_zero() || (self.halted)().is_some() {
                break;
            }
            std::thread::sleep(left.min(LOOK));
        }
    }
}

fn stopped(trouble: Trouble) -> WriteError {
    match trouble {
        Trouble::Stopped(why) => WriteError::Stopped(why),
        Trouble::PowerLost => WriteError::Stopped("the power is gone".to_owned()),
        Trouble::Failed(failure) => WriteError::Stopped(failure.what),
    }
}

/// A chunk on its way to the writer, or the reason why no more will come.
type Handed = Result<(usize, Vec<u8>), String>;

impl Line<'_> {
    fn now(&self) -> Millis {
        Millis(i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX))
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        self.budget.close();
        self.changed.notify_all();
    }

    /// What a chunk takes of the budget: its frame, its raw bytes.
    fn need(&self, chunk: usize) -> (usize, usize) {
        let packed = self.manifest.chunks[chunk].packed;
        (packed as usize, self.manifest.len_of(chunk))
    }

    fn fetcher(&self, to_decode: &Sender<(usize, Vec<u8>)>, to_write: &Sender<Handed>) {
        let mut refused = 0;
        while !self.closed.load(Ordering::Relaxed) {
            let mut plan = self.plan();
            let wait = match plan.next(self.now()) {
                Next::Complete => {
                    self.changed.notify_all();
                    return;
                }
                Next::Busy => LOOK,
                Next::WaitUntil(then) => {
                    let ms = then.since(self.now()).clamp(1, 200);
                    Duration::from_millis(ms.unsigned_abs())
                }
                Next::Fetch(fetch) => {
                    drop(plan);
                    match self.fetch(&fetch, to_decode) {
                        Ok(()) => refused = 0,
                        Err(TransportError::Broken(why)) => {
                            tracing::info!(%why, "trying again");
                        }
                        Err(TransportError::Refused(why)) => {
                            refused += 1;
                            if refused >= MOST_REFUSALS {
                                to_write.send(Err(why)).ok();
                                return;
                            }
                        }
                        Err(TransportError::Unwanted) => return,
                    }
                    continue;
                }
            };
            let waited = self.changed.wait_timeout(plan, wait);
            drop(waited.unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn fetch(
        &self,
        fetch: &Fetch,
        to_decode: &Sender<(usize, Vec<u8>)>,
    ) -> Result<(), TransportError> {
        let mut intake = Arriving {
            line: self,
            to_decode,
            taken: 0,
        };
        let result = self.transport.fetch(fetch, &mut intake);
        drop(intake);
        self.plan().ended(fetch.id, result.is_ok(), self.now());
        self.changed.notify_all();
        result
    }

    fn decoder(&self, decode: &Receiver<(usize, Vec<u8>)>, to_write: &Sender<Handed>) {
        for (chunk, frame) in decode {
            if self.closed.load(Ordering::Relaxed) {
                continue;
            }
            let begun = Instant::now();
            let decoded = decode_chunk(self.manifest, chunk, &frame);
            self.gauge.decoded(begun.elapsed());
            let (packed, raw) = self.need(chunk);
            drop(frame);
            self.budget.give_back(packed);
            match decoded {
                Ok(bytes) => {
                    self.plan().accepted(chunk);
                    to_write.send(Ok((chunk, bytes))).ok();
                }
                Err(why) => {
                    self.budget.give_back(raw);
                    tracing::warn!(%why, "asking again");
                    if let Err(spoiled) = self.plan().damaged(chunk) {
                        to_write.send(Err(format!("{spoiled}: {why}"))).ok();
                    }
                }
            }
            self.changed.notify_all();
        }
    }
}

/// Takes frames off the wire as far as there is memory for them.
struct Arriving<'a> {
    line: &'a Line<'a>,
    to_decode: &'a Sender<(usize, Vec<u8>)>,
    /// Taken from the budget for a frame that is not whole yet.
    taken: usize,
}

impl Sink for Arriving<'_> {
    fn room(&mut self, chunk: usize, bytes: usize) -> Option<Vec<u8>> {
        let (packed, raw) = self.line.need(chunk);
        if !self.line.budget.take(packed + raw) {
            return None;
        }
        self.taken = packed + raw;
        Some(Vec::with_capacity(bytes))
    }

    fn frame(&mut self, chunk: usize, frame: Vec<u8>) {
        let received = &self.line.received;
        received.fetch_add(frame.len() as u64, Ordering::Relaxed);
        if self.line.plan().arrived(chunk) {
            self.taken = 0;
            self.to_decode.send((chunk, frame)).ok();
        } else {
            self.line.budget.give_back(std::mem::take(&mut self.taken));
        }
    }
}

impl Drop for Arriving<'_> {
    fn drop(&mut self) {
        self.line.budget.give_back(self.taken);
    }
}

/// The end of the pipeline, as the writer sees it.
pub(crate) struct Feed<'a> {
    intake: &'a Intake<'a>,
    line: &'a Line<'a>,
    write: Receiver<Handed>,
    /// When the last chunk was handed on, and its length.
    handed_on: Option<(Instant, usize)>,
}

impl Chunks for Feed<'_> {
    fn next(&mut self) -> Result<Option<(usize, Vec<u8>)>, WriteError> {
        if let Some((since, bytes)) = self.handed_on.take() {
            // Asking for the next one means that the last one is written.
            self.line.gauge.written(since.elapsed());
            self.line.budget.give_back(bytes);
        }
        loop {
            if let Some(trouble) = (self.intake.halted)() {
                return Err(stopped(trouble));
            }
            match self.write.recv_timeout(LOOK) {
                Ok(Ok((chunk, bytes))) => {
                    self.handed_on = Some((Instant::now(), bytes.len()));
                    return Ok(Some((chunk, bytes)));
                }
                Ok(Err(why)) => return Err(WriteError::Chunks(why)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
    }

    fn again(&mut self, index: usize) -> Result<Vec<u8>, WriteError> {
        self.intake.fetch_one(index)
    }
}
