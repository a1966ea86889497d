//! Batches: so many boards of one product for one venue.
//!
//! Pure rules: [`machine`] says which states follow each other, [`rules`] which boards a batch
//! takes, [`places`] how many more it may take. The rows lie in [`crate::store::batches`].

pub mod machine;
pub mod places;
pub mod rules;
