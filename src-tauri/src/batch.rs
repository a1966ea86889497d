//! `punnet batch`.

use crate::desk::{Desk, Work, unexpected};
use crate::image;
use crate::paper;
use crate::print::{Table, or_dash, size, span, time};
use crate::trouble::Trouble;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use wire::batch::{Batch, BatchId, BatchPlan, BatchRules, ReimagePolicy};
use wire::command::{Command, Receipt};
use wire::disk::{DiskKind, DiskPolicy};
use wire::document::DocumentKind;
use wire::query::{Answer, Certificate, Query};
use wire::{BoardId, ImageId, ProductCode, VenueCode};

/// Verbs of batches.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Verb {
    /// Create a batch and reserve its names.
    Create(Create),
    /// Start a batch.
    Start {
        /// Its number.
        batch: BatchId,
    },
    /// Stop taking new boards.
    Pause {
        /// Its number.
        batch: BatchId,
    },
    /// Take boards again.
    Resume {
        /// Its number.
        batch: BatchId,
    },
    /// Give up: running boards are stopped, unused names returned.
    Cancel {
        /// Its number.
        batch: BatchId,
    },
    /// Plan more boards.
    Extend {
        /// Its number.
        batch: BatchId,
        /// How many more.
        by: u32,
    },
    /// Give every failed board another attempt.
    Retry {
        /// Its number.
        batch: BatchId,
    },
    /// Put a batch at this place of the order, 1 first.
    Reorder {
        /// Its number.
        batch: BatchId,
        /// The place.
        rank: u32,
    },
    /// List batches.
    List,
    /// Show one batch.
    Show {
        /// Its number.
        batch: BatchId,
    },
    /// What proves a batch: one row per board.
    Certificate(CertificateOf),
}

/// Which certificate, and how it is written down.
#[derive(Debug, Clone, Args)]
pub(crate) struct CertificateOf {
    /// Its number.
    batch: BatchId,
    /// As a document, to standard output or to the file of -o; else it is told here.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The file to write; its ending says the format where --format does not.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Formats of certificates.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    /// Pages to print.
    Pdf,
    /// A page that needs nothing else.
    Html,
    /// A table, one row per board.
    Csv,
}

impl CertificateOf {
    /// The format asked for, by name or by the ending of the file.
    fn document(&self) -> Result<Option<DocumentKind>, Trouble> {
        let named = match (self.format, &self.output) {
            (Some(format), _) => format,
            (None, None) => return Ok(None),
            (None, Some(file)) => {
                let ending = file
                    .extension()
                    .and_then(|e| e.to_str())
                    .unwrap_or_default();
                Format::from_str(ending, true).map_err(|_| {
                    Trouble::words(format!(
                        "what {} is to be cannot be seen from its name. Add --format pdf, html \
                         or csv",
                        file.display()
                    ))
                })?
            }
        };
        let batch = self.batch;
        Ok(Some(match named {
            Format::Pdf => DocumentKind::CertificatePdf { batch },
            Format::Html => DocumentKind::CertificateHtml { batch },
            Format::Csv => DocumentKind::CertificateCsv { batch },
        }))
    }
}

/// What to plan.
#[derive(Debug, Clone, Args)]
pub(crate) struct Create {
    /// The product.
    #[arg(long)]
    product: ProductCode,
    /// The venue.
    #[arg(long)]
    venue: VenueCode,
    /// Number of boards.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    count: u32,
    /// Id of the image, or the beginning of it; else the product's active one.
    #[arg(long)]
    image: Option<String>,
    /// Only boards whose model contains this text; may be repeated.
    #[arg(long)]
    model: Vec<String>,
    /// Only boards with at least this much memory, in MiB.
    #[arg(long, value_name = "MIB")]
    min_ram: Option<u32>,
    /// Only boards that would boot from this kind of disk; may be repeated.
    #[arg(long, value_name = "KIND")]
    only_disk: Vec<Kind>,
    /// Only these boards; may be repeated.
    #[arg(long, value_name = "ID")]
    board: Vec<BoardId>,
    /// Kinds of disk to write, best first (else nvme,emmc,sd,virtual).
    #[arg(long, value_delimiter = ',', value_name = "KINDS")]
    disks: Vec<Kind>,
    /// What to do with boards whose disk holds a system.
    #[arg(long, default_value = "ask")]
    reimage: Reimage,
    /// Start it at once.
    #[arg(long)]
    start: bool,
}

/// Kinds of disks, as they are typed.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    /// An SD card.
    Sd,
    /// Soldered eMMC.
    Emmc,
    /// An NVMe drive.
    Nvme,
    /// A USB disk.
    Usb,
    /// The disk of an emulated board.
    Virtual,
}

impl From<Kind> for DiskKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Sd => Self::Sd,
            Kind::Emmc => Self::Emmc,
            Kind::Nvme => Self::Nvme,
            Kind::Usb => Self::Usb,
            Kind::Virtual => Self::Virtual,
        }
    }
}

/// Policies for used boards, as they are typed.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Reimage {
    /// Hold the board until it is approved.
    Ask,
    /// Overwrite what this station did not write.
    OverwriteForeign,
}

impl Create {
    fn plan(self, image: Option<ImageId>) -> BatchPlan {
        let kinds = |list: Vec<Kind>| list.into_iter().map(DiskKind::from).collect();
        BatchPlan {
            product: self.product,
            venue: self.venue,
            count: self.count,
            image,
            rules: BatchRules {
                models: self.model,
                min_ram_mib: self.min_ram,
                disks: kinds(self.only_disk),
                boards: self.board,
            },
            disks: if self.disks.is_empty() {
                DiskPolicy::default()
            } else {
                DiskPolicy {
                    kinds: kinds(self.disks),
                }
            },
            reimage: match self.reimage {
                Reimage::Ask => ReimagePolicy::Ask,
                Reimage::OverwriteForeign => ReimagePolicy::OverwriteForeign,
            },
        }
    }
}

/// Does a verb of batches.
pub(crate) fn run(verb: &Verb) -> impl Work + use<> {
    let verb = verb.clone();
    async move |desk: &Desk| {
        let command = match verb {
            Verb::Create(create) => return make(desk, create).await,
            Verb::List => return list(desk).await,
            Verb::Show { batch } => {
                let Answer::Batch(batch) = desk.query(Query::Batch { batch }).await? else {
                    return Err(unexpected());
                };
                return desk.say(&batch, |batch| show(batch));
            }
            Verb::Certificate(of) => {
                if let Some(kind) = of.document()? {
                    return paper::fetch(desk, kind, of.output.as_deref()).await;
                }
                let query = Query::Certificate { batch: of.batch };
                let Answer::Certificate(certificate) = desk.query(query).await? else {
                    return Err(unexpected());
                };
                return desk.say(&certificate, |c| certify(c));
            }
            Verb::Start { batch } => Command::BatchStart { batch },
            Verb::Pause { batch } => Command::BatchPause { batch },
            Verb::Resume { batch } => Command::BatchResume { batch },
            Verb::Cancel { batch } => {
                desk.sure(&format!(
                    "Batch {batch} ends for good: boards that are being written are stopped and \
                     left without a system."
                ))?;
                Command::BatchCancel { batch }
            }
            Verb::Extend { batch, by } => Command::BatchExtend { batch, by },
            Verb::Retry { batch } => Command::BatchRetry { batch },
            Verb::Reorder { batch, rank } => Command::BatchReorder { batch, rank },
        };
        desk.change(command, words).await
    }
}

fn words(receipt: &Receipt) -> String {
    match receipt {
        Receipt::Batch(batch) => sentence(batch),
        Receipt::Done { text } => text.clone(),
        other => format!("{other:?}"),
    }
}

fn sentence(batch: &Batch) -> String {
    let c = batch.counters;
    format!(
        "Batch {} ({} at {}) is {}: {} planned, {} running, {} done, {} failed.",
        batch.id,
        batch.plan.product,
        batch.plan.venue,
        batch.state.as_str(),
        c.planned,
        c.running,
        c.done,
        c.failed
    )
}

async fn make(desk: &Desk, create: Create) -> Result<(), Trouble> {
    let start = create.start;
    let image = match &create.image {
        Some(id) => Some(image::named(desk, id).await?.id),
        None => None,
    };
    let plan = create.plan(image);
    let receipt = desk.command(Command::BatchCreate(plan)).await?;
    let Receipt::Batch(batch) = &receipt else {
        return Err(unexpected());
    };
    if start {
        let start = Command::BatchStart { batch: batch.id };
        return desk.change(start, words).await;
    }
    desk.say(&receipt, words)
}

async fn list(desk: &Desk) -> Result<(), Trouble> {
    let Answer::Batches(batches) = desk.query(Query::Batches).await? else {
        return Err(unexpected());
    };
    desk.say(&batches, |batches| {
        let mut table = Table::new(
            &[
                "batch",
                "rank",
                "product",
                "venue",
                "state",
                "planned",
                "running",
                "done",
                "failed",
                "confirmed",
            ],
            "There are no batches yet. Plan one with `punnet batch create`.",
        );
        for b in batches {
            let c = b.counters;
            let counts = [c.planned, c.running, c.done, c.failed, c.confirmed];
            let [planned, running, done, failed, confirmed] = counts.map(|n| n.to_string());
            table.row([
                b.id.to_string(),
                b.rank.to_string(),
                b.plan.product.to_string(),
                b.plan.venue.to_string(),
                b.state.as_str().to_owned(),
                planned,
                running,
                done,
                failed,
                confirmed,
            ]);
        }
        table.to_string()
    })
}

fn show(batch: &Batch) -> String {
    let mut text = sentence(batch);
    let rules = &batch.plan.rules;
    let mut line = |name: &str, value: String| text += &format!("\n{name}: {value}");
    line("Rank", batch.rank.to_string());
    line("Image", or_dash(batch.plan.image.map(|i| i.short())));
    if !rules.models.is_empty() {
        line("Only models", rules.models.join(", "));
    }
    if let Some(mib) = rules.min_ram_mib {
        line("Least memory", format!("{mib} MiB"));
    }
    let list = |kinds: &[DiskKind]| {
        let words: Vec<String> = kinds.iter().map(ToString::to_string).collect();
        words.join(", ")
    };
    if !rules.disks.is_empty() {
        line("Only boards that would boot from", list(&rules.disks));
    }
    if !rules.boards.is_empty() {
        let boards: Vec<String> = rules.boards.iter().map(ToString::to_string).collect();
        line("Only boards", boards.join(", "));
    }
    line("Disks", list(&batch.plan.disks.kinds));
    let used = match batch.plan.reimage {
        ReimagePolicy::Ask => "ask: a board whose disk holds a system waits for approval",
        ReimagePolicy::OverwriteForeign => {
            "overwrite-foreign: what this station did not write is overwritten unasked"
        }
        ReimagePolicy::Unknown => "of a kind that this version does not know",
    };
    line("Used disks", used.to_owned());
    line("Created", time(batch.created));
    line("Started", or_dash(batch.started.map(time)));
    line("Ended", or_dash(batch.ended.map(time)));
    text
}

fn certify(certificate: &Certificate) -> String {
    let mut text = format!(
        "Certificate of batch {}, drawn up {}\n{}\n",
        certificate.batch.id,
        time(certificate.at),
        sentence(&certificate.batch)
    );
    for image in &certificate.images {
        text += &format!(
            "Image {} {} ({}), SHA-256 {}\n",
            image.file_name,
            image.version,
            image.id.short(),
            image.sha256
        );
    }
    let mut table = Table::new(
        &[
            "name",
            "board",
            "mac",
            "state",
            "verified",
            "written",
            "read back",
            "took",
        ],
        "No board is finished yet.",
    );
    for d in &certificate.boards {
        table.row([
            d.hostname.to_string(),
            d.board.to_string(),
            d.mac.to_string(),
            d.stage.to_string(),
            or_dash(d.verified.map(wire::batch::VerifyLevel::as_str)),
            size(d.bytes_written),
            size(d.bytes_read_back),
            or_dash(d.ended.map(|end| span(end.since(d.started)))),
        ]);
    }
    text + &table.to_string()
}
