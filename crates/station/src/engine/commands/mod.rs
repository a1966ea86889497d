//! Commands: what an operator may change, one file per noun.

mod batches;
mod boards;
mod names;
mod operators;
mod products;
pub(super) mod profiles;
pub(super) mod rehearsals;
mod settings;
pub(super) mod shared;
mod venues;

use super::effect::Effect;
use super::turn::Turn;
use super::{backup, image};
use shared::done;
use wire::command::{Command, Receipt};
use wire::refusal::Refusal;

/// May a command end logins?
pub(super) fn is_about_operators(command: &Command) -> bool {
    matches!(
        command,
        Command::OperatorPassword { .. }
            | Command::OperatorRole { .. }
            | Command::OperatorDisable { .. }
            | Command::OperatorRemove { .. }
    )
}

/// Does what a command says. `hash` is that of the password in it; a command that is only tried has
/// none.
#[expect(clippy::too_many_lines, reason = "one arm for each command")]
pub(super) fn run(
    turn: &mut Turn<'_>,
    command: Command,
    hash: Option<&str>,
) -> Result<Receipt, Refusal> {
    match command {
        Command::ProductAdd {
            code,
            name,
            pattern,
        } => products::add(turn, code, &name, &pattern),
        Command::ProductEdit {
            code,
            name,
            pattern,
        } => products::edit(turn, &code, name.as_deref(), pattern.as_deref()),
        Command::ProductArchive { code, archived } => products::archive(turn, &code, archived),
        Command::VenueAdd {
            code,
            name,
            location,
            contact,
        } => venues::add(turn, code, &name, &location, &contact),
        Command::VenueEdit {
            code,
            name,
            location,
            contact,
        } => venues::edit(
            turn,
            &code,
            name.as_deref(),
            location.as_deref(),
            contact.as_deref(),
        ),
        Command::VenueArchive { code, archived } => venues::archive(turn, &code, archived),
        Command::NamesImport {
            product,
            venue,
            source,
            dry_run,
        } => names::import(turn, &product, &venue, &source, dry_run),
        Command::NameRelease { hostname, reason } => names::release(turn, &hostname, &reason),
        Command::NameRetire { hostname, reason } => names::retire(turn, &hostname, &reason),
        Command::NameReinstate { hostname, reason } => names::reinstate(turn, &hostname, &reason),
        Command::NameReplace {
            hostname,
            board,
            reason,
        } => names::replace(turn, &hostname, board, &reason),
        Command::NameDelete { hostname } => names::delete(turn, &hostname),
        Command::ImageAdd {
            path,
            product,
            version,
            description,
            activate,
        } => image::add(
            turn,
            &image::Wanted {
                path,
                product,
                version,
                description,
                activate,
            },
        ),
        Command::ImportCancel { import } => image::cancel(turn, import),
        Command::ImageActivate { image } => image::activate(turn, &image),
        Command::ImageRemove { image } => image::remove(turn, &image),
        Command::BatchCreate(plan) => batches::create(turn, &plan),
        Command::BatchStart { batch } => batches::start(turn, batch),
        Command::BatchPause { batch } => batches::pause(turn, batch),
        Command::BatchResume { batch } => batches::resume(turn, batch),
        Command::BatchCancel { batch } => batches::cancel(turn, batch),
        Command::BatchExtend { batch, by } => batches::extend(turn, batch, by),
        Command::BatchRetry { batch } => batches::retry(turn, batch),
        Command::BatchReorder { batch, rank } => batches::reorder(turn, batch, rank),
        Command::BoardApprove { board } => boards::approve(turn, board),
        Command::BoardHold { board } => boards::hold(turn, board),
        Command::BoardAccept { mac } => boards::accept(turn, mac),
        Command::BoardRetry { board } => boards::retry(turn, board),
        Command::BoardIdentify { board, seconds } => boards::identify(turn, board, seconds),
        Command::BoardRelease { board, reason } => boards::release(turn, board, &reason),
        Command::ServerStart { server } => {
            turn.effect(Effect::StartServer(server));
            Ok(done(format!("{} is being started.", server.as_str())))
        }
        Command::ServerStop { server } => {
            turn.effect(Effect::StopServer(server));
            Ok(done(format!("{} is being stopped.", server.as_str())))
        }
        Command::RehearsalStart(plan) => rehearsals::start(turn, plan),
        Command::RehearsalStop => rehearsals::stop(turn),
        Command::BoardPlace { board, place } => boards::place(turn, board, &place),
        Command::PreferencesSet(preferences) => settings::preferences(turn, preferences),
        Command::DeploymentSet(choice) => settings::deployment(turn, &choice),
        Command::OperatorAdd {
            name,
            role,
            password,
        } => operators::add(turn, &name, role, &password, hash),
        Command::OperatorPassword { name, password } => {
            operators::password(turn, &name, &password, hash)
        }
        Command::OperatorRole { name, role } => operators::role(turn, &name, role),
        Command::OperatorDisable { name, disabled } => operators::disable(turn, &name, disabled),
        Command::OperatorRemove { name } => operators::remove(turn, &name),
        Command::ProfileSave {
            name,
            product,
            venue,
        } => profiles::save(turn, &name, product.as_ref(), venue.as_ref()),
        Command::ProfileImport { text, replace } => profiles::import(turn, &text, replace),
        Command::ProfileApply { name } => profiles::apply(turn, &name),
        Command::ProfileRemove { name } => profiles::remove(turn, &name),
        Command::ConfigReload => Err(Refusal::invalid(
            "command",
            "Reading the configuration again cannot be tried.",
        )),
        Command::BackupNow => backup::now(turn),
        Command::Unknown => Err(Refusal::invalid(
            "command",
            "This version does not know that command.",
        )),
    }
}
