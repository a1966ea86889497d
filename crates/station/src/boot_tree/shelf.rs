//! The boot files of images that boards need now, in memory.
//!
//! Reading them out of a pack takes a moment, and they are tens of megabytes; so they are read on a
//! blocking thread when they are first wanted, and put away when nobody asked for a while. An idle
//! station holds none.

use super::config_txt::Kernel;
use super::initramfs::{concatenate, empty, key_archive};
use crate::config::AgentFiles;
use crate::engine::Machine;
use crate::library::Library;
use bytes::Bytes;
use imaging::boot::{Arch, BootSet};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use wire::ImageId;
use wire::revision::Family;

/// Every family whose kernel may be wanted.
const FAMILIES: [Family; 4] = [Family::Pi3, Family::Pi4, Family::Pi5, Family::Unknown];
/// Boot files that nobody asked for in this time are put away.
const IDLE: Duration = Duration::from_mins(10);
/// An image whose boot files could not be read is tried again after this time.
const TRY_AGAIN: Duration = Duration::from_secs(10);

/// Everything of one image that boots a board.
#[derive(Debug)]
pub struct BootFiles {
    set: BootSet,
    /// The installer's initramfs for each kernel: the modules in it fit that kernel alone.
    initramfs: HashMap<String, Bytes>,
}

impl BootFiles {
    /// A file of the boot partition.
    pub fn file(&self, path: &str) -> Option<Bytes> {
        self.set.files().get(path).cloned()
    }

    /// The kernel that a machine boots.
    pub fn kernel(&self, machine: Option<Machine>) -> Option<Bytes> {
        self.file(&usable(&self.set, family(machine))?.path)
    }

    /// The installer's initramfs for the kernel that a machine boots.
    pub fn initramfs(&self, machine: Option<Machine>) -> Option<Bytes> {
        let kernel = usable(&self.set, family(machine))?;
        self.initramfs.get(&kernel.path).cloned()
    }

    /// The kernel of each family of Raspberry Pi boards.
    pub fn kernels(&self) -> Vec<Kernel<'_>> {
        [Family::Pi3, Family::Pi4, Family::Pi5]
            .into_iter()
            .filter_map(|family| {
                let kernel = usable(&self.set, family)?;
                Some(Kernel {
                    family,
                    file: &kernel.path,
                })
            })
            .collect()
    }

    /// The device-tree files of the boot partition.
    pub fn device_trees(&self) -> Vec<String> {
        self.set.device_trees()
    }
}

/// The kernel of a family that the agent runs under, which is a 64-bit program.
fn usable(set: &BootSet, family: Family) -> Option<&imaging::boot::Kernel> {
    set.kernel(family).filter(|k| k.arch != Some(Arch::Arm))
}

/// The family whose kernel a machine boots. A board whose boot ROM says nothing about itself is a
/// Pi 3; UEFI machines have no family.
fn family(machine: Option<Machine>) -> Family {
    match machine {
        Some(Machine::Pi { family }) => family,
        Some(Machine::Uefi { .. }) => Family::Unknown,
        None => Family::Pi3,
    }
}

/// What the shelf says about an image.
#[derive(Debug, Clone)]
pub enum OnShelf {
    /// Its boot files.
    Here(Arc<BootFiles>),
    /// They are being read.
    Coming,
    /// They cannot be read; the log says why.
    Broken,
}

#[derive(Debug)]
struct Place {
    state: OnShelf,
    /// When it was last asked for, or when reading it failed.
    at: Instant,
}

/// The shelf. Clones share it.
#[derive(Clone)]
pub struct Shelf(Arc<Inner>);

impl std::fmt::Debug for Shelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shelf").finish_non_exhaustive()
    }
}

struct Inner {
    library: Library,
    agent: AgentFiles,
    public_key: [u8; 32],
    /// Do without an agent's archive: a virtual board brings the agent itself.
    rehearsal: bool,
    runtime: Handle,
    places: Mutex<HashMap<ImageId, Place>>,
}

impl Shelf {
    /// An empty shelf over `library`. Boards are given `public_key` to check images with. Must be
    /// called within a tokio runtime.
    pub fn new(library: Library, agent: AgentFiles, public_key: [u8; 32], rehearsal: bool) -> Self {
        Self(Arc::new(Inner {
            library,
            agent,
            public_key,
            rehearsal,
            runtime: Handle::current(),
            places: Mutex::default(),
        }))
    }

    /// The boot files of an image. Instant; what is not there is fetched in the background.
    pub fn get(&self, image: ImageId) -> OnShelf {
        let now = Instant::now();
        let mut places = self.places();
        if let Some(place) = places.get_mut(&image) {
            match &place.state {
                OnShelf::Here(_) | OnShelf::Coming => {
                    place.at = now;
                    return place.state.clone();
                }
                OnShelf::Broken if now - place.at < TRY_AGAIN => return OnShelf::Broken,
                OnShelf::Broken => {}
            }
        }
        let state = OnShelf::Coming;
        places.insert(image, Place { state, at: now });
        drop(places);
        let shelf = self.clone();
        self.0
            .runtime
            .spawn(async move { shelf.fetch(image).await });
        OnShelf::Coming
    }

    /// Puts away what nobody asked for in a while, and what `gone` names.
    pub fn tidy(&self, gone: Option<ImageId>) {
        let now = Instant::now();
        self.places().retain(|image, place| {
            let idle = now - place.at > IDLE;
            Some(*image) != gone && (!idle || matches!(place.state, OnShelf::Coming))
        });
    }

    async fn fetch(&self, image: ImageId) {
        let begun = Instant::now();
        let read = match self.0.library.pack(image).await {
            Ok(pack) => {
                let inner = Arc::clone(&self.0);
                tokio::task::spawn_blocking(move || {
                    let set = BootSet::read(pack.image()).map_err(|e| e.to_string())?;
                    inner.complete(set)
                })
                .await
                .unwrap_or_else(|gone| Err(format!("reading them broke off: {gone}")))
            }
            Err(refusal) => Err(refusal.to_string()),
        };
        let state = match read {
            Ok(files) => {
                let took = begun.elapsed();
                tracing::info!(image = %image.short(), ?took, "boot files are in memory");
                OnShelf::Here(Arc::new(files))
            }
            Err(why) => {
                tracing::error!(image = %image.short(), why, "no boot files");
                OnShelf::Broken
            }
        };
        let at = Instant::now();
        self.places().insert(image, Place { state, at });
    }

    fn places(&self) -> MutexGuard<'_, HashMap<ImageId, Place>> {
        self.0.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn complete(&self, set: BootSet) -> Result<BootFiles, String> {
        let key = key_archive(&self.public_key).map_err(|e| e.to_string())?;
        let mut initramfs = HashMap::new();
        for family in FAMILIES {
            let Some(kernel) = usable(&set, family) else {
                continue;
            };
            if initramfs.contains_key(&kernel.path) {
                continue;
            }
            let agent = match kernel.arch {
                Some(Arch::X86_64) => &self.agent.x86_64,
                _ => &self.agent.arm64,
            };
            let agent = self.agent_archive(agent)?;
            let modules = kernel.modules.as_ref().map_or(&[][..], |m| &m.cpio);
            let whole = concatenate(&[&agent, modules, &key]);
            initramfs.insert(kernel.path.clone(), whole);
        }
        if initramfs.is_empty() {
            return Err("the image's boot partition holds no 64-bit kernel".to_owned());
        }
        Ok(BootFiles { set, initramfs })
    }

    fn agent_archive(&self, file: &Path) -> Result<Vec<u8>, String> {
        match std::fs::read(file) {
            Ok(bytes) => Ok(bytes),
            Err(_) if self.rehearsal => Ok(empty()),
            Err(why) => Err(format!(
                "the agent's archive {} cannot be read: {why}. Install it, or name it under [agent]",
                file.display()
            )),
        }
    }
}
