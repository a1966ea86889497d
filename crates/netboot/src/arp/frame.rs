//! ARP for IPv4 over Ethernet, as one frame (RFC 826).

use std::net::Ipv4Addr;
use wire::Mac;

/// EtherType of ARP.
pub(super) const ETHERTYPE: u16 = 0x0806;
/// Ethernet pads to this; some NICs send what lies in memory where the sender does not.
const LEAST_FRAME: usize = 60;
/// Hardware type Ethernet, protocol type IPv4, address lengths 6 and 4.
const KIND: [u8; 6] = [0, 1, 8, 0, 6, 4];
const REQUEST: u16 = 1;
const REPLY: u16 = 2;

/// One ARP message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) to: Mac,
    pub(super) operation: u16,
    pub(super) sender_mac: Mac,
    pub(super) sender_ip: Ipv4Addr,
    pub(super) target_mac: Mac,
    pub(super) target_ip: Ipv4Addr,
}

impl Frame {
    /// "Who has this address?", without claiming it.
    pub(super) fn probe(mac: Mac, ip: Ipv4Addr) -> Self {
        Self {
            to: Mac([0xff; 6]),
            operation: REQUEST,
            sender_mac: mac,
            sender_ip: Ipv4Addr::UNSPECIFIED,
            target_mac: Mac([0; 6]),
            target_ip: ip,
        }
    }

    /// "I have this address", to everybody.
    pub(super) fn announcement(mac: Mac, ip: Ipv4Addr) -> Self {
        Self {
            sender_ip: ip,
            ..Self::probe(mac, ip)
        }
    }

    /// "I have this address", to the one who asked.
    #[cfg(test)]
    pub(super) fn answer(mac: Mac, ip: Ipv4Addr, asker: Mac) -> Self {
        Self {
            to: asker,
            operation: REPLY,
            sender_mac: mac,
            sender_ip: ip,
            target_mac: asker,
            target_ip: Ipv4Addr::UNSPECIFIED,
        }
    }

    /// True when the sender is probing for this address.
    pub(super) fn is_probe_for(&self, ip: Ipv4Addr) -> bool {
        self.operation == REQUEST && self.sender_ip.is_unspecified() && self.target_ip == ip
    }

    /// Reads a frame; `None` for anything that is not ARP for IPv4 over Ethernet.
    pub(super) fn parse(frame: &[u8]) -> Option<Self> {
        let (to, rest) = frame.split_first_chunk::<6>()?;
        let (_from, rest) = rest.split_first_chunk::<6>()?;
        let (ethertype, rest) = rest.split_first_chunk::<2>()?;
        let (kind, rest) = rest.split_first_chunk::<6>()?;
        let (operation, rest) = rest.split_first_chunk::<2>()?;
        let (sender_mac, rest) = rest.split_first_chunk::<6>()?;
        let (sender_ip, rest) = rest.split_first_chunk::<4>()?;
        let (target_mac, rest) = rest.split_first_chunk::<6>()?;
        let (target_ip, _padding) = rest.split_first_chunk::<4>()?;
        let operation = u16::from_be_bytes(*operation);
        let sound = u16::from_be_bytes(*ethertype) == ETHERTYPE
            && *kind == KIND
            && [REQUEST, REPLY].contains(&operation);
        sound.then(|| Self {
            to: Mac(*to),
            operation,
            sender_mac: Mac(*sender_mac),
            sender_ip: Ipv4Addr::from(*sender_ip),
            target_mac: Mac(*target_mac),
            target_ip: Ipv4Addr::from(*target_ip),
        })
    }

    /// Writes the frame, padded as Ethernet demands.
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = [
            &self.to.0[..],
            &self.sender_mac.0,
            &ETHERTYPE.to_be_bytes(),
            &KIND,
            &self.operation.to_be_bytes(),
            &self.sender_mac.0,
            &self.sender_ip.octets(),
            &self.target_mac.0,
            &self.target_ip.octets(),
        ]
        .concat();
        bytes.resize(LEAST_FRAME, 0);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_is_written_byte_for_byte_as_the_rfc_draws_it() {
        let frame = Frame::probe(Mac([2, 0, 0, 0, 0, 7]), Ipv4Addr::new(192, 168, 151, 1));
        let mut expected = b"\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x07\x08\x06\
            \x00\x01\x08\x00\x06\x04\x00\x01\
            \x02\x00\x00\x00\x00\x07\x00\x00\x00\x00\
            \x00\x00\x00\x00\x00\x00\xc0\xa8\x97\x01"
            .to_vec();
        expected.resize(60, 0);
        assert_eq!(frame.to_bytes(), expected);
        assert_eq!(Frame::parse(&expected), Some(frame));
    }
}
