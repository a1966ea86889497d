//! What the verbs say of themselves, for shells and for `man`. The package is built with both.

use crate::args::Args;
use crate::print::out;
use crate::trouble::Trouble;
use clap::CommandFactory as _;
use clap_complete::Shell;
use std::path::PathBuf;

/// The name under which the program is installed, with the window or without.
const NAME: &str = "punnet";

/// For which shell.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Completions {
    /// The shell.
    shell: Shell,
}

/// Where to.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Manual {
    /// A folder that is there.
    folder: PathBuf,
}

/// Prints what a shell needs to complete the verbs.
pub(crate) fn completions(wanted: &Completions) -> Result<(), Trouble> {
    let mut script = Vec::new();
    clap_complete::generate(wanted.shell, &mut Args::command(), NAME, &mut script);
    Ok(out(&String::from_utf8_lossy(&script))?)
}

/// Writes one page for the program and one for each verb.
pub(crate) fn pages(wanted: &Manual) -> Result<(), Trouble> {
    Ok(clap_mangen::generate_to(Args::command(), &wanted.folder)?)
}
