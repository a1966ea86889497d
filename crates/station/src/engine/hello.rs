//! The installed system calls home at its first boot: the proof that the board came up from its
//! disk, under its own name.

use super::turn::Turn;
use crate::bench::stages::{Heard, Note, line};
use crate::store;
use wire::agent::{Hello, HelloAck};
use wire::refusal::{Code, Refusal};

const TEN_MINUTES: i64 = 10 * 60 * 1000;

/// Takes the call.
pub(super) fn run(turn: &mut Turn<'_>, hello: &Hello) -> Result<HelloAck, Refusal> {
    let Some(attempt) = store::deployments::by_hello(turn.tx, &hello.secret)? else {
        return Err(Refusal::new(
            Code::Forbidden,
            "The first boot call has a secret that belongs to no deployment here.",
        ));
    };
    let board = attempt.board;
    turn.fetch(board)?;
    let called = line(&hello.hostname, 80);
    let confirmed = called.eq_ignore_ascii_case(attempt.hostname.as_str());
    let newest = turn
        .seat(board)
        .and_then(|s| s.last.as_ref())
        .is_some_and(|last| last.id == attempt.id);
    if !newest {
        // An older installation of this board; it proves nothing about the newest one.
        return Ok(HelloAck { confirmed: false });
    }
    if confirmed && attempt.stage.is_finished() {
        turn.hear(board, Heard::FirstBoot)?;
    } else if confirmed {
        let text = format!(
            "{} came up from its disk before it was reported done (stage {}).",
            attempt.hostname, attempt.stage
        );
        let note = Note::warning("hello.early", text);
        turn.note_seldom(&turn.about(board), attempt.id, TEN_MINUTES, note)?;
    } else {
        let text = format!(
            "The installed system of {} calls itself {called:?}. Check its image's first-boot \
             settings.",
            attempt.hostname
        );
        let note = Note::error("hello.wrong_name", text);
        turn.note_seldom(&turn.about(board), attempt.id, TEN_MINUTES, note)?;
    }
    Ok(HelloAck { confirmed })
}
