//! What holds the pipeline back: the network, the processor or the disk.
//!
//! Each stage says how long it was busy. Looked at over a window, the stage that was busy nearly all
//! the time is the one that the others wait for; when neither the disk nor the processor was, the
//! bytes did not come fast enough.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use wire::board::Limit;

/// A stage that is busy for this share of the time holds the others back.
const HOLDS_BACK: f64 = 0.75;
/// Length of the window.
const WINDOW: Duration = Duration::from_secs(2);

/// Time that stages were busy.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    decode_ns: AtomicU64,
    write_ns: AtomicU64,
}

impl Gauge {
    pub(crate) fn decoded(&self, busy: Duration) {
        self.decode_ns
            .fetch_add(busy.as_nanos() as u64, Ordering::Relaxed);
    }

    pub(crate) fn written(&self, busy: Duration) {
        self.write_ns
            .fetch_add(busy.as_nanos() as u64, Ordering::Relaxed);
    }
}

/// The look at a [`Gauge`] over a moving window.
#[derive(Debug)]
pub(crate) struct Look {
    since: Instant,
    decode_ns: u64,
    write_ns: u64,
    decoders: usize,
    verdict: Limit,
}

impl Look {
    pub(crate) fn new(decoders: usize, now: Instant) -> Self {
        Self {
            since: now,
            decode_ns: 0,
            write_ns: 0,
            decoders: decoders.max(1),
            verdict: Limit::Unknown,
        }
    }

    /// The verdict of the last full window.
    pub(crate) fn limit(&mut self, gauge: &Gauge, now: Instant) -> Limit {
        let passed = now.saturating_duration_since(self.since);
        // The very first verdict comes early, so that a short job has one too.
        let enough = match self.verdict {
            Limit::Unknown => WINDOW / 8,
            _ => WINDOW,
        };
        if passed < enough {
            return self.verdict;
        }
        let decode = gauge.decode_ns.load(Ordering::Relaxed);
        let write = gauge.write_ns.load(Ordering::Relaxed);
        let share =
            |busy: u64, threads: usize| busy as f64 / (passed.as_nanos() as f64 * threads as f64);
        self.verdict = if share(write - self.write_ns, 1) >= HOLDS_BACK {
            Limit::Disk
        } else if share(decode - self.decode_ns, self.decoders) >= HOLDS_BACK {
            Limit::Processor
        } else {
            Limit::Network
        };
        (self.since, self.decode_ns, self.write_ns) = (now, decode, write);
        self.verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busy_stage_is_blamed() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let (gauge, mut look) = (Gauge::default(), Look::new(2, start));
        assert_eq!(look.limit(&gauge, start), Limit::Unknown);
        gauge.written(second);
        assert_eq!(look.limit(&gauge, start + second), Limit::Disk);
        gauge.decoded(second * 4);
        assert_eq!(
            look.limit(&gauge, start + second * 2),
            Limit::Disk,
            "window"
        );
        assert_eq!(look.limit(&gauge, start + second * 3), Limit::Processor);
        assert_eq!(look.limit(&gauge, start + second * 6), Limit::Network);
    }
}
