//! How fast a virtual board lives.
//!
//! A real board spends seconds on nothing: memory training, link negotiation, LED patterns after a
//! failed boot mode. Those pauses prove nothing in a rehearsal and are shortened. What a server can
//! get wrong is kept: how long a request waits for its answer before it is sent again, and how
//! often. Both are factors, so that a soak run can have the real times.

use std::time::Duration;

/// Two factors on the times of a real board.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// On pauses in which the board does nothing.
    pub pauses: f64,
    /// On the time after which a request is repeated or given up.
    pub retries: f64,
}

impl Default for Pace {
    /// A rehearsal: pauses a hundredth, retries as on a real board.
    fn default() -> Self {
        Self {
            pauses: 0.01,
            retries: 1.0,
        }
    }
}

impl Pace {
    /// A real board's times.
    pub const REAL: Self = Self {
        pauses: 1.0,
        retries: 1.0,
    };

    /// A board in a hurry, for tests of faults that wait for a retry again and again.
    pub const HURRIED: Self = Self {
        pauses: 0.005,
        retries: 0.1,
    };

    /// A pause of a real board, scaled.
    pub fn pause(&self, real: Duration) -> Duration {
        scale(real, self.pauses)
    }

    /// A retry time of a real board, scaled; at least 5 ms, so that an answer has a chance.
    pub fn retry(&self, real: Duration) -> Duration {
        scale(real, self.retries).max(Duration::from_millis(5))
    }
}

fn scale(real: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(real.as_secs_f64() * factor.max(0.0)).unwrap_or(real)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_shrink_and_retries_stay() {
        let pace = Pace::default();
        let second = Duration::from_secs(1);
        assert_eq!(pace.pause(second), Duration::from_millis(10));
        assert_eq!(pace.retry(second), second);
        assert_eq!(Pace::REAL.pause(second), second);
    }
}
