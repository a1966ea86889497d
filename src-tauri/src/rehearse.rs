//! `punnet rehearse`: a whole batch with virtual boards, on a station of its own.

use crate::common::Common;
use crate::print::{Table, say, size};
use crate::private_station;
use crate::trouble::Trouble;
use station::config::AgentFiles;
use station::service::RunningStation;
use std::path::{Path, PathBuf};
use tokio::runtime::{Handle as Runtime, Runtime as OwnRuntime};
use virtual_pi::board::Happening;
use virtual_pi::model::Model;
use virtual_pi::rehearse::{Options, Progress, Station, StationDoors, rehearse};
use wire::Stage;
use wire::rehearsal::RehearsalReport;

/// What to rehearse.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Rehearse {
    /// How many boards.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1000))]
    boards: u32,
    /// Models, dealt out in turn: pi3b+, pi4, pi5, cm5 (else all).
    #[arg(long, value_delimiter = ',', value_parser = model)]
    models: Vec<Model>,
    /// A golden image; else a small one is made.
    #[arg(long)]
    image: Option<PathBuf>,
    /// Decides serial numbers and everything left to chance.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder for the boards' disks; else a temporary one.
    #[arg(long, value_name = "FOLDER")]
    work: Option<PathBuf>,
    /// Without a window. On the command line a rehearsal never has one, so this changes nothing.
    #[arg(long)]
    headless: bool,
    /// Tell everything that happens to every board.
    #[arg(long)]
    verbose: bool,
}

fn model(text: &str) -> Result<Model, String> {
    text.parse()
}

/// Rehearses, and fails unless every board is done and every disk is right.
pub(crate) fn run(common: &Common, rehearsal: &Rehearse) -> Result<(), Trouble> {
    let agent = common.configuration()?.agent;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let options = Options {
        boards: rehearsal.boards,
        models: rehearsal.models.clone(),
        image: rehearsal.image.clone(),
        seed: rehearsal.seed,
        work: rehearsal.work.clone(),
        ..Options::default()
    };
    let private = private(&runtime, agent);
    let (json, verbose) = (common.json, rehearsal.verbose);
    let report = rehearse(&options, private, &move |progress| {
        if !json {
            tell(&progress, verbose);
        }
    })
    .map_err(|e| Trouble::Failed(e.into()))?;
    say(json, &report, words)?;
    if report.verified && report.done == report.boards {
        Ok(())
    } else {
        Err(Trouble::Said)
    }
}

fn private(runtime: &OwnRuntime, agent: AgentFiles) -> Station {
    let runtime = runtime.handle().clone();
    Station::Private(Box::new(move |data_dir: &Path| {
        let running = private_station::start(&runtime, data_dir, agent)?;
        let doors = private_station::doors(&runtime, &running)?;
        Ok(StationDoors {
            stop: stopper(runtime, running),
            ..doors
        })
    }))
}

fn stopper(runtime: Runtime, running: RunningStation) -> Box<dyn FnOnce() + Send> {
    Box::new(move || runtime.block_on(running.stop()))
}

/// A line for each phase and for each board that got somewhere; every step when `verbose`.
fn tell(progress: &Progress, verbose: bool) {
    match progress {
        Progress::Preparing(what) => eprintln!("{what}"),
        Progress::BoardsOn | Progress::Proving => {}
        Progress::Checked { done, of } => {
            if verbose || done == of {
                eprintln!("{done} of {of} disks checked");
            }
        }
        Progress::Board(board, what) => {
            let words = match what {
                Happening::Failed(failure) => format!("failed: {} {}", failure.what, failure.next),
                Happening::BootedFromDisk(name) => format!("came up from its own disk as {name}"),
                other if verbose => format!("{other:?}"),
                _ => return,
            };
            eprintln!("{}  {words}", board.serial);
        }
    }
}

fn words(report: &RehearsalReport) -> String {
    let mut table = Table::new(
        &[
            "serial",
            "name",
            "state",
            "seconds",
            "written",
            "read back",
            "fault",
        ],
        "",
    );
    for board in &report.per_board {
        table.row([
            board.serial.clone(),
            board.hostname.clone(),
            match board.state {
                Stage::FirstBootConfirmed => "done, confirmed".to_owned(),
                state => state.to_string(),
            },
            format!("{:.1}", board.seconds),
            size(board.bytes_written),
            size(board.bytes_read_back),
            board.fault.clone().unwrap_or_default(),
        ]);
    }
    format!(
        "{table}\n{} of {} boards done, {} failed, in {:.1} s; image {}, {} over the wire; {}.",
        report.done,
        report.boards,
        report.failed,
        report.seconds,
        size(report.image_bytes),
        size(report.wire_bytes),
        if report.verified {
            "every disk is right"
        } else {
            "NOT every disk is right"
        }
    )
}
