//! Ratios against peers.
fn main() {}
