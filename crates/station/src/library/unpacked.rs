//! Images that installers fetch whole, unpacked once for all of them.
//!
//! An unpacked image takes room on the disk, so it is let go when nobody has fetched from it for a
//! while. Where the disk has no room to spare there is none, and each fetch unpacks for itself.

use super::Library;
use imaging::pack::{Pack, Unpacked};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use wire::ImageId;

/// How long one is kept after the last fetch of it began.
const KEPT: Duration = Duration::from_mins(10);

/// The unpacked images.
#[derive(Debug, Default)]
pub(super) struct Shelf(Mutex<HashMap<ImageId, Kept>>);

#[derive(Debug)]
struct Kept {
    unpacked: Arc<Unpacked>,
    used: Instant,
}

impl Shelf {
    /// Lets go of an image.
    pub(super) fn forget(&self, image: ImageId) {
        self.lock().remove(&image);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ImageId, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the image may be let go; at once when it is none of ours any more.
    fn due(&self, image: ImageId) -> Option<Instant> {
        self.lock().get(&image).map(|kept| kept.used + KEPT)
    }
}

impl Library {
    /// The image of this pack, unpacked as far as it was asked for. Must be called where tasks can
    /// be started.
    pub fn unpacked(&self, pack: &Pack) -> Option<Arc<Unpacked>> {
        let image = pack.id();
        let mut shelf = self.0.unpacked.lock();
        if let Some(kept) = shelf.get_mut(&image) {
            kept.used = Instant::now();
            return Some(Arc::clone(&kept.unpacked));
        }
        let unpacked = match Unpacked::new(pack, self.folder()) {
            Ok(made) => Arc::new(made?),
            Err(error) => {
                tracing::warn!(%error, "an image is unpacked for each fetch anew");
                return None;
            }
        };
        let kept = Kept {
            unpacked: Arc::clone(&unpacked),
            used: Instant::now(),
        };
        shelf.insert(image, kept);
        drop(shelf);
        let library = self.clone();
        tokio::spawn(async move {
            while let Some(due) = library.0.unpacked.due(image) {
                if due <= Instant::now() {
                    library.0.unpacked.forget(image);
                } else {
                    tokio::time::sleep_until(due).await;
                }
            }
        });
        Some(unpacked)
    }
}
