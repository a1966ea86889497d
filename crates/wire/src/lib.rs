//! The words of Punnet, shared by the station, the board agent, the command line and the page.
//!
//! Nothing here does IO and nothing here decides: the crate holds what a board, an image, a job, a
//! batch and an update *are*, how they look as JSON, and how text becomes one of them ("parse, do
//! not validate": a [`Hostname`] that exists is a valid one). Whoever wants to know what travels
//! between two parts of the product opens this crate and nothing else.
//!
//! Rules every serialised type follows:
//! - field names are `snake_case`, times are UTC milliseconds ([`Millis`]), sizes are bytes;
//! - enums that cross a version border carry an `Unknown` arm, so that an older agent and a newer
//!   station understand as much of each other as they can;
//! - ids are text in JSON, because a page cannot hold 64-bit numbers.

pub mod agent;
pub mod backup;
pub mod batch;
pub mod board;
pub mod command;
pub mod configuration;
pub mod device;
pub mod disk;
pub mod document;
pub mod event;
pub mod health;
pub mod id;
pub mod image;
pub mod manifest;
pub mod name;
pub mod nic;
pub mod operator;
pub mod profile;
pub mod query;
pub mod refusal;
pub mod rehearsal;
pub mod request;
pub mod revision;
pub mod settings;
pub mod sheet;
pub mod time;
#[cfg(test)]
mod types;
pub mod update;

pub use board::{Board, BoardId, Mac, Serial, Stage};
pub use image::ImageId;
pub use name::{Hostname, ProductCode, VenueCode};
pub use refusal::Refusal;
pub use time::Millis;

/// Number of the operator protocol (commands, queries, updates) that this build speaks.
pub const PROTOCOL: u32 = 1;
