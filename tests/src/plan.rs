//! What an operator sets up before the first board: product, venue, names, image, batch.

use crate::station::Station;
use std::path::Path;
use std::time::Duration;
use wire::batch::{Batch, BatchPlan, BatchRules, ReimagePolicy};
use wire::command::{Command, ImportState, NameSource, Receipt};
use wire::disk::DiskPolicy;
use wire::image::ImageId;

/// The product of the lab.
pub const PRODUCT: &str = "KXP2";
/// The venue of the lab.
pub const VENUE: &str = "CORO";

/// Adds the lab's product and venue with names 1 to `names`.
pub fn product_venue_names(station: &Station, names: u32) {
    done(
        station,
        &Command::ProductAdd {
            code: PRODUCT.parse().expect("a product code"),
            name: "Kart display".to_owned(),
            pattern: "{product}-{venue}-{number:03}".to_owned(),
        },
    );
    done(
        station,
        &Command::VenueAdd {
            code: VENUE.parse().expect("a venue code"),
            name: "Corona".to_owned(),
            location: String::new(),
            contact: String::new(),
        },
    );
    if names > 0 {
        done(
            station,
            &Command::NamesImport {
                product: PRODUCT.parse().expect("a product code"),
                venue: VENUE.parse().expect("a venue code"),
                source: NameSource::Spec {
                    text: format!("1-{names}"),
                },
                dry_run: false,
            },
        );
    }
}

/// Imports an image for the lab's product, makes it active and waits until it is there.
pub fn image(station: &Station, file: &Path) -> ImageId {
    let receipt = done(
        station,
        &Command::ImageAdd {
            path: file.display().to_string(),
            product: PRODUCT.parse().expect("a product code"),
            version: "1".to_owned(),
            description: String::new(),
            activate: true,
        },
    );
    let Receipt::Import { import } = receipt else {
        panic!("an import was begun, not {receipt:?}")
    };
    let image = station.until_within(Duration::from_mins(5), "the import", |heard| {
        let imports = &heard.now.as_ref()?.imports;
        match &imports.iter().find(|i| i.id == import)?.state {
            ImportState::Done { image } => Some(*image),
            ImportState::Failed { why } => panic!("the import failed: {why}"),
            _ => None,
        }
    });
    station.until("the image to be active", |heard| {
        let images = &heard.now.as_ref()?.images;
        images
            .iter()
            .any(|i| i.id == image && i.active)
            .then_some(())
    });
    image
}

/// Creates and starts a batch of `count` boards of the lab's product.
pub fn batch(station: &Station, count: u32) -> Batch {
    let plan = BatchPlan {
        product: PRODUCT.parse().expect("a product code"),
        venue: VENUE.parse().expect("a venue code"),
        count,
        image: None,
        rules: BatchRules::default(),
        disks: DiskPolicy::default(),
        reimage: ReimagePolicy::default(),
    };
    let Receipt::Batch(created) = done(station, &Command::BatchCreate(plan)) else {
        panic!("a batch was created")
    };
    let Receipt::Batch(started) = done(station, &Command::BatchStart { batch: created.id }) else {
        panic!("a batch was started")
    };
    started
}

/// A command that must succeed.
pub fn done(station: &Station, command: &Command) -> Receipt {
    station
        .command_over_http(command)
        .unwrap_or_else(|refusal| panic!("{command:?} was refused: {refusal}"))
}
