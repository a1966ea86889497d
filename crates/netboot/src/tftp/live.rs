//! How much is alive: one for every transfer's task and one for every file that the block producer
//! holds. When nothing is served this is zero, or something was left behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Debug, Clone, Default)]
pub(super) struct Live(Arc<AtomicUsize>);

/// Counts one for as long as it lives.
#[derive(Debug)]
pub(super) struct Counted(Live);

impl Live {
    pub(super) fn count(&self) -> Counted {
        self.0.fetch_add(1, Ordering::SeqCst);
        Counted(self.clone())
    }

    #[cfg(test)]
    pub(super) fn now(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let Self(Live(count)) = self;
        count.fetch_sub(1, Ordering::SeqCst);
    }
}
