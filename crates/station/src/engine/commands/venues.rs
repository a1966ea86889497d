//! Venues.

use super::super::turn::Turn;
use super::shared::text;
use crate::batches::machine;
use crate::bench::stages::Note;
use crate::store;
use crate::store::events::About;
use wire::batch::Venue;
use wire::command::Receipt;
use wire::name::VenueCode;
use wire::refusal::Refusal;

/// Adds a venue.
pub(super) fn add(
    turn: &mut Turn<'_>,
    code: VenueCode,
    name: &str,
    location: &str,
    contact: &str,
) -> Result<Receipt, Refusal> {
    if store::venues::get(turn.tx, &code)?.is_some() {
        return Err(Refusal::conflict(format!("There is a venue {code} already.")).at("code"));
    }
    let venue = Venue {
        code,
        name: text("name", name, 1, 100)?,
        location: text("location", location, 0, 100)?,
        contact: mailbox(contact)?,
        archived: false,
    };
    store::venues::add(turn.tx, &venue, turn.now)?;
    let text = format!("Venue {} ({}) was added.", venue.code, venue.name);
    turn.note(&About::default(), Note::info("venue.added", text))?;
    Ok(Receipt::Venue(venue))
}

/// An e-mail address, or nothing. Only what is surely wrong is refused.
fn mailbox(contact: &str) -> Result<String, Refusal> {
    let contact = text("contact", contact, 0, 254)?;
    let sound = contact.is_empty()
        || contact.split_once('@').is_some_and(|(who, at)| {
            let odd = |c: char| c.is_whitespace() || c == '@' || c == ',';
            !who.is_empty()
                && at.contains('.')
                && !at.starts_with('.')
                && !at.ends_with('.')
                && !at.contains(odd)
                && !who.contains(odd)
        });
    if sound {
        Ok(contact)
    } else {
        let message = format!("{contact:?} is no e-mail address.");
        Err(Refusal::invalid("contact", message).next("Write one, or leave it empty."))
    }
}

fn find(turn: &Turn<'_>, code: &VenueCode) -> Result<Venue, Refusal> {
    store::venues::get(turn.tx, code)?.ok_or_else(|| {
        Refusal::not_found(format!("There is no venue {code}."))
            .at("code")
            .next("Add it first.")
    })
}

/// A venue that takes new work.
pub(super) fn live(turn: &Turn<'_>, code: &VenueCode) -> Result<Venue, Refusal> {
    let venue = find(turn, code).map_err(|r| r.at("venue"))?;
    if venue.archived {
        return Err(Refusal::conflict(format!("Venue {code} is archived."))
            .at("venue")
            .next("Bring it back first."));
    }
    Ok(venue)
}

/// Changes a venue.
pub(super) fn edit(
    turn: &mut Turn<'_>,
    code: &VenueCode,
    name: Option<&str>,
    location: Option<&str>,
    contact: Option<&str>,
) -> Result<Receipt, Refusal> {
    let mut venue = find(turn, code)?;
    if let Some(name) = name {
        venue.name = text("name", name, 1, 100)?;
    }
    if let Some(location) = location {
        venue.location = text("location", location, 0, 100)?;
    }
    if let Some(contact) = contact {
        venue.contact = mailbox(contact)?;
    }
    store::venues::update(turn.tx, &venue)?;
    let text = format!("Venue {code} ({}) was changed.", venue.name);
    turn.note(&About::default(), Note::info("venue.changed", text))?;
    Ok(Receipt::Venue(venue))
}

/// Archives a venue, or brings it back.
pub(super) fn archive(
    turn: &mut Turn<'_>,
    code: &VenueCode,
    archived: bool,
) -> Result<Receipt, Refusal> {
    let mut venue = find(turn, code)?;
    let mut batches = turn.plans.batches.iter();
    let open = batches.find(|b| machine::is_open(b.state) && b.plan.venue == *code);
    if archived && let Some(batch) = open {
        return Err(
            Refusal::conflict(format!("Batch {} for {code} is under way.", batch.id))
                .at("code")
                .next("Archive the venue when it is complete or cancelled."),
        );
    }
    if venue.archived != archived {
        venue.archived = archived;
        store::venues::update(turn.tx, &venue)?;
        let how = if archived { "archived" } else { "brought back" };
        let text = format!("Venue {code} was {how}.");
        turn.note(&About::default(), Note::info("venue.archived", text))?;
    }
    Ok(Receipt::Venue(venue))
}
