//! DHCP and TFTP as Raspberry Pi bootloaders speak them: pure conversations, thin sockets.

pub mod arp;
pub mod dhcp;
pub mod tftp;
