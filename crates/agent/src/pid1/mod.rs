//! What only PID 1 of a board does.

pub(crate) mod consoles;
pub(crate) mod disks;
pub(crate) mod guard;
pub(crate) mod inventory;
pub(crate) mod kernel;
pub(crate) mod lease;
pub(crate) mod leds;
pub(crate) mod machine;
pub(crate) mod modules;
pub(crate) mod netlink;
pub(crate) mod nic;
pub(crate) mod partition;
pub(crate) mod start;
pub(crate) mod sysfs;
