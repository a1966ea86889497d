//! The tree of boot files, made up for whoever asks.

pub mod cmdline;
pub mod config_txt;
mod grub;
pub mod initramfs;
mod path;
