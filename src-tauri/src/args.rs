//! What can be typed. Each group of verbs is spelled out in its own file.

use crate::{batch, boards, check, history, image, names, plans, rehearse, server};
use clap::{Parser, Subcommand};
use station::config::{Config, ConfigError, Environment};
use std::path::PathBuf;

/// Provisions Raspberry Pi boards over the network: imaged, verified, named and recorded.
#[derive(Debug, Parser)]
#[command(name = "punnet", version, args_conflicts_with_subcommands = false)]
#[command(after_help = "Exit status: 0 done, 1 refused or failed, 2 wrong usage.")]
pub(crate) struct Args {
    /// Configuration file (else PUNNET_CONFIG, ~/.config/punnet/station.toml, /etc/punnet/station.toml).
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Data folder; overrides the configuration.
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Print JSON for programs instead of text for people.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Do not ask before what cannot be undone. Without a terminal nothing is asked either.
    #[arg(long, short = 'y', global = true)]
    pub(crate) yes: bool,
    /// Run as the station, without a window.
    #[arg(long)]
    pub(crate) daemon: bool,
    /// Run the station for virtual boards: on the loopback, without any rights.
    #[arg(long, requires = "daemon", hide = true)]
    pub(crate) rehearsal: bool,
    /// What to do.
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
}

/// The groups of verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run a whole batch with virtual boards, and prove every disk.
    Rehearse(rehearse::Rehearse),
    /// Look whether this machine and its network are fit to serve boards.
    Check,
    /// The configuration file.
    #[command(subcommand)]
    Config(check::ConfigVerb),
    /// Golden images.
    #[command(subcommand)]
    Image(image::Verb),
    /// Products: what a board becomes.
    #[command(subcommand)]
    Product(plans::ProductVerb),
    /// Venues: where boards go.
    #[command(subcommand)]
    Venue(plans::VenueVerb),
    /// The pool of hostnames.
    #[command(subcommand)]
    Names(names::Verb),
    /// Batches of boards.
    #[command(subcommand)]
    Batch(batch::Verb),
    /// The boards on the bench.
    Boards(boards::List),
    /// One board.
    #[command(subcommand)]
    Board(boards::Verb),
    /// The servers of the deployment side.
    #[command(subcommand)]
    Server(server::Verb),
    /// Past and present deployments.
    History(history::History),
    /// What happened to a board.
    Logs(history::Logs),
}

impl Args {
    /// The configuration that these arguments and the environment point to.
    pub(crate) fn configuration(&self) -> Result<Config, ConfigError> {
        let mut config = station::config::load(self.config.as_deref(), &Environment::of_process())?;
        if let Some(folder) = &self.data_dir {
            config.data_dir = std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_verbs_are_consistent() {
        Args::command().debug_assert();
    }
}
