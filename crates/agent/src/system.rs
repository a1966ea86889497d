//! The installed system: found among the partitions, grown, personalised, read back.

use crate::platform::Platform;
use imaging::partitions::Partition;
use imaging::personalise::{self, Edit, PersonaliseError, RootFs};
use imaging::target::Target;
use imaging::write::Layout;
use wire::agent::Job;
use wire::disk::Disk;

/// What was done to the installed system.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Paths that differ from the image on purpose.
    pub(crate) files: Vec<String>,
    /// Bytes of changed files that were read back.
    pub(crate) bytes: u64,
    /// Lines for the log.
    pub(crate) notes: Vec<String>,
}

/// The partitions that were changed, with what has to be found in them again.
pub(crate) type Edited = Vec<(Partition, Vec<Edit>)>;

/// Grows and personalises. An image may hold several systems (two slots, one in use): each gets the
/// name.
pub(crate) fn edit(
    platform: &dyn Platform,
    disk: &Disk,
    job: &Job,
    target: &mut dyn Target,
    layout: &Layout,
    changes: &mut Changes,
) -> Result<Edited, PersonaliseError> {
    let mut edited = Vec::new();
    let mut others = Vec::new();
    for partition in &layout.table.partitions {
        let grown = layout
            .grown
            .as_ref()
            .is_some_and(|g| g.number == partition.number);
        if !is_ext(target, partition) {
            if grown {
                changes.notes.push(format!(
                    "partition {} grew, its file system is not ext4 and keeps its size",
                    partition.number
                ));
            }
            others.push(format!("partition {} is not ext4", partition.number));
            continue;
        }
        let mut fs = open(platform, disk, partition)?;
        if grown {
            let bytes = fs
                .grow(partition.len)
                .map_err(|source| PersonaliseError::Grow {
                    partition: partition.number,
                    source,
                })?;
            changes.notes.push(format!(
                "the file system of partition {} fills {bytes} bytes",
                partition.number
            ));
        }
        let mut edits = Vec::new();
        if personalise::is_root(&mut *fs)? {
            edits = personalise::apply(&mut *fs, &job.hostname, &job.personalise)?;
        } else {
            others.push(format!("partition {} holds data", partition.number));
        }
        fs.close().map_err(PersonaliseError::Edit)?;
        if !edits.is_empty() {
            edited.push((partition.clone(), edits));
        }
    }
    if edited.is_empty() {
        return Err(PersonaliseError::NoRoot(others.join(", ")));
    }
    Ok(edited)
}

/// Reads every changed file back through a fresh look at its file system.
pub(crate) fn read_back(
    platform: &dyn Platform,
    disk: &Disk,
    edited: &Edited,
    changes: &mut Changes,
) -> Result<(), PersonaliseError> {
    for (partition, edits) in edited {
        let mut fs = open(platform, disk, partition)?;
        changes.bytes += personalise::verify(&mut *fs, edits)?;
        fs.close().map_err(PersonaliseError::Edit)?;
        changes.files.extend(personalise::changed_files(edits));
    }
    changes.files.sort_unstable();
    changes.files.dedup();
    Ok(())
}

fn open(
    platform: &dyn Platform,
    disk: &Disk,
    partition: &Partition,
) -> Result<Box<dyn RootFs>, PersonaliseError> {
    platform
        .file_system(disk, partition)
        .map_err(|source| PersonaliseError::Open {
            partition: partition.number,
            source,
        })
}

/// The magic of ext2, 3 and 4 lies at byte 0x38 of the superblock, which begins at byte 1024.
fn is_ext(target: &mut dyn Target, partition: &Partition) -> bool {
    let mut magic = [0; 2];
    partition.len > 2048
        && target
            .read_back(partition.start + 1024 + 0x38, &mut magic)
            .is_ok()
        && magic == [0x53, 0xef]
}
