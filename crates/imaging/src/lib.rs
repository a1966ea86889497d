//! Golden images: from the file an operator has to a disk that boots, without any network.
//!
//! On the station an image flows through [`import`]: [`source`] decompresses the file, [`partitions`]
//! and [`used`] learn while it streams by which blocks hold anything, and [`pack`] keeps those as
//! hashed, compressed chunks. [`boot`] takes the boot files back out of a pack and [`key`] signs it.
//!
//! On the board the agent decodes chunks ([`pack::decode_chunk`]), [`write`] puts them on a
//! [`target`] and reads them back, and [`personalise`] gives the installed system its name.

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
