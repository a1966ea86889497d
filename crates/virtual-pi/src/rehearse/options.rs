//! What to rehearse.

use super::{Halt, RehearseError};
use crate::faults::Faults;
use crate::golden::Golden;
use crate::model::Model;
use crate::pace::Pace;
use crate::speed::Speed;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What to rehearse. The default is eight boards of all models without faults.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many boards.
    pub boards: u32,
    /// Their models, dealt out in turn; empty for all.
    pub models: Vec<Model>,
    /// The golden image; without one a small synthetic image is made.
    pub image: Option<PathBuf>,
    /// Decides serial numbers, addresses and everything that chance decides.
    pub seed: u64,
    /// Faults of single boards, by their place in the batch from 0; the others have none.
    pub faults: Vec<(usize, Faults)>,
    /// Size of every board's disk in bytes; without one a little more than the image.
    pub disk_bytes: Option<u64>,
    /// Folder for disks and the station's data; a temporary one without. Emptied afterwards.
    pub work: Option<PathBuf>,
    /// How fast boards live.
    pub pace: Pace,
    /// How fast disks are; as fast as the files without.
    pub speed: Option<Speed>,
    /// How many boards are switched on at a time.
    pub group: usize,
    /// Pause between two groups.
    pub stagger: Duration,
    /// Do failed boards go on asking until they are switched off?
    pub asks_again: bool,
    /// When boards that are not finished are switched off.
    pub patience: Duration,
    /// Ends the rehearsal early.
    pub halt: Halt,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            boards: 8,
            models: Vec::new(),
            image: None,
            seed: 1,
            faults: Vec::new(),
            disk_bytes: None,
            work: None,
            pace: Pace::default(),
            speed: None,
            group: 8,
            stagger: Duration::from_millis(200),
            asks_again: false,
            patience: Duration::from_mins(10),
            halt: Halt::default(),
        }
    }
}

impl Options {
    /// The faults of board `index`.
    pub(super) fn faults_of(&self, index: usize) -> Faults {
        let found = self.faults.iter().find(|(at, _)| *at == index);
        found.map(|(_, faults)| faults.clone()).unwrap_or_default()
    }

    pub(super) fn disk_bytes(&self, image_bytes: u64) -> u64 {
        // Real cards are never exactly as large as the image: room to grow into.
        let enough = (image_bytes + (24 << 20)).next_multiple_of(1 << 20);
        self.disk_bytes.unwrap_or(enough)
    }

    pub(super) fn work_folder(&self) -> Result<tempfile::TempDir, RehearseError> {
        let base = self.work.clone().unwrap_or_else(std::env::temp_dir);
        let made = std::fs::create_dir_all(&base).and_then(|()| {
            tempfile::Builder::new()
                .prefix("punnet-rehearsal-")
                .tempdir_in(&base)
        });
        made.map_err(|source| self.work_error(&base, source))
    }

    pub(super) fn work_error(&self, path: &Path, source: std::io::Error) -> RehearseError {
        // Disks are sparse: what they take is the data of the image.
        let each = self
            .image
            .as_ref()
            .map_or(Golden::default().bytes() / 4, |path| {
                std::fs::metadata(path).map_or(0, |m| m.len())
            });
        RehearseError::Work {
            path: path.to_owned(),
            source,
            need_mb: (each * u64::from(self.boards + 2)) >> 20,
        }
    }
}
