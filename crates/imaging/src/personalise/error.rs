//! Why an installed system could not be personalised.

use std::io;

/// Why an installed system could not be personalised.
#[derive(Debug, thiserror::Error)]
pub enum PersonaliseError {
    /// No partition holds a root file system that can be edited.
    #[error("no partition holds a root file system that can be edited: {0}")]
    NoRoot(String),
    /// A file system could not be opened.
    #[error("partition {partition} cannot be opened: {source}")]
    Open {
        /// Its number.
        partition: u32,
        /// Why.
        source: io::Error,
    },
    /// A file system could not be grown.
    #[error("the file system of partition {partition} cannot be grown: {source}")]
    Grow {
        /// Its number.
        partition: u32,
        /// Why.
        source: io::Error,
    },
    /// A file could not be looked at.
    #[error("{path} cannot be read: {source}")]
    Look {
        /// Its path in the root file system.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The image holds something odd where a file belongs.
    #[error("{path} in the image {what}")]
    Odd {
        /// Its path in the root file system.
        path: String,
        /// What is odd about it.
        what: String,
    },
    /// The edits were not carried out.
    #[error("the installed system cannot be edited: {0}")]
    Edit(io::Error),
    /// A changed file did not read back.
    #[error("{path} did not read back as written: {why}")]
    ReadBack {
        /// Its path in the root file system.
        path: String,
        /// What is there instead.
        why: String,
    },
    /// The address to call at first boot cannot be written into a script.
    #[error("the first-boot address {0:?} is not of the form http://address:port/path")]
    HelloUrl(String),
}
