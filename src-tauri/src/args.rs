//! What can be typed. Each group of verbs is spelled out in its own file.

use crate::common::Common;
use crate::{
    alert, backup, batch, boards, check, history, image, manual, names, operator, paper, plans,
    profile, rehearse, restore, server,
};
use clap::{Parser, Subcommand};

/// Provisions Raspberry Pi boards over the network: imaged, verified, named and recorded.
#[derive(Debug, Parser)]
#[command(name = "punnet", version, args_conflicts_with_subcommands = false)]
#[command(
    after_help = "Exit status: 0 done, 1 refused or failed, 2 wrong usage, 78 wrong configuration."
)]
pub(crate) struct Args {
    /// What every verb takes.
    #[command(flatten)]
    pub(crate) common: Common,
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
    /// Ways of working, kept under a name.
    #[command(subcommand)]
    Profile(profile::Verb),
    /// Make a backup: in the station's folder, or as one file for another machine.
    Backup(backup::Backup),
    /// Put a backup in the place of the data folder.
    Restore(restore::Restore),
    /// Labels for boards, to print.
    Label(paper::Label),
    /// Past and present deployments.
    History(history::History),
    /// What happened to a board.
    Logs(history::Logs),
    /// Who may log in on the page.
    #[command(subcommand)]
    Operator(operator::Verb),
    /// The record of who did what.
    Deeds(operator::Deeds),
    /// Print what a shell needs to complete the verbs.
    Completions(manual::Completions),
    /// Write the manual pages into a folder.
    #[command(hide = true)]
    Manual(manual::Manual),
    /// The last packets between boards and the station, as a file for Wireshark.
    Packets(paper::Packets),
    /// Messages to people who do not look at the page.
    #[command(subcommand)]
    Alert(alert::Verb),
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
