//! What the DHCP server tells the station.

use super::identify::Client;
use std::net::{Ipv4Addr, SocketAddrV4};
use wire::Mac;
use wire::health::Lease;

/// What the server wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send these bytes.
    Send {
        /// Where to.
        to: SocketAddrV4,
        /// The message.
        bytes: Vec<u8>,
    },
    /// Tell the station.
    Event(DhcpEvent),
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DhcpEvent {
    /// A client that gets an answer began to ask. Repetitions of the same DISCOVER are not told.
    Seen {
        /// Its Ethernet address.
        mac: Mac,
        /// Who it is, by this packet alone.
        client: Client,
        /// Its number for this exchange; a Pi 3 ROM has only one.
        xid: u32,
        /// Its vendor class, printable.
        vendor_class: Option<String>,
    },
    /// An address was offered. Repetitions are not told.
    Offered {
        /// To whom.
        mac: Mac,
        /// Which.
        ip: Ipv4Addr,
    },
    /// An address is in use. For boards that never request what they are offered (Pi 3) this comes
    /// with the offer, because nothing follows it.
    Leased {
        /// The lease.
        lease: Lease,
        /// Who it is, by this exchange.
        client: Client,
    },
    /// No address is left. Told once a minute for each client.
    PoolFull {
        /// Who goes without.
        mac: Mac,
    },
    /// Something that is none of ours asked and was not answered. Told once a minute for each.
    NotOurs {
        /// Its Ethernet address.
        mac: Mac,
        /// Its vendor class, printable.
        vendor_class: Option<String>,
    },
    /// Another DHCP server serves this wire. Told once a minute for each pair.
    Rival {
        /// Its address, by which it calls itself.
        server: Ipv4Addr,
        /// Its Ethernet address, when known.
        mac: Option<Mac>,
        /// The client that took its offer instead of ours, when that is how it was noticed.
        client: Option<Mac>,
        /// How it was noticed.
        how: String,
    },
    /// A client gave its address back.
    Released {
        /// Who.
        mac: Mac,
        /// Which.
        ip: Ipv4Addr,
    },
    /// A client found its address in use by somebody else; it is set aside for a while.
    Declined {
        /// Who.
        mac: Mac,
        /// Which.
        ip: Ipv4Addr,
    },
}
