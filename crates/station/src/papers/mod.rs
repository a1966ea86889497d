//! Papers: documents that leave the station, drawn up from what the store knows.
//!
//! One question in, one file out: [`draw`] reads the facts over the connection of whoever asks, and
//! hands them to the module of that kind of document. `table` writes rows for spreadsheets,
//! `certificate` what proves a batch, `labels` what is stuck on boards (with `qr`), `board_log` what
//! happened to one board; `pdf` is the pen that the printed ones share. Nothing here changes
//! anything, and what came from boards or people is text in every format: never a formula, a tag or
//! an operator of a page.

mod board_log;
mod certificate;
mod labels;
mod moment;
mod pdf;
mod qr;
mod table;

pub(crate) use moment::Occasion;

use crate::config::profile;
use crate::store::{self, Connection};
use base64::Engine as _;
use wire::Refusal;
use wire::document::{Document, DocumentKind};
use wire::query::{Deployment, HistoryFilter};

const HISTORY_CSV: &str = "punnet-history.csv";
const CSV: &str = "text/csv; charset=utf-8";
const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";
const PDF: &str = "application/pdf";
const TOML: &str = "application/toml";
const TEXT: &str = "text/plain; charset=utf-8";

/// A document, drawn up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paper {
    /// A name for the file, without a folder; letters, digits, dots and hyphens only.
    pub file_name: String,
    /// Its media type.
    pub media_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl From<Paper> for Document {
    fn from(paper: Paper) -> Self {
        Self {
            file_name: paper.file_name,
            media_type: paper.media_type.to_owned(),
            base64: base64::prelude::BASE64_STANDARD.encode(paper.bytes),
        }
    }
}

/// The bytes of a document that came from a station.
pub fn bytes(document: &Document) -> Result<Vec<u8>, base64::DecodeError> {
    base64::prelude::BASE64_STANDARD.decode(&document.base64)
}

/// Draws up a document.
pub(crate) fn draw(
    conn: &Connection,
    kind: DocumentKind,
    occasion: &Occasion,
) -> Result<Paper, Refusal> {
    let (file_name, media_type, bytes) = match kind {
        DocumentKind::HistoryCsv(filter) => {
            let mut rows = table::History::begin().map_err(unwritten)?;
            each_row(conn, filter, |row| rows.add(row).map_err(unwritten))?;
            let bytes = rows.end().map_err(unwritten)?;
            (HISTORY_CSV.to_owned(), CSV, bytes)
        }
        DocumentKind::HistoryJson(filter) => {
            let mut bytes = Vec::new();
            each_row(conn, filter, |row| {
                bytes.extend(if bytes.is_empty() { b"[\n" } else { b",\n" });
                serde_json::to_writer(&mut bytes, row).map_err(unwritten)
            })?;
            bytes.extend(if bytes.is_empty() { "[]\n" } else { "\n]\n" }.bytes());
            ("punnet-history.json".to_owned(), JSON, bytes)
        }
        DocumentKind::NamesCsv(filter) => {
            let names = store::names::list(conn, &filter)?;
            let bytes = table::names(&names).map_err(unwritten)?;
            ("punnet-names.csv".to_owned(), CSV, bytes)
        }
        DocumentKind::CertificatePdf { batch } => {
            let facts = certificate::Facts::of(conn, batch, occasion)?;
            let bytes = certificate::pdf::print(&facts).map_err(unwritten)?;
            (format!("punnet-certificate-{batch}.pdf"), PDF, bytes)
        }
        DocumentKind::CertificateHtml { batch } => {
            let facts = certificate::Facts::of(conn, batch, occasion)?;
            let page = certificate::html::page(&facts);
            (
                format!("punnet-certificate-{batch}.html"),
                HTML,
                page.into_bytes(),
            )
        }
        DocumentKind::CertificateCsv { batch } => {
            let facts = certificate::Facts::of(conn, batch, occasion)?;
            let bytes = certificate::csv::rows(&facts).map_err(unwritten)?;
            (format!("punnet-certificate-{batch}.csv"), CSV, bytes)
        }
        DocumentKind::Labels {
            batch,
            boards,
            sheet,
        } => {
            let stock = labels::Stock::of(sheet)?;
            let labels = labels::Label::chosen(conn, batch, &boards, occasion)?;
            let bytes = labels::print(&labels, &stock).map_err(unwritten)?;
            let of = match (batch, boards.as_slice()) {
                (Some(batch), _) => format!("batch-{batch}"),
                (None, [board]) => board.to_string(),
                (None, boards) => format!("{}-boards", boards.len()),
            };
            (format!("punnet-labels-{of}.pdf"), PDF, bytes)
        }
        DocumentKind::BoardLog { board } => {
            let text = board_log::text(conn, board, occasion)?;
            (format!("punnet-board-{board}.txt"), TEXT, text.into_bytes())
        }
        DocumentKind::Profile { name } => {
            let found = store::profiles::get(conn, name.trim())?;
            let found = found.ok_or_else(|| {
                Refusal::not_found(format!("There is no profile {name:?}.")).at("name")
            })?;
            let bytes = profile::write(&found).into_bytes();
            (file_name_of(&found.name), TOML, bytes)
        }
        DocumentKind::Unknown => {
            return Err(Refusal::invalid(
                "document",
                "This version does not know that document.",
            ));
        }
    };
    Ok(Paper {
        file_name,
        media_type,
        bytes,
    })
}

/// Deployments that were read already, as the table that [`DocumentKind::HistoryCsv`] is.
pub fn history(rows: &[Deployment]) -> Result<Paper, Refusal> {
    let mut table = table::History::begin().map_err(unwritten)?;
    rows.iter()
        .try_for_each(|row| table.add(row))
        .map_err(unwritten)?;
    Ok(Paper {
        file_name: HISTORY_CSV.to_owned(),
        media_type: CSV,
        bytes: table.end().map_err(unwritten)?,
    })
}

/// All rows of a filter, newest first, without its limit and offset.
fn each_row(
    conn: &Connection,
    filter: HistoryFilter,
    row: impl FnMut(&Deployment) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let all = HistoryFilter {
        limit: u32::MAX,
        offset: 0,
        ..filter
    };
    store::history::each(conn, &all, row)
}

fn unwritten(why: impl std::fmt::Display) -> Refusal {
    Refusal::internal(format!("The document could not be written: {why}."))
}

/// The file of a profile: its name in small letters, whatever else is in it a hyphen.
fn file_name_of(profile: &str) -> String {
    let letters = profile.chars().map(|c| {
        let plain = c.is_ascii_alphanumeric();
        if plain { c.to_ascii_lowercase() } else { '-' }
    });
    let name: String = letters.collect();
    format!("punnet-profile-{}.toml", name.trim_matches('-'))
}
