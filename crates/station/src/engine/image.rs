//! Images enter and leave the library.

use super::commands::shared::{live_product, text};
use super::effect::{Effect, WantedImport};
use super::imports;
use super::packs;
use super::room;
use super::turn::Turn;
use crate::batches::machine;
use crate::bench::admission::has_kernel;
use crate::bench::seat::Seat;
use crate::bench::stages::{Note, line};
use crate::store;
use crate::store::events::About;
use imaging::import::{Before, Imported};
use std::path::{Path, PathBuf};
use wire::ImageId;
use wire::Millis;
use wire::command::{Import, ImportState, Receipt};
use wire::image::Image;
use wire::manifest::ChunkClass;
use wire::name::ProductCode;
use wire::refusal::Refusal;
use wire::update::Update;

/// An image that was imported, and what the operator said about it.
#[derive(Debug)]
pub struct NewImage {
    /// The pack and what was found in it.
    pub imported: Imported,
    /// The product it is for.
    pub product: ProductCode,
    /// Its version.
    pub version: String,
    /// Free text.
    pub description: String,
    /// Make it the product's image.
    pub activate: bool,
    /// The import it comes from.
    pub import: String,
}

/// What an operator wants imported.
pub(super) struct Wanted {
    pub(super) path: String,
    pub(super) product: ProductCode,
    pub(super) version: String,
    pub(super) description: String,
    pub(super) activate: bool,
}

/// Has an import begin.
pub(super) fn add(turn: &mut Turn<'_>, wanted: &Wanted) -> Result<Receipt, Refusal> {
    let product = live_product(turn, &wanted.product)?;
    let version = text("version", &wanted.version, 1, 50)?;
    let description = text("description", &wanted.description, 0, 500)?;
    let path = PathBuf::from(&wanted.path);
    if !path.is_absolute() {
        return Err(Refusal::invalid(
            "path",
            format!("{:?} is not an absolute path on the station.", wanted.path),
        ));
    }
    let import = ulid::Ulid::generate().to_string();
    let begun = Import {
        id: import.clone(),
        file_name: file_name(&path),
        read: 0,
        total: 0,
        state: ImportState::Running,
        started: turn.now,
    };
    imports::begun(turn, &begun)?;
    turn.tell(Update::Import(begun));
    turn.effect(Effect::StartImport(WantedImport {
        import: import.clone(),
        path,
        product: product.code,
        version,
        description,
        activate: wanted.activate,
    }));
    Ok(Receipt::Import { import })
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    line(&name.to_string_lossy(), 200)
}

/// Has an import stop.
pub(super) fn cancel(turn: &mut Turn<'_>, import: String) -> Result<Receipt, Refusal> {
    let running = turn.published.read(|snapshot| {
        let mut imports = snapshot.imports.iter();
        imports.any(|i| i.id == import && i.state == ImportState::Running)
    });
    if !running {
        return Err(Refusal::not_found(format!("No import {import} is running.")).at("import"));
    }
    turn.effect(Effect::CancelImport { import });
    Ok(Receipt::Done {
        text: "The import is being stopped.".to_owned(),
    })
}

/// An import is further, or has ended.
pub(super) fn import_changed(turn: &mut Turn<'_>, import: Import) -> Result<(), Refusal> {
    imports::changed(turn, &import)?;
    if let ImportState::Failed { why } = &import.state {
        let text = format!("{} was not imported: {why}", import.file_name);
        turn.note(&About::default(), Note::error("image.refused", text))?;
    }
    if let Ok(free) = room::free(&turn.config.folder) {
        let least = turn.preferences().disk_low;
        room::watch(turn, free, least)?;
    }
    turn.tell(Update::Import(import));
    Ok(())
}

/// Takes an imported image into the library.
pub(super) fn imported(turn: &mut Turn<'_>, new: &NewImage) -> Result<Image, Refusal> {
    let image = row(new, turn.now);
    if let Some(known) = store::images::get(turn.tx, &image.id)? {
        let marked = turn.config.pack_faults.contains_key(&known.id);
        if marked || new.imported.before != Before::Same {
            packs::healed(turn, &known)?;
            if new.activate && !known.active {
                make_active(turn, &known)?;
            }
            return stored(turn, &known.id);
        }
        return Err(Refusal::conflict(format!(
            "This image is in the library already, as {} {} ({}).",
            known.product,
            known.version,
            known.id.short()
        ))
        .at("path")
        .next("Activate that one, or pin it in the batch."));
    }
    store::images::add(turn.tx, &image)?;
    let text = format!(
        "{} was imported as {} {} ({}).",
        image.file_name,
        image.product,
        image.version,
        image.id.short()
    );
    turn.note(&About::default(), Note::info("image.imported", text))?;
    warn(turn, &new.imported)?;
    if new.activate {
        make_active(turn, &image)?;
    }
    turn.touch_images();
    stored(turn, &image.id)
}

/// Says what an image lacks for booting boards. It is taken all the same: an installer of others may
/// fetch it whole.
fn warn(turn: &mut Turn<'_>, imported: &Imported) -> Result<(), Refusal> {
    let mut warn = |kind, text| turn.note(&About::default(), Note::warning(kind, text));
    let file = &imported.file_name;
    if let Err(why) = has_kernel(&imported.contents, None) {
        let text = format!(
            "No board boots the installer with {file}: {why}. Only installers that fetch the whole \
             image can use it."
        );
        warn("image.no_kernel", text)?;
    }
    if !imported.skipped.is_empty() {
        let files = line(&imported.skipped.join(", "), 300);
        let text = format!("Boot files of {file} are too large and are not served: {files}.");
        warn("image.files_left_out", text)?;
    }
    Ok(())
}

fn stored(turn: &Turn<'_>, id: &ImageId) -> Result<Image, Refusal> {
    let mut image = store::images::get(turn.tx, id)?.ok_or_else(|| unknown(id))?;
    image.pack_fault = turn.config.pack_faults.get(id).copied();
    Ok(image)
}

fn unknown(id: &ImageId) -> Refusal {
    Refusal::not_found(format!("There is no image {} in the library.", id.short())).at("image")
}

fn make_active(turn: &mut Turn<'_>, image: &Image) -> Result<(), Refusal> {
    store::images::activate(turn.tx, &image.id)?;
    turn.touch_images();
    let text = format!(
        "{} {} ({}) is now the image of {}.",
        image.product,
        image.version,
        image.id.short(),
        image.product
    );
    Ok(turn.note(&About::default(), Note::info("image.activated", text))?)
}

/// Makes an image its product's image.
pub(super) fn activate(turn: &mut Turn<'_>, id: &ImageId) -> Result<Receipt, Refusal> {
    let image = stored(turn, id)?;
    if !image.active {
        make_active(turn, &image)?;
    }
    Ok(Receipt::Image(Box::new(stored(turn, id)?)))
}

/// Takes an image out of the library.
pub(super) fn remove(turn: &mut Turn<'_>, id: &ImageId) -> Result<Receipt, Refusal> {
    let image = stored(turn, id)?;
    if image.active {
        return Err(Refusal::conflict(format!(
            "Image {} is the image of {}.",
            id.short(),
            image.product
        ))
        .at("image")
        .next("Activate another one first."));
    }
    let mut batches = turn.plans.batches.iter();
    let pinned = batches.find(|b| machine::is_open(b.state) && b.plan.image == Some(*id));
    if let Some(batch) = pinned {
        return Err(Refusal::conflict(format!(
            "Batch {} is to write image {}.",
            batch.id,
            id.short()
        ))
        .at("image")
        .next("Wait until it is complete, or cancel it."));
    }
    let writing = |seat: &&Seat| seat.open().is_some_and(|a| a.image == *id);
    if let Some(seat) = turn.bench.seats().find(writing) {
        return Err(Refusal::conflict(format!(
            "{} is being written with image {}.",
            seat.called(),
            id.short()
        ))
        .at("image")
        .next("Wait until it is finished."));
    }
    store::images::remove(turn.tx, id)?;
    turn.config.pack_faults.remove(id);
    turn.touch_images();
    let text = format!(
        "{} {} ({}) was removed.",
        image.product,
        image.version,
        id.short()
    );
    turn.note(&About::default(), Note::info("image.removed", text.clone()))?;
    turn.effect(Effect::RemovePack { image: *id });
    Ok(Receipt::Done { text })
}

/// The row of an image that was imported.
fn row(new: &NewImage, now: Millis) -> Image {
    let imported = &new.imported;
    let manifest = &imported.manifest;
    let data = |i: &usize| manifest.chunks[*i].class == ChunkClass::Data;
    let data_bytes = (0..manifest.chunks.len())
        .filter(data)
        .map(|i| manifest.len_of(i) as u64);
    Image {
        id: imported.id,
        product: new.product.clone(),
        file_name: imported.file_name.clone(),
        version: new.version.clone(),
        description: new.description.clone(),
        raw_bytes: manifest.raw_bytes,
        data_bytes: data_bytes.sum(),
        pack_bytes: imported.pack_bytes,
        sha256: imported.sha256.clone(),
        contents: imported.contents.clone(),
        active: false,
        pack_fault: None,
        imported: now,
    }
}
