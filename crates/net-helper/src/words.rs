//! What may be asked of the helper, and what it says.

use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// Something a station wants. Everything but [`Request::Use`] and [`Request::Done`] is about the NIC
/// that was named by the last `Use`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Request {
    /// From now on this NIC, and on it this address. What was done to another is undone first.
    Use {
        /// Its name.
        nic: String,
        /// The station's address on it.
        address: Ipv4Addr,
        /// Length of the network prefix in bits.
        prefix: u8,
        /// Also when the default route leaves through it.
        force_default_route: bool,
    },
    /// Open a socket on the NIC.
    Open {
        /// Which.
        what: What,
    },
    /// Give the NIC the address, if it does not have it.
    GiveAddress,
    /// Switch the NIC on, if it is off.
    SwitchOn,
    /// Undo everything that was done.
    Done,
    /// A request that this build does not know; refused.
    #[serde(other)]
    Unknown,
}

/// The sockets that can be had, and no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// UDP port 67 of the NIC, broadcasts included.
    Dhcp,
    /// UDP port 68 of the NIC, shared with DHCP clients of this machine.
    DhcpClient,
    /// UDP port 69 on the station's address.
    Tftp,
    /// Ethernet frames of ARP from and to the NIC, one by one; no packet socket.
    Arp,
    /// Ethernet frames with IGMP in IPv4 from and to the NIC, one by one; no raw socket. What boards
    /// say to all routers (IGMPv3 reports, IGMPv2 leaves) and to all hosts is heard.
    Igmp,
    /// A socket that this build does not know; refused.
    #[serde(other)]
    Unknown,
}

/// What the helper says. The first reply comes unasked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// It is there.
    Ready {
        /// Its version.
        version: String,
        /// Does it have the rights that it needs?
        rights: bool,
    },
    /// It is done.
    Done,
    /// The socket comes with this message.
    Opened {
        /// The NIC's Ethernet address.
        mac: [u8; 6],
    },
    /// It is not done.
    Refused(Denied),
    /// A reply that this build does not know.
    #[serde(other)]
    Unknown,
}

/// Why something was not done, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{text}")]
pub struct Denied {
    /// What kind of reason.
    pub reason: Reason,
    /// The sentence.
    pub text: String,
}

/// The kind of a [`Denied`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A rule forbids it.
    Forbidden,
    /// The process has no right to it.
    NoRight,
    /// Somebody else has it.
    Taken,
    /// There is no such NIC, or it has no such address.
    Missing,
    /// The kernel said something else.
    #[serde(other)]
    Other,
}

impl Denied {
    /// A refusal with its sentence.
    pub fn new(reason: Reason, text: impl Into<String>) -> Self {
        Self {
            reason,
            text: text.into(),
        }
    }

    /// What the kernel said about `what`.
    pub(crate) fn of_kernel(what: &str, why: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        // ENODEV; EINVAL for a name longer than a name can be.
        let missing = matches!(why.raw_os_error(), Some(19 | 22));
        let reason = match why.kind() {
            ErrorKind::PermissionDenied => Reason::NoRight,
            ErrorKind::AddrInUse => Reason::Taken,
            ErrorKind::AddrNotAvailable => Reason::Missing,
            _ if missing => Reason::Missing,
            _ => Reason::Other,
        };
        Self::new(reason, format!("{what}: {why}"))
    }
}
