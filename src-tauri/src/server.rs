//! `punnet server`.

use crate::desk::{Desk, Work, unexpected};
use crate::print::{Table, clock, or_dash};
use clap::{Subcommand, ValueEnum};
use tokio_stream::StreamExt as _;
use wire::command::{Command, Receipt};
use wire::health::{ServerKind, ServerState, ServerStatus};
use wire::update::Update;

/// Verbs of servers.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Verb {
    /// Start a server.
    Start {
        /// Which.
        server: Kind,
    },
    /// Stop a server.
    Stop {
        /// Which.
        server: Kind,
    },
    /// Show all servers.
    List,
}

/// The servers, as they are typed.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    /// Addresses.
    Dhcp,
    /// Boot files.
    Tftp,
    /// The door for boards.
    Http,
}

impl From<Kind> for ServerKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Dhcp => Self::Dhcp,
            Kind::Tftp => Self::Tftp,
            Kind::Http => Self::Http,
        }
    }
}

/// Does a verb of servers.
pub(crate) fn run(verb: &Verb) -> impl Work + use<> {
    let verb = verb.clone();
    async move |desk: &Desk| {
        desk.must_be_live()?;
        let command = match verb {
            Verb::Start { server } => Command::ServerStart {
                server: server.into(),
            },
            Verb::Stop { server } => Command::ServerStop {
                server: server.into(),
            },
            Verb::List => {
                let mut watch = desk.station.watch().await?;
                let Some(Update::Snapshot(now)) = watch.next().await else {
                    return Err(unexpected());
                };
                return desk.say(&now.servers, |servers| table(servers));
            }
        };
        desk.change(command, |receipt| match receipt {
            Receipt::Done { text } => text.clone(),
            other => format!("{other:?}"),
        })
        .await
    }
}

/// The servers as a table.
pub(crate) fn table(servers: &[ServerStatus]) -> String {
    let mut table = Table::new(
        &["server", "state", "where", "since"],
        "No server has told its state yet.",
    );
    for server in servers {
        table.row([
            server.server.as_str().to_owned(),
            words(&server.state),
            or_dash(server.listen.as_ref()),
            clock(server.since),
        ]);
    }
    table.to_string()
}

/// A state in words.
pub(crate) fn words(state: &ServerState) -> String {
    match state {
        ServerState::Stopped => "stopped".to_owned(),
        ServerState::WaitingForLink => "waiting for link".to_owned(),
        ServerState::Probing => "looking at the wire".to_owned(),
        ServerState::Serving => "serving".to_owned(),
        ServerState::Restarting { why, times } => format!("restarting (time {times}): {why}"),
        ServerState::Refused { why } => format!("refused: {why}"),
        ServerState::Unknown => "unknown".to_owned(),
    }
}
