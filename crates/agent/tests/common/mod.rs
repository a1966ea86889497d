//! A golden image, a station that misbehaves on request, and a board on a file.

mod board;
mod image;
mod station;

pub use board::Board;
pub use image::{Golden, golden, other_key};
pub use station::{FakeStation, Mood};
