//! Images whose packs are missing or damaged: after a restore the index may know more than the disk
//! holds, and disks forget. Such an image is shown and not written; importing the same file again heals
//! it.

use super::ask::Engine;
use super::turn::Turn;
use crate::bench::stages::Note;
use crate::library::Library;
use crate::store::events::About;
use std::collections::BTreeMap;
use tokio_stream::StreamExt as _;
use wire::ImageId;
use wire::image::{Image, PackFault};
use wire::refusal::Refusal;
use wire::update::Snapshot;

impl Engine {
    /// Looks which images of the index have their pack in the library.
    pub async fn look_for_packs(&self, library: &Library) {
        for image in self.images() {
            if !library.path(image).exists() {
                self.pack_looked_at(image, Some(PackFault::Missing)).await;
            }
        }
    }

    /// The images of the index.
    pub(crate) fn images(&self) -> Vec<ImageId> {
        self.published()
            .read(|snapshot| snapshot.images.iter().map(|i| i.id).collect())
    }

    /// Somebody looked at the pack of an image and found this.
    pub(crate) async fn pack_looked_at(&self, image: ImageId, found: Option<PackFault>) {
        let noted = self.work(move |turn| note(turn, image, found)).await;
        if let Err(refusal) = noted {
            tracing::error!(%refusal, image = %image.short(), "the state of a pack was not noted");
        }
    }

    /// Returns when no board is being written.
    pub(crate) async fn boards_rest(&self) {
        let busy = || {
            let working = |now: &Snapshot| now.boards.iter().any(|b| b.stage.is_working());
            self.published().read(working)
        };
        if !busy() {
            return;
        }
        let mut watch = self.watch();
        while busy() && watch.next().await.is_some() {}
    }
}

fn note(turn: &mut Turn<'_>, id: ImageId, found: Option<PackFault>) -> Result<(), Refusal> {
    let mut images = turn.plans.images.iter();
    let Some(image) = images.find(|i| i.id == id && i.pack_fault != found) else {
        return Ok(());
    };
    let Some(fault) = found else {
        return healed(turn, image);
    };
    let kind = match fault {
        PackFault::Missing => "image.pack_missing",
        PackFault::Damaged | PackFault::Unknown => "image.pack_damaged",
    };
    let text = format!(
        "The pack of {} {} ({}) is {}. Import {} again.",
        image.product,
        image.version,
        image.id.short(),
        fault.as_str(),
        image.file_name
    );
    turn.note(&About::default(), Note::warning(kind, text))?;
    turn.config.pack_faults.insert(id, fault);
    turn.touch_images();
    Ok(())
}

/// The images, those with a fault of their pack marked.
pub(super) fn marked(mut images: Vec<Image>, faults: &BTreeMap<ImageId, PackFault>) -> Vec<Image> {
    for image in &mut images {
        image.pack_fault = faults.get(&image.id).copied();
    }
    images
}

/// The pack of a known image is there and whole again.
pub(super) fn healed(turn: &mut Turn<'_>, image: &Image) -> Result<(), Refusal> {
    turn.config.pack_faults.remove(&image.id);
    turn.touch_images();
    let text = format!(
        "The pack of {} {} ({}) is back and whole.",
        image.product,
        image.version,
        image.id.short()
    );
    Ok(turn.note(&About::default(), Note::info("image.pack_back", text))?)
}
