//! A golden image, a station that misbehaves on request, and a board on a file.

mod board;
mod image;
mod station;

pub(crate) use board::Board;
pub(crate) use image::{golden, other_key};
pub(crate) use station::{FakeStation, Mood};
