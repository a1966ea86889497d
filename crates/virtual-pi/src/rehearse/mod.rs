//! A whole batch with virtual boards, and the proof that every disk came out right.
//!
//! ```text
//! image ─▶ station (private, or one that runs) ─▶ product, venue, names, batch   setup
//!          boards on, in groups ─▶ each lives its life ─▶ stories                bench
//!          manifest and pack from the boards' own door ─▶ every disk checked     proof
//!                                                       ─▶ one report            report
//! ```
//!
//! The station is not part of this crate: whoever rehearses hands over a running one, or a way to
//! start one ([`Station`]). Everything is done through the operator's verbs and the boards' own
//! protocols, so a rehearsal proves the station that is there and not a model of it.

mod bench;
mod halt;
mod http;
mod options;
mod proof;
mod report;
mod setup;
mod station;
#[cfg(test)]
mod tests;

pub use bench::{Bench, Life, power_all};
pub use halt::Halt;
pub use http::HttpOperator;
pub use options::Options;
pub use proof::{Proofs, prove};
pub use report::report;
pub use station::{Operator, Start, Station, StationDoors};

use crate::board::{Doors, Happening};
use crate::golden::{self, Golden, GoldenError};
use crate::identity::Identity;
use crate::tool::ToolError;
use std::io;
use std::path::PathBuf;
use std::time::Instant;
use wire::Refusal;
use wire::rehearsal::RehearsalReport;

/// How a rehearsal goes on, for whoever shows it.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// A line about the preparations.
    Preparing(String),
    /// Preparations are over; the boards are being switched on.
    BoardsOn,
    /// Something happened to a board.
    Board(Identity, Happening),
    /// The boards have come to an end; their disks are being checked.
    Proving,
    /// A disk was checked.
    Checked {
        /// Disks checked so far.
        done: u32,
        /// Disks in all.
        of: u32,
    },
}

/// Why a rehearsal could not be carried out. What goes wrong with a board is no error but in the
/// report.
#[derive(Debug, thiserror::Error)]
pub enum RehearseError {
    /// A program of e2fsprogs is missing.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// The rehearsal's own files could not be written.
    #[error(
        "{path} cannot be used for the rehearsal: {source}. Is there room? About {need_mb} MB are needed."
    )]
    Work {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
        /// What is needed.
        need_mb: u64,
    },
    /// The synthetic image could not be made.
    #[error(transparent)]
    Golden(#[from] GoldenError),
    /// The private station did not start.
    #[error("the rehearsal's own station did not start: {0:#}")]
    Start(anyhow::Error),
    /// The station refused something.
    #[error("the station refused to {act}: {refusal}")]
    Refused {
        /// What it was asked to do.
        act: &'static str,
        /// Its answer.
        refusal: Refusal,
    },
    /// The image was not taken in.
    #[error("the image was not imported: {0}")]
    Import(String),
    /// A station answered something else than it was asked.
    #[error(
        "the station's answer to {0:?} does not fit the question; it may be of another version"
    )]
    Answer(&'static str),
    /// Its halt was called.
    #[error("the rehearsal was stopped")]
    Halted,
}

/// Rehearses a batch. `progress` is called from several threads and must not block.
pub fn rehearse(
    options: &Options,
    station: Station,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<RehearsalReport, RehearseError> {
    golden::tools_are_there()?;
    let work = options.work_folder()?;
    let image = if let Some(path) = &options.image {
        path.clone()
    } else {
        progress(Progress::Preparing(
            "making a small golden image".to_owned(),
        ));
        let path = work.path().join("rehearsal.img");
        Golden::default().make(&path)?;
        path
    };
    options.halt.check()?;
    progress(Progress::Preparing("starting the station".to_owned()));
    let station = station.start(&work.path().join("station"))?;
    let boards = Identity::batch(options.seed, &options.models, options.boards);
    let planned = setup::plan(&*station.operator, &image, &boards, &options.halt, progress)?;
    let bench = Bench {
        boards,
        doors: Doors {
            dhcp: station.dhcp,
            tftp: station.tftp,
        },
        disks: work.path().join("disks"),
        disk_bytes: options.disk_bytes(planned.image.raw_bytes),
    };
    progress(Progress::Preparing(format!(
        "switching {} boards on",
        bench.boards.len()
    )));
    progress(Progress::BoardsOn);
    let began = Instant::now();
    let lives = power_all(&bench, options, progress)
        .map_err(|source| options.work_error(work.path(), source))?;
    let seconds = began.elapsed().as_secs_f64();
    options.halt.check()?;
    progress(Progress::Proving);
    let proofs = prove(&lives, work.path(), &options.halt, progress);
    options.halt.check()?;
    let stages = setup::stages(&*station.operator, planned.batch);
    Ok(report(
        &lives,
        &proofs,
        |b| stages.get(&b).copied(),
        seconds,
    ))
}
