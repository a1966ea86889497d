//! Images whose packs are missing: after a restore the index may know more than the disk holds. Such
//! an image is shown and not written; importing the same file again heals it.

use super::ask::Engine;
use super::turn::Turn;
use crate::bench::stages::Note;
use crate::library::Library;
use crate::store::events::About;
use std::collections::BTreeSet;
use wire::ImageId;
use wire::image::Image;
use wire::refusal::Refusal;

impl Engine {
    /// Looks which images of the index have their pack in the library.
    pub async fn look_for_packs(&self, library: &Library) {
        let known: Vec<ImageId> = self
            .published()
            .read(|snapshot| snapshot.images.iter().map(|i| i.id).collect());
        let missing = known.into_iter().filter(|id| !library.path(*id).exists());
        let missing: BTreeSet<ImageId> = missing.collect();
        if missing.is_empty() {
            return;
        }
        if let Err(refusal) = self.work(|turn| note(turn, missing)).await {
            tracing::error!(%refusal, "missing packs could not be noted");
        }
    }
}

fn note(turn: &mut Turn<'_>, missing: BTreeSet<ImageId>) -> Result<(), Refusal> {
    let images = turn.plans.images.iter();
    for image in images.filter(|i| missing.contains(&i.id)) {
        let text = format!(
            "The pack of {} {} ({}) is missing. Import {} again.",
            image.product,
            image.version,
            image.id.short(),
            image.file_name
        );
        tracing::warn!(image = %image.id.short(), "{text}");
        turn.note(&About::default(), Note::warning("image.pack_missing", text))?;
    }
    turn.config.missing_packs = missing;
    turn.touch_images();
    Ok(())
}

/// The images, those without a pack marked.
pub(super) fn marked(mut images: Vec<Image>, missing: &BTreeSet<ImageId>) -> Vec<Image> {
    for image in &mut images {
        image.pack_missing = missing.contains(&image.id);
    }
    images
}

/// The pack of a known image came back.
pub(super) fn healed(turn: &mut Turn<'_>, image: &Image) -> Result<(), Refusal> {
    turn.config.missing_packs.remove(&image.id);
    turn.touch_images();
    let text = format!(
        "The pack of {} {} ({}) is back.",
        image.product,
        image.version,
        image.id.short()
    );
    Ok(turn.note(&About::default(), Note::info("image.pack_back", text))?)
}
