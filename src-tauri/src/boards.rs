//! `punnet boards` and `punnet board`.

use crate::desk::{Desk, Work, unexpected};
use crate::print::{Table, clock, or_dash, size};
use crate::trouble::Trouble;
use clap::{Args, Subcommand};
use std::io::Write as _;
use tokio_stream::StreamExt as _;
use wire::board::Progress;
use wire::command::{Command, Receipt};
use wire::query::{Answer, Query};
use wire::update::Update;
use wire::{Board, BoardId, Mac, Millis};

/// Lists boards.
#[derive(Debug, Clone, Args)]
pub(crate) struct List {
    /// Go on: a line for every change.
    #[arg(long)]
    watch: bool,
}

/// Verbs of one board.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Verb {
    /// Let a held board be provisioned, overwriting whatever is on its disk.
    Approve {
        /// Which.
        board: BoardId,
    },
    /// Keep a board from being provisioned until it is approved.
    Hold {
        /// Which.
        board: BoardId,
    },
    /// Answer a board that was not recognised as a Raspberry Pi.
    Accept {
        /// Its Ethernet address.
        mac: Mac,
    },
    /// Give a failed board another attempt.
    Retry {
        /// Which.
        board: BoardId,
    },
    /// Blink its LED.
    Identify {
        /// Which.
        board: BoardId,
        /// For how long.
        #[arg(long, default_value_t = 30)]
        seconds: u32,
    },
    /// Forget a board; its name is released.
    Release {
        /// Which.
        board: BoardId,
        /// Why, for the record.
        #[arg(long)]
        reason: String,
    },
    /// Show one board.
    Show {
        /// Which.
        board: BoardId,
    },
}

/// Lists boards, once or for ever.
pub(crate) fn list(list: &List) -> impl Work + use<> {
    let watching = list.watch;
    async move |desk: &Desk| {
        if watching {
            desk.must_be_live()?;
            return watch(desk).await;
        }
        let Answer::Boards(boards) = desk.query(Query::Boards).await? else {
            return Err(unexpected());
        };
        desk.say(&boards, |boards| table(boards))
    }
}

fn table(boards: &[Board]) -> String {
    let mut table = Table::new(
        &[
            "board", "name", "model", "ram", "mac", "address", "state", "progress", "note",
        ],
        "No board was seen yet.",
    );
    for b in boards {
        table.row([
            b.id.to_string(),
            or_dash(b.hostname.as_ref()),
            b.model.clone(),
            or_dash(b.ram_mib.map(|mib| size(u64::from(mib) << 20))),
            b.mac.to_string(),
            or_dash(b.ip),
            b.stage.to_string(),
            b.progress.map(|p| progress(&p)).unwrap_or_default(),
            note(b),
        ]);
    }
    table.to_string()
}

fn progress(p: &Progress) -> String {
    let percent = p.done * 100 / p.total.max(1);
    format!("{percent} % at {}/s", size(p.rate))
}

/// What a person should know about a board beside its stage.
fn note(board: &Board) -> String {
    if let Some(failure) = &board.failure {
        return format!("{} {}", failure.what, failure.next);
    }
    if let Some(hold) = &board.hold {
        return hold.to_string();
    }
    if let Some(stall) = &board.stalled {
        return format!("quiet since {}: {}", clock(stall.since), stall.advice);
    }
    board.detail.clone().unwrap_or_default()
}

async fn watch(desk: &Desk) -> Result<(), Trouble> {
    let mut watch = desk.station.watch().await?;
    let mut out = std::io::stdout();
    while let Some(update) = watch.next().await {
        let text = if desk.json {
            serde_json::to_string(&update)?
        } else {
            match &update {
                Update::Snapshot(all) => table(&all.boards).trim_end().to_owned(),
                Update::Board(board) => line(board),
                Update::BoardGone(id) => format!("{}  {id}  left the bench", now()),
                _ => continue,
            }
        };
        // The reader of a pipe may be gone; that is a way to stop watching.
        if writeln!(out, "{text}").and_then(|()| out.flush()).is_err() {
            return Ok(());
        }
    }
    Err(Trouble::words("the station ended"))
}

fn line(board: &Board) -> String {
    let parts = [
        or_dash(board.hostname.as_ref()),
        board.stage.to_string(),
        board.progress.map(|p| progress(&p)).unwrap_or_default(),
        note(board),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|p| !p.is_empty()).collect();
    format!("{}  {}  {}", now(), board.id, parts.join("  "))
}

fn now() -> String {
    clock(Millis::now())
}

/// Does a verb of one board.
pub(crate) fn run(verb: &Verb) -> impl Work + use<> {
    let verb = verb.clone();
    async move |desk: &Desk| {
        let command = match verb {
            Verb::Show { board } => {
                let Answer::Board(board) = desk.query(Query::Board { board }).await? else {
                    return Err(unexpected());
                };
                return desk.say(&board, |board| table(std::slice::from_ref(board)));
            }
            Verb::Approve { board } => {
                desk.sure(&format!(
                    "Whatever is on the disk of board {board} will be overwritten."
                ))?;
                Command::BoardApprove { board }
            }
            Verb::Hold { board } => Command::BoardHold { board },
            Verb::Accept { mac } => Command::BoardAccept { mac },
            Verb::Retry { board } => Command::BoardRetry { board },
            Verb::Identify { board, seconds } => {
                desk.must_be_live()?;
                Command::BoardIdentify { board, seconds }
            }
            Verb::Release { board, reason } => {
                desk.sure(&format!(
                    "Board {board} is forgotten and its name may go to another board."
                ))?;
                Command::BoardRelease { board, reason }
            }
        };
        desk.change(command, |receipt| match receipt {
            Receipt::Done { text } => text.clone(),
            Receipt::Board(board) => line(board),
            other => format!("{other:?}"),
        })
        .await
    }
}
