//! How the disk will look once it is sealed: the head as it will be written, and the table in it.

use super::WriteError;
use crate::partitions::{self, Partition, ResizeError, Resized, SECTOR, Table};
use crate::target::Target;
use wire::image::Grow;
use wire::manifest::Manifest;

/// The end state of a disk, known before anything is written.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The partition table as it will be, grown and all.
    pub table: Table,
    /// The last partition at its new size, when it grows.
    pub grown: Option<Partition>,
    /// The head as it will be written.
    pub(super) head: Vec<u8>,
    /// What belongs at the end of the disk, and where.
    pub(super) backup: Option<(u64, Vec<u8>)>,
}

impl Layout {
    /// Fits the image's partition table to the disk. Nothing is written.
    pub(super) fn plan(
        manifest: &Manifest,
        first_chunk: &[u8],
        target: &impl Target,
        grow: Grow,
    ) -> Result<Self, WriteError> {
        let table_error = |e: &dyn std::fmt::Display| WriteError::Table(e.to_string());
        if u64::from(target.sector()) != SECTOR {
            return Err(WriteError::Table(format!(
                "the image counts in sectors of {SECTOR} bytes, the disk in sectors of {}",
                target.sector()
            )));
        }
        let mut head = first_chunk
            .get(..manifest.head_bytes as usize)
            .unwrap_or_default()
            .to_vec();
        let Resized { patches, grown } = fit(first_chunk, target.bytes(), grow)?;
        let mut backup = None;
        for patch in patches {
            if patch.offset > 0 {
                backup = Some((patch.offset, patch.bytes));
            } else if let Some(place) = head.get_mut(..patch.bytes.len()) {
                place.copy_from_slice(&patch.bytes);
            } else {
                return Err(too_short(head.len()));
            }
        }
        if head.len() < SECTOR as usize {
            return Err(too_short(head.len()));
        }
        // Parsed from the new head, but with the rest of the chunk behind it: a chain of logical
        // partitions may begin there.
        let mut start = head.clone();
        start.extend_from_slice(&first_chunk[head.len()..]);
        let table = Table::parse(&start).map_err(|e| table_error(&e))?;
        Ok(Self {
            table,
            grown,
            head,
            backup,
        })
    }

    /// Finds logical partitions, whose entries lie spread over the disk, once the disk holds them.
    pub(super) fn complete(&mut self, target: &mut impl Target) {
        while let Some(at) = self.table.pending() {
            let mut link = [0; SECTOR as usize];
            if target.read_back(at, &mut link).is_err() {
                break;
            }
            self.table.feed(at, &link);
        }
    }
}

fn too_short(head: usize) -> WriteError {
    WriteError::Table(format!(
        "only {head} bytes are withheld until the end, the table takes more"
    ))
}

fn fit(first_chunk: &[u8], disk_bytes: u64, grow: Grow) -> Result<Resized, WriteError> {
    let result = partitions::resize(first_chunk, disk_bytes, grow == Grow::Agent);
    let result = match result {
        // Its entry is not in the head. The system still works at the size it came with.
        Err(ResizeError::Logical) => partitions::resize(first_chunk, disk_bytes, false),
        other => other,
    };
    result.map_err(|e| match e {
        ResizeError::TooSmall { needed, disk } => WriteError::TooSmall {
            disk_bytes: disk,
            image_bytes: needed,
        },
        other => WriteError::Table(other.to_string()),
    })
}
