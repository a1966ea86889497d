//! Virtual Raspberry Pis: boards that behave on the wire as real ones do, and then run the real
//! agent on a file.

pub mod bootloader;
pub mod chance;
pub mod check;
pub mod golden;
pub mod identity;
pub mod model;
pub mod pace;
pub mod tool;

pub use identity::Identity;
pub use model::Model;
pub use pace::Pace;
