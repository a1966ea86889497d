//! An archive: one file that brings a station to another machine.
//!
//! It is a tar, compressed with zstd, of these files in this order, so that it can be read while it is
//! being received, and with ordinary tools too:
//!
//! | name | what |
//! |---|---|
//! | `manifest.json` | [`Manifest`]: what follows, with sizes and BLAKE3 hashes |
//! | `punnet.db` | the database |
//! | `station.toml` | the settings, when the station has a file of them |
//! | `station.key` and other secrets | as they lie in the data folder |
//! | `packs/….pack` | the packs, when they are wanted |
//!
//! A name that is none of these is refused before a byte of it is written, so an archive from a
//! stranger puts nothing anywhere else. It holds secrets: it is made for its owner's eyes alone.

mod read;
mod write;

pub use read::{ReadError, Reader};
pub use write::{Contents, Made, Part, Source, WriteError, send, write};

use serde::{Deserialize, Serialize};
use wire::image::Image;
use wire::{ImageId, Millis};

/// The number of this form.
pub const FORMAT: u32 = 1;
/// Where everything is listed.
const MANIFEST: &str = "manifest.json";
/// The database.
pub const DATABASE: &str = "punnet.db";
/// The settings.
pub const SETTINGS: &str = "station.toml";
/// Files of the data folder that make a station the one it is. Those that are missing are left out.
pub const KEPT: &[&str] = &[
    "station.key",
    "operator.token",
    "viewer.token",
    "management.crt",
    "management.key",
];
/// Largest list that is read: some ten thousand packs.
const MOST_MANIFEST: u64 = 16 << 20;

/// What an archive holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// Version of the station that it is from.
    pub version: String,
    /// Name of the machine that it is from.
    pub machine: String,
    /// When the database was copied.
    pub made: Millis,
    /// Schema of the database.
    pub schema: usize,
    /// The images that the database knows.
    pub images: Vec<Listed>,
    /// The files that follow, in their order.
    pub files: Vec<Entry>,
}

/// An image that the database knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Its id.
    pub id: ImageId,
    /// In words: product, version, file.
    pub name: String,
    /// Is its pack in the archive?
    pub packed: bool,
}

impl Listed {
    /// An image as it is listed.
    pub fn of(image: &Image, packed: bool) -> Self {
        Self {
            id: image.id,
            name: format!("{} {} ({})", image.product, image.version, image.file_name),
            packed,
        }
    }
}

/// A file of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its BLAKE3 hash, in hexadecimal.
    pub blake3: String,
}

/// Where a pack lies in an archive and in a data folder.
pub fn pack_name(image: &ImageId) -> String {
    format!("packs/{image}.pack")
}

/// May a file of this name be in an archive?
fn is_known(name: &str) -> bool {
    let pack = || {
        let id = name.strip_prefix("packs/")?.strip_suffix(".pack")?;
        (id.len() == 64 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))).then_some(())
    };
    name == DATABASE || name == SETTINGS || KEPT.contains(&name) || pack().is_some()
}
