//! What an operator may allow a board, or take from it.

use super::seat::{Permit, Seat, Standing};
use super::stages::Note;
use wire::name::Hostname;
use wire::refusal::Refusal;
use wire::{Millis, Stage};

fn at_work(seat: &Seat) -> Refusal {
    Refusal::conflict(format!(
        "{} is being provisioned ({}).",
        seat.called(),
        seat.tile.stage
    ))
    .next("Wait until it is finished, or cancel its batch.")
}

/// Lets a board be provisioned whatever is on its disk and whatever was before.
pub fn approve(seat: &mut Seat) -> Result<Note, Refusal> {
    if seat.open().is_some() {
        return Err(at_work(seat));
    }
    if std::mem::take(&mut seat.withheld) {
        let next = "it goes on when it next asks";
        seat.tile.detail = Some(next.to_owned());
        let text = format!("{} is on hold no longer; {next}.", seat.called());
        return Ok(Note::info("board.approved", text));
    }
    let settled = seat.is_settled();
    seat.permit = Permit::Approve;
    let next = if settled {
        "power-cycle it to image it again"
    } else {
        "it goes on when it next asks"
    };
    seat.tile.detail = Some(format!("approved; {next}"));
    let text = format!("{} was approved; {next}.", seat.called());
    Ok(Note::info("board.approved", text))
}

/// Keeps a board from being provisioned until it is approved. One that waits for approval by itself
/// loses what it was allowed.
pub fn hold(seat: &mut Seat) -> Result<Note, Refusal> {
    let waits = match seat.standing() {
        Standing::Open(_) => return Err(at_work(seat)),
        Standing::New => None,
        Standing::Finished { .. } => Some("is finished, and is not imaged again"),
        Standing::Failed(_) => Some("has failed, and is not tried again"),
        Standing::Released => Some("was released, and is not imaged"),
    };
    match waits {
        None => {
            seat.withheld = true;
            seat.tile.detail = Some("it is held as soon as it asks for a job".to_owned());
        }
        Some(waits) if seat.permit == Permit::None => {
            let text = format!("{} {waits} without you.", seat.called());
            return Err(Refusal::conflict(text).next("There is nothing to hold."));
        }
        Some(_) => seat.tile.detail = Some("it waits for your approval again".to_owned()),
    }
    seat.permit = Permit::None;
    let text = format!("{} was put on hold.", seat.called());
    Ok(Note::info("board.held", text))
}

/// Gives a failed board another attempt.
pub fn retry(seat: &mut Seat) -> Result<Note, Refusal> {
    match seat.standing() {
        Standing::Open(_) => return Err(at_work(seat)),
        Standing::Failed(_) => {}
        Standing::New | Standing::Finished { .. } | Standing::Released => {
            return Err(
                Refusal::conflict(format!("{} has not failed.", seat.called()))
                    .next("Approve it, if it waits for you."),
            );
        }
    }
    seat.permit = seat.permit.max(Permit::Retry);
    seat.tile.detail = Some("it is tried again when it next asks".to_owned());
    let text = format!("{} is tried again when it next asks.", seat.called());
    Ok(Note::info("board.retried", text))
}

/// Gives a board a name that another one had.
pub fn take_over(seat: &mut Seat, hostname: Hostname) -> Result<(), Refusal> {
    if seat.open().is_some() {
        return Err(at_work(seat));
    }
    seat.permit = seat.permit.max(Permit::Replace);
    seat.tile.detail = Some(format!("it becomes {hostname} when it next asks"));
    seat.tile.hostname = Some(hostname);
    Ok(())
}

/// Lets a board go: it owns no name and needs approval to come back.
/// Refused while it is at work; a deployment of a board that went silent is
/// closed by the caller first.
pub fn let_go(seat: &mut Seat, now: Millis) -> Result<(), Refusal> {
    if seat.is_at_work(now) {
        return Err(at_work(seat));
    }
    seat.permit = Permit::None;
    seat.withheld = false;
    seat.released = seat.last.is_some() || seat.checked_in;
    if let Some(last) = &mut seat.last
        && matches!(last.stage, Stage::Failed | Stage::Cancelled)
    {
        last.given_up = true;
    }
    seat.tile.hostname = None;
    seat.tile.detail = Some("it was released and needs your approval to come back".to_owned());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::BoardId;
    use wire::board::Mac;

    #[test]
    fn a_board_that_never_failed_is_not_retried() {
        let mut seat = Seat::new(BoardId::Pi(7), Mac([1; 6]), Millis(0));
        let refusal = retry(&mut seat).unwrap_err();
        assert!(refusal.message.contains("has not failed"), "{refusal}");
        assert_eq!(seat.permit, Permit::None);
    }

    #[test]
    fn a_board_on_hold_goes_on_without_leave_to_overwrite_anything() {
        let mut seat = Seat::new(BoardId::Pi(7), Mac([1; 6]), Millis(0));
        approve(&mut seat).unwrap();
        hold(&mut seat).unwrap();
        assert!(seat.withheld);
        assert_eq!(seat.permit, Permit::None, "what was allowed before is over");
        approve(&mut seat).unwrap();
        assert!(!seat.withheld);
        assert_eq!(seat.permit, Permit::None);
    }

    #[test]
    fn a_larger_permit_is_not_lost_to_a_smaller_one() {
        let mut seat = Seat::new(BoardId::Pi(7), Mac([1; 6]), Millis(0));
        approve(&mut seat).unwrap();
        take_over(&mut seat, "KXP2-CORO-014".parse().unwrap()).unwrap();
        assert_eq!(seat.permit, Permit::Approve);
    }
}
