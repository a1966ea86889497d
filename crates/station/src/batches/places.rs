//! How many more boards a batch may take, and when it is fulfilled.

use wire::batch::Counters;

/// Most boards that one plan, or one extension, may ask for.
pub const MOST_PLANNED: u32 = 1000;

/// Places that no board holds yet. Failed boards keep theirs: they are tried again inside it.
pub fn free(counters: &Counters) -> u32 {
    let held = counters.done + counters.running + counters.failed;
    counters.planned.saturating_sub(held)
}

/// True when as many boards are done as were planned.
pub fn fulfilled(counters: &Counters) -> bool {
    counters.done >= counters.planned
}
