//! Golden images: readers, partition and block maps, packs, boot files, write, read back, personalise.

pub mod boot;
pub mod import;
pub mod key;
pub mod pack;
pub mod partitions;
pub mod personalise;
pub mod source;
pub mod target;
pub mod used;
pub mod write;
