//! One pack to many boards.
//!
//! A pack is a file of independent frames; the manifest says which chunk of the image each frame
//! is. So any frame may come over any road, in any order, any number of times, and a board needs
//! only those it has not got: that one idea gives resume, late join and repair.
//!
//! - [`plan`] decides what to ask for next. Pure: it knows chunks and byte ranges, no sockets.
//! - [`fetch`] works a plan off over a [`fetch::Road`], trying again for as long as it takes.
//! - [`http`] is the road there is: byte ranges over one kept connection.
//! - [`range`] is the other end: what a `Range` header asks the station for. Pure.
//!
//! Data passes `Road → fetch → the caller's sink`, one frame at a time, so that the memory in use
//! is one frame. Whether a frame is *right* is not decided here: the caller decompresses, hashes
//! and tells the plan.

pub mod fetch;
pub mod http;
pub mod plan;
pub mod range;
