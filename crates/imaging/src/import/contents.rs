//! What was found inside an image, for the operator.

use super::words;
use crate::boot::BootSet;
use crate::partitions::Partition;
use crate::used::{FileSystemKind, UsedMap};
use wire::image::ImageContents;

pub(super) fn describe(map: &UsedMap, boot: &BootSet) -> ImageContents {
    let table = map.table();
    let mut partitions: Vec<_> = table.partitions.iter().collect();
    partitions.sort_by_key(|p| p.number);
    let kernel = boot.main_kernel();
    let arch = kernel.and_then(|k| k.arch).map(|a| a.to_string());
    ImageContents {
        table: table.kind.to_string(),
        partitions: partitions.iter().map(|p| in_words(p, map)).collect(),
        os: boot.os().to_owned(),
        kernel: kernel.map(|k| k.path.clone()).unwrap_or_default(),
        arch: arch.unwrap_or_default(),
        device_trees: boot.device_trees(),
        grow: boot.grow(),
    }
}

/// "2: ext4, 3.5 GiB, rootfs", and why its free space is stored when it is.
fn in_words(partition: &Partition, map: &UsedMap) -> String {
    let seen = map.file_systems().find(|s| s.partition == partition.number);
    let kind = seen.map_or(FileSystemKind::Unknown, |s| s.kind);
    let mut text = format!(
        "{}: {kind}, {}",
        partition.number,
        words::size(partition.len)
    );
    let label = seen.map(|s| s.label.as_str()).filter(|l| !l.is_empty());
    let name = label.unwrap_or(&partition.name);
    let plain: String = name.chars().filter(|c| !c.is_control()).collect();
    if !plain.is_empty() {
        text = format!("{text}, {plain}");
    }
    let mapped = matches!(kind, FileSystemKind::Ext4 | FileSystemKind::Fat);
    match seen.and_then(|s| s.all_used).filter(|_| mapped) {
        Some(why) => format!("{text} (stored whole: {why})"),
        None => text,
    }
}
