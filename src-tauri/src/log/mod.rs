//! The log of this program: to systemd's journal, with fields to search by, where there is one; else
//! to standard error. A station, with or without a window, also keeps it in files.

mod journal;
mod rotated;

use crate::args::Args;
use rotated::Rotated;
use station::config::Config;
use station::engine::EVENT_TARGET;
use std::sync::Mutex;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

/// One way out of the log.
type Way = Box<dyn Layer<Registry> + Send + Sync>;

/// Starts logging. The station tells what it does; a verb tells only what goes wrong. `PUNNET_LOG`
/// overrides, in the syntax of `RUST_LOG`.
pub(crate) fn start(args: &Args) {
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
    let refused = match files {
        Some(Ok(file)) => {
            ways.push(lines(file).with_filter(filter("info")).boxed());
            None
        }
        Some(Err(why)) => Some(why),
        None => None,
    };
    tracing_subscriber::registry().with(ways).init();
    if let Some(why) = refused {
        tracing::warn!(%why, "no log is kept in files");
    }
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
fn lines(file: Rotated) -> Way {
    fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_writer(Mutex::new(file))
        .boxed()
}

/// The files of a station; nothing for a verb, or where the configuration wants none. What is wrong
/// with the configuration is told by whoever reads it next.
fn files(args: &Args) -> Option<std::io::Result<Rotated>> {
    let name = match (&args.verb, args.daemon) {
        (_, true) => "station.log",
        (None, false) if cfg!(feature = "window") => "window.log",
        _ => return None,
    };
    let config: Config = args.common.configuration().ok()?;
    let folder = config.log_dir()?;
    Some(Rotated::open(
        &folder,
        name,
        config.log.max_bytes,
        config.log.files,
    ))
}
