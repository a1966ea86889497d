//! Golden images as the operator sees them.

pub use crate::id::ImageId;
use crate::name::ProductCode;
use crate::time::Millis;
use serde::{Deserialize, Serialize};

/// One image of the library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Image {
    /// Its content address.
    pub id: ImageId,
    /// The product it was made for.
    pub product: ProductCode,
    /// Name of the file it was imported from.
    pub file_name: String,
    /// Version text given by the operator.
    pub version: String,
    /// Free text.
    #[serde(default)]
    pub description: String,
    /// Size of the uncompressed image in bytes: what a disk must hold.
    pub raw_bytes: u64,
    /// Bytes of data in it, holes excluded.
    pub data_bytes: u64,
    /// Size of its pack in bytes: what crosses the wire for one board.
    pub pack_bytes: u64,
    /// SHA-256 of the reconstruction (holes as zeros), 64 hex digits.
    pub sha256: String,
    /// What was found inside.
    pub contents: ImageContents,
    /// True while it is the image of its product.
    pub active: bool,
    /// What is wrong with its pack on the station's disk, if anything. Importing the same file again
    /// mends it; until then no board gets the image.
    #[serde(default)]
    pub pack_fault: Option<PackFault>,
    /// When it was imported.
    pub imported: Millis,
}

/// What is wrong with a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum PackFault {
    /// It is not there.
    Missing,
    /// It does not hold what was imported.
    Damaged,
    /// A fault this build does not know.
    #[serde(other)]
    Unknown,
}

impl PackFault {
    /// A word that follows "the pack is".
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Damaged => "damaged",
            Self::Unknown => "unusable",
        }
    }
}

/// What was found inside an image.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(default)]
pub struct ImageContents {
    /// `mbr` or `gpt`.
    pub table: String,
    /// Partitions in words, e.g. "1: FAT, 512 MiB, bootfs".
    pub partitions: Vec<String>,
    /// Name of the installed system (`PRETTY_NAME` of os-release), empty when not found.
    pub os: String,
    /// Kernel file in the boot partition, e.g. `kernel_2712.img`.
    pub kernel: String,
    /// Processor the kernel is for: `arm64`, `arm`, `x86_64`, or empty when not recognised.
    pub arch: String,
    /// Device-tree files in the boot partition.
    pub device_trees: Vec<String>,
    /// How the installed system grows to fill its disk.
    pub grow: Grow,
}

/// Who grows the last partition and its file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum Grow {
    /// The image does it at first boot; the agent leaves it alone.
    Image,
    /// The agent does it.
    #[default]
    Agent,
    /// Nobody does.
    Never,
    /// An answer this build does not know; treated as `never`.
    #[serde(other)]
    Unknown,
}
