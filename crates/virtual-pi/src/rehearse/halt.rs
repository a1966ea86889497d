//! The switch that ends a rehearsal early.

use super::RehearseError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Ends a rehearsal early: boards are switched off within a moment, nothing more is prepared or
/// checked. Clones are the same switch.
#[derive(Debug, Clone, Default)]
pub struct Halt(Arc<AtomicBool>);

impl Halt {
    /// Throws the switch.
    pub fn call(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// True once it was thrown.
    pub fn is_called(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// An error once it was thrown.
    pub(super) fn check(&self) -> Result<(), RehearseError> {
        if self.is_called() {
            Err(RehearseError::Halted)
        } else {
            Ok(())
        }
    }
}
