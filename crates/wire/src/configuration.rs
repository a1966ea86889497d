//! The configuration of a station: what each value is and where it comes from, and what a reload did.

use serde::{Deserialize, Serialize};

/// One value that is in effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Value {
    /// Its section and key, e.g. `deployment.interface`.
    pub key: String,
    /// The value, as it would be written in the file.
    pub value: String,
    /// Where it comes from, in words: "default", "line 3", "the operator's choice", …
    pub from: String,
}

/// The configuration that is in effect.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Configuration {
    /// The file, when there is one.
    #[serde(default)]
    pub file: Option<String>,
    /// Every value, in the order of the sections.
    pub values: Vec<Value>,
}

/// A value that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Change {
    /// Its section and key.
    pub key: String,
    /// What it was.
    pub from: String,
    /// What it is, or is to be.
    pub to: String,
    /// Why it is not in effect yet, and what brings it into effect.
    #[serde(default)]
    pub waits: Option<String>,
}

/// What a reload of the configuration did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Reloaded {
    /// The file, when there is one.
    #[serde(default)]
    pub file: Option<String>,
    /// What changed: first what is in effect, then what waits.
    pub changes: Vec<Change>,
}
