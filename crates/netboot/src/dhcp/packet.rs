//! The guard at the door: from bytes of the wire to a packet that is safe to look at.
//!
//! The fixed header is checked before anything else touches the bytes: dhcproto panics when asked
//! for a hardware address longer than 16, and accepts any magic cookie. What fails is ignored, with
//! the reason; nothing is ever answered to a packet that could not be read.

use super::options::Options;
use dhcproto::v4::borrowed::Message;
use dhcproto::v4::{HType, MAGIC, MessageType, Opcode, OptionCode};
use std::net::Ipv4Addr;
use wire::Mac;

/// Length of the fixed header with its magic cookie.
const HEADER: usize = 240;

/// The longest packet looked at. Boot clients send about 550 bytes; an Ethernet frame holds 1472.
pub const MAX_PACKET: usize = 1500;

/// Bytes of IP and UDP header that a client's option 57 counts in (RFC 2132 §9.10 speaks of the
/// message; firmware speaks of the datagram, so the smaller reading is used).
const DATAGRAM_HEADERS: usize = 28;

/// What every host must accept (RFC 2131 §2).
const LEAST_MESSAGE: usize = 576;

/// Why a packet was not looked at any further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Ignored {
    /// It ends before the options begin.
    #[error("too short to be DHCP ({length} bytes)")]
    TooShort {
        /// Its length in bytes.
        length: usize,
    },
    /// It is longer than any boot client's.
    #[error("too long for DHCP over Ethernet ({length} bytes)")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// It goes in the other direction.
    #[error("wrong direction (op {op})")]
    WrongDirection {
        /// The `op` field.
        op: u8,
    },
    /// It speaks of hardware other than Ethernet.
    #[error("not Ethernet (htype {htype}, hlen {hlen})")]
    NotEthernet {
        /// Hardware type.
        htype: u8,
        /// Length of the hardware address.
        hlen: u8,
    },
    /// The four bytes before the options are not those of DHCP.
    #[error("the magic cookie is missing")]
    BadCookie,
    /// The hardware address is zero or a group address.
    #[error("{0} is no board's Ethernet address")]
    BadMac(Mac),
    /// It has no message type: BOOTP, or broken.
    #[error("no DHCP message type")]
    NoMessageType,
    /// A message type that is not for us.
    #[error("DHCP message type {0} is not for this side")]
    OtherMessageType(u8),
    /// It comes from a relay agent on a network that this server has no addresses for.
    #[error("relayed by {0}, which is not on the deployment network")]
    ForeignRelay(Ipv4Addr),
    /// This station's own search for other servers.
    #[error("this station's own probe")]
    OwnProbe,
    /// The client sends more than any bootloader would.
    #[error("{0} sends too fast")]
    TooFast(Mac),
}

/// A packet whose header is sound, in either direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packet {
    pub(super) kind: MessageType,
    pub(super) xid: u32,
    pub(super) flags: u16,
    pub(super) ciaddr: Ipv4Addr,
    pub(super) yiaddr: Ipv4Addr,
    pub(super) siaddr: Ipv4Addr,
    pub(super) giaddr: Ipv4Addr,
    pub(super) mac: Mac,
    pub(super) file: Option<String>,
    pub(super) options: Options,
}

impl Packet {
    /// Guards and takes apart a packet that goes in the given direction.
    pub(super) fn parse(bytes: &[u8], direction: Opcode) -> Result<Self, Ignored> {
        let length = bytes.len();
        if length > MAX_PACKET {
            return Err(Ignored::TooLong { length });
        }
        let (Some(&[op, htype, hlen, _]), HEADER..) = (bytes.first_chunk(), length) else {
            return Err(Ignored::TooShort { length });
        };
        if Opcode::from(op) != direction {
            return Err(Ignored::WrongDirection { op });
        }
        if HType::from(htype) != HType::Eth || hlen != 6 {
            return Err(Ignored::NotEthernet { htype, hlen });
        }
        let message = Message::new(bytes).map_err(|_| Ignored::TooShort { length })?;
        if bytes.get(236..HEADER) != Some(&MAGIC[..]) {
            return Err(Ignored::BadCookie);
        }
        let mac = match message.chaddr().try_into().map(Mac) {
            Ok(mac) if mac.0[0] & 1 == 0 && mac.0 != [0; 6] => mac,
            Ok(mac) => return Err(Ignored::BadMac(mac)),
            Err(_) => return Err(Ignored::NotEthernet { htype, hlen }),
        };
        let options = Options::gather(bytes);
        let kind = options
            .byte(OptionCode::MessageType)
            .ok_or(Ignored::NoMessageType)?;
        let file = Some(message.fname()).filter(|name| !name.is_empty());
        Ok(Self {
            kind: MessageType::from(kind),
            xid: message.xid(),
            flags: message.flags().into(),
            ciaddr: message.ciaddr(),
            yiaddr: message.yiaddr(),
            siaddr: message.siaddr(),
            giaddr: message.giaddr(),
            mac,
            file: file.and_then(|name| String::from_utf8(name.to_vec()).ok()),
            options,
        })
    }
}

/// What a client sent to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request(Packet);

impl Request {
    /// Takes a datagram apart. Never panics, whatever the bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Ignored> {
        let packet = Packet::parse(bytes, Opcode::BootRequest)?;
        match packet.kind {
            MessageType::Discover
            | MessageType::Request
            | MessageType::Decline
            | MessageType::Release
            | MessageType::Inform => Ok(Self(packet)),
            other => Err(Ignored::OtherMessageType(other.into())),
        }
    }

    /// What it asks for.
    pub fn kind(&self) -> MessageType {
        self.0.kind
    }

    /// The client's number for this exchange. A Pi 3 ROM uses one number for ever, so it tells
    /// nothing apart on its own.
    pub fn xid(&self) -> u32 {
        self.0.xid
    }

    /// The flags field as sent.
    pub fn flags(&self) -> u16 {
        self.0.flags
    }

    /// The client's Ethernet address.
    pub fn mac(&self) -> Mac {
        self.0.mac
    }

    /// The address the client already uses, if any.
    pub fn current_ip(&self) -> Option<Ipv4Addr> {
        Some(self.0.ciaddr).filter(|ip| !ip.is_unspecified())
    }

    /// The relay agent that passed it on, if any.
    pub fn relay(&self) -> Option<Ipv4Addr> {
        Some(self.0.giaddr).filter(|ip| !ip.is_unspecified())
    }

    /// The address it asks for (option 50).
    pub fn requested_ip(&self) -> Option<Ipv4Addr> {
        self.0.options.address(OptionCode::RequestedIpAddress)
    }

    /// The server it has chosen (option 54).
    pub fn server_id(&self) -> Option<Ipv4Addr> {
        self.0.options.address(OptionCode::ServerIdentifier)
    }

    /// Its vendor class (option 60), shortened and made printable.
    pub fn vendor_class(&self) -> Option<String> {
        self.0.options.text(OptionCode::ClassIdentifier)
    }

    /// Its machine identifier (option 97) without the type byte; only type 0 has a meaning
    /// (RFC 4578 §2.3).
    pub fn machine_id(&self) -> Option<[u8; 16]> {
        match self.machine_id_raw()? {
            [0, id @ ..] => id.try_into().ok(),
            _ => None,
        }
    }

    /// Option 97 as sent.
    pub(super) fn machine_id_raw(&self) -> Option<&[u8]> {
        self.raw(OptionCode::ClientMachineIdentifier)
    }

    /// The processor architectures it can boot (option 93, RFC 4578 §2.1), in its order.
    pub fn architectures(&self) -> impl Iterator<Item = u16> {
        let list = self
            .raw(OptionCode::ClientSystemArchitecture)
            .unwrap_or_default();
        list.chunks_exact(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
    }

    /// The options it wants in the reply (option 55), in its order.
    pub fn wanted(&self) -> &[u8] {
        self.raw(OptionCode::ParameterRequestList)
            .unwrap_or_default()
    }

    /// Longest DHCP message, in bytes, that fits what the client accepts (option 57).
    pub fn largest_reply(&self) -> usize {
        let told = self.0.options.short(OptionCode::MaxMessageSize);
        let datagram = told.map_or(LEAST_MESSAGE, |size| LEAST_MESSAGE.max(size.into()));
        datagram.min(MAX_PACKET) - DATAGRAM_HEADERS
    }

    /// An option as sent.
    pub(super) fn raw(&self, code: OptionCode) -> Option<&[u8]> {
        self.0.options.raw(code)
    }
}
