//! Troubles of a deployment, and what a technician can do about each.

use imaging::personalise::PersonaliseError;
use imaging::write::WriteError;
use wire::board::{Failure, Stage};

/// Why a deployment ended before it was done.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Something is wrong; the station is told.
    Failed(Failure),
    /// The station said stop.
    Stopped(String),
    /// The plug was pulled.
    PowerLost,
}

/// A failure in a stage.
pub(crate) fn failed(stage: Stage, what: impl Into<String>, next: &str) -> Trouble {
    Trouble::Failed(Failure {
        stage,
        what: what.into(),
        next: next.to_owned(),
    })
}

const OTHER_MEDIUM: &str = "Replace the card or drive and power-cycle the board.";
const IMPORT_AGAIN: &str = "Import the image again, then retry the board.";

/// What a failed write means to the technician. `disk` is the disk's path.
pub(crate) fn of_write(stage: Stage, disk: &str, error: WriteError) -> Trouble {
    if let WriteError::Stopped(why) = error {
        return Trouble::Stopped(why);
    }
    let next = match &error {
        WriteError::TooSmall { .. } => "Fit a larger disk and power-cycle the board.",
        WriteError::Table(_) => "Use another disk, or an image that fits this one.",
        WriteError::Write { .. } | WriteError::ReadBack { .. } | WriteError::Flush(_) => {
            OTHER_MEDIUM
        }
        WriteError::FirstChunk | WriteError::Manifest(_) | WriteError::Chunks(_) => IMPORT_AGAIN,
        WriteError::Personalise(e) => match e {
            PersonaliseError::ReadBack { .. } | PersonaliseError::Edit(_) => OTHER_MEDIUM,
            PersonaliseError::HelloUrl(_) => "Look at the station's log.",
            _ => "Look at the image: it must hold a Linux system on ext4.",
        },
        WriteError::Stopped(_) => "",
    };
    failed(stage, format!("{disk}: {error}"), next)
}
