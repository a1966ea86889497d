//! What the operator may set while the station runs.

use crate::nic::DeploymentChoice;
use serde::{Deserialize, Serialize};

/// The settings as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Settings {
    /// The deployment side.
    pub deployment: DeploymentChoice,
    /// Set when a configuration file, an environment variable or a flag decides over
    /// [`Settings::deployment`], so that it cannot be changed here: which, in words.
    #[serde(default)]
    pub deployment_fixed_by: Option<String>,
    /// The rest.
    pub preferences: Preferences,
    /// The folder that holds everything.
    pub data_dir: String,
    /// Where a browser on the management side finds this page, e.g. `http://127.0.0.1:5000`.
    #[serde(default)]
    pub page: Option<String>,
    /// SHA-256 fingerprint of the certificate that this address shows, when it is encrypted.
    #[serde(default)]
    pub fingerprint: Option<String>,
}

/// Settings of taste, kept by the station.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(default)]
pub struct Preferences {
    /// No desktop notifications.
    pub quiet: bool,
    /// Warn when a product has fewer free names for a venue than this, once batches use them.
    pub names_low: u32,
    /// Warn when the data folder's disk has less room than this, in bytes.
    pub disk_low: u64,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            quiet: false,
            names_low: 5,
            disk_low: 5_000_000_000,
        }
    }
}
