//! `punnet label`, and whatever else leaves the station as a file.

use crate::desk::{Desk, Work, unexpected};
use crate::print;
use crate::trouble::Trouble;
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use wire::BoardId;
use wire::batch::BatchId;
use wire::document::{Document, DocumentKind, LabelSheet};
use wire::query::{Answer, Query};

/// Prints labels (PDF) for the finished boards of a batch, or for single boards.
#[derive(Debug, Clone, Args)]
pub(crate) struct Label {
    /// For the finished boards of this batch.
    #[arg(long, required_unless_present = "board", conflicts_with = "board")]
    batch: Option<BatchId>,
    /// For this board; may be repeated, or list several with commas.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    board: Vec<BoardId>,
    /// The paper.
    #[arg(long, value_enum, default_value = "a4x24")]
    sheet: Sheet,
    /// The file to write.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

/// Papers, as they are typed.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Sheet {
    /// A4, 3 × 8 labels of 70 × 36 mm.
    #[value(name = "a4x24")]
    A4x24,
    /// A4, 5 × 13 labels of 38.1 × 21.2 mm.
    #[value(name = "a4x65")]
    A4x65,
    /// US letter, 3 × 10 labels of 66.7 × 25.4 mm.
    #[value(name = "letter_x30", alias = "letterx30")]
    LetterX30,
    /// One label of 62 × 29 mm per page.
    #[value(name = "single62x29")]
    Single62x29,
}

impl From<Sheet> for LabelSheet {
    fn from(sheet: Sheet) -> Self {
        match sheet {
            Sheet::A4x24 => Self::A4x24,
            Sheet::A4x65 => Self::A4x65,
            Sheet::LetterX30 => Self::LetterX30,
            Sheet::Single62x29 => Self::Single62x29,
        }
    }
}

/// Prints labels.
pub(crate) fn label(label: &Label) -> impl Work + use<> {
    let label = label.clone();
    async move |desk: &Desk| {
        let kind = DocumentKind::Labels {
            batch: label.batch,
            boards: label.board,
            sheet: label.sheet.into(),
        };
        fetch(desk, kind, Some(&label.output)).await
    }
}

/// Saves the last DHCP, ARP and TFTP packets of the deployment side, for Wireshark or tcpdump.
#[derive(Debug, Clone, Args)]
pub(crate) struct Packets {
    /// The file to write (pcap).
    file: PathBuf,
}

/// Saves packets.
pub(crate) fn packets(packets: &Packets) -> impl Work + use<> {
    let file = packets.file.clone();
    async move |desk: &Desk| {
        desk.must_be_live()?;
        fetch(desk, DocumentKind::Packets, Some(&file)).await
    }
}

/// A document that was written to a file, for programs.
#[derive(Serialize)]
struct Written {
    file: PathBuf,
    media_type: String,
    bytes: usize,
}

/// Gets a document and writes it to a file, or as it is to standard output.
pub(crate) async fn fetch(
    desk: &Desk,
    kind: DocumentKind,
    file: Option<&Path>,
) -> Result<(), Trouble> {
    let Answer::Document(document) = desk.query(Query::Document(kind)).await? else {
        return Err(unexpected());
    };
    let bytes = station::papers::bytes(&document)
        .context("the station sent a document that cannot be read")
        .map_err(Trouble::Failed)?;
    match file {
        Some(file) => write(desk, file, document, &bytes),
        None => show(&document, &bytes),
    }
}

fn write(desk: &Desk, file: &Path, document: Document, bytes: &[u8]) -> Result<(), Trouble> {
    std::fs::write(file, bytes)
        .with_context(|| format!("{} was not written", file.display()))
        .map_err(Trouble::Failed)?;
    let written = Written {
        file: file.to_owned(),
        media_type: document.media_type,
        bytes: bytes.len(),
    };
    desk.say(&written, |written| {
        let size = print::size(written.bytes as u64);
        format!("{} is written ({size}).", written.file.display())
    })
}

fn show(document: &Document, bytes: &[u8]) -> Result<(), Trouble> {
    let mut out = std::io::stdout().lock();
    if out.is_terminal() && document.media_type == "application/pdf" {
        return Err(Trouble::words(format!(
            "a PDF is nothing for a terminal. Name a file: -o {}",
            document.file_name
        )));
    }
    out.write_all(bytes)?;
    Ok(out.flush()?)
}
