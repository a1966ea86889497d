//! The file of a profile: TOML that people read and write, in the spelling of `station.toml`.

use super::Config;
use super::meant::Meaning;
use super::place::Environment;
use super::written::{At, Number, Place, Problem, Reader, Switch, Text, section};
use crate::names::pattern::Pattern;
use std::fmt::Write as _;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use wire::nic::DeploymentChoice;
use wire::profile::{Profile, ProfileProduct, ProfileVenue};
use wire::refusal::Refusal;
use wire::settings::Preferences;

/// The version of the file that this build reads and writes.
const VERSION: u64 = 1;
/// Longest name of a profile, in characters.
pub const LONGEST_NAME: usize = 60;
const TOP_KEYS: &[&str] = &[
    "profile",
    "name",
    "deployment",
    "product",
    "venue",
    "preferences",
];

section! {
    /// `[deployment]`.
    SideWritten in "[deployment]" {
        /// Name of the NIC.
        interface: Text via text,
        /// The station's address with prefix.
        address: Text via text,
        /// Range of addresses to hand out.
        leases: Text via text,
        /// Serve on the NIC that holds the default route all the same.
        force_default_route: Switch via switch,
    }
}

section! {
    /// `[product]`.
    ProductWritten in "[product]" {
        /// Its code.
        code: Text via text,
        /// Its name.
        name: Text via text,
        /// Its hostname pattern.
        pattern: Text via text,
    }
}

section! {
    /// `[venue]`.
    VenueWritten in "[venue]" {
        /// Its code.
        code: Text via text,
        /// Its name.
        name: Text via text,
        /// Where it is.
        location: Text via text,
        /// Contact e-mail address.
        contact: Text via text,
    }
}

section! {
    /// `[preferences]`.
    PreferencesWritten in "[preferences]" {
        /// No desktop notifications.
        quiet: Switch via switch,
        /// Warn when fewer names are free.
        names_low: Number via number,
        /// Warn when the disk has less room, in megabytes.
        disk_low_mb: Number via number,
    }
}

/// Reads the file of a profile, or says everything that is wrong with it, by line.
pub fn read(text: &str) -> Result<Profile, Vec<Problem>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader::of(text);
    for error in errors {
        let at = error.span().map_or(text.len(), |span| span.start);
        reader.problem(at, error.message().to_owned());
    }
    let (mut version, mut name) = (None, None);
    let (mut side, mut product, mut venue, mut preferences) = (None, None, None, None);
    for (key, value) in document.get_ref() {
        let r = &mut reader;
        match key.get_ref().as_ref() {
            "profile" => version = r.number("profile", value),
            "name" => name = r.text("name", value),
            "deployment" => side = Some(placed(r, value, SideWritten::read)),
            "product" => product = Some(placed(r, value, ProductWritten::read)),
            "venue" => venue = Some(placed(r, value, VenueWritten::read)),
            "preferences" => preferences = Some(placed(r, value, PreferencesWritten::read)),
            other => r.unknown_key(other, key.span().start, "a profile", TOP_KEYS),
        }
    }
    let mut problems = reader.problems;
    let top = Place { line: 1, column: 1 };
    match version {
        Some(At { value: VERSION, .. }) => {}
        Some(at) => {
            // Of another version nothing else is known.
            let text = format!(
                "the file is a profile of version {}; this Punnet reads version {VERSION}",
                at.value
            );
            return Err(vec![Problem {
                place: at.place,
                text,
            }]);
        }
        None => problems.push(Problem {
            place: top,
            text: format!("this is no profile: `profile = {VERSION}` is missing"),
        }),
    }
    let mut meaning = Meaning::of(&mut problems);
    let profile = Profile {
        name: meaning.short("name", top, name, LONGEST_NAME),
        deployment: side.map(|at| deployment(&at, &mut meaning)),
        product: product.and_then(|at| of_product(&at, &mut meaning)),
        venue: venue.and_then(|at| of_venue(&at, &mut meaning)),
        preferences: preferences.map(|at| of_preferences(&at.value, &mut meaning)),
    };
    if problems.is_empty() {
        return Ok(profile);
    }
    problems.sort_by_key(|problem| problem.place);
    Err(problems)
}

fn placed<T: Default>(
    reader: &mut Reader<'_>,
    value: &Spanned<DeValue<'_>>,
    read: fn(&DeTable<'_>, &mut Reader<'_>) -> T,
) -> At<T> {
    let section = reader.table(value, read);
    reader.at(section, value)
}

fn deployment(at: &At<SideWritten>, meaning: &mut Meaning<'_>) -> DeploymentChoice {
    let w = &at.value;
    let value = |text: &Text| text.as_ref().map(|t| t.value.clone());
    let choice = DeploymentChoice {
        interface: value(&w.interface),
        address: value(&w.address).unwrap_or_default(),
        leases: value(&w.leases).unwrap_or_default(),
        force_default_route: w.force_default_route.as_ref().is_some_and(|s| s.value),
    };
    if w.address.is_none() {
        meaning.wrong(at.place, "[deployment] wants an address".to_owned());
        return choice;
    }
    let usual = Config::defaults(&Environment::default()).deployment;
    if let Err(refusal) = usual.chosen(&choice) {
        let written = match refusal.field.as_deref() {
            Some("interface") => &w.interface,
            Some("leases") => &w.leases,
            _ => &w.address,
        };
        let place = written.as_ref().map_or(at.place, |text| text.place);
        meaning.wrong(place, plain(&refusal));
    }
    choice
}

fn of_product(at: &At<ProductWritten>, meaning: &mut Meaning<'_>) -> Option<ProfileProduct> {
    let w = &at.value;
    let code = meaning.needed("[product]", "code", at.place, &w.code);
    let code = code.and_then(|code| meaning.parsed(code));
    let pattern = meaning.needed("[product]", "pattern", at.place, &w.pattern);
    let name = meaning.short("name", at.place, w.name.clone(), 100);
    let (code, pattern): (wire::ProductCode, _) = (code?, pattern?);
    let fits = pattern
        .value
        .parse::<Pattern>()
        .and_then(|p| p.check(&code));
    if let Err(why) = fits {
        meaning.wrong(pattern.place, why.to_string());
    }
    Some(ProfileProduct {
        code,
        name,
        pattern: pattern.value.clone(),
    })
}

fn of_venue(at: &At<VenueWritten>, meaning: &mut Meaning<'_>) -> Option<ProfileVenue> {
    let w = &at.value;
    let code = meaning.needed("[venue]", "code", at.place, &w.code);
    let code = code.and_then(|code| meaning.parsed(code));
    let value = |text: &Text| text.as_ref().map(|t| t.value.clone()).unwrap_or_default();
    let name = meaning.short("name", at.place, w.name.clone(), 100);
    Some(ProfileVenue {
        code: code?,
        name,
        location: value(&w.location),
        contact: value(&w.contact),
    })
}

fn of_preferences(w: &PreferencesWritten, meaning: &mut Meaning<'_>) -> Preferences {
    let usual = Preferences::default();
    let least = u64::from(usual.names_low);
    let names = meaning.number(&w.names_low, "names_low", 0..=9999, least);
    let room = usual.disk_low / 1_000_000;
    let megabytes = meaning.number(&w.disk_low_mb, "disk_low_mb", 0..=1_000_000_000, room);
    Preferences {
        quiet: w.quiet.as_ref().map_or(usual.quiet, |at| at.value),
        names_low: u32::try_from(names).unwrap_or(usual.names_low),
        disk_low: megabytes * 1_000_000,
    }
}

/// A refusal in the style of problems: without its full stop.
fn plain(refusal: &Refusal) -> String {
    refusal.message.trim_end_matches('.').to_owned()
}

/// Writes the file of a profile.
pub fn write(profile: &Profile) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let mut text = String::from(
        "# A profile of Punnet. `punnet profile import FILE` takes it into a station; leave out a\n\
         # section to leave that part of a station as it is.\n",
    );
    // Writing to a text cannot fail.
    let mut put = |line: std::fmt::Arguments<'_>| {
        let _ = text.write_fmt(line);
    };
    put(format_args!("profile = {VERSION}\n"));
    put(format_args!("name = {}\n", quoted(&profile.name)));
    if let Some(side) = &profile.deployment {
        put(format_args!("\n[deployment]\n"));
        if let Some(nic) = &side.interface {
            put(format_args!("interface = {}\n", quoted(nic)));
        }
        put(format_args!("address = {}\n", quoted(&side.address)));
        put(format_args!("leases = {}\n", quoted(&side.leases)));
        if side.force_default_route {
            put(format_args!("force_default_route = true\n"));
        }
    }
    if let Some(product) = &profile.product {
        put(format_args!(
            "\n[product]\ncode = {}\n",
            quoted(product.code.as_str())
        ));
        put(format_args!("name = {}\n", quoted(&product.name)));
        put(format_args!("pattern = {}\n", quoted(&product.pattern)));
    }
    if let Some(venue) = &profile.venue {
        put(format_args!(
            "\n[venue]\ncode = {}\n",
            quoted(venue.code.as_str())
        ));
        put(format_args!("name = {}\n", quoted(&venue.name)));
        for (key, value) in [("location", &venue.location), ("contact", &venue.contact)] {
            if !value.is_empty() {
                put(format_args!("{key} = {}\n", quoted(value)));
            }
        }
    }
    if let Some(preferences) = &profile.preferences {
        put(format_args!(
            "\n[preferences]\nquiet = {}\n",
            preferences.quiet
        ));
        put(format_args!("names_low = {}\n", preferences.names_low));
        let megabytes = preferences.disk_low / 1_000_000;
        put(format_args!("disk_low_mb = {megabytes}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Profile {
        Profile {
            name: "Corona \"karts\"".to_owned(),
            deployment: Some(DeploymentChoice {
                interface: Some("eth1".to_owned()),
                address: "10.9.0.1/16".to_owned(),
                leases: "10.9.1.1-10.9.1.50".to_owned(),
                force_default_route: true,
            }),
            product: Some(ProfileProduct {
                code: "KXP2".parse().unwrap(),
                name: "Kart timing".to_owned(),
                pattern: "{product}-{venue}-{number:03}".to_owned(),
            }),
            venue: Some(ProfileVenue {
                code: "CORO".parse().unwrap(),
                name: "Corona".to_owned(),
                location: "Hall 3\\back".to_owned(),
                contact: "a@b.example".to_owned(),
            }),
            preferences: Some(Preferences {
                quiet: true,
                names_low: 7,
                disk_low: 2_000_000_000,
            }),
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let whole = full();
        assert_eq!(read(&write(&whole)).unwrap(), whole);
        let bare = Profile {
            name: "bare".to_owned(),
            deployment: None,
            product: None,
            venue: None,
            preferences: None,
        };
        assert_eq!(read(&write(&bare)).unwrap(), bare);
    }

    #[test]
    fn everything_that_is_wrong_is_named_by_its_line() {
        let text = "profile = 1\nname = \"x\"\n[deployment]\naddres = \"10.0.0.1/24\"\n\
                    address = \"10.0.0.1/24\"\nleases = \"10.0.0.1-10.0.0.9\"\n[product]\n\
                    code = \"K!\"\nname = \"K\"\npattern = \"x\"\n[venue]\ncode = \"COR\"\n\
                    name = \"C\"\n[preferences]\nnames_low = 100000\n[wifi]\n";
        let problems = read(text).unwrap_err();
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        for (line, part) in [
            (4, "did you mean address?"),
            (6, "own address"),
            (8, ""),
            (12, "4 letters"),
            (15, "it may be 0 to 9999"),
            (16, "wifi"),
        ] {
            let start = format!("line {line},");
            assert!(
                said.iter()
                    .any(|s| s.starts_with(&start) && s.contains(part)),
                "line {line}: {said:#?}"
            );
        }
        let other = read("profile = 2\nwhat = 3\n").unwrap_err();
        assert_eq!(other.len(), 1);
        assert!(other[0].text.contains("version 2"), "{other:?}");
        assert!(
            read("name = \"x\"\n").unwrap_err()[0]
                .text
                .contains("no profile")
        );
        assert!(
            !read("profile = 1\n").unwrap_err().is_empty(),
            "it has no name"
        );
    }
}
