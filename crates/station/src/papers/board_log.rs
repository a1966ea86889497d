//! What happened to one board, as text to read, send and keep: who it is, its deployments, and every
//! event, oldest first.

use super::moment::Occasion;
use crate::store::{self, Connection};
use wire::query::{Deployment, EventFilter, HistoryFilter};
use wire::{BoardId, Refusal};

/// The text about a board.
pub(super) fn text(
    conn: &Connection,
    board: BoardId,
    occasion: &Occasion,
) -> Result<String, Refusal> {
    let seat = store::boards::get(conn, board)?
        .ok_or_else(|| Refusal::not_found(format!("There is no board {board}.")).at("board"))?;
    let tile = &seat.tile;
    let mut text = format!(
        "Board {board}\nDrawn up {}\n\n",
        occasion.exactly(occasion.at)
    );
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            say(&mut text, &format!("{name:<12}{value}"));
        }
    };
    line(
        "Name",
        tile.hostname.as_ref().map_or("none", |h| h.as_str()),
    );
    line(
        "Serial",
        &tile.serial.map(|s| s.to_string()).unwrap_or_default(),
    );
    let macs: Vec<String> = seat.macs.iter().map(ToString::to_string).collect();
    line("MAC", &macs.join(", "));
    line("Model", &tile.model);
    line(
        "Memory",
        &tile.ram_mib.map(|m| format!("{m} MiB")).unwrap_or_default(),
    );
    line("First seen", &occasion.exactly(seat.first_seen));
    line("Last heard", &occasion.exactly(tile.last_seen));
    line(
        "State",
        &format!(
            "{}, since {}",
            tile.stage,
            occasion.exactly(tile.stage_since)
        ),
    );
    line(
        "Held",
        &tile
            .hold
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
    );
    if let Some(failure) = &tile.failure {
        line(
            "Failed",
            &format!("{}: {} {}", failure.stage, failure.what, failure.next),
        );
    }
    deployments(conn, board, occasion, &mut text)?;
    events(conn, board, occasion, &mut text)?;
    Ok(text)
}

fn deployments(
    conn: &Connection,
    board: BoardId,
    occasion: &Occasion,
    text: &mut String,
) -> Result<(), Refusal> {
    text.push_str("\nDeployments, newest first\n");
    let filter = HistoryFilter {
        board: Some(board),
        limit: u32::MAX,
        ..HistoryFilter::default()
    };
    let before = text.len();
    store::history::each(conn, &filter, |deployment| {
        say(text, &deployed(deployment, occasion));
        Ok::<_, Refusal>(())
    })?;
    if text.len() == before {
        say(text, "None.");
    }
    Ok(())
}

fn deployed(d: &Deployment, occasion: &Occasion) -> String {
    let mut line = format!(
        "{}  {}  batch {}, attempt {}, image {}: {}",
        occasion.exactly(d.started),
        d.hostname,
        d.batch,
        d.attempt,
        d.image.short(),
        d.stage
    );
    if let Some(ended) = d.ended {
        line += &(format!(", ended {}", occasion.exactly(ended)));
    }
    if let Some(confirmed) = d.confirmed {
        line += &(format!(", first boot {}", occasion.exactly(confirmed)));
    }
    if let Some(verified) = d.verified {
        let proof = super::certificate::proof(Some(verified));
        line += &(format!("; {proof}"));
    }
    line += &(format!(
        "; {} bytes received, {} written, {} read back",
        d.bytes_received, d.bytes_written, d.bytes_read_back
    ));
    if let Some(error) = &d.error {
        line += &(format!("; {error}"));
    }
    line + &format!("; deployment {}", d.id)
}

fn events(
    conn: &Connection,
    board: BoardId,
    occasion: &Occasion,
    text: &mut String,
) -> Result<(), Refusal> {
    const PAGE: u32 = 1000;
    text.push_str("\nEvents, oldest first\n");
    let mut after = 0;
    loop {
        let filter = EventFilter {
            board: Some(board),
            after,
            limit: PAGE,
            ..EventFilter::default()
        };
        let events = store::events::list(conn, &filter)?;
        for event in &events {
            let at = occasion.exactly(event.at);
            say(
                text,
                &format!("{at}  {:<7}  {}", event.level.as_str(), event.text),
            );
        }
        let Some(last) = events.last() else {
            if after == 0 {
                say(text, "None.");
            }
            return Ok(());
        };
        after = last.id;
    }
}

/// Adds a line. Texts come from boards too: none of them starts a line of its own.
fn say(text: &mut String, line: &str) {
    text.extend(line.chars().map(|c| if c.is_control() { ' ' } else { c }));
    text.push('\n');
}
