//! How long each stage may be quiet. What to look at then is for [`super::advice`] to say.

use super::attempt::Via;
use super::seat::Seat;
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

#[cfg(test)]
mod tests {
    use super::*;
    use wire::BoardId;
    use wire::board::Mac;

    #[test]
    fn a_seat_stalls_once_and_only_after_its_time() {
        let mut seat = Seat::new(BoardId::Pi(7), Mac([1; 6]), Millis(1000));
        seat.tile.stage = Stage::Writing;
        assert_eq!(due(&seat), Some(Millis(31_000)));
        seat.tile.stalled = Some(crate::bench::advice::after_restart(&seat));
        assert_eq!(due(&seat), None);
        seat.tile.stalled = None;
        seat.tile.stage = Stage::FirstBootConfirmed;
        assert_eq!(due(&seat), None);
    }
}
