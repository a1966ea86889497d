//! Boards that wait for a decision, and boards that are left alone.

use super::{Said, Sight, act, know, sentence};
use wire::Stage;
use wire::board::Hold;

fn hold<'a>(sight: &Sight<'a>) -> Option<&'a Hold> {
    sight.seat.tile.hold.as_ref()
}

/// A hold as it is said everywhere, taken apart: the reason, and what to do.
fn taken_apart(hold: &Hold) -> (String, String) {
    let words = hold.to_string();
    let next = match hold {
        Hold::NeedsApproval => "Approve it to provision it, or release it.",
        Hold::IdentityConflict { .. } => {
            "Take one of the two boards off the switch, or release the one that is known."
        }
        Hold::Unknown => "Look at the station itself.",
        _ => match words.trim_end_matches('.').rsplit_once(". ") {
            Some((reason, next)) => return (sentence(reason), sentence(next)),
            None => "Look at its batch.",
        },
    };
    (sentence(&words), next.to_owned())
}

fn waits(sight: &Sight<'_>, hold: &Hold) -> Option<Said> {
    let (reason, next) = taken_apart(hold);
    let detail = sight.seat.tile.detail.as_deref().unwrap_or("");
    let observed = format!("It waits: {reason} {detail}");
    act(observed.trim_end(), next)
}

pub(super) fn no_disk(sight: &Sight<'_>) -> Option<Said> {
    let hold = hold(sight).filter(|h| matches!(h, Hold::NoSuitableDisk { .. }))?;
    waits(sight, hold)
}

pub(super) fn disk_too_small(sight: &Sight<'_>) -> Option<Said> {
    let hold = hold(sight).filter(|h| matches!(h, Hold::ImageTooBig { .. }))?;
    waits(sight, hold)
}

pub(super) fn disk_in_use(sight: &Sight<'_>) -> Option<Said> {
    let hold = hold(sight).filter(|h| matches!(h, Hold::DiskHoldsSystem { .. }))?;
    waits(sight, hold)
}

pub(super) fn held(sight: &Sight<'_>) -> Option<Said> {
    let hold = hold(sight)?;
    if *hold == Hold::ByOperator {
        let (reason, next) = taken_apart(hold);
        return know(format!("It waits: {reason}"), next);
    }
    let own_rule = matches!(
        hold,
        Hold::NoSuitableDisk { .. } | Hold::ImageTooBig { .. } | Hold::DiskHoldsSystem { .. }
    );
    if own_rule { None } else { waits(sight, hold) }
}

pub(super) fn cancelled(sight: &Sight<'_>) -> Option<Said> {
    if sight.stage() != Stage::Cancelled {
        return None;
    }
    act(
        "Its deployment was cancelled; its disk does not boot.",
        "Approve it to provision it anew, or release it.",
    )
}

pub(super) fn already_done(sight: &Sight<'_>) -> Option<Said> {
    if sight.stage() != Stage::AlreadyDone {
        return None;
    }
    let name = sight.seat.tile.hostname.as_ref();
    let name = name.map_or_else(String::new, |name| format!(" as {name}"));
    know(
        format!("It was finished before{name} and is sent on to its own disk."),
        "Approve it to image it again.",
    )
}

pub(super) fn not_ours(sight: &Sight<'_>) -> Option<Said> {
    if sight.stage() != Stage::NotOurs {
        return None;
    }
    know(
        "It asked for an address and is not known as a Raspberry Pi, so it was not answered.",
        "If it is a board to be provisioned, accept it; else leave it or unplug it.",
    )
}
