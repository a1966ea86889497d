//! What the operator does before the boards come: product, venue, names, image, batch.

use super::station::Operator;
use super::{Halt, Progress, RehearseError};
use crate::identity::Identity;
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;
use wire::batch::{BatchId, BatchPlan, BatchRules, Name, NameState};
use wire::board::{BoardId, Stage};
use wire::command::{Command, ImportState, NameSource, Receipt};
use wire::disk::DiskPolicy;
use wire::image::Image;
use wire::query::{Answer, NameFilter, Query};
use wire::refusal::Code;
use wire::{ImageId, ProductCode, Refusal, VenueCode};

const PRODUCT: &str = "RHRSL";
const VENUE: &str = "LOOP";
const PATTERN: &str = "{product}-{venue}-{number:03}";
/// How often the import is looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// A batch that waits for its boards.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) batch: BatchId,
    pub(super) image: Image,
}

pub(super) fn plan(
    operator: &dyn Operator,
    image: &Path,
    boards: &[Identity],
    halt: &Halt,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Planned, RehearseError> {
    let product: ProductCode = PRODUCT
        .parse()
        .map_err(|_| RehearseError::Answer("product"))?;
    let venue: VenueCode = VENUE.parse().map_err(|_| RehearseError::Answer("venue"))?;
    add(
        operator,
        "add a product",
        Command::ProductAdd {
            code: product.clone(),
            name: "Rehearsal".to_owned(),
            pattern: PATTERN.to_owned(),
        },
    )?;
    add(
        operator,
        "add a venue",
        Command::VenueAdd {
            code: venue.clone(),
            name: "Loopback".to_owned(),
            location: String::new(),
            contact: String::new(),
        },
    )?;
    let count = u32::try_from(boards.len()).unwrap_or(u32::MAX);
    names(operator, &product, &venue, count)?;
    progress(Progress::Preparing("importing the image".to_owned()));
    let image = import(operator, image, &product, halt)?;
    let plan = BatchPlan {
        product,
        venue,
        count,
        image: Some(image.id),
        // A station that serves other batches too must give these boards to this one, and only
        // these.
        rules: BatchRules {
            boards: boards.iter().map(Identity::id).collect(),
            ..BatchRules::default()
        },
        disks: DiskPolicy::default(),
        reimage: wire::batch::ReimagePolicy::Ask,
    };
    let Receipt::Batch(batch) = run(operator, "create a batch", Command::BatchCreate(plan))? else {
        return Err(RehearseError::Answer("create a batch"));
    };
    run(
        operator,
        "start the batch",
        Command::BatchStart { batch: batch.id },
    )?;
    Ok(Planned {
        batch: batch.id,
        image,
    })
}

/// Where the station says each board is.
pub(super) fn stages(operator: &dyn Operator, batch: BatchId) -> HashMap<BoardId, Stage> {
    let boards = match operator.query(Query::Boards) {
        Ok(Answer::Boards(boards)) => boards,
        _ => Vec::new(),
    };
    let ours = boards
        .into_iter()
        .filter(|b| b.batch.is_none_or(|of| of == batch));
    ours.map(|b| (b.id, b.stage)).collect()
}

fn run(
    operator: &dyn Operator,
    act: &'static str,
    command: Command,
) -> Result<Receipt, RehearseError> {
    let refused = |refusal: Refusal| RehearseError::Refused { act, refusal };
    operator.command(command).map_err(refused)
}

// A station that was rehearsed with before has it already.
fn add(operator: &dyn Operator, act: &'static str, command: Command) -> Result<(), RehearseError> {
    match run(operator, act, command) {
        Err(RehearseError::Refused { refusal, .. }) if refusal.code == Code::Conflict => Ok(()),
        other => other.map(drop),
    }
}

fn names(
    operator: &dyn Operator,
    product: &ProductCode,
    venue: &VenueCode,
    count: u32,
) -> Result<(), RehearseError> {
    let act = "list the names";
    let filter = NameFilter {
        product: Some(product.clone()),
        venue: Some(venue.clone()),
        ..NameFilter::default()
    };
    let answer = operator.query(Query::Names(filter));
    let known: Vec<Name> =
        match answer.map_err(|refusal| RehearseError::Refused { act, refusal })? {
            Answer::Names(names) => names,
            _ => return Err(RehearseError::Answer(act)),
        };
    let free = known
        .iter()
        .filter(|n| n.state == NameState::Available)
        .count();
    let missing = count.saturating_sub(u32::try_from(free).unwrap_or(u32::MAX));
    if missing == 0 {
        return Ok(());
    }
    let last = known.iter().filter_map(|n| n.number).max().unwrap_or(0);
    let text = format!("{}-{}", last + 1, last + missing);
    run(
        operator,
        "import names",
        Command::NamesImport {
            product: product.clone(),
            venue: venue.clone(),
            source: NameSource::Spec { text },
            dry_run: false,
        },
    )
    .map(drop)
}

fn import(
    operator: &dyn Operator,
    path: &Path,
    product: &ProductCode,
    halt: &Halt,
) -> Result<Image, RehearseError> {
    let act = "import the image";
    let path = std::path::absolute(path).map_err(|e| RehearseError::Import(e.to_string()))?;
    let command = Command::ImageAdd {
        path: path.display().to_string(),
        product: product.clone(),
        version: "rehearsal".to_owned(),
        description: String::new(),
        activate: true,
    };
    let Receipt::Import { import } = run(operator, act, command)? else {
        return Err(RehearseError::Answer(act));
    };
    loop {
        halt.check()?;
        let all = operator
            .snapshot()
            .map_err(|refusal| RehearseError::Refused { act, refusal })?;
        let state = all
            .imports
            .iter()
            .find(|i| i.id == import)
            .map(|i| &i.state);
        match state {
            Some(ImportState::Done { image }) => return of(&all.images, *image),
            Some(ImportState::Failed { why }) => return Err(RehearseError::Import(why.clone())),
            _ => std::thread::sleep(GLANCE),
        }
    }
}

fn of(images: &[Image], id: ImageId) -> Result<Image, RehearseError> {
    let found = images.iter().find(|i| i.id == id).cloned();
    found.ok_or(RehearseError::Import("it is not in the library".to_owned()))
}
