//! The log of this program: to systemd's journal, with fields to search by, where there is one; else
//! to standard error. A station, with or without a window, also keeps it in files.

mod files;
mod journal;
mod rotated;

use crate::args::Args;
pub(crate) use files::Files;
use station::engine::EVENT_TARGET;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

/// One way out of the log.
type Way = Box<dyn Layer<Registry> + Send + Sync>;

/// Starts logging. The station tells what it does; a verb tells only what goes wrong. `PUNNET_LOG`
/// overrides, in the syntax of `RUST_LOG`. What is returned follows a configuration that is read again;
/// nothing for a verb, which keeps no files.
pub(crate) fn start(args: &Args) -> Option<Files> {
    let usual = if args.daemon {
        "info".to_owned()
    } else {
        // What becomes of a board is told by the page, or by the verb itself.
        format!("error,{EVENT_TARGET}=off")
    };
    let filter = |usual: &str| {
        EnvFilter::try_from_env("PUNNET_LOG").unwrap_or_else(|_| EnvFilter::new(usual))
    };
    let journal = args.daemon.then(journal::layer).flatten();
    let console = journal.unwrap_or_else(standard_error);
    let mut ways = vec![console.with_filter(filter(&usual)).boxed()];
    let files = files(args);
    let mut begun = Ok(());
    if let Some(files) = &files {
        ways.push(lines(files.clone()).with_filter(filter("info")).boxed());
        // What is wrong with the configuration is told by whoever reads it next.
        if let Ok(config) = args.common.configuration() {
            begun = files.follow(&config);
        }
    }
    tracing_subscriber::registry().with(ways).init();
    if let Err(why) = begun {
        tracing::warn!(%why, "no log is kept in files");
    }
    files
}

fn standard_error() -> Way {
    let log = fmt::layer().with_writer(std::io::stderr).with_target(false);
    // What systemd collects has its own clock and no colours.
    if std::env::var_os("JOURNAL_STREAM").is_some() {
        log.without_time().with_ansi(false).boxed()
    } else {
        log.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .boxed()
    }
}

/// One JSON object a line, with the time in UTC.
fn lines(files: Files) -> Way {
    fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_writer(files)
        .boxed()
}

/// The files of a station; nothing for a verb.
fn files(args: &Args) -> Option<Files> {
    match (&args.verb, args.daemon) {
        (_, true) => Some(Files::named("station.log")),
        (None, false) if cfg!(feature = "window") => Some(Files::named("window.log")),
        _ => None,
    }
}
