//! The two doors: one for boards on the deployment NIC, one for operators on loopback and a Unix
//! socket. Two listeners, two routers, nothing shared but the engine: the deployment network is
//! hostile by nature, and a board has no business with the operator's verbs.
//!
//! [`listen`] is the accept loop under both, [`json`] reads and writes bodies, [`bytes`] serves packs
//! and images by ranges, `health` says on both whether the station is fit. [`board`] and [`operator`] hold the routes.

pub mod board;
pub mod bytes;
pub mod clock;
pub mod counted;
mod health;
pub mod json;
pub mod listen;
pub mod operator;
