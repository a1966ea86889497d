//! A whole station on the loopback, spoken to with the sockets that boards, installers and operators
//! use. No rights are needed; every test has its own data folder and its own ports.

#![expect(
    clippy::unwrap_used,
    reason = "what a test needs and does not get ends it, helpers included"
)]

mod alerts;
mod alerts_tls;
mod archive;
mod backups;
mod boards;
mod evidence;
mod figures;
mod fitness;
mod image;
mod images;
mod installer;
mod interrupted;
mod lifecycle;
mod link;
mod management;
mod operator;
mod packs;
mod rehearsal;
mod rig;
mod routes;
mod self_test;
mod send_files;
mod tls;
mod trust;
