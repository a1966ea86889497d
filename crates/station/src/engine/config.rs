//! What the engine is told once and keeps in mind.

use super::deployment::Standing;
use std::collections::BTreeMap;
use std::path::PathBuf;
use wire::ImageId;
use wire::image::PackFault;

/// How the engine is set.
#[derive(Debug, Clone)]
pub(super) struct Config {
    /// Marks boards and batches as those of a rehearsal.
    pub(super) rehearsal: bool,
    /// Agents must show the token of their boot.
    pub(super) require_token: bool,
    /// Base URL of the door for boards.
    pub(super) station_url: Option<String>,
    /// Models of the virtual boards that a rehearsal beside this station may have; nothing when
    /// there is nobody to rehearse.
    pub(super) rehearsal_models: Option<Vec<String>>,
    /// Counts the rehearsals of this run, so that the words of an earlier one are known.
    pub(super) rehearsal_run: u64,
    /// The deployment side, while a station runs around the engine.
    pub(super) standing: Option<Standing>,
    /// Images of the index whose packs are not in the library, or not whole.
    pub(super) pack_faults: BTreeMap<ImageId, PackFault>,
    /// The data folder.
    pub(super) folder: PathBuf,
}
