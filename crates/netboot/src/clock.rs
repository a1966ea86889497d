//! The clock that shells hand to conversations: UTC milliseconds that never jump backwards.

use std::time::Instant;
use wire::Millis;

/// How far the wall clock may run ahead before it is believed: it does after a laptop slept.
const SLEPT_MS: i64 = 5_000;

/// Wall clock at the start, monotonic from then on; catches up after a sleep, never goes back.
#[derive(Debug)]
pub(crate) struct Clock {
    base: Millis,
    since: Instant,
}

impl Clock {
    pub(crate) fn new() -> Self {
        let (base, since) = (Millis::now(), Instant::now());
        Self { base, since }
    }

    pub(crate) fn now(&mut self) -> Millis {
        let passed = i64::try_from(self.since.elapsed().as_millis()).unwrap_or(i64::MAX);
        let (steady, wall) = (self.base.plus(passed), Millis::now());
        if wall.since(steady) > SLEPT_MS {
            self.base = self.base.plus(wall.since(steady));
            return wall;
        }
        steady
    }
}

/// Time from `now` until `deadline`; zero when it has passed.
pub(crate) fn until(deadline: Millis, now: Millis) -> std::time::Duration {
    let ms = deadline.since(now).max(0);
    std::time::Duration::from_millis(ms.unsigned_abs())
}
