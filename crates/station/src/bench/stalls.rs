//! How long each stage may be quiet, and what to look at when it was quiet for longer.

use super::attempt::Via;
use super::seat::Seat;
use wire::board::Stall;
use wire::{Millis, Stage};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;

/// An open deployment of which nothing was heard for this long is closed: 24 hours.
pub const ABANDONED_MS: i64 = 24 * 60 * MINUTE;

/// How long a board in this stage may say nothing, in milliseconds; `None` for ever.
pub fn allowed(stage: Stage) -> Option<i64> {
    Some(match stage {
        Stage::Seen | Stage::LoadingBootFiles | Stage::Writing | Stage::Verifying => 30 * SECOND,
        Stage::Addressed | Stage::CheckedIn | Stage::Assigned => 20 * SECOND,
        Stage::PreparingStorage => 3 * MINUTE,
        Stage::Personalising | Stage::Finishing | Stage::OnHold => MINUTE,
        Stage::Done => 5 * MINUTE,
        Stage::FirstBootConfirmed
        | Stage::AlreadyDone
        | Stage::Failed
        | Stage::NotOurs
        | Stage::Cancelled
        | Stage::Unknown => return None,
    })
}

/// What to look at, in words.
pub fn advice(stage: Stage) -> &'static str {
    match stage {
        Stage::Seen => {
            "It asked for an address and did not take ours. Look for another DHCP server on the \
             wire, and check the cable and the switch port (spanning tree delays it by 30 s)."
        }
        Stage::Addressed => {
            "It has an address and asks for no files. Check that TFTP is serving, and that its \
             EEPROM has network boot enabled."
        }
        Stage::LoadingBootFiles => {
            "It stopped fetching boot files. Power-cycle it; if it stops at the same file again, \
             its EEPROM is too old or the image's boot files are not for it."
        }
        Stage::CheckedIn | Stage::Assigned | Stage::OnHold => {
            "Its agent went quiet. Check its power and its cable; if it restarted, it will ask \
             again by itself."
        }
        Stage::PreparingStorage => {
            "Its disk takes unusually long to be cleared. If nothing changes, power-cycle it and \
             try another card or drive."
        }
        Stage::Writing | Stage::Verifying | Stage::Personalising | Stage::Finishing => {
            "It stopped reporting in the middle of its work. Check its power and its cable; it \
             goes on by itself when the network comes back. Else power-cycle it."
        }
        Stage::Done => {
            "The installed system has not called home. Check that the board boots from its disk \
             and that the disk is first in its boot order."
        }
        Stage::FirstBootConfirmed
        | Stage::AlreadyDone
        | Stage::Failed
        | Stage::NotOurs
        | Stage::Cancelled
        | Stage::Unknown => "Nothing is expected of it.",
    }
}

/// When this seat counts as stalled if nothing is heard; `None` when it never does, or already is.
pub fn due(seat: &Seat) -> Option<Millis> {
    if seat.tile.stalled.is_some() {
        return None;
    }
    let mut allowed = allowed(seat.tile.stage)?;
    let foreign = seat.last.as_ref().is_some_and(|a| a.via == Via::Device);
    if foreign && seat.tile.stage == Stage::Done {
        // Only systems that our agent installed call home.
        return None;
    }
    if foreign && seat.open().is_some() {
        // A foreign installer reports stages, not progress: the longest image must fit between two.
        allowed = allowed.max(60 * MINUTE);
    }
    Some(seat.tile.last_seen.plus(allowed))
}

/// The stall of this seat, once it is due.
pub fn stall(seat: &Seat) -> Stall {
    Stall {
        since: seat.tile.last_seen,
        advice: advice(seat.tile.stage).to_owned(),
    }
}

/// The mark of a working board while the station has just started and nothing was heard yet.
pub fn after_restart(seat: &Seat) -> Stall {
    Stall {
        since: seat.tile.last_seen,
        advice: "The station was restarted and has not heard of it since. It goes on by itself; \
                 if nothing changes, check its power and its cable."
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::BoardId;
    use wire::board::Mac;

    #[test]
    fn every_stage_that_can_stall_has_advice() {
        for stage in Stage::ALL {
            let expected = allowed(stage).is_some();
            assert_eq!(expected, advice(stage) != advice(Stage::Unknown), "{stage}");
        }
    }

    #[test]
    fn a_seat_stalls_once_and_only_after_its_time() {
        let mut seat = Seat::new(BoardId::Pi(7), Mac([1; 6]), Millis(1000));
        seat.tile.stage = Stage::Writing;
        assert_eq!(due(&seat), Some(Millis(31_000)));
        seat.tile.stalled = Some(stall(&seat));
        assert_eq!(due(&seat), None);
        seat.tile.stalled = None;
        seat.tile.stage = Stage::FirstBootConfirmed;
        assert_eq!(due(&seat), None);
    }
}
