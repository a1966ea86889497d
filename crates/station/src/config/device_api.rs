//! Who may use the device API of foreign installers: it knows no tokens, so this is all that guards
//! it.

use std::fmt;
use std::str::FromStr;

/// Who may ask there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceApi {
    /// Whoever is on the wire.
    Open,
    /// Only addresses that this station has given: an installer that booted over this wire has one.
    #[default]
    Boards,
    /// Nobody.
    Closed,
}

impl fmt::Display for DeviceApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Boards => "boards",
            Self::Closed => "closed",
        })
    }
}

/// A word that is none of the three.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("device_api is {0:?}; it may be \"open\", \"boards\" or \"closed\"")]
pub struct NoDeviceApi(String);

impl FromStr for DeviceApi {
    type Err = NoDeviceApi;

    fn from_str(text: &str) -> Result<Self, NoDeviceApi> {
        match text {
            "open" => Ok(Self::Open),
            "boards" => Ok(Self::Boards),
            "closed" => Ok(Self::Closed),
            other => Err(NoDeviceApi(other.to_owned())),
        }
    }
}
