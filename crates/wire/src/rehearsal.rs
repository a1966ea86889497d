//! What `punnet rehearse --json` prints: one object that proves, or disproves, a whole run.

use crate::board::Stage;
use serde::{Deserialize, Serialize};

/// The result of a rehearsal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RehearsalReport {
    /// Virtual boards powered on.
    pub boards: u32,
    /// Boards done.
    pub done: u32,
    /// Boards failed.
    pub failed: u32,
    /// Names of the boards, in order of the boards.
    pub hostnames: Vec<String>,
    /// Wall time in seconds.
    pub seconds: f64,
    /// Size of the image in bytes.
    pub image_bytes: u64,
    /// Image bytes that crossed the wire, all boards together.
    pub wire_bytes: u64,
    /// True when every board is done and every backing file was checked and found right.
    pub verified: bool,
    /// Each board.
    pub per_board: Vec<RehearsedBoard>,
}

/// One board of a rehearsal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RehearsedBoard {
    /// Its serial number.
    pub serial: String,
    /// Its name, empty when it got none.
    pub hostname: String,
    /// Where it ended.
    pub state: Stage,
    /// Power-on to done, in seconds.
    pub seconds: f64,
    /// Bytes written to its backing file.
    pub bytes_written: u64,
    /// Bytes read back from it.
    pub bytes_read_back: u64,
    /// How the chunks came.
    pub transport: String,
    /// What is wrong with its backing file, when something is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}
