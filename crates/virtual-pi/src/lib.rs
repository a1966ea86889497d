//! Virtual Raspberry Pis: boards that behave on the wire as real ones do, and then run the real
//! agent on a file.

pub mod board;
pub mod bootloader;
pub mod chance;
pub mod check;
pub mod faults;
pub mod golden;
pub mod identity;
pub mod model;
pub mod network;
pub mod pace;
pub mod power;
pub mod rehearse;
mod slice;
pub mod speed;
#[cfg(test)]
mod testing;
pub mod tool;

pub use board::{Doors, VirtualPi};
pub use faults::Faults;
pub use identity::Identity;
pub use model::Model;
pub use pace::Pace;
pub use speed::Speed;
