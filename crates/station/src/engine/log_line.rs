//! One line of the program's log for every event that was committed: the only place that does it.
//!
//! What the event is about goes along as fields of fixed names, so that a journal finds all lines of
//! one deployment, one board or one batch. The target lets a reader of the log choose these lines,
//! or leave them out.

use wire::board::Board;
use wire::event::{Event, Level};

/// The target of these lines.
pub const TARGET: &str = "punnet::event";

/// Logs an event; `tile` is its board as the event left it.
pub(super) fn write(event: &Event, tile: Option<&Board>) {
    let Event { id, text, kind, .. } = event;
    let board = event.board.map(|board| board.to_string());
    let whole = tile.and_then(|tile| tile.serial).map(|s| s.to_string());
    // A bootloader says half of it; that half is what the board goes by until the agent speaks.
    let serial = whole.as_ref().or(board.as_ref()).map(String::as_str);
    let board = board.as_deref();
    let deployment = event.deployment.as_deref();
    let batch = event.batch.map(|batch| batch.0);
    let hostname = tile.and_then(|tile| tile.hostname.as_ref());
    let hostname = hostname.map(wire::Hostname::as_str);
    let stage = tile.map(|tile| tile.stage.as_str());
    macro_rules! line {
        ($level:ident) => {
            tracing::event!(
                target: TARGET,
                tracing::Level::$level,
                event = id,
                kind,
                board,
                serial,
                hostname,
                deployment,
                batch,
                stage,
                "{text}"
            )
        };
    }
    match event.level {
        Level::Error => line!(ERROR),
        Level::Warning => line!(WARN),
        Level::Info | Level::Unknown => line!(INFO),
    }
}
