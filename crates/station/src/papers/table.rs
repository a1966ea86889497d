//! Tables for spreadsheets (CSV, RFC 4180), one row per thing. No cell is ever run as a formula.

use super::moment::iso;
use wire::batch::{Name, VerifyLevel};
use wire::query::Deployment;

/// A table being written. Every cell goes through [`harmless`].
pub(super) struct Table(csv::Writer<Vec<u8>>);

impl Table {
    /// A table with these columns.
    pub(super) fn begin(columns: &[&str]) -> Result<Self, csv::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(columns)?;
        Ok(Self(writer))
    }

    /// Adds a row.
    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) -> Result<(), csv::Error> {
        self.0.write_record(cells.map(harmless))
    }

    /// The bytes of the table.
    pub(super) fn end(self) -> Result<Vec<u8>, csv::Error> {
        self.0.into_inner().map_err(|e| e.into_error().into())
    }
}

/// Spreadsheets run what begins with these characters (the wide ones too) as a formula; a quote in
/// front makes it text. Error texts come from boards, so anything may stand in them.
fn harmless(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        return format!("'{cell}");
    }
    cell
}

/// The columns of the history; new ones are only ever added at the end.
const HISTORY: [&str; 20] = [
    "hostname",
    "board",
    "mac",
    "product",
    "venue",
    "batch",
    "attempt",
    "stage",
    "verified",
    "image",
    "started",
    "ended",
    "confirmed",
    "bytes_written",
    "bytes_read_back",
    "bytes_received",
    "transport",
    "error",
    "deployment",
    "seconds",
];

/// The history, row by row.
pub(super) struct History(Table);

impl History {
    /// The header row.
    pub(super) fn begin() -> Result<Self, csv::Error> {
        Table::begin(&HISTORY).map(Self)
    }

    /// Adds a deployment.
    pub(super) fn add(&mut self, row: &Deployment) -> Result<(), csv::Error> {
        let seconds = row.ended.map(|end| end.since(row.started) as f64 / 1000.0);
        let cells: [String; HISTORY.len()] = [
            row.hostname.to_string(),
            row.board.to_string(),
            row.mac.to_string(),
            row.product.to_string(),
            row.venue.to_string(),
            row.batch.to_string(),
            row.attempt.to_string(),
            row.stage.as_str().to_owned(),
            row.verified.map_or("", VerifyLevel::as_str).to_owned(),
            row.image.to_string(),
            iso(row.started),
            row.ended.map(iso).unwrap_or_default(),
            row.confirmed.map(iso).unwrap_or_default(),
            row.bytes_written.to_string(),
            row.bytes_read_back.to_string(),
            row.bytes_received.to_string(),
            row.transport.clone().unwrap_or_default(),
            row.error.clone().unwrap_or_default(),
            row.id.clone(),
            seconds.map(|s| format!("{s:.1}")).unwrap_or_default(),
        ];
        self.0.row(cells)
    }

    /// The bytes of the table.
    pub(super) fn end(self) -> Result<Vec<u8>, csv::Error> {
        self.0.end()
    }
}

/// Names in the order given.
pub(super) fn names(rows: &[Name]) -> Result<Vec<u8>, csv::Error> {
    let mut table = Table::begin(&[
        "hostname", "product", "venue", "number", "state", "batch", "board", "note", "changed",
    ])?;
    for row in rows {
        table.row([
            row.hostname.to_string(),
            row.product.to_string(),
            row.venue.to_string(),
            row.number.map(|n| n.to_string()).unwrap_or_default(),
            row.state.as_str().to_owned(),
            row.batch.map(|b| b.to_string()).unwrap_or_default(),
            row.board.map(|b| b.to_string()).unwrap_or_default(),
            row.note.clone(),
            iso(row.changed),
        ])?;
    }
    table.end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::batch::BatchId;
    use wire::{BoardId, ImageId, Mac, Millis, Stage};

    #[test]
    fn a_row_says_what_happened_and_runs_nothing() {
        let row = Deployment {
            id: "D1".to_owned(),
            board: BoardId::Pi(0xd137_e638),
            mac: Mac([2, 0, 0, 0, 0, 1]),
            hostname: "KXP2-CORO-001".parse().unwrap(),
            batch: BatchId(7),
            product: "KXP2".parse().unwrap(),
            venue: "CORO".parse().unwrap(),
            image: ImageId([1; 32]),
            attempt: 2,
            stage: Stage::Failed,
            verified: Some(VerifyLevel::FullReadBack),
            bytes_written: 10,
            bytes_read_back: 9,
            bytes_received: 8,
            transport: Some("http".to_owned()),
            error: Some("=cmd|' /C calc'!A0, \"quoted\"".to_owned()),
            started: Millis(1_795_000_000_000),
            ended: Some(Millis(1_795_000_012_500)),
            confirmed: None,
        };
        let text = {
            let mut table = History::begin().unwrap();
            table.add(&row).unwrap();
            String::from_utf8(table.end().unwrap()).unwrap()
        };
        let mut lines = text.lines();
        assert!(lines.next().unwrap().starts_with("hostname,board,mac,"));
        let line = lines.next().unwrap();
        assert!(line.starts_with("KXP2-CORO-001,d137e638,02:00:00:00:00:01,KXP2,CORO,7,2,failed,"));
        assert!(line.contains("2026-11-18T11:06:40Z,2026-11-18T11:06:52Z,,10,9,8,http,"));
        assert!(
            line.contains("\"'=cmd|' /C calc'!A0, \"\"quoted\"\"\""),
            "{line}"
        );
        assert!(line.ends_with(",D1,12.5"), "{line}");
    }
}
