//! How fast a board's disk is. A file on the station's own disk is far faster than any card, and a
//! batch that is over in a moment shows nothing to whoever rehearses.

use std::time::{Duration, Instant};

/// What a disk writes and reads, in bytes per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speed {
    /// Writing.
    pub write: u64,
    /// Reading.
    pub read: u64,
}

impl Speed {
    /// An ordinary micro SD card in a Pi 4: the bus gives 45 MB/s, a card of class A1 writes about
    /// half of it in long runs.
    pub const CARD: Self = Self {
        write: 20_000_000,
        read: 45_000_000,
    };

    /// So many percent of an ordinary card; `None`, which is as fast as the file, for 0.
    pub fn of_card(percent: u32) -> Option<Self> {
        let share = |whole: u64| whole * u64::from(percent) / 100;
        (percent > 0).then(|| Self {
            write: share(Self::CARD.write),
            read: share(Self::CARD.read),
        })
    }

    /// How long so many bytes take at `rate` bytes per second.
    fn time(bytes: usize, rate: u64) -> Duration {
        let nanos = bytes as u128 * 1_000_000_000 / u128::from(rate.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// The moment until which a slow disk is busy.
#[derive(Debug)]
pub(crate) struct Brake {
    speed: Option<Speed>,
    busy_until: Instant,
}

impl Brake {
    pub(crate) fn new(speed: Option<Speed>) -> Self {
        Self {
            speed,
            busy_until: Instant::now(),
        }
    }

    /// How long to wait from now until so many bytes are written.
    pub(crate) fn writing(&mut self, bytes: usize, now: Instant) -> Duration {
        self.take(bytes, now, |speed| speed.write)
    }

    /// How long to wait from now until so many bytes are read.
    pub(crate) fn reading(&mut self, bytes: usize, now: Instant) -> Duration {
        self.take(bytes, now, |speed| speed.read)
    }

    fn take(&mut self, bytes: usize, now: Instant, rate: fn(&Speed) -> u64) -> Duration {
        let Some(speed) = &self.speed else {
            return Duration::ZERO;
        };
        self.busy_until = self.busy_until.max(now) + Speed::time(bytes, rate(speed));
        self.busy_until.duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_disk_is_busy_for_as_long_as_its_bytes_take() {
        assert_eq!(Speed::of_card(0), None);
        let half = Speed::of_card(50).unwrap();
        assert_eq!((half.write, half.read), (10_000_000, 22_500_000));
        let mut brake = Brake::new(Some(half));
        let now = Instant::now() + Duration::from_mins(1);
        let second = Duration::from_secs(1);
        assert_eq!(brake.writing(10_000_000, now), second);
        assert_eq!(brake.writing(10_000_000, now), 2 * second, "one by one");
        assert_eq!(brake.reading(22_500_000, now + 9 * second), second);
        assert_eq!(
            Brake::new(None).writing(usize::MAX, now),
            Duration::ZERO,
            "no brake"
        );
    }
}
