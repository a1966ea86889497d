//! The bench: every board, where it is, why, and what may happen to it next.
//!
//! Pure: facts go in, decisions come out. Nothing here reads a clock, a socket or the database.
//! "Why is this board in that state?" is answered by these files alone:
//! - [`seat`]: everything known about one board; [`attempt`]: its present or last deployment;
//! - [`input`]: what the boot servers say, in the bench's own words;
//! - [`identity`]: who is who, and when two boards claim to be one;
//! - [`boards`]: all of them, and how addresses lead to them;
//! - [`boots`]: when a network boot begins anew, and what to serve it;
//! - [`admission`]: may this board be provisioned, by which batch, onto which disk;
//! - [`stages`]: one thing heard + a board = the board afterwards and what to note;
//! - [`files`]: the boot files it fetches; [`curve`]: how fast its disk goes;
//! - [`permits`]: what an operator may allow;
//! - [`trust`]: is it the board that booted here;
//! - [`stalls`]: how long each stage may be quiet; [`advice`]: what to look at then, and whenever a
//!   board does not get on.

pub mod admission;
pub mod advice;
pub mod attempt;
pub mod boards;
pub mod boots;
pub mod curve;
pub mod files;
pub mod identity;
pub mod permits;
pub mod seat;
pub mod stages;
pub mod stalls;
pub mod trust;
