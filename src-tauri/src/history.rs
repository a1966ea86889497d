//! `punnet history` and `punnet logs`.

use crate::desk::{Desk, Work, unexpected};
use crate::paper;
use crate::print::{Table, or_dash, out, span, time};
use clap::Args;
use std::path::PathBuf;
use wire::batch::BatchId;
use wire::document::DocumentKind;
use wire::query::{Answer, Deployment, EventFilter, HistoryFilter, Query};
use wire::{BoardId, Stage};

/// Lists deployments, newest first.
#[derive(Debug, Clone, Args)]
pub(crate) struct History {
    /// As CSV.
    #[arg(long)]
    csv: bool,
    /// Of this board.
    #[arg(long)]
    board: Option<BoardId>,
    /// Of this batch.
    #[arg(long)]
    batch: Option<BatchId>,
    /// In this stage, e.g. done, failed.
    #[arg(long, value_parser = stage)]
    stage: Option<Stage>,
    /// Containing this text (name, serial, MAC, error).
    #[arg(long)]
    text: Option<String>,
    /// At most this many.
    #[arg(long, default_value_t = 1000)]
    limit: u32,
    /// Leave out this many.
    #[arg(long, default_value_t = 0)]
    offset: u32,
}

/// Shows the events of a board, oldest first.
#[derive(Debug, Clone, Args)]
pub(crate) struct Logs {
    /// Which.
    board: BoardId,
    /// Write everything that is known of it into this file (zip) instead, to send to whoever helps.
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// At most this many.
    #[arg(long, default_value_t = 1000)]
    limit: u32,
}

fn stage(text: &str) -> Result<Stage, String> {
    match Stage::from_text(text) {
        Stage::Unknown => {
            let known: Vec<_> = Stage::ALL.iter().map(|s| s.as_str()).collect();
            Err(format!("there are {}", known.join(", ")))
        }
        stage => Ok(stage),
    }
}

/// Lists deployments.
pub(crate) fn run(history: &History) -> impl Work + use<> {
    let history = history.clone();
    async move |desk: &Desk| {
        let filter = HistoryFilter {
            board: history.board,
            batch: history.batch,
            stage: history.stage,
            text: history.text,
            limit: history.limit,
            offset: history.offset,
            ..HistoryFilter::default()
        };
        let Answer::History(rows) = desk.query(Query::History(filter)).await? else {
            return Err(unexpected());
        };
        if history.csv {
            let table = station::papers::history(&rows)?;
            return Ok(out(&String::from_utf8_lossy(&table.bytes))?);
        }
        desk.say(&rows, |rows| table(rows))
    }
}

fn table(rows: &[Deployment]) -> String {
    let mut table = Table::new(
        &[
            "started", "name", "board", "batch", "try", "state", "took", "error",
        ],
        "There are no such deployments.",
    );
    for d in rows {
        table.row([
            time(d.started),
            d.hostname.to_string(),
            d.board.to_string(),
            d.batch.to_string(),
            d.attempt.to_string(),
            d.stage.to_string(),
            or_dash(d.ended.map(|end| span(end.since(d.started)))),
            d.error.clone().unwrap_or_default(),
        ]);
    }
    table.to_string()
}

/// Shows the events of a board.
pub(crate) fn logs(logs: &Logs) -> impl Work + use<> {
    let logs = logs.clone();
    async move |desk: &Desk| {
        if let Some(file) = &logs.bundle {
            let kind = DocumentKind::BoardBundle { board: logs.board };
            return paper::fetch(desk, kind, Some(file)).await;
        }
        let filter = EventFilter {
            board: Some(logs.board),
            limit: logs.limit,
            ..EventFilter::default()
        };
        let Answer::Events(events) = desk.query(Query::Events(filter)).await? else {
            return Err(unexpected());
        };
        desk.say(&events, |events| {
            let lines: Vec<String> = events
                .iter()
                .map(|e| format!("{}  {:<7}  {}", time(e.at), e.level.as_str(), e.text))
                .collect();
            if lines.is_empty() {
                return format!("Nothing is recorded about board {}.", logs.board);
            }
            lines.join("\n")
        })
    }
}
