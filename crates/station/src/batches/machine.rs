//! The states of a batch: pending → active ⇄ paused → completed | cancelled.

use wire::batch::BatchState;

/// What happens to a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// The operator starts it.
    Start,
    /// The operator pauses it.
    Pause,
    /// The operator resumes it.
    Resume,
    /// The operator gives it up.
    Cancel,
    /// The operator plans more boards.
    Extend,
    /// The operator gives its failed boards another attempt.
    Retry,
    /// As many boards are done as were planned.
    Fulfil,
}

/// An act that the batch's state forbids, with what to do instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the batch is {}; it cannot be {verb}. {instead}", state.as_str())]
pub struct Forbidden {
    /// The state.
    pub state: BatchState,
    /// The act, as a participle.
    pub verb: &'static str,
    /// What to do instead.
    pub instead: &'static str,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Start,
        Self::Pause,
        Self::Resume,
        Self::Cancel,
        Self::Extend,
        Self::Retry,
        Self::Fulfil,
    ];

    fn participle(self) -> &'static str {
        match self {
            Self::Start => "started",
            Self::Pause => "paused",
            Self::Resume => "resumed",
            Self::Cancel => "cancelled",
            Self::Extend => "extended",
            Self::Retry => "retried",
            Self::Fulfil => "completed",
        }
    }

    /// The state after this act. Saying again what already holds changes nothing and is no error.
    pub fn on(self, state: BatchState) -> Result<BatchState, Forbidden> {
        use BatchState::{Active, Cancelled, Completed, Paused, Pending, Unknown};
        let forbidden = |instead| {
            Err(Forbidden {
                state,
                verb: self.participle(),
                instead,
            })
        };
        match (state, self) {
            (Pending | Active | Paused, Self::Start)
            | (Active | Paused, Self::Resume)
            | (Active | Completed, Self::Extend)
            | (Active, Self::Retry) => Ok(Active),
            (Active | Paused, Self::Pause) | (Paused, Self::Extend | Self::Retry) => Ok(Paused),
            (Pending, Self::Extend) => Ok(Pending),
            (Pending | Active | Paused | Cancelled, Self::Cancel) => Ok(Cancelled),
            (Active | Paused | Completed, Self::Fulfil) => Ok(Completed),
            (Pending, _) => forbidden("Start it first."),
            (Completed, _) => forbidden("Extend it to take more boards, or create a new batch."),
            (Cancelled, _) => forbidden("Create a new batch."),
            (Unknown, _) => forbidden("Its state is not known to this version."),
        }
    }
}

/// True while a batch has a place in the order and may hold reserved names.
pub fn is_open(state: BatchState) -> bool {
    matches!(
        state,
        BatchState::Pending | BatchState::Active | BatchState::Paused
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn states() -> impl Strategy<Value = BatchState> {
        use BatchState::{Active, Cancelled, Completed, Paused, Pending};
        prop::sample::select(vec![Pending, Active, Paused, Completed, Cancelled])
    }

    fn acts() -> impl Strategy<Value = Act> {
        prop::sample::select(Act::ALL.to_vec())
    }

    proptest! {
        #[test]
        fn a_cancelled_batch_never_comes_back(run in prop::collection::vec(acts(), 0..40)) {
            let mut state = BatchState::Pending;
            let mut cancelled = false;
            for act in run {
                if let Ok(next) = act.on(state) {
                    state = next;
                }
                cancelled |= state == BatchState::Cancelled;
                prop_assert_eq!(cancelled, state == BatchState::Cancelled);
            }
        }

        #[test]
        fn an_act_done_twice_is_done_once(state in states(), act in acts()) {
            if let Ok(once) = act.on(state) {
                prop_assert_eq!(act.on(once), Ok(once));
            }
        }

        #[test]
        fn only_extending_reopens_a_completed_batch(act in acts()) {
            let next = act.on(BatchState::Completed);
            let reopened = next.is_ok_and(is_open);
            prop_assert_eq!(reopened, act == Act::Extend);
        }

        #[test]
        fn nothing_but_a_start_activates_a_pending_batch(act in acts()) {
            let next = act.on(BatchState::Pending);
            prop_assert_eq!(next == Ok(BatchState::Active), act == Act::Start);
        }

        #[test]
        fn a_refusal_says_what_to_do_instead(state in states(), act in acts()) {
            if let Err(e) = act.on(state) {
                let words = e.to_string();
                prop_assert!(words.contains(state.as_str()) && words.ends_with('.'), "{}", words);
            }
        }
    }
}
