//! Events that the station has not stored yet.
//!
//! Pure. An event keeps its sequence number for as long as it exists, so that a report that is sent
//! twice is recognised; it is dropped only when the station says that it has it.

use std::collections::VecDeque;
use wire::agent::AgentEvent;

/// Most events of one report: a report stays small however long the station was away.
const MOST_AT_ONCE: usize = 64;
/// Most log lines kept. Steps, results and failures are few and never dropped.
const MOST_LOGS: usize = 400;

/// The events of one deployment that are not acked yet.
#[derive(Debug, Default)]
pub(crate) struct Spool {
    events: VecDeque<(u64, AgentEvent)>,
    last: u64,
}

impl Spool {
    pub(crate) fn push(&mut self, event: AgentEvent) {
        let is_log = |e: &AgentEvent| matches!(e, AgentEvent::Log { .. });
        if is_log(&event) && self.events.iter().filter(|(_, e)| is_log(e)).count() >= MOST_LOGS {
            return;
        }
        self.last += 1;
        self.events.push_back((self.last, event));
    }

    /// The oldest events, for the next report.
    pub(crate) fn batch(&self) -> Vec<(u64, AgentEvent)> {
        self.events.iter().take(MOST_AT_ONCE).cloned().collect()
    }

    /// The station has everything up to `acked`.
    pub(crate) fn ack(&mut self, acked: u64) {
        while self.events.front().is_some_and(|(n, _)| *n <= acked) {
            self.events.pop_front();
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::board::Stage;

    fn step(stage: Stage) -> AgentEvent {
        AgentEvent::Step {
            stage,
            detail: None,
        }
    }

    fn log(n: u32) -> AgentEvent {
        AgentEvent::Log {
            line: n.to_string(),
        }
    }

    #[test]
    fn an_event_stays_until_it_is_acked_and_keeps_its_number() {
        let mut spool = Spool::default();
        spool.push(step(Stage::Writing));
        spool.push(step(Stage::Verifying));
        assert_eq!(spool.batch(), spool.batch());
        spool.ack(1);
        assert_eq!(spool.batch(), [(2, step(Stage::Verifying))]);
        spool.push(step(Stage::Done));
        assert_eq!(spool.batch()[1].0, 3);
        spool.ack(u64::MAX);
        assert!(spool.is_empty());
    }

    #[test]
    fn a_flood_of_log_lines_does_not_drown_the_steps() {
        let mut spool = Spool::default();
        for n in 0..10_000 {
            spool.push(log(n));
        }
        spool.push(step(Stage::Failed));
        let mut seen = Vec::new();
        while !spool.is_empty() {
            let batch = spool.batch();
            assert!(batch.len() <= MOST_AT_ONCE);
            spool.ack(batch.last().unwrap().0);
            seen.extend(batch);
        }
        assert_eq!(seen.len(), MOST_LOGS + 1);
        assert_eq!(seen.last().unwrap().1, step(Stage::Failed));
    }
}
