//! Punnet: the provisioning station for Raspberry Pi boards, as one program.
//!
//! With a verb it is a command line that speaks to a running station, or opens the data folder itself
//! when none runs. With `--daemon` it *is* the station. Without either it opens the window; in a build
//! without the feature `window`, [`no_window`] says so in words.

mod alert;
mod args;
mod backup;
mod batch;
mod boards;
mod check;
mod common;
mod configuration;
mod confirm;
mod daemon;
mod desk;
mod extras;
mod history;
mod image;
mod log;
mod manual;
mod names;
#[cfg(not(feature = "window"))]
mod no_window;
mod operator;
mod page;
mod paper;
mod plans;
mod print;
mod private_station;
mod profile;
mod rehearsals;
mod rehearse;
mod restore;
mod runtime;
mod server;
mod trouble;
#[cfg(feature = "window")]
mod window;

use args::{Args, Verb};
use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = Args::parse();
    let files = log::start(&args);
    let done = match (&args.verb, args.daemon) {
        #[cfg(feature = "window")]
        (None, false) => window::run(&args, files),
        #[cfg(not(feature = "window"))]
        (None, false) => no_window::open(),
        (None, true) => daemon::run(&args, files),
        (Some(Verb::Rehearse(rehearsal)), _) => rehearse::run(&args.common, rehearsal),
        (Some(Verb::Check), _) => check::run(&args.common),
        (Some(Verb::Config(verb)), _) => check::config(&args.common, verb),
        (Some(Verb::Completions(verb)), _) => manual::completions(verb),
        (Some(Verb::Manual(verb)), _) => manual::pages(verb),
        (Some(Verb::Image(verb)), _) => desk::run(&args.common, image::run(verb)),
        (Some(Verb::Product(verb)), _) => desk::run(&args.common, plans::product(verb)),
        (Some(Verb::Venue(verb)), _) => desk::run(&args.common, plans::venue(verb)),
        (Some(Verb::Names(verb)), _) => desk::run(&args.common, names::run(verb)),
        (Some(Verb::Batch(verb)), _) => desk::run(&args.common, batch::run(verb)),
        (Some(Verb::Boards(verb)), _) => desk::run(&args.common, boards::list(verb)),
        (Some(Verb::Board(verb)), _) => desk::run(&args.common, boards::run(verb)),
        (Some(Verb::Server(verb)), _) => desk::run(&args.common, server::run(verb)),
        (Some(Verb::Profile(verb)), _) => desk::run(&args.common, profile::run(verb)),
        (Some(Verb::Backup(verb)), _) => desk::run(&args.common, backup::run(verb, &args.common)),
        (Some(Verb::Restore(verb)), _) => restore::run(&args.common, verb),
        (Some(Verb::Label(verb)), _) => desk::run(&args.common, paper::label(verb)),
        (Some(Verb::History(verb)), _) => desk::run(&args.common, history::run(verb)),
        (Some(Verb::Logs(verb)), _) => desk::run(&args.common, history::logs(verb)),
        (Some(Verb::Operator(verb)), _) => desk::run(&args.common, operator::run(verb)),
        (Some(Verb::Deeds(verb)), _) => desk::run(&args.common, operator::deeds(verb)),
        (Some(Verb::Packets(verb)), _) => desk::run(&args.common, paper::packets(verb)),
        (Some(Verb::Alert(verb)), _) => alert::run(&args.common, verb),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => trouble.tell(args.common.json),
    }
}
