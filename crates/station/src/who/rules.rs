//! Which role a command or a question needs. A new command has to be placed here before it compiles.

use wire::command::Command;
use wire::operator::Role;
use wire::query::Query;

/// The least role that a command needs.
pub fn needed(command: &Command) -> Role {
    match command {
        Command::ProductAdd { .. }
        | Command::ProductEdit { .. }
        | Command::ProductArchive { .. }
        | Command::VenueAdd { .. }
        | Command::VenueEdit { .. }
        | Command::VenueArchive { .. }
        | Command::NamesImport { .. }
        | Command::NameRelease { .. }
        | Command::NameRetire { .. }
        | Command::NameReinstate { .. }
        | Command::NameReplace { .. }
        | Command::NameDelete { .. }
        | Command::ImageAdd { .. }
        | Command::ImportCancel { .. }
        | Command::ImageActivate { .. }
        | Command::BatchCreate(_)
        | Command::BatchStart { .. }
        | Command::BatchPause { .. }
        | Command::BatchResume { .. }
        | Command::BatchCancel { .. }
        | Command::BatchExtend { .. }
        | Command::BatchRetry { .. }
        | Command::BatchReorder { .. }
        | Command::BoardApprove { .. }
        | Command::BoardAccept { .. }
        | Command::BoardRetry { .. }
        | Command::BoardIdentify { .. }
        | Command::BoardRelease { .. }
        | Command::BoardPlace { .. }
        | Command::ServerStart { .. }
        | Command::ServerStop { .. }
        | Command::PreferencesSet(_)
        | Command::RehearsalStart(_)
        | Command::RehearsalStop
        | Command::Unknown => Role::Operator,
        // What cannot be had back, where boards are served, and who works here.
        Command::ImageRemove { .. }
        | Command::DeploymentSet(_)
        | Command::OperatorAdd { .. }
        | Command::OperatorPassword { .. }
        | Command::OperatorRole { .. }
        | Command::OperatorDisable { .. }
        | Command::OperatorRemove { .. } => Role::Admin,
    }
}

/// The least role that a question needs.
pub fn needed_to_ask(query: &Query) -> Role {
    match query {
        Query::Operators | Query::Deeds(_) => Role::Admin,
        _ => Role::Viewer,
    }
}
