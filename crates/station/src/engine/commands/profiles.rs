//! Profiles: how the station is set, kept under a name and set again in one step.

use super::super::turn::Turn;
use super::shared::{done, text};
use super::{products, settings, venues};
use crate::bench::stages::Note;
use crate::config::profile;
use crate::outside::alone;
use crate::store;
use crate::store::events::About;
use wire::batch::BatchState;
use wire::command::Receipt;
use wire::configuration::Change;
use wire::name::{ProductCode, VenueCode};
use wire::nic::DeploymentChoice;
use wire::profile::{Profile, ProfileProduct, ProfileReport, ProfileVenue};
use wire::refusal::Refusal;
use wire::settings::Preferences;
use wire::update::Update;

/// A profile by its name.
pub(in crate::engine) fn named(turn: &Turn<'_>, name: &str) -> Result<Profile, Refusal> {
    store::profiles::get(turn.tx, name.trim())?.ok_or_else(|| {
        Refusal::not_found(format!("There is no profile {name:?}."))
            .at("name")
            .next("Look at the list of profiles for its name.")
    })
}

/// Keeps how the station is set now.
pub(super) fn save(
    turn: &mut Turn<'_>,
    name: &str,
    product: Option<&ProductCode>,
    venue: Option<&VenueCode>,
) -> Result<Receipt, Refusal> {
    let standing = turn.config.standing.clone().ok_or_else(alone)?;
    let product = product.map(|code| super::shared::product(turn, code));
    let product = product.transpose()?.map(|product| ProfileProduct {
        code: product.code,
        name: product.name,
        pattern: product.pattern,
    });
    let venue = venue.map(|code| venues::live(turn, code)).transpose()?;
    let venue = venue.map(|venue| ProfileVenue {
        code: venue.code,
        name: venue.name,
        location: venue.location,
        contact: venue.contact,
    });
    let saved = Profile {
        name: text("name", name, 1, profile::LONGEST_NAME)?,
        deployment: Some(standing.deployment.choice()),
        product,
        venue,
        preferences: Some(turn.preferences()),
    };
    keep(turn, &saved)?;
    Ok(report(saved, Vec::new()))
}

/// Takes a profile in from its file.
pub(super) fn import(turn: &mut Turn<'_>, file: &str, replace: bool) -> Result<Receipt, Refusal> {
    let read = profile::read(file).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let text = format!("The profile is not taken in: {}.", lines.join("; "));
        Refusal::invalid("text", text)
    })?;
    if !replace && store::profiles::get(turn.tx, &read.name)?.is_some() {
        let text = format!("There is a profile {:?} already.", read.name);
        return Err(Refusal::conflict(text)
            .at("text")
            .next("Say that it is to be replaced, or change the name in the file."));
    }
    let changes = differences(turn, &read)?;
    keep(turn, &read)?;
    Ok(report(read, changes))
}

/// Forgets a profile.
pub(super) fn remove(turn: &mut Turn<'_>, name: &str) -> Result<Receipt, Refusal> {
    let profile = named(turn, name)?;
    store::profiles::remove(turn.tx, &profile.name)?;
    let text = format!("The profile {} was removed.", profile.name);
    turn.note(
        &About::default(),
        Note::info("profile.removed", text.clone()),
    )?;
    turn.tell(Update::Plans);
    Ok(done(text))
}

/// Sets the station up as a profile says.
pub(super) fn apply(turn: &mut Turn<'_>, name: &str) -> Result<Receipt, Refusal> {
    let profile = named(turn, name)?;
    let changes = differences(turn, &profile)?;
    if let Some(choice) = &profile.deployment {
        stand(turn, choice)?;
    }
    if let Some(product) = &profile.product {
        set_product(turn, product)?;
    }
    if let Some(venue) = &profile.venue {
        set_venue(turn, venue)?;
    }
    if let Some(preferences) = &profile.preferences
        && *preferences != turn.preferences()
    {
        settings::preferences(turn, preferences.clone())?;
    }
    let text = format!("The profile {} was applied.", profile.name);
    turn.note(&About::default(), Note::info("profile.applied", text))?;
    turn.tell(Update::Plans);
    Ok(report(profile, changes))
}

fn report(profile: Profile, changes: Vec<Change>) -> Receipt {
    Receipt::Profile(Box::new(ProfileReport { profile, changes }))
}

fn keep(turn: &mut Turn<'_>, profile: &Profile) -> Result<(), Refusal> {
    store::profiles::put(turn.tx, profile, turn.now)?;
    let text = format!("The profile {} was saved.", profile.name);
    turn.note(&About::default(), Note::info("profile.saved", text))?;
    turn.tell(Update::Plans);
    Ok(())
}

/// Goes to the NIC of a profile; no batch may lose its boards by that.
fn stand(turn: &mut Turn<'_>, choice: &DeploymentChoice) -> Result<(), Refusal> {
    let standing = turn.config.standing.clone().ok_or_else(alone)?;
    if standing.deployment.chosen(choice)? == standing.deployment {
        return Ok(());
    }
    let mut batches = turn.plans.batches.iter();
    if let Some(batch) = batches.find(|batch| batch.state == BatchState::Active) {
        let text = format!(
            "Batch {} takes boards on {}; the profile would take the network from them.",
            batch.id,
            standing
                .deployment
                .interface
                .as_deref()
                .unwrap_or("its card")
        );
        return Err(Refusal::conflict(text).next("Pause the batch first, or wait for its end."));
    }
    settings::deployment(turn, choice)?;
    Ok(())
}

fn set_product(turn: &mut Turn<'_>, wanted: &ProfileProduct) -> Result<(), Refusal> {
    let code = &wanted.code;
    match store::products::get(turn.tx, code)? {
        None => {
            products::add(turn, code.clone(), &wanted.name, &wanted.pattern)?;
        }
        Some(known) => {
            if known.archived {
                products::archive(turn, code, false)?;
            }
            if (&known.name, &known.pattern) != (&wanted.name, &wanted.pattern) {
                products::edit(turn, code, Some(&wanted.name), Some(&wanted.pattern))?;
            }
        }
    }
    Ok(())
}

fn set_venue(turn: &mut Turn<'_>, wanted: &ProfileVenue) -> Result<(), Refusal> {
    let code = &wanted.code;
    let (name, place, contact) = (&wanted.name, &wanted.location, &wanted.contact);
    match store::venues::get(turn.tx, code)? {
        None => {
            venues::add(turn, code.clone(), name, place, contact)?;
        }
        Some(known) => {
            if known.archived {
                venues::archive(turn, code, false)?;
            }
            if (&known.name, &known.location, &known.contact) != (name, place, contact) {
                venues::edit(turn, code, Some(name), Some(place), Some(contact))?;
            }
        }
    }
    Ok(())
}

/// What of the station differs from a profile.
fn differences(turn: &Turn<'_>, profile: &Profile) -> Result<Vec<Change>, Refusal> {
    let mut list = Differences::default();
    if let (Some(wanted), Some(standing)) = (&profile.deployment, &turn.config.standing) {
        let now = standing.deployment.choice();
        let then = standing.deployment.chosen(wanted)?.choice();
        let nic = |choice: &DeploymentChoice| {
            let name = choice.interface.clone();
            name.unwrap_or_else(|| "none".to_owned())
        };
        list.put("network card", nic(&now), nic(&then));
        list.put("address", now.address, then.address);
        list.put("leases", now.leases, then.leases);
        let forced = |choice: bool| if choice { "yes" } else { "no" }.to_owned();
        list.put(
            "serve on the card with the default route",
            forced(now.force_default_route),
            forced(then.force_default_route),
        );
    }
    if let Some(wanted) = &profile.product {
        let known = store::products::get(turn.tx, &wanted.code)?;
        let known = known.filter(|product| !product.archived);
        let words = |name: &str, pattern: &str| format!("{name}, {pattern}");
        list.put(
            &format!("product {}", wanted.code),
            known.map_or_else(none, |p| words(&p.name, &p.pattern)),
            words(&wanted.name, &wanted.pattern),
        );
    }
    if let Some(wanted) = &profile.venue {
        let known = store::venues::get(turn.tx, &wanted.code)?;
        let known = known.filter(|venue| !venue.archived);
        let words = |parts: [&str; 3]| {
            let parts: Vec<&str> = parts.into_iter().filter(|p| !p.is_empty()).collect();
            parts.join(", ")
        };
        list.put(
            &format!("venue {}", wanted.code),
            known.map_or_else(none, |v| words([&v.name, &v.location, &v.contact])),
            words([&wanted.name, &wanted.location, &wanted.contact]),
        );
    }
    if let Some(wanted) = &profile.preferences {
        list.preferences(&turn.preferences(), wanted);
    }
    Ok(list.changes)
}

/// What there was before something is made.
fn none() -> String {
    "none".to_owned()
}

#[derive(Default)]
struct Differences {
    changes: Vec<Change>,
}

impl Differences {
    fn put(&mut self, key: &str, from: String, to: String) {
        if from != to {
            self.changes.push(Change {
                key: key.to_owned(),
                from,
                to,
                waits: None,
            });
        }
    }

    fn preferences(&mut self, now: &Preferences, then: &Preferences) {
        let shown = |quiet: bool| if quiet { "off" } else { "on" }.to_owned();
        self.put("desktop notifications", shown(now.quiet), shown(then.quiet));
        let names = |p: &Preferences| p.names_low.to_string();
        self.put("warn below free names", names(now), names(then));
        let room = |p: &Preferences| format!("{} GB", p.disk_low as f64 / 1e9);
        self.put("warn below free disk", room(now), room(then));
    }
}
