//! The network cards of the station's machine, and the choice of the one that boards hang on.

use crate::board::Mac;
use crate::event::Level;
use serde::{Deserialize, Serialize};

/// One network card as the operator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Nic {
    /// Its name, e.g. `eth1`.
    pub name: String,
    /// Its Ethernet address.
    #[serde(default)]
    pub mac: Option<Mac>,
    /// Is it switched on?
    pub up: bool,
    /// Is there a link partner at the other end of its cable?
    pub carrier: bool,
    /// Speed in Mbit/s, when the driver knows it.
    #[serde(default)]
    pub speed_mbit: Option<u32>,
    /// Its IPv4 addresses with prefix lengths, e.g. `192.168.151.1/24`.
    pub addresses: Vec<String>,
    /// Does the way to other networks leave through it?
    pub default_route: bool,
    /// Is it the one boards hang on now?
    pub chosen: bool,
    /// What speaks for or against it, in words.
    #[serde(default)]
    pub advice: Option<NicAdvice>,
}

/// What speaks for or against a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct NicAdvice {
    /// [`Level::Info`]: fit. [`Level::Warning`]: only when meant. [`Level::Error`]: cannot be used.
    pub level: Level,
    /// One sentence.
    pub text: String,
}

/// The deployment side as the operator chose it. Text as in `station.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct DeploymentChoice {
    /// Name of the NIC; `None` serves nobody.
    pub interface: Option<String>,
    /// The station's address on it, e.g. `192.168.151.1/24`.
    pub address: String,
    /// Addresses handed out, e.g. `192.168.151.100-192.168.151.250`.
    pub leases: String,
    /// Serve on the NIC with the default route all the same.
    #[serde(default)]
    pub force_default_route: bool,
}
