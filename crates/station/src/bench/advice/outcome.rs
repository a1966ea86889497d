//! What a deployment ended with.

use super::{HOUR, Said, Sight, act, look, sentence};
use wire::Stage;
use wire::board::Failure;

/// What agents say when the medium does not keep what it is given.
const MEDIUM: [&str; 5] = [
    "did not read back",
    "failed twice",
    "did not flush",
    "refused a write",
    "Input/output error",
];

fn failure<'a>(sight: &Sight<'a>) -> Option<&'a Failure> {
    let failure = sight.seat.tile.failure.as_ref();
    failure.filter(|_| sight.stage() == Stage::Failed)
}

fn is_of_medium(failure: &Failure) -> bool {
    let on_disk = matches!(
        failure.stage,
        Stage::PreparingStorage
            | Stage::Writing
            | Stage::Verifying
            | Stage::Personalising
            | Stage::Finishing
    );
    on_disk && MEDIUM.iter().any(|words| failure.what.contains(words))
}

pub(super) fn bad_medium(sight: &Sight<'_>) -> Option<Said> {
    let failure = failure(sight).filter(|f| is_of_medium(f))?;
    let disk = sight.seat.tile.disk.as_ref();
    let which = disk.map_or_else(String::new, |disk| {
        let model = if disk.model.is_empty() {
            disk.path.as_str()
        } else {
            disk.model.as_str()
        };
        format!(" The medium is a {} ({model}).", disk.kind)
    });
    act(
        format!("{}{which}", sentence(&failure.what)),
        "Replace the card or drive, power-cycle the board and retry it. If a new one fails too, \
         check the power supply.",
    )
}

pub(super) fn failed(sight: &Sight<'_>) -> Option<Said> {
    let failure = failure(sight).filter(|f| !is_of_medium(f))?;
    let next = match failure.next.trim() {
        "" => "Retry it.",
        next => next,
    };
    act(sentence(&failure.what), next)
}

pub(super) fn restarts_again(sight: &Sight<'_>) -> Option<Said> {
    if sight.stage().is_finished() {
        return None;
    }
    let noted = sight.recent("restarted", HOUR).count();
    let counted = sight.seat.last.as_ref().filter(|a| !a.stage.is_finished());
    let times = counted.map_or(0, |a| a.restarts as usize).max(noted);
    if times < 2 {
        return None;
    }
    look(
        format!("It was started again {times} times in the middle of its work."),
        "Check its power supply and its plug: a Raspberry Pi 5 wants 5 V and 5 A, and a PoE switch \
         may be at the end of its power budget.",
    )
}
