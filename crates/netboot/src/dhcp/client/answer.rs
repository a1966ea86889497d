//! What a server's reply says to a client.

use super::persona::Needs;
use crate::dhcp::packet::{Ignored, Packet};
use dhcproto::v4::{MessageType, Opcode, OptionCode};
use std::net::Ipv4Addr;
use std::time::Duration;
use wire::Mac;

/// Shortest lease believed: a shorter one would make a client ask without pause.
const SHORTEST_LEASE: Duration = Duration::from_secs(30);

/// A reply, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    packet: Packet,
    from: Ipv4Addr,
}

impl Answer {
    /// Takes a datagram from a server apart. Never panics, whatever the bytes.
    pub(crate) fn parse(bytes: &[u8], from: Ipv4Addr) -> Result<Self, Ignored> {
        let packet = Packet::parse(bytes, Opcode::BootReply)?;
        match packet.kind {
            MessageType::Offer | MessageType::Ack | MessageType::Nak => Ok(Self { packet, from }),
            other => Err(Ignored::OtherMessageType(other.into())),
        }
    }

    pub(crate) fn kind(&self) -> MessageType {
        self.packet.kind
    }

    pub(crate) fn is_to(&self, xid: u32, mac: Mac) -> bool {
        self.packet.xid == xid && self.packet.mac == mac
    }

    /// The address given, if any.
    pub(crate) fn address(&self) -> Option<Ipv4Addr> {
        Some(self.packet.yiaddr).filter(|ip| !ip.is_unspecified())
    }

    /// The server, by its own word, else by where the datagram came from.
    pub(crate) fn server(&self) -> Ipv4Addr {
        let told = self.packet.options.address(OptionCode::ServerIdentifier);
        told.unwrap_or(self.from)
    }

    /// The TFTP server: option 66 as an address, next server, server id, in this order.
    pub(crate) fn tftp(&self) -> Ipv4Addr {
        let next = Some(self.packet.siaddr).filter(|ip| !ip.is_unspecified());
        self.tftp_option().or(next).unwrap_or_else(|| self.server())
    }

    /// The boot file, from option 67 or the header.
    pub(crate) fn file(&self) -> Option<String> {
        let option = self.packet.options.raw(OptionCode::BootfileName);
        let named = option.and_then(|raw| std::str::from_utf8(raw).ok());
        let named = named.map(|name| name.trim_end_matches('\0').to_owned());
        named
            .filter(|name| !name.is_empty())
            .or_else(|| self.packet.file.clone())
    }

    pub(crate) fn mask(&self) -> Option<Ipv4Addr> {
        self.packet.options.address(OptionCode::SubnetMask)
    }

    pub(crate) fn router(&self) -> Option<Ipv4Addr> {
        let list = self.packet.options.raw(OptionCode::Router)?;
        list.first_chunk::<4>().map(|first| Ipv4Addr::from(*first))
    }

    /// Lease, T1 and T2. What is missing or makes no sense is replaced by the proportions of
    /// RFC 2131 §4.4.5.
    pub(crate) fn times(&self) -> [Duration; 3] {
        let told = |code| {
            self.packet
                .options
                .long(code)
                .map(|s| Duration::from_secs(s.into()))
        };
        let lease = told(OptionCode::AddressLeaseTime).unwrap_or(Duration::from_hours(1));
        let lease = lease.max(SHORTEST_LEASE);
        let t2 = told(OptionCode::Rebinding).filter(|t2| (SHORTEST_LEASE / 2..lease).contains(t2));
        let t2 = t2.unwrap_or(lease / 8 * 7);
        let t1 = told(OptionCode::Renewal).filter(|t1| (SHORTEST_LEASE / 2..=t2).contains(t1));
        [lease, t1.unwrap_or(lease / 2).min(t2), t2]
    }

    /// True when this reply alone satisfies the need.
    pub(crate) fn satisfies(&self, needs: &Needs) -> bool {
        let menu = self.menu();
        match needs {
            Needs::Nothing => true,
            Needs::Menu(name) => {
                self.tftp_option().is_some()
                    || menu.iter().any(|text| contains(text, name.as_bytes()))
            }
            Needs::ExactMenu(name) => menu.contains(&name.as_bytes()),
            Needs::File => self.file().is_some(),
        }
    }

    fn tftp_option(&self) -> Option<Ipv4Addr> {
        let raw = self.packet.options.raw(OptionCode::TFTPServerName)?;
        std::str::from_utf8(raw)
            .ok()?
            .trim_end_matches('\0')
            .parse()
            .ok()
    }

    /// The texts of the PXE boot menu (sub-option 9: two bytes of type, one of length, the text),
    /// or all of option 43 where it is not made of sub-options.
    fn menu(&self) -> Vec<&[u8]> {
        let Some(raw) = self.packet.options.raw(OptionCode::VendorExtensions) else {
            return Vec::new();
        };
        let Some(mut entries) = sub_option(raw, 9) else {
            return vec![raw];
        };
        let mut texts = Vec::new();
        while let [_, _, length, rest @ ..] = entries
            && let Some((text, more)) = rest.split_at_checked((*length).into())
        {
            texts.push(text);
            entries = more;
        }
        texts
    }
}

fn sub_option(mut raw: &[u8], wanted: u8) -> Option<&[u8]> {
    while let [code, length, rest @ ..] = raw
        && *code != 255
    {
        let (value, more) = rest.split_at_checked((*length).into())?;
        if *code == wanted {
            return Some(value);
        }
        raw = more;
    }
    None
}

fn contains(text: &[u8], name: &[u8]) -> bool {
    !name.is_empty() && text.windows(name.len()).any(|part| part == name)
}
