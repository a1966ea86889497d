//! The network cards of this machine, and what the pre-flight makes of them.
//!
//! [`nics`] lists them through rtnetlink and tells when anything about them changes. [`footing`] is
//! the pure rule that says whether the station may stand on one: refused, waiting, or ready;
//! [`advice`] says it of every card to the one who chooses. [`port`]
//! says who holds a port that should be ours. [`wire_check`] listens for another owner of our address and for another
//! DHCP server, before serving and for as long as it goes on.

pub mod advice;
pub mod findings;
pub mod footing;
pub mod nics;
pub mod port;
pub mod wire_check;

pub use footing::{Footing, Unfit, footing};
pub use nics::{Netlink, NetlinkError, Nic};
