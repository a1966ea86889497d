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
        | Command::BoardHold { .. }
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
        // What cannot be had back, how and where boards are served, copies with secrets in them, and
        // who works here.
        Command::ImageRemove { .. }
        | Command::DeploymentSet(_)
        | Command::BackupNow
        | Command::ProfileSave { .. }
        | Command::ProfileImport { .. }
        | Command::ProfileApply { .. }
        | Command::ProfileRemove { .. }
        | Command::ConfigReload
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
        Query::Operators | Query::Deeds(_) | Query::Configuration => Role::Admin,
        _ => Role::Viewer,
    }
}
