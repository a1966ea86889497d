//! Whether a board has power. Everything a board does looks here, so that pulling the plug stops it
//! in the middle of whatever it is doing, without a word to anybody.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The power of one board; clones are the same plug.
#[derive(Debug, Clone, Default)]
pub struct Power(Arc<Plug>);

#[derive(Debug, Default)]
struct Plug {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    On,
    /// Gone for a moment.
    Cut,
    /// Switched off; it does not come back.
    Off,
}

/// The board lost its power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the board has no power")]
pub struct NoPower;

impl Power {
    /// True while there is power.
    pub fn is_on(&self) -> bool {
        *self.state() == State::On
    }

    /// True once the board was switched off for good.
    pub fn is_off(&self) -> bool {
        *self.state() == State::Off
    }

    /// An error when there is none.
    pub fn check(&self) -> Result<(), NoPower> {
        if self.is_on() { Ok(()) } else { Err(NoPower) }
    }

    /// Cuts the power; [`Power::restore`] brings it back.
    pub fn cut(&self) {
        self.become_from(State::On, State::Cut);
    }

    /// Brings it back after a cut.
    pub fn restore(&self) {
        self.become_from(State::Cut, State::On);
    }

    /// Switches the board off for good.
    pub fn switch_off(&self) {
        *self.state() = State::Off;
        self.0.changed.notify_all();
    }

    /// Waits until the board is switched off for good.
    pub(crate) fn wait_off(&self) {
        let mut state = self.state();
        while *state != State::Off {
            let waited = self.0.changed.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for `time`, or until the power goes.
    pub fn sleep(&self, time: Duration) -> Result<(), NoPower> {
        let until = Instant::now() + time;
        let mut state = self.state();
        loop {
            if *state != State::On {
                return Err(NoPower);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            let waited = self.0.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn become_from(&self, from: State, to: State) {
        let mut state = self.state();
        if *state == from {
            *state = to;
            self.0.changed.notify_all();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_ends_a_wait_at_once_and_off_stays_off() {
        let power = Power::default();
        let plug = power.clone();
        let sleeper = std::thread::spawn(move || plug.sleep(Duration::from_mins(10)));
        power.cut();
        assert_eq!(sleeper.join().unwrap(), Err(NoPower));
        power.restore();
        assert!(power.is_on());
        power.switch_off();
        power.restore();
        assert!(power.is_off() && power.check().is_err());
    }
}
