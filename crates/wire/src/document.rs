//! Documents that the station draws up: tables, labels, certificates.

use crate::batch::BatchId;
use crate::board::BoardId;
use crate::query::{HistoryFilter, NameFilter};
use serde::{Deserialize, Serialize};

/// A document to be drawn up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(tag = "document", rename_all = "snake_case")]
pub enum DocumentKind {
    /// Deployments as CSV. The filter's limit and offset do not count: all rows are in it.
    HistoryCsv(HistoryFilter),
    /// Deployments as a JSON array, like [`DocumentKind::HistoryCsv`].
    HistoryJson(HistoryFilter),
    /// Names as CSV.
    NamesCsv(NameFilter),
    /// What proves a batch, to print.
    CertificatePdf {
        /// Which batch.
        batch: BatchId,
    },
    /// The same as a page that needs nothing else.
    CertificateHtml {
        /// Which batch.
        batch: BatchId,
    },
    /// The same as a table.
    CertificateCsv {
        /// Which batch.
        batch: BatchId,
    },
    /// Labels for the finished boards of a batch, or for single boards.
    Labels {
        /// Of this batch.
        #[serde(default)]
        batch: Option<BatchId>,
        /// Or of these boards.
        #[serde(default)]
        boards: Vec<BoardId>,
        /// On which paper.
        sheet: LabelSheet,
    },
    /// Everything that happened to a board, as text.
    BoardLog {
        /// Which board.
        board: BoardId,
    },
    /// The file of a profile.
    Profile {
        /// Which.
        name: String,
    },
    /// A document this build does not know; refused.
    #[serde(other)]
    Unknown,
}

/// The paper that labels are printed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum LabelSheet {
    /// A4 sheets of 3 × 8 labels of 70 × 36 mm.
    #[default]
    A4x24,
    /// A4 sheets of 5 × 13 labels of 38.1 × 21.2 mm.
    A4x65,
    /// US letter sheets of 3 × 10 labels of 66.7 × 25.4 mm.
    LetterX30,
    /// One label of 62 × 29 mm per page, for label printers.
    Single62x29,
    /// A paper this build does not know; refused.
    #[serde(other)]
    Unknown,
}

/// A document, drawn up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Document {
    /// A name for the file, without a folder.
    pub file_name: String,
    /// Its media type, e.g. `application/pdf`.
    pub media_type: String,
    /// Its bytes, in Base64.
    pub base64: String,
}
