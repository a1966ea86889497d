//! The board agent: everything between "the kernel is up" and "the disk is finished".
//!
//! [`run`] is the whole life of an agent: it checks in, waits for an order, provisions, reports, and
//! says at the end what the board is to do. What a board *is* (disks, mounts, console, LED) lies
//! behind [`Platform`], so that the very same code runs as PID 1 on a Raspberry Pi and inside a
//! virtual board on a file.
//!
//! ```text
//! run ── check-in ──▶ station
//!  └─ provision: choose ▶ manifest ▶ write ▶ read back ▶ personalise ▶ seal ▶ done
//!       │              pipeline: fetch ▶ (memory budget) ▶ decode + hash ▶ writer
//!       └─ reporter (own thread): events until acked, progress, stop, identify
//! ```
//!
//! A station that is away costs time, never the board: every call is repeated for ever, events are
//! kept until they are acked, chunks that are written stay written. A station that answers and does not
//! know the deployment has called it off: what is written does not boot, and the agent checks in anew.

mod budget;
mod choose;
mod failure;
mod gauge;
mod life;
pub mod measure;
mod meter;
mod pipeline;
mod platform;
mod provision;
mod report;
mod screen;
mod settings;
mod spool;
mod system;

pub use life::{Ending, run};
pub use platform::{Platform, Witness};
pub use screen::{Screen, Tone, render};
pub use settings::{Link, Settings};
