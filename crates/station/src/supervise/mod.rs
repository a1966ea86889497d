//! Keeps the servers of the deployment side running, or says why they do not.
//!
//! [`Side`] is one task that owns all three servers. Everything it hears (network cards change, the
//! wire check reports, a server ends, the operator starts or stops one, or chooses another NIC) changes what it knows; then
//! [`rules`] says for each server what ought to be, and the difference is made up: a server is
//! started, stopped, or shown in another state. A server that ends by itself, a panic included, is
//! started again with growing pauses ([`backoff`]). [`launch`] knows how each server is opened.

pub mod backoff;
pub mod launch;
pub mod rules;
mod side;
mod slot;
#[cfg(test)]
mod tests;

pub use side::{Orders, Side, Told};
