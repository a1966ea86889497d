//! Profiles: a way of working under a name, so that a bench is set up in one step.

use crate::configuration::Change;
use crate::name::{ProductCode, VenueCode};
use crate::nic::DeploymentChoice;
use crate::settings::Preferences;
use serde::{Deserialize, Serialize};

/// A set of choices under a name. What is absent is left as it is when the profile is applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// The NIC, the station's address and the addresses handed out.
    #[serde(default)]
    pub deployment: Option<DeploymentChoice>,
    /// What boards become.
    #[serde(default)]
    pub product: Option<ProfileProduct>,
    /// Where they go.
    #[serde(default)]
    pub venue: Option<ProfileVenue>,
    /// The preferences.
    #[serde(default)]
    pub preferences: Option<Preferences>,
}

/// A product as a profile describes it; applying makes it when there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct ProfileProduct {
    /// Its code.
    pub code: ProductCode,
    /// Its name.
    pub name: String,
    /// Its hostname pattern.
    pub pattern: String,
}

/// A venue as a profile describes it; applying makes it when there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct ProfileVenue {
    /// Its code.
    pub code: VenueCode,
    /// Its name.
    pub name: String,
    /// Where it is.
    #[serde(default)]
    pub location: String,
    /// Contact e-mail address.
    #[serde(default)]
    pub contact: String,
}

/// A profile, and what applying it changes or has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct ProfileReport {
    /// The profile.
    pub profile: Profile,
    /// What differs from how the station is now.
    pub changes: Vec<Change>,
}
