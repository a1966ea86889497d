//! The certificate of a batch: which boards were made, from which image, and how that was proven.
//!
//! [`Facts`] are gathered once and put on paper by [`pdf`], [`html`] and [`csv`], which say the same
//! in the same words.

pub(super) mod csv;
pub(super) mod html;
pub(super) mod pdf;

use super::moment::Occasion;
use crate::store::{self, Connection};
use wire::batch::{Batch, BatchId, VerifyLevel};
use wire::image::Image;
use wire::query::Deployment;
use wire::{Mac, Millis, Refusal};

/// Everything that a certificate says.
pub(in crate::papers) struct Facts {
    batch: Batch,
    /// The product's name for people.
    product: String,
    /// The venue's name, and where it is.
    venue: String,
    /// Every image that a board of the batch got.
    images: Vec<Image>,
    /// One row per finished board, in the order of their names.
    boards: Vec<Row>,
    occasion: Occasion,
}

/// One board.
struct Row {
    hostname: String,
    /// Its whole serial number, or the id by which the station knows it.
    serial: String,
    mac: Mac,
    /// The image, for people: its version.
    image: String,
    made: Deployment,
}

impl Facts {
    /// What the store knows about a batch.
    pub(in crate::papers) fn of(
        conn: &Connection,
        id: BatchId,
        occasion: &Occasion,
    ) -> Result<Self, Refusal> {
        let batch = store::batches::get(conn, id)?
            .ok_or_else(|| Refusal::not_found(format!("There is no batch {id}.")).at("batch"))?;
        let product = store::products::get(conn, &batch.plan.product)?;
        let venue = store::venues::get(conn, &batch.plan.venue)?;
        let venue = venue.map(|v| [v.name, v.location].join(", "));
        let images = store::images::of_batch(conn, id)?;
        let mut made = Vec::new();
        for deployment in store::history::finished_in(conn, id)? {
            let name = store::names::get(conn, &deployment.hostname)?;
            let number = name.and_then(|n| n.number);
            made.push(((number.is_none(), number), deployment));
        }
        // Stable: names without a number stay in the order of their letters.
        made.sort_by_key(|(place, _)| *place);
        let mut boards = Vec::new();
        for (_, made) in made {
            let attempt = store::deployments::get(conn, &made.id)?;
            let serial = attempt.and_then(|a| a.serial);
            boards.push(Row {
                hostname: made.hostname.to_string(),
                serial: serial.map_or_else(|| made.board.to_string(), |s| s.to_string()),
                mac: made.mac,
                image: called(&images, &made),
                made,
            });
        }
        Ok(Self {
            product: product.map_or_else(|| batch.plan.product.to_string(), |p| p.name),
            venue: venue.map_or_else(
                || batch.plan.venue.to_string(),
                |v| v.trim_end_matches(", ").to_owned(),
            ),
            batch,
            images,
            boards,
            occasion: occasion.clone(),
        })
    }

    fn title(&self) -> String {
        let of = if self.batch.rehearsal {
            " of a rehearsal with virtual boards"
        } else {
            ""
        };
        format!("Certificate of batch {}{of}", self.batch.id)
    }

    /// The whole certificate in some sentences.
    fn summary(&self) -> String {
        let planned = self.batch.counters.planned;
        let finished = self.boards.len();
        let mut text = match finished {
            0 => return format!("None of the {} is finished yet.", boards(planned as usize)),
            1 => format!("1 of {} planned is finished.", boards(planned as usize)),
            n => format!("{n} of {} planned are finished.", boards(planned as usize)),
        };
        let count = |level| {
            let rows = self.boards.iter();
            rows.filter(|row| row.made.verified == level).count()
        };
        let proven = count(Some(VerifyLevel::FullReadBack));
        if proven == finished {
            text += " Every disk was read back in full after writing and found equal to its image.";
        } else {
            text += &format!(
                " {} read back in full after writing and found equal to the image; {} written by \
                 an installer that reports no read-back, and not proven.",
                disks(proven),
                disks(finished - proven)
            );
        }
        let confirmed = self
            .boards
            .iter()
            .filter(|row| row.made.confirmed.is_some());
        text += &match confirmed.count() {
            0 => " No installed system has called home yet.".to_owned(),
            n if n == finished => {
                " Every installed system has called home under its name.".to_owned()
            }
            1 => " 1 installed system has called home under its name.".to_owned(),
            n => format!(" {n} installed systems have called home under their names."),
        };
        match self.batch.counters.failed {
            0 => {}
            1 => text += " The last attempt at 1 board failed; it is not listed.",
            n => text += &format!(" The last attempts at {n} boards failed; they are not listed."),
        }
        text
    }

    /// What is said about the batch, by name.
    fn particulars(&self) -> Vec<(&'static str, String)> {
        let plan = &self.batch.plan;
        let when = |at: Option<Millis>| at.map_or("–".to_owned(), |at| self.occasion.minute(at));
        let counters = self.batch.counters;
        vec![
            ("Product", format!("{} ({})", self.product, plan.product)),
            ("Venue", format!("{} ({})", self.venue, plan.venue)),
            ("Created", when(Some(self.batch.created))),
            ("Started", when(self.batch.started)),
            ("Ended", when(self.batch.ended)),
            (
                "Boards",
                format!(
                    "{} planned, {} finished, {} running, {} failed",
                    counters.planned,
                    self.boards.len(),
                    counters.running,
                    counters.failed
                ),
            ),
        ]
    }

    /// When it was drawn up, and what its times mean.
    fn imprint(&self) -> String {
        let at = self.occasion.minute(self.occasion.at);
        format!(
            "Drawn up {at} by Punnet. Times are in the zone {}.",
            self.occasion.place()
        )
    }

    fn minute(&self, at: Option<Millis>) -> String {
        at.map_or_else(String::new, |at| self.occasion.minute(at))
    }
}

impl Row {
    fn proof(&self) -> &'static str {
        proof(self.made.verified)
    }
}

/// How a disk was proven, in words.
pub(in crate::papers) fn proof(level: Option<VerifyLevel>) -> &'static str {
    match level {
        Some(VerifyLevel::FullReadBack) => "read back in full",
        Some(VerifyLevel::Reported) => "not proven",
        Some(VerifyLevel::Unknown) | None => "not recorded",
    }
}

fn called(images: &[Image], made: &Deployment) -> String {
    let short = made.image.short();
    match images.iter().find(|image| image.id == made.image) {
        Some(image) if images.len() == 1 => image.version.clone(),
        Some(image) => format!("{} ({short})", image.version),
        None => short,
    }
}

fn boards(n: usize) -> String {
    match n {
        1 => "1 board".to_owned(),
        n => format!("{n} boards"),
    }
}

fn disks(n: usize) -> String {
    match n {
        0 => "No disk was".to_owned(),
        1 => "1 disk was".to_owned(),
        n => format!("{n} disks were"),
    }
}
