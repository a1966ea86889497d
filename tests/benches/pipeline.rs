//! placeholder
pub(crate) fn run() {}
