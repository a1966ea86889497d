//! Notices: what a person who does not look at the page has to know. On a desktop they are
//! notifications, from a service they go out by webhook and e-mail.
//!
//! [`rule`] is pure: it reads the watch stream and says which notices are due and when. [`words`]
//! puts a group of them into one sentence.

pub mod rule;
pub mod words;

pub use rule::{Group, Kind, Manner, Note, Rule};
pub use words::{Notice, notice};

#[cfg(test)]
mod tests;
