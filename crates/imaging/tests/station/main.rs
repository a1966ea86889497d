//! The station's side of imaging against the real tools: file systems made by mke2fs and mkfs.fat,
//! tables made by sfdisk, files compressed by the usual programs.

mod fixture;
mod partitions;
mod used_ext4;
mod used_fat;
