//! The station's side of imaging against the real tools: file systems made by mke2fs and mkfs.fat,
//! tables made by sfdisk, files compressed by the usual programs.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where by panicking"
)]

mod boot;
mod fixture;
mod golden;
mod import;
mod pack;
mod partitions;
mod source;
mod used_ext4;
mod used_fat;
