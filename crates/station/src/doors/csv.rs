//! The history as CSV (RFC 4180), one row per deployment.

use super::clock::iso;
use wire::query::Deployment;

/// The header row; columns are only ever added at the end.
const COLUMNS: [&str; 20] = [
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

/// Writes the rows in the order given.
pub fn history(rows: &[Deployment]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for row in rows {
        let seconds = row.ended.map(|end| end.since(row.started) as f64 / 1000.0);
        let fields: [String; COLUMNS.len()] = [
            row.hostname.to_string(),
            row.board.to_string(),
            row.mac.to_string(),
            row.product.to_string(),
            row.venue.to_string(),
            row.batch.to_string(),
            row.attempt.to_string(),
            row.stage.as_str().to_owned(),
            row.verified
                .map_or("", wire::batch::VerifyLevel::as_str)
                .to_owned(),
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
        writer.write_record(fields.map(harmless))?;
    }
    writer.into_inner().map_err(|e| e.into_error().into())
}

/// Spreadsheets run what begins with these characters as a formula; a quote in front makes it text.
/// Error texts come from boards, so anything may stand in them.
fn harmless(field: String) -> String {
    if field.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        return format!("'{field}");
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::batch::{BatchId, VerifyLevel};
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
        let text = String::from_utf8(history(&[row]).unwrap()).unwrap();
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
