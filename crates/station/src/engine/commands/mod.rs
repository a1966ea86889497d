//! Commands: what an operator may change, one file per noun.

mod batches;
mod boards;
mod names;
mod products;
mod venues;

use super::effect::Effect;
use super::turn::Turn;
use super::{image, ticks};
use crate::bench::permits;
use crate::bench::seat::Seat;
use crate::store;
use wire::BoardId;
use wire::batch::Product;
use wire::command::{Command, Receipt};
use wire::name::ProductCode;
use wire::refusal::Refusal;

/// Does what a command says.
pub(super) fn run(turn: &mut Turn<'_>, command: Command) -> Result<Receipt, Refusal> {
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
        Command::Unknown => Err(Refusal::invalid(
            "command",
            "This version does not know that command.",
        )),
    }
}

fn done(text: String) -> Receipt {
    Receipt::Done { text }
}

/// A text field within its bounds, trimmed.
pub(super) fn text(field: &str, text: &str, least: usize, most: usize) -> Result<String, Refusal> {
    let text = text.trim();
    let len = text.chars().count();
    if len < least || len > most {
        let bounds = if least == 0 {
            format!("at most {most}")
        } else {
            format!("{least} to {most}")
        };
        return Err(Refusal::invalid(
            field,
            format!("The {field} has {bounds} characters, this one has {len}."),
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(Refusal::invalid(
            field,
            format!("The {field} is one line of text."),
        ));
    }
    Ok(text.to_owned())
}

/// Why somebody did it, for the record.
fn because(reason: &str) -> Result<String, Refusal> {
    text("reason", reason, 1, 500)
}

fn product(turn: &Turn<'_>, code: &ProductCode) -> Result<Product, Refusal> {
    store::products::get(turn.tx, code)?.ok_or_else(|| {
        Refusal::not_found(format!("There is no product {code}."))
            .at("product")
            .next("Add it first.")
    })
}

/// A product that takes new work.
pub(super) fn live_product(turn: &Turn<'_>, code: &ProductCode) -> Result<Product, Refusal> {
    let product = product(turn, code)?;
    if product.archived {
        return Err(Refusal::conflict(format!("Product {code} is archived."))
            .at("product")
            .next("Bring it back first."));
    }
    Ok(product)
}

/// Parts a board from its name: it owns nothing and needs approval to come back. A deployment of a
/// board that went silent is closed; a board at work is left alone.
fn part(turn: &mut Turn<'_>, board: BoardId) -> Result<(), Refusal> {
    turn.fetch(board)?;
    let now = turn.now;
    let silent = |seat: &Seat| seat.open().is_some() && !seat.is_at_work(now);
    if turn.seat(board).is_some_and(silent) {
        ticks::abandon(turn, board)?;
    }
    let before = turn.seat(board).and_then(|s| s.last.clone());
    if let Some(seat) = turn.seat_mut(board) {
        permits::let_go(seat, now)?;
    }
    let after = turn.seat(board).and_then(|s| s.last.clone());
    Ok(turn.write(before.as_ref(), after.as_ref(), None)?)
}
