//! How long to wait before a server that failed is started again.

use std::time::{Duration, Instant};

/// The first pause; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(10);
/// A server that served this long has recovered, and its failures are forgotten.
const RECOVERED: Duration = Duration::from_mins(1);

/// The failures of one server.
#[derive(Debug, Clone, Default)]
pub struct Backoff {
    times: u32,
    serving_since: Option<Instant>,
}

impl Backoff {
    /// The server serves.
    pub fn serving(&mut self, now: Instant) {
        self.serving_since = Some(now);
    }

    /// The server failed: how often by now, and how long to wait.
    pub fn failed(&mut self, now: Instant) -> (u32, Duration) {
        let served = self.serving_since.take().map(|since| now - since);
        if served.is_some_and(|time| time >= RECOVERED) {
            self.times = 0;
        }
        self.times = self.times.saturating_add(1);
        let pause = FIRST.saturating_mul(1 << (self.times - 1).min(10));
        (self.times, pause.min(LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_ten_seconds_and_a_minute_of_service_forgives() {
        let mut backoff = Backoff::default();
        let mut now = Instant::now();
        let pauses: Vec<u128> = (0..9)
            .map(|_| {
                backoff.serving(now);
                now += Duration::from_secs(1);
                backoff.failed(now).1.as_millis()
            })
            .collect();
        let wanted = [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000];
        assert_eq!(pauses, wanted);
        backoff.serving(now);
        now += RECOVERED;
        assert_eq!(backoff.failed(now), (1, FIRST));
    }

    #[test]
    fn a_server_that_never_serves_does_not_overflow() {
        let mut backoff = Backoff::default();
        for _ in 0..100 {
            assert!(backoff.failed(Instant::now()).1 <= LONGEST);
        }
    }
}
