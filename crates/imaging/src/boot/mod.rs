//! What a board needs before its disk is written, taken out of the golden image itself.
//!
//! [`BootSet::read`] opens an image (anything that can seek, usually [`crate::pack::Image`]) and
//! returns the files of its FAT boot partition, its kernels with what they are for, and, from the
//! ext4 root file system, the system's name, who grows the disk at first boot, and a cpio archive
//! of the kernel modules the agent may need. All of it is kept in memory, so that serving a boot
//! file never waits for a disk.
//!
//! The file systems may be damaged or made to do harm. Every read goes through a [`window`] with a
//! budget, sizes are bounded, and a panic in a file system crate becomes an error.

mod arch;
mod config;
mod cpio_archive;
mod fat;
mod kernel;
mod modules;
mod root;
mod unpack;
mod window;

pub use arch::Arch;
pub use kernel::Kernel;
pub use modules::{LOAD_ORDER, Modules, WANTED};

use crate::partitions::{Partition, Table, TableError};
use crate::used::{FileSystemKind, UsedMap};
use bytes::Bytes;
use root::Root;
use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use wire::image::Grow;
use wire::revision::Family;

use window::Shared;

/// Why an image cannot boot a board.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// The image cannot be read.
    #[error("the image cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It has no usable partition table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// There is no FAT partition.
    #[error("there is no boot partition: no partition holds a FAT file system")]
    NoBootPartition,
    /// The FAT file system is damaged.
    #[error("the boot partition (number {partition}) is damaged: {why}")]
    Damaged {
        /// Number of the partition.
        partition: u32,
        /// What is wrong with it.
        why: String,
    },
}

/// What an image offers to a board that boots over the network.
#[derive(Debug, Clone)]
pub struct BootSet {
    partition: u32,
    files: BTreeMap<String, Bytes>,
    skipped: Vec<String>,
    kernels: Vec<Kernel>,
    root: Option<u32>,
    os: String,
    grow: Grow,
}

/// Every family whose kernel is looked for.
const FAMILIES: [Family; 4] = [Family::Pi5, Family::Pi4, Family::Pi3, Family::Unknown];

impl BootSet {
    /// Reads an image.
    pub fn read<R: Read + Seek + 'static>(image: R) -> Result<Self, BootError> {
        let mut image = Shared::new(image);
        let table = Table::read(&mut image)?;
        let found = recognise(&mut image, &table)?;
        let of_kind = |kind| {
            let mut numbers = found.iter().filter(move |(_, k)| *k == kind);
            std::iter::from_fn(move || numbers.next().map(|(p, _)| p))
        };

        let boot = of_kind(FileSystemKind::Fat).map(|p| fat::read(&image, p));
        let (partition, tree) = best_boot(boot)?;
        let root = of_kind(FileSystemKind::Ext4).find_map(|p| guarded(|| Root::open(&image, p)));
        let mut set = Self {
            partition,
            files: tree.files,
            skipped: tree.skipped,
            kernels: Vec::new(),
            root: root.as_ref().map(Root::partition),
            os: String::new(),
            grow: Grow::Agent,
        };
        let last_is_ext4 = found
            .iter()
            .max_by_key(|(p, _)| p.end())
            .is_some_and(|(_, kind)| *kind == FileSystemKind::Ext4);
        if !last_is_ext4 {
            set.grow = Grow::Never;
        }
        if let Some(root) = &root {
            set.os = guarded(|| root.pretty_name()).unwrap_or_default();
        }
        if set.grows_itself(root.as_ref()) {
            set.grow = Grow::Image;
        }
        set.kernels = kernel::find(&set.files);
        if let Some(root) = &root {
            for kernel in &mut set.kernels {
                kernel.modules =
                    guarded(|| modules::collect(root, &kernel.path, kernel.version.as_deref()))
                        .map(Into::into);
            }
        }
        Ok(set)
    }

    /// Number of the partition the files come from.
    pub fn partition(&self) -> u32 {
        self.partition
    }

    /// The files of the boot partition: path with `/` between folders, and bytes.
    pub fn files(&self) -> &BTreeMap<String, Bytes> {
        &self.files
    }

    /// Files that were left out because they are too large to serve.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// The kernel that boards of `family` are to boot, if the image has one.
    pub fn kernel(&self, family: Family) -> Option<&Kernel> {
        let path = kernel::choose(&self.files, &self.kernels, family)?;
        self.kernels.iter().find(|k| k.path == path)
    }

    /// The kernel of the first family that has one, newest family first.
    pub fn main_kernel(&self) -> Option<&Kernel> {
        FAMILIES.iter().find_map(|f| self.kernel(*f))
    }

    /// The kernel command line of the image's own system.
    pub fn command_line(&self) -> String {
        let name = config::setting(&self.files, Family::Unknown, "cmdline");
        let bytes = config::resolve(
            &self.files,
            Family::Unknown,
            name.as_deref().unwrap_or("cmdline.txt"),
        )
        .and_then(|path| self.files.get(&path));
        let text = bytes.map(|b| String::from_utf8_lossy(b).into_owned());
        text.unwrap_or_default().trim().to_owned()
    }

    /// Device-tree files at the top of the boot partition, by name.
    pub fn device_trees(&self) -> Vec<String> {
        let top = self.files.keys().filter(|p| !p.contains('/'));
        top.filter(|p| {
            p.rsplit_once('.')
                .is_some_and(|(_, ending)| ending == "dtb")
        })
        .cloned()
        .collect()
    }

    /// Name of the installed system (`PRETTY_NAME`), empty when it is not known.
    pub fn os(&self) -> &str {
        &self.os
    }

    /// Number of the root partition, when one was recognised.
    pub fn root_partition(&self) -> Option<u32> {
        self.root
    }

    /// Who grows the last partition and its file system.
    pub fn grow(&self) -> Grow {
        self.grow
    }

    /// True when the installed system fills its disk by itself at first boot.
    fn grows_itself(&self, root: Option<&Root>) -> bool {
        let line = self.command_line();
        let by_line = line.split_whitespace().any(|word| {
            matches!(
                word,
                "resize"
                    | "init=/usr/lib/raspberrypi-sys-mods/firstboot"
                    | "init=/usr/lib/raspi-config/init_resize.sh"
            )
        });
        by_line || root.is_some_and(|r| guarded(|| r.grows_at_boot().then_some(())).is_some())
    }
}

/// The boot partition: the first FAT with a kernel in it, else the first that could be read.
fn best_boot(
    found: impl Iterator<Item = Result<(u32, fat::Tree), BootError>>,
) -> Result<(u32, fat::Tree), BootError> {
    let mut best: Result<(u32, fat::Tree), BootError> = Err(BootError::NoBootPartition);
    for tree in found {
        match tree {
            Ok(one) if !kernel::find(&one.1.files).is_empty() => return Ok(one),
            Ok(one) if best.is_err() => best = Ok(one),
            Err(e) if matches!(best, Err(BootError::NoBootPartition)) => best = Err(e),
            Ok(_) | Err(_) => {}
        }
    }
    best
}

/// The partitions in order of their place, with what they hold.
fn recognise(
    image: &mut Shared,
    table: &Table,
) -> Result<Vec<(Partition, FileSystemKind)>, BootError> {
    let mut partitions = table.partitions.clone();
    partitions.sort_by_key(|p| p.start);
    let mut map = UsedMap::new(table.clone());
    for partition in &partitions {
        let mut first = Vec::new();
        image.seek(SeekFrom::Start(partition.start))?;
        image.take(4096).read_to_end(&mut first)?;
        map.feed(partition.start, &first);
    }
    let kind_of = |number| {
        let mut systems = map.file_systems();
        systems
            .find(|s| s.partition == number)
            .map_or(FileSystemKind::Unknown, |s| s.kind)
    };
    let kinds: Vec<_> = partitions.iter().map(|p| kind_of(p.number)).collect();
    Ok(partitions.into_iter().zip(kinds).collect())
}

/// Runs code that reads a file system of unknown origin: a panic counts as "not found".
fn guarded<T>(read: impl FnOnce() -> Option<T>) -> Option<T> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_default()
}
