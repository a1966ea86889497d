//! The images on this station's disk: packs that are served, and imports that make them.
//!
//! A pack is immutable and named by its content, so an open one is kept open and shared by all who read
//! it, for as long as its file lies there as it was opened. What an image *means* (its product, its
//! version, whether it is active) is the engine's; the library only holds bytes. [`mod@naming`] says
//! under which name installers find an image, [`imports`] runs imports in the background, [`uploads`]
//! holds what browsers send, [`mod@unpacked`] images that installers fetch whole.

pub mod imports;
mod naming;
mod unpacked;
pub mod uploads;

pub use naming::{file_name, find};

use imaging::pack::Pack;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use wire::refusal::Code;
use wire::{ImageId, Refusal};

/// The shelf of packs. Clones share it.
#[derive(Debug, Clone)]
pub struct Library(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    open: Mutex<HashMap<ImageId, Pack>>,
    unpacked: unpacked::Shelf,
}

impl Library {
    /// Opens the library in `folder`, which is made when missing. What interrupted imports left
    /// behind is removed.
    pub fn open(folder: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        imaging::pack::clean(folder)?;
        let inner = Inner {
            folder: folder.to_owned(),
            open: Mutex::default(),
            unpacked: unpacked::Shelf::default(),
        };
        Ok(Self(Arc::new(inner)))
    }

    /// The folder of the packs.
    pub fn folder(&self) -> &Path {
        &self.0.folder
    }

    /// Where the pack of an image lies.
    pub fn path(&self, image: ImageId) -> PathBuf {
        self.0.folder.join(format!("{image}.pack"))
    }

    /// The pack of an image, open: the one that lies in the library at this moment.
    pub async fn pack(&self, image: ImageId) -> Result<Pack, Refusal> {
        let library = self.clone();
        tokio::task::spawn_blocking(move || library.open_pack(image))
            .await
            .map_err(|gone| {
                Refusal::internal(format!("Opening the pack of {image} broke off: {gone}."))
            })?
    }

    fn open_pack(&self, image: ImageId) -> Result<Pack, Refusal> {
        let kept = self.opened().get(&image).cloned();
        if let Some(pack) = kept {
            if pack.is_as_opened() {
                return Ok(pack);
            }
            tracing::warn!(image = %image.short(), "the file of a pack was replaced, changed or deleted");
            self.let_go(image);
        }
        let path = self.path(image);
        if !path.exists() {
            return Err(Refusal::not_found(format!(
                "There is no image {} in the library.",
                image.short()
            ))
            .next("Import the image again."));
        }
        let pack = Pack::open(&path).map_err(|e| {
            Refusal::new(
                Code::Unavailable,
                format!("The pack cannot be served: {e}."),
            )
            .next("Import the image again.")
        })?;
        if pack.id() != image {
            return Err(Refusal::new(
                Code::Unavailable,
                format!("{} holds another image than its name says.", path.display()),
            )
            .next("Import the image again."));
        }
        self.opened().insert(image, pack.clone());
        Ok(pack)
    }

    /// Deletes the pack of an image that the engine has let go. Downloads that run keep the file
    /// until they end.
    pub fn remove(&self, image: ImageId) {
        self.let_go(image);
        let path = self.path(image);
        match std::fs::remove_file(&path) {
            Ok(()) => tracing::info!(image = %image.short(), "pack removed"),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => tracing::error!(path = %path.display(), %error, "pack not removed"),
        }
    }

    /// Who reads the open pack, or what was unpacked of it, goes on; whoever comes now does not get it.
    fn let_go(&self, image: ImageId) {
        self.opened().remove(&image);
        self.0.unpacked.forget(image);
    }

    fn opened(&self) -> std::sync::MutexGuard<'_, HashMap<ImageId, Pack>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
