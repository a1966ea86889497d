//! Tests of the whole product, from outside, with clients that nobody here wrote.
//!
//! One program, so that it links once. What needs root and is run without it says so and counts as
//! not run; see `punnet_tests::ground`.

mod architecture;
mod attack;
mod bad_input;
mod device_api;
mod lab_dhcp;
mod lab_doors;
mod lab_fitness;
mod lab_igmp;
mod lab_rights;
mod lab_sockets;
mod lab_tftp;
mod package;
mod qemu_boards;
mod rehearsal;
mod service;
