//! By what boards, batches and images are known, and how text becomes one of these ids.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// Why a text is not the id, serial or MAC address it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct IdError {
    /// The text as given.
    pub text: String,
    /// What it should have been.
    pub expected: &'static str,
}

fn id_error(text: &str, expected: &'static str) -> IdError {
    IdError {
        text: text.to_owned(),
        expected,
    }
}

/// The identity by which the station keys a board.
///
/// A Raspberry Pi is known by the low 32 bits of its serial number, which is all its bootloader
/// says (option 97, TFTP folder); other UEFI machines and QEMU by their machine UUID. As text: 8
/// hex digits, or a hyphenated UUID. Parsing also takes a full 16-digit serial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts", type = "string"))]
#[serde(try_from = "String", into = "String")]
pub enum BoardId {
    /// Low 32 bits of a Raspberry Pi's serial number.
    Pi(u32),
    /// Machine UUID (option 97 type 0, DMI product UUID).
    Uuid(Uuid),
}

impl fmt::Display for BoardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pi(serial) => write!(f, "{serial:08x}"),
            Self::Uuid(uuid) => write!(f, "{}", uuid.hyphenated()),
        }
    }
}

impl FromStr for BoardId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let expected = "a board id (8 or 16 hex digits of a serial number, or a UUID)";
        if let Ok(serial) = text.parse::<Serial>() {
            return Ok(Self::Pi(serial.low()));
        }
        if text.len() == 8
            && text.bytes().all(|b| b.is_ascii_hexdigit())
            && let Ok(low) = u32::from_str_radix(text, 16)
        {
            return Ok(Self::Pi(low));
        }
        match Uuid::try_parse(text) {
            Ok(uuid) if text.len() == 36 => Ok(Self::Uuid(uuid)),
            _ => Err(id_error(text, expected)),
        }
    }
}

impl TryFrom<String> for BoardId {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<BoardId> for String {
    fn from(id: BoardId) -> Self {
        id.to_string()
    }
}

/// A Raspberry Pi's whole 64-bit serial number: 16 lower-case hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts", type = "string"))]
#[serde(try_from = "String", into = "String")]
pub struct Serial(pub u64);

impl Serial {
    /// The low 32 bits, by which the bootloader calls itself.
    pub fn low(self) -> u32 {
        (self.0 & 0xffff_ffff) as u32
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Serial {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let hex = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        match u64::from_str_radix(text, 16) {
            Ok(n) if hex => Ok(Self(n)),
            _ => Err(id_error(text, "a serial number (16 hex digits)")),
        }
    }
}

impl TryFrom<String> for Serial {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<Serial> for String {
    fn from(serial: Serial) -> Self {
        serial.to_string()
    }
}

/// An Ethernet address: six octets, written `2c:cf:67:00:11:22`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts", type = "string"))]
#[serde(try_from = "String", into = "String")]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [o1, o2, o3, o4, o5, o6] = self.0;
        write!(f, "{o1:02x}:{o2:02x}:{o3:02x}:{o4:02x}:{o5:02x}:{o6:02x}")
    }
}

impl FromStr for Mac {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = || id_error(text, "an Ethernet address (aa:bb:cc:dd:ee:ff)");
        let mut octets = [0; 6];
        let mut parts = text.split([':', '-']);
        for octet in &mut octets {
            let part = parts.next().filter(|p| p.len() == 2).ok_or_else(wrong)?;
            *octet = u8::from_str_radix(part, 16).map_err(|_| wrong())?;
        }
        if parts.next().is_some() {
            Err(wrong())
        } else {
            Ok(Self(octets))
        }
    }
}

impl TryFrom<String> for Mac {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<Mac> for String {
    fn from(mac: Mac) -> Self {
        mac.to_string()
    }
}

/// Number of a batch, as shown to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(transparent)]
pub struct BatchId(pub i64);

impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for BatchId {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// Content address of an image: the BLAKE3 root hash of its pack's manifest, 64 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts", type = "string"))]
#[serde(try_from = "String", into = "String")]
pub struct ImageId(pub [u8; 32]);

impl ImageId {
    /// The first 12 hex digits, enough for people.
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl FromStr for ImageId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_hex(text)
            .map(Self)
            .ok_or_else(|| id_error(text, "an image id (64 hex digits)"))
    }
}

impl TryFrom<String> for ImageId {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ImageId> for String {
    fn from(id: ImageId) -> Self {
        id.to_string()
    }
}

/// 32 bytes from 64 hex digits.
pub(crate) fn parse_hex(text: &str) -> Option<[u8; 32]> {
    let bytes = text.as_bytes();
    if bytes.len() != 64 || !bytes.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut out = [0; 32];
    for (at, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(out)
}
