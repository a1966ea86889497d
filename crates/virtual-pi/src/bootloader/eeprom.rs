//! The boot EEPROM's self-update over TFTP: `pieeprom.sig` says what there is, `pieeprom.upd` is it.
//!
//! Source: the vendor's bootloader document. The update is taken when its time is later than that
//! of the last one and its size and SHA-256 are right; the board then starts again.

use crate::model::Model;
use sha2::{Digest, Sha256};

/// The state of a board's EEPROM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Eeprom {
    /// Time of the last update, in Unix seconds.
    pub updated: u64,
}

impl Default for Eeprom {
    /// 2026-01-01: as recent as boards that are sold today.
    fn default() -> Self {
        Self {
            updated: 1_767_225_600,
        }
    }
}

/// What `pieeprom.sig` announces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offer {
    sha256: String,
    /// Unix seconds.
    pub(super) at: u64,
}

impl Offer {
    /// Reads `pieeprom.sig`: the hash in the first line, then `ts: <seconds>`.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes.get(..4096.min(bytes.len()))?).ok()?;
        let mut lines = text.lines();
        let sha256 = lines.next()?.trim().to_owned();
        let at = lines.find_map(|l| l.strip_prefix("ts:")?.trim().parse().ok())?;
        let hex = sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit());
        hex.then_some(Self { sha256, at })
    }

    /// True when `image` is what was announced and fits the model's EEPROM.
    pub(super) fn matches(&self, image: &[u8], model: Model) -> bool {
        let size = match model {
            Model::Pi5 | Model::Cm5 => 2 << 20,
            Model::Pi4 | Model::Pi3BPlus => 512 << 10,
        };
        let hash = hex::encode(Sha256::digest(image));
        image.len() == size && hash == self.sha256.to_ascii_lowercase()
    }
}
