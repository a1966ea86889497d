//! The engine: the bench of all boards, the store, names, batches, the boot tree, two HTTP doors, supervision.

pub mod backup;
pub mod batches;
pub mod bench;
pub mod boot_tree;
pub mod config;
pub mod doors;
pub mod engine;
pub mod library;
pub mod link;
pub mod names;
pub mod net;
pub mod outside;
pub mod papers;
pub mod rehearsal;
pub mod rights;
pub mod service;
pub mod store;
pub mod supervise;
pub mod traffic;
pub mod who;
