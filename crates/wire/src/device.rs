//! The compatible device API: four small calls that existing installer scripts make.
//!
//! Field names are theirs and do not change: `serial_number` in config, `serial` in status (some
//! scripts send `serial_number` there too), naive timestamps.

use serde::{Deserialize, Serialize};

/// `POST /api/config`: a board asks for its name and image. Everything may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ConfigRequest {
    /// The product the installer believes it is.
    pub product_type: Option<String>,
    /// The venue the installer believes it is at.
    pub venue_code: Option<String>,
    /// Serial number, 8 or 16 hex digits, or with leading zeros stripped.
    pub serial_number: Option<String>,
    /// Ethernet address.
    pub mac_address: Option<String>,
}

/// The answer to [`ConfigRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigReply {
    /// The address the request came in on.
    pub server_ip: String,
    /// The assigned name.
    pub hostname: String,
    /// The batch's product.
    pub product_type: String,
    /// The batch's venue.
    pub venue_code: String,
    /// Where to fetch the whole image, on the listener that received the request.
    pub image_url: String,
    /// Size of the image in bytes.
    pub image_size: u64,
    /// SHA-256 of exactly those bytes, hex.
    pub image_checksum: String,
    /// Version of this API: `3.0`.
    pub version: String,
    /// Local time, ISO 8601 without zone.
    pub timestamp: String,
    /// The deployment, for [`StatusRequest::deployment_id`].
    pub deployment_id: String,
}

/// `POST /api/status`: a board reports.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StatusRequest {
    /// One of starting, downloading, verifying, customizing, success, failed.
    pub status: Option<String>,
    /// The name it was given.
    pub hostname: Option<String>,
    /// Serial number.
    pub serial: Option<String>,
    /// Serial number in the spelling of the shell installer.
    pub serial_number: Option<String>,
    /// Ethernet address.
    pub mac_address: Option<String>,
    /// Free text.
    pub message: Option<String>,
    /// What went wrong.
    pub error_message: Option<String>,
    /// Unix time with fractions; not used.
    pub timestamp: Option<f64>,
    /// The deployment, when the installer knows it.
    pub deployment_id: Option<String>,
}

/// The answer to [`StatusRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReply {
    /// Always true; a report that could not be taken is an error instead.
    pub received: bool,
    /// The name as known here.
    pub hostname: Option<String>,
}

/// Every error of the device API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceError {
    /// What happened and what to do.
    pub error: String,
}
