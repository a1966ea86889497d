//! Imports in the background: one thread each, progress to the engine, cancelled on request.
//!
//! An import ends in one of two ways: the pack lies in the library *and* the engine knows the image,
//! or nothing is left of it. A crash in between leaves a pack nobody knows; it is found again by its
//! content when the same image is imported once more.

use super::Library;
use super::uploads::Uploads;
use crate::engine::{Engine, NewImage, WantedImport};
use ed25519_dalek::SigningKey;
use imaging::import::{Options, Progress};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use wire::command::{Import, ImportState};
use wire::query::{Answer, Query};
use wire::{ImageId, Millis};

/// At most this often is progress told, in milliseconds.
const TELL_EVERY: i64 = 250;

/// Runs imports. Clones share the list of running ones.
#[derive(Clone)]
pub struct Importer {
    engine: Engine,
    library: Library,
    uploads: Option<Uploads>,
    key: Arc<SigningKey>,
    running: Arc<Mutex<HashMap<String, Arc<AtomicBool>>>>,
}

impl std::fmt::Debug for Importer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Importer")
            .field("library", &self.library)
            .finish_non_exhaustive()
    }
}

impl Importer {
    /// An importer that signs with `key`.
    pub fn new(engine: Engine, library: Library, key: Arc<SigningKey>) -> Self {
        Self {
            engine,
            library,
            uploads: None,
            key,
            running: Arc::default(),
        }
    }

    /// The same, which also removes uploads once they were imported or refused.
    #[must_use]
    pub fn clearing(mut self, uploads: Uploads) -> Self {
        self.uploads = Some(uploads);
        self
    }

    /// Starts an import and returns at once.
    pub fn start(&self, wanted: WantedImport) {
        let cancel = Arc::new(AtomicBool::new(false));
        self.list()
            .insert(wanted.import.clone(), Arc::clone(&cancel));
        let importer = self.clone();
        tokio::spawn(async move {
            let id = wanted.import.clone();
            importer.run(wanted, cancel).await;
            importer.list().remove(&id);
        });
    }

    /// Asks an import to stop; it tells its end as every import does.
    pub fn cancel(&self, import: &str) {
        if let Some(cancel) = self.list().get(import) {
            cancel.store(true, Ordering::Relaxed);
        }
    }

    /// Asks every import to stop.
    pub fn cancel_all(&self) {
        for cancel in self.list().values() {
            cancel.store(true, Ordering::Relaxed);
        }
    }

    /// True while any import runs.
    pub fn busy(&self) -> bool {
        !self.list().is_empty()
    }

    fn list(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<AtomicBool>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(&self, wanted: WantedImport, cancel: Arc<AtomicBool>) {
        let teller = Teller::new(self.engine.clone(), &wanted);
        let outcome = self.import(&wanted, cancel, teller.clone()).await;
        match &outcome {
            ImportState::Failed { why } => {
                tracing::warn!(file = %wanted.path.display(), why, "import failed");
            }
            state => tracing::info!(file = %wanted.path.display(), ?state, "import ended"),
        }
        if let Some(uploads) = &self.uploads {
            uploads.forget(&wanted.path);
        }
        teller.tell(outcome);
    }

    async fn import(
        &self,
        wanted: &WantedImport,
        cancel: Arc<AtomicBool>,
        teller: Arc<Teller>,
    ) -> ImportState {
        let (path, library, key) = (wanted.path.clone(), self.library.clone(), self.key.clone());
        let work = tokio::task::spawn_blocking(move || {
            let options = Options {
                key: Some(&key),
                ..Options::default()
            };
            let progress = |at: Progress| teller.progress(at);
            imaging::import::import(&path, library.folder(), &options, &progress, &cancel)
        });
        let imported = match work.await {
            Ok(Ok(imported)) => imported,
            Ok(Err(refused)) => {
                let why = refused.to_string();
                let name = wanted.path.file_name().unwrap_or_default();
                let name = name.to_string_lossy();
                let named = why.contains(&*name);
                return ImportState::Failed {
                    why: if named { why } else { format!("{name}: {why}") },
                };
            }
            Err(gone) => {
                return ImportState::Failed {
                    why: format!("the import broke off: {gone}"),
                };
            }
        };
        let image = imported.id;
        let new = NewImage {
            imported,
            product: wanted.product.clone(),
            version: wanted.version.clone(),
            description: wanted.description.clone(),
            activate: wanted.activate,
            import: wanted.import.clone(),
        };
        match self.engine.image_imported(new).await {
            Ok(_) => ImportState::Done { image },
            Err(refusal) => {
                self.forget(image).await;
                ImportState::Failed {
                    why: refusal.to_string(),
                }
            }
        }
    }

    /// Removes the pack of an image that the engine did not take, unless it knows it from before.
    async fn forget(&self, image: ImageId) {
        if let Ok(Answer::Images(known)) = self.engine.query(Query::Images).await
            && !known.iter().any(|i| i.id == image)
        {
            self.library.remove(image);
        }
    }
}

/// Tells the engine how far one import is.
struct Teller {
    engine: Engine,
    import: String,
    file_name: String,
    started: Millis,
    told: AtomicI64,
    last: Mutex<Progress>,
}

impl Teller {
    fn new(engine: Engine, wanted: &WantedImport) -> Arc<Self> {
        let file_name = wanted.path.file_name().unwrap_or_default();
        Arc::new(Self {
            engine,
            import: wanted.import.clone(),
            file_name: file_name.to_string_lossy().into_owned(),
            started: Millis::now(),
            told: AtomicI64::new(0),
            last: Mutex::new(Progress { read: 0, total: 0 }),
        })
    }

    fn progress(&self, at: Progress) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = at;
        let now = Millis::now().0;
        let told = self.told.load(Ordering::Relaxed);
        let due = now - told >= TELL_EVERY;
        // Several threads may report; one of them tells.
        if due
            && self
                .told
                .compare_exchange(told, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        {
            self.tell(ImportState::Running);
        }
    }

    fn tell(&self, state: ImportState) {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        self.engine.import_changed(Import {
            id: self.import.clone(),
            file_name: self.file_name.clone(),
            read: last.read,
            total: last.total,
            state,
            started: self.started,
        });
    }
}
