//! The rate of a long step, over the last few seconds.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Seconds that the rate is taken over: long enough to hide a card's pauses, short enough to follow.
const SPAN: Duration = Duration::from_secs(4);

/// Measures bytes per second.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    samples: VecDeque<(Instant, u64)>,
}

impl Meter {
    /// Takes note that `done` bytes are done, and says the rate in bytes per second.
    pub(crate) fn rate(&mut self, done: u64, now: Instant) -> u64 {
        // A step that began anew.
        if self.samples.back().is_some_and(|(_, last)| *last > done) {
            self.samples.clear();
        }
        self.samples.push_back((now, done));
        while self.samples.len() > 2 && now.duration_since(self.samples[1].0) >= SPAN {
            self.samples.pop_front();
        }
        let Some((since, before)) = self.samples.front() else {
            return 0;
        };
        let passed = now.duration_since(*since).as_millis() as u64;
        if passed < 10 {
            return 0;
        }
        (done - before).saturating_mul(1000) / passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_follows_and_forgets() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let mut meter = Meter::default();
        assert_eq!(meter.rate(0, start), 0);
        assert_eq!(meter.rate(100, start + second), 100);
        for i in 2..10 {
            meter.rate(100, start + second * i);
        }
        assert_eq!(meter.rate(100, start + second * 10), 0, "it stands still");
        assert_eq!(meter.rate(50, start + second * 11), 0, "it began anew");
        assert_eq!(meter.rate(150, start + second * 12), 100);
    }
}
