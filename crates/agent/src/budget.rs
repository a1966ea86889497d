//! A budget of memory shared by the threads of the pipeline.
//!
//! A chunk takes its whole need (frame and raw bytes) before its first byte is read from the wire
//! and gives it back piece by piece as it moves on. Because nothing ever waits for more while it
//! holds some, the pipeline cannot lock itself up; because the wire is not read without room, a slow
//! disk slows the sender instead of filling a small board's memory.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes that may be in use at once.
#[derive(Debug)]
pub(crate) struct Budget {
    total: usize,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    used: usize,
    closed: bool,
}

impl Budget {
    pub(crate) fn new(total: usize) -> Self {
        Self {
            total,
            state: Mutex::default(),
            freed: Condvar::new(),
        }
    }

    /// Waits until `bytes` fit; false when the budget was closed. A need larger than the whole
    /// budget is met when nothing else is in use.
    pub(crate) fn take(&self, bytes: usize) -> bool {
        let mut state = self.lock();
        while !state.closed && state.used > 0 && state.used + bytes > self.total {
            state = self
                .freed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.used += bytes;
        !state.closed
    }

    pub(crate) fn give_back(&self, bytes: usize) {
        let mut state = self.lock();
        state.used = state.used.saturating_sub(bytes);
        self.freed.notify_all();
    }

    /// Sends everybody home.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.freed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn many_threads_never_use_more_than_there_is() {
        let budget = Budget::new(100);
        let (used, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (budget, used, most) = (&budget, &used, &most);
                scope.spawn(move || {
                    for i in 0..200 {
                        let need = 10 + (thread * 31 + i * 7) % 60;
                        assert!(budget.take(need));
                        let now = used.fetch_add(need, Ordering::SeqCst) + need;
                        most.fetch_max(now, Ordering::SeqCst);
                        used.fetch_sub(need, Ordering::SeqCst);
                        budget.give_back(need);
                    }
                });
            }
        });
        assert!(most.into_inner() <= 100);
    }

    #[test]
    fn a_need_beyond_the_budget_is_met_alone_and_a_closed_one_meets_none() {
        let budget = Budget::new(100);
        assert!(budget.take(500));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| budget.take(1));
            budget.close();
            assert!(!waiting.join().unwrap());
        });
    }
}
