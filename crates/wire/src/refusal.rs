//! Why something was not done, in words a technician can act on.

use serde::{Deserialize, Serialize};

/// A refused command or query: what happened, to what, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[error("{message}{}", next.as_deref().map(|n| format!(" {n}")).unwrap_or_default())]
pub struct Refusal {
    /// Machine-readable reason.
    pub code: Code,
    /// One sentence: what happened, to what.
    pub message: String,
    /// The field of the command that is at fault, in the command's own spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// One sentence: what to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The kind of a [`Refusal`]; decides the HTTP status and the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// A field does not parse or breaks a rule (HTTP 400).
    Invalid,
    /// The named thing does not exist (HTTP 404).
    NotFound,
    /// It exists already, or its state forbids the command (HTTP 409).
    Conflict,
    /// The station wants to know who is asking (HTTP 401).
    LoginNeeded,
    /// The caller may not do this (HTTP 403).
    Forbidden,
    /// Too much was asked in too short a time (HTTP 429).
    TooMany,
    /// A person or a rule has to decide first (HTTP 423).
    OnHold,
    /// A subsystem is not fit to serve this now (HTTP 503).
    Unavailable,
    /// A fault inside the station (HTTP 500).
    Internal,
    /// A kind this build does not know.
    #[serde(other)]
    Unknown,
}

impl Refusal {
    /// A refusal of the given kind with its sentence.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            field: None,
            next: None,
        }
    }

    /// A field that does not parse or breaks a rule.
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::new(Code::Invalid, message).at(field)
    }

    /// Something that does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Code::NotFound, message)
    }

    /// Something whose present state forbids the command.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(Code::Conflict, message)
    }

    /// A fault inside the station.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Code::Internal, message)
    }

    /// Names the field at fault.
    #[must_use]
    pub fn at(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }
}

impl Code {
    /// The HTTP status that carries this kind.
    pub fn http_status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::LoginNeeded => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::OnHold => 423,
            Self::TooMany => 429,
            Self::Unavailable => 503,
            Self::Internal | Self::Unknown => 500,
        }
    }
}
