//! The log: to standard error, which systemd collects into its journal.

use crate::args::Args;
use tracing_subscriber::EnvFilter;

/// Starts logging. The station tells what it does; a verb tells only what goes wrong. `PUNNET_LOG`
/// overrides, in the syntax of `RUST_LOG`.
pub(crate) fn start(args: &Args) {
    let usual = if args.daemon { "info" } else { "error" };
    let filter = EnvFilter::try_from_env("PUNNET_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false);
    // The journal has its own clock and no colours.
    if std::env::var_os("JOURNAL_STREAM").is_some() {
        log.without_time().with_ansi(false).init();
    } else {
        log.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .init();
    }
}
