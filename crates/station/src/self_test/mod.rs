//! The self-test: a synthetic board asks the running servers, over their own sockets, for everything
//! that a board needs, and consumes nothing: no place on the bench, no lease, no name, no batch place.
//!
//! How the servers know it. A test draws a key of 128 bits, which is good for this one test and for
//! seconds. It travels only between this machine and itself: in the user class of the DISCOVER, in the
//! path of the boot files, in the path of the check-in; [`visits`] is the one place that knows it. A
//! server that sees it answers as it would answer a board, and leaves everything as it was: DHCP
//! offers and holds nothing, the check-in is done in a transaction that is rolled back. A board that
//! wanted to pass for the test would have to guess the key while a test runs, and would gain nothing
//! but an answer without effect.
//!
//! What it cannot show, because its packets never leave the machine, it says: whether broadcasts pass
//! cable and switch.
//!
//! Beside a board's way it meets the operators' door as a browser does, and looks at its certificate.

mod asking;
mod page;
mod steps;
pub mod visits;

pub use page::Page;
pub use steps::{Door, Ground, run};
