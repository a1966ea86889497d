//! Disks of a board, and the one rule by which a disk is chosen.
//!
//! The rule lives here because both sides apply it: the station before it claims a name, the agent
//! before it writes a byte.

use serde::{Deserialize, Serialize};

/// The kind of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum DiskKind {
    /// An SD card.
    Sd,
    /// Soldered eMMC (user area).
    Emmc,
    /// An NVMe drive.
    Nvme,
    /// A USB disk.
    Usb,
    /// A paravirtual disk of an emulator.
    Virtual,
    /// Any other kind.
    #[serde(other)]
    Unknown,
}

impl std::fmt::Display for DiskKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sd => "SD card",
            Self::Emmc => "eMMC",
            Self::Nvme => "NVMe",
            Self::Usb => "USB disk",
            Self::Virtual => "virtual disk",
            Self::Unknown => "disk",
        })
    }
}

/// What lies on a disk before it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DiskContent {
    /// No partition table and no known file system at the start.
    Blank,
    /// An interrupted deployment of ours: the marker, but no partition table yet.
    Unfinished {
        /// The deployment that was interrupted.
        deployment: String,
    },
    /// Something is there.
    System {
        /// What, in words: "a partition table with 2 partitions (FAT, Linux)".
        found: String,
    },
    /// Could not be read.
    Unreadable {
        /// Why.
        why: String,
    },
    /// A content this build does not know; treated as a system.
    #[serde(other)]
    Unknown,
}

/// One disk of a board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Disk {
    /// Device path on the board, e.g. `/dev/mmcblk0`.
    pub path: String,
    /// Its kind.
    pub kind: DiskKind,
    /// Size in bytes.
    pub bytes: u64,
    /// Logical sector size in bytes.
    pub sector: u32,
    /// Model or card name.
    #[serde(default)]
    pub model: String,
    /// Serial number of the disk, empty when it has none.
    #[serde(default)]
    pub serial: String,
    /// True for media in a reader or stick that a person plugged in to work with.
    #[serde(default)]
    pub removable: bool,
    /// True when the medium refuses writes.
    #[serde(default)]
    pub read_only: bool,
    /// What lies on it.
    pub content: DiskContent,
}

/// Which disks a job may use, best first. eMMC boot areas are no disks and never listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct DiskPolicy {
    /// Kinds allowed, in order of preference.
    pub kinds: Vec<DiskKind>,
}

impl Default for DiskPolicy {
    /// NVMe first, then eMMC, then SD; USB disks are the operator's until said otherwise.
    fn default() -> Self {
        use DiskKind::{Emmc, Nvme, Sd, Virtual};
        Self {
            kinds: vec![Nvme, Emmc, Sd, Virtual],
        }
    }
}

/// Why no disk was chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoDisk {
    /// There is none that the policy allows; every disk with its reason.
    #[error("{0}")]
    NoneSuitable(String),
    /// The best disk is too small.
    #[error("{path} has {disk_bytes} bytes, the image needs {image_bytes}")]
    TooSmall {
        /// Its device path.
        path: String,
        /// Its size.
        disk_bytes: u64,
        /// The image's size.
        image_bytes: u64,
    },
}

impl DiskPolicy {
    /// Chooses the disk for an image of `image_bytes`: the first allowed kind that has a writable
    /// disk large enough; among disks of one kind the first by path.
    pub fn choose<'a>(&self, disks: &'a [Disk], image_bytes: u64) -> Result<&'a Disk, NoDisk> {
        let mut too_small = None;
        for kind in &self.kinds {
            let mut of_kind: Vec<_> = disks
                .iter()
                .filter(|d| d.kind == *kind && refused(d, self).is_none())
                .collect();
            of_kind.sort_by(|a, b| a.path.cmp(&b.path));
            for disk in of_kind {
                if disk.bytes >= image_bytes {
                    return Ok(disk);
                }
                too_small.get_or_insert_with(|| NoDisk::TooSmall {
                    path: disk.path.clone(),
                    disk_bytes: disk.bytes,
                    image_bytes,
                });
            }
        }
        Err(too_small.unwrap_or_else(|| {
            let why: Vec<_> = disks
                .iter()
                .filter_map(|d| refused(d, self).map(|r| format!("{} {r}", d.path)))
                .collect();
            NoDisk::NoneSuitable(if why.is_empty() {
                "the board has no disk".to_owned()
            } else {
                why.join("; ")
            })
        }))
    }
}

fn refused(disk: &Disk, policy: &DiskPolicy) -> Option<&'static str> {
    if disk.removable && disk.kind != DiskKind::Sd {
        Some("is removable")
    } else if disk.read_only {
        Some("is write-protected")
    } else if matches!(disk.content, DiskContent::Unreadable { .. }) {
        Some("cannot be read")
    } else if !policy.kinds.contains(&disk.kind) {
        Some("is of a kind that the batch does not allow")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(path: &str, kind: DiskKind, gb: u64) -> Disk {
        Disk {
            path: path.to_owned(),
            kind,
            bytes: gb * 1_000_000_000,
            sector: 512,
            model: String::new(),
            serial: String::new(),
            removable: false,
            read_only: false,
            content: DiskContent::Blank,
        }
    }

    #[test]
    fn nvme_wins_over_a_card_and_a_small_one_yields() {
        let disks = [
            disk("/dev/mmcblk0", DiskKind::Sd, 32),
            disk("/dev/nvme0n1", DiskKind::Nvme, 16),
        ];
        let policy = DiskPolicy::default();
        assert_eq!(
            policy.choose(&disks, 4_000_000_000).unwrap().path,
            "/dev/nvme0n1"
        );
        assert_eq!(
            policy.choose(&disks, 20_000_000_000).unwrap().path,
            "/dev/mmcblk0"
        );
    }

    #[test]
    fn removable_and_protected_media_are_named_not_used() {
        let mut stick = disk("/dev/sda", DiskKind::Usb, 64);
        stick.removable = true;
        let mut card = disk("/dev/mmcblk0", DiskKind::Sd, 32);
        card.read_only = true;
        let e = DiskPolicy::default().choose(&[stick, card], 1).unwrap_err();
        let text = e.to_string();
        assert!(text.contains("/dev/sda is removable"), "{text}");
        assert!(text.contains("/dev/mmcblk0 is write-protected"), "{text}");
    }

    #[test]
    fn too_small_names_both_sizes() {
        let disks = [disk("/dev/mmcblk0", DiskKind::Sd, 4)];
        let e = DiskPolicy::default()
            .choose(&disks, 8_000_000_000)
            .unwrap_err();
        assert!(
            matches!(
                e,
                NoDisk::TooSmall {
                    disk_bytes: 4_000_000_000,
                    ..
                }
            ),
            "{e:?}"
        );
    }
}
