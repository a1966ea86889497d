//! The tree of boot files, made up for whoever asks; no file of it lies on disk.
//!
//! A request is a client's address and a path. The path's prefix ([`path`]) or the client's lease says
//! which board it is; the engine says what that board gets ([`crate::engine::BootAnswer`]): the
//! installer, or nothing at all. For the installer, what tells the board who it is and where the
//! station is gets rendered on the spot ([`config_txt`], [`cmdline`], `grub.cfg`); firmware, kernel and
//! device trees come out of the golden image, which [`shelf`] holds in memory while boards need it;
//! and the initramfs is put together once per image ([`initramfs`]).
//!
//! Everything here answers from memory. What is not in memory yet is "not yet": the bootloader asks
//! again after two seconds.

pub mod cmdline;
pub mod config_txt;
mod grub;
pub mod initramfs;
mod path;
pub mod shelf;
mod tree;

pub use tree::{BootTree, Loaders, visitor_path};
