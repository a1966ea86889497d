//! The rig of the whole-product tests: what they stand on, so that a test reads as what a
//! technician sees and does.
//!
//! The tests drive the real `punnet` binary from outside, with clients that nobody here wrote, in
//! network namespaces of their own. [`ground`] says what this machine allows and keeps heavy tests
//! from each other's throats; [`binaries`] finds or builds what is under test; [`net`] makes a
//! switch with machines plugged into it; [`running`] is a program that never outlives its test;
//! [`station`] is the daemon under test with its three verbs and its command line, and [`watch`]
//! the fold of its watch stream, on which tests wait instead of sleeping; [`plan`] is what an
//! operator sets up before the first board; [`clients`] are the DHCP and TFTP clients that come as
//! programs; [`machine`] is a board in QEMU, [`guest`] a whole machine for the [`packages`]; [`screen`] is a desktop without a screen and [`window`]
//! the native window on it.

pub mod binaries;
pub mod clients;
pub mod ground;
pub mod guest;
pub mod machine;
pub mod net;
pub mod packages;
pub mod person;
pub mod plan;
pub mod running;
pub mod screen;
pub mod station;
pub mod watch;
pub mod window;
