//! DHCP and TFTP as Raspberry Pi bootloaders speak them: pure conversations, thin sockets.
//!
//! Every protocol here is written twice over the same shape. The *conversation* takes bytes, an
//! address and the present moment, and hands back bytes, events and the moment it wants to be asked
//! again; it owns no socket and no clock, so its tests need neither. The *shell* beside it owns the
//! socket and the timer and decides nothing.
//!
//! ```text
//! UDP 67  dhcp::serve ── bytes ──▶ dhcp::Server ── DhcpEvent ──▶ the station
//! UDP 68  dhcp::probe ── bytes ──▶ dhcp::probe::Probe ── Rival ──▶ pre-flight
//! UDP 69  tftp::serve ── bytes ──▶ tftp … ── TftpEvent ──▶ the station
//! ARP     arp::wire   ── frame ──▶ arp::Arp ── Conflict ──▶ pre-flight, continuous checks
//! ```
//!
//! All bytes that arrive are hostile until proven otherwise: parsers return an error, never panic,
//! and never allocate by a length they were told.

pub mod arp;
mod clock;
pub mod dhcp;
pub mod limits;
pub mod socket;
pub mod tftp;
