//! `punnet product` and `punnet venue`.

use crate::desk::{Desk, Work, unexpected};
use crate::print::{Table, or_dash};
use clap::Subcommand;
use std::collections::BTreeSet;
use wire::batch::NameState;
use wire::command::{Command, Receipt};
use wire::query::{Answer, Query, Stats};
use wire::{ImageId, ProductCode, VenueCode};

/// Verbs of products.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ProductVerb {
    /// Add a product.
    Add {
        /// Its code: 1 to 16 letters, digits or hyphens.
        code: ProductCode,
        /// Its name.
        #[arg(long)]
        name: String,
        /// How its boards are named.
        #[arg(long, default_value = "{product}-{venue}-{number:03}")]
        pattern: String,
    },
    /// Change a product.
    Edit {
        /// Which.
        code: ProductCode,
        /// New name.
        #[arg(long)]
        name: Option<String>,
        /// New hostname pattern.
        #[arg(long)]
        pattern: Option<String>,
    },
    /// Take no new batches of a product.
    Archive {
        /// Which.
        code: ProductCode,
        /// Take them again.
        #[arg(long)]
        undo: bool,
    },
    /// List products.
    List,
}

/// Verbs of venues.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum VenueVerb {
    /// Add a venue.
    Add {
        /// Its code: 4 letters or digits.
        code: VenueCode,
        /// Its name.
        #[arg(long)]
        name: String,
        /// Where it is.
        #[arg(long, default_value = "")]
        location: String,
        /// Contact e-mail address.
        #[arg(long, default_value = "")]
        contact: String,
    },
    /// Change a venue.
    Edit {
        /// Which.
        code: VenueCode,
        /// New name.
        #[arg(long)]
        name: Option<String>,
        /// New location.
        #[arg(long)]
        location: Option<String>,
        /// New contact.
        #[arg(long)]
        contact: Option<String>,
    },
    /// Take no new batches for a venue.
    Archive {
        /// Which.
        code: VenueCode,
        /// Take them again.
        #[arg(long)]
        undo: bool,
    },
    /// List venues.
    List,
}

/// Does a verb of products.
pub(crate) fn product(verb: &ProductVerb) -> impl Work + use<> {
    let verb = verb.clone();
    async move |desk: &Desk| {
        let command = match verb {
            ProductVerb::Add {
                code,
                name,
                pattern,
            } => Command::ProductAdd {
                code,
                name,
                pattern,
            },
            ProductVerb::Edit {
                code,
                name,
                pattern,
            } => Command::ProductEdit {
                code,
                name,
                pattern,
            },
            ProductVerb::Archive { code, undo } => Command::ProductArchive {
                code,
                archived: !undo,
            },
            ProductVerb::List => {
                let Answer::Products(products) = desk.query(Query::Products).await? else {
                    return Err(unexpected());
                };
                return desk.say(&products, |products| {
                    let mut table = Table::new(
                        &["code", "name", "hostnames", "image", ""],
                        "There are no products yet. Add one with `punnet product add`.",
                    );
                    for p in products {
                        table.row([
                            p.code.to_string(),
                            p.name.clone(),
                            p.pattern.clone(),
                            or_dash(p.image.as_ref().map(ImageId::short)),
                            archived(p.archived),
                        ]);
                    }
                    table.to_string()
                });
            }
        };
        desk.change(command, |receipt| match receipt {
            Receipt::Product(p) => format!(
                "{} ({}), hostnames {}{}",
                p.code,
                p.name,
                p.pattern,
                if p.archived { ", archived" } else { "" }
            ),
            other => format!("{other:?}"),
        })
        .await
    }
}

/// Does a verb of venues.
pub(crate) fn venue(verb: &VenueVerb) -> impl Work + use<> {
    let verb = verb.clone();
    async move |desk: &Desk| {
        let command = match verb {
            VenueVerb::Add {
                code,
                name,
                location,
                contact,
            } => Command::VenueAdd {
                code,
                name,
                location,
                contact,
            },
            VenueVerb::Edit {
                code,
                name,
                location,
                contact,
            } => Command::VenueEdit {
                code,
                name,
                location,
                contact,
            },
            VenueVerb::Archive { code, undo } => Command::VenueArchive {
                code,
                archived: !undo,
            },
            VenueVerb::List => {
                let Answer::Venues(venues) = desk.query(Query::Venues).await? else {
                    return Err(unexpected());
                };
                let Answer::Stats(stats) = desk.query(Query::Stats).await? else {
                    return Err(unexpected());
                };
                return desk.say(&venues, |venues| {
                    let mut table = Table::new(
                        &["code", "name", "location", "contact", "names", ""],
                        "There are no venues yet. Add one with `punnet venue add`.",
                    );
                    for v in venues {
                        table.row([
                            v.code.to_string(),
                            v.name.clone(),
                            v.location.clone(),
                            v.contact.clone(),
                            names_of(&v.code, &stats),
                            archived(v.archived),
                        ]);
                    }
                    table.to_string()
                });
            }
        };
        desk.change(command, |receipt| match receipt {
            Receipt::Venue(v) => format!(
                "{} ({}){}",
                v.code,
                v.name,
                if v.archived { ", archived" } else { "" }
            ),
            other => format!("{other:?}"),
        })
        .await
    }
}

/// How many names a venue has, product by product.
fn names_of(venue: &VenueCode, stats: &Stats) -> String {
    let pools = || stats.names.iter().filter(|pool| pool.venue == *venue);
    let count = |product: &ProductCode, state| -> u32 {
        let counted = pools().filter(|pool| pool.product == *product && pool.state == state);
        counted.map(|pool| pool.count).sum()
    };
    let products: BTreeSet<&ProductCode> = pools().map(|pool| &pool.product).collect();
    let words = products.into_iter().map(|product| {
        format!(
            "{product}: {} free, {} reserved, {} assigned",
            count(product, NameState::Available),
            count(product, NameState::Reserved),
            count(product, NameState::Assigned)
        )
    });
    words.collect::<Vec<_>>().join("; ")
}

fn archived(yes: bool) -> String {
    if yes { "archived" } else { "" }.to_owned()
}
