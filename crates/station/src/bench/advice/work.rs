//! An agent that went quiet, and an installed system that never spoke.

use super::{Said, Sight, look};
use wire::Stage;

pub(super) fn agent_quiet(sight: &Sight<'_>) -> Option<Said> {
    let idle = matches!(
        sight.stage(),
        Stage::CheckedIn | Stage::Assigned | Stage::OnHold
    );
    if !(sight.quiet && idle) {
        return None;
    }
    look(
        "Its agent went quiet.",
        "Check its power and its cable; if it restarted, it will ask again by itself.",
    )
}

pub(super) fn slow_to_clear(sight: &Sight<'_>) -> Option<Said> {
    if !sight.quiet_in(Stage::PreparingStorage) {
        return None;
    }
    look(
        "Its disk takes unusually long to be cleared.",
        "If nothing changes, power-cycle it and try another card or drive.",
    )
}

pub(super) fn quiet_at_work(sight: &Sight<'_>) -> Option<Said> {
    let working = matches!(
        sight.stage(),
        Stage::Writing | Stage::Verifying | Stage::Personalising | Stage::Finishing
    );
    if !(sight.quiet && working) {
        return None;
    }
    look(
        format!(
            "It stopped reporting in the middle of its work ({}).",
            sight.stage()
        ),
        "Check its power and its cable; it goes on by itself when the network comes back. Else \
         power-cycle it.",
    )
}

pub(super) fn no_first_boot(sight: &Sight<'_>) -> Option<Said> {
    if !sight.quiet_in(Stage::Done) {
        return None;
    }
    look(
        "The installed system has not called home.",
        "Check that the board boots from its disk and that the disk is first in its boot order.",
    )
}
