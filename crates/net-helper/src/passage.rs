//! Which Ethernet frames a relay lets through: one protocol, and out only in our own name.
//!
//! Whoever may open a packet socket or a raw one may send anything as anybody. A station needs
//! two protocols that have no other socket: ARP (RFC 826) and, to ask boards which groups they
//! belong to and to hear their answers, IGMP (RFC 2236, RFC 3376). A [`Passage`] says of each frame
//! whether it is one of these; nothing here sends or receives.

use std::net::Ipv4Addr;

/// Ethertypes.
pub(crate) const ARP: u16 = 0x0806;
pub(crate) const IPV4: u16 = 0x0800;
/// Number of IGMP as a protocol over IP (RFC 3376 §4).
pub(crate) const IGMP: u8 = 2;

/// Where things stand in a frame.
const SOURCE: usize = 6;
const ETHERTYPE: usize = 12;
const PACKET: usize = 14;

/// What may pass between one station and one card.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Passage {
    /// ARP.
    Arp {
        /// The card's own Ethernet address.
        mac: [u8; 6],
    },
    /// IGMP over IPv4.
    Igmp {
        /// The card's own Ethernet address.
        mac: [u8; 6],
        /// The station's address.
        address: Ipv4Addr,
    },
}

impl Passage {
    /// May this frame, heard on the card, go to the station?
    pub(crate) fn enters(self, frame: &[u8]) -> bool {
        match self {
            Self::Arp { .. } => ethertype(frame) == Some(ARP),
            Self::Igmp { .. } => Igmp::read(frame).is_some(),
        }
    }

    /// May this frame of the station's go out?
    pub(crate) fn leaves(self, frame: &[u8]) -> bool {
        match self {
            Self::Arp { mac } => self.enters(frame) && source(frame) == Some(mac),
            Self::Igmp { mac, address } => {
                source(frame) == Some(mac)
                    && Igmp::read(frame).is_some_and(|packet| packet.is_said_by(address))
            }
        }
    }
}

/// An IPv4 packet with IGMP in it, as far as it matters here.
#[derive(Debug)]
struct Igmp {
    to_mac: [u8; 6],
    whole: bool,
    hops: u8,
    from: Ipv4Addr,
    to: Ipv4Addr,
}

impl Igmp {
    fn read(frame: &[u8]) -> Option<Self> {
        if ethertype(frame) != Some(IPV4) {
            return None;
        }
        let (to_mac, _) = frame.split_first_chunk::<6>()?;
        let packet = frame.get(PACKET..)?;
        let (header, _) = packet.split_first_chunk::<20>()?;
        // Version, and length of the header in words of four bytes (RFC 791 §3.1).
        let (version, words) = (header[0] >> 4, usize::from(header[0] & 15));
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let sound = version == 4 && words >= 5 && length >= words * 4 && length <= packet.len();
        let from = <[u8; 4]>::try_from(&header[12..16]).ok()?;
        let to = <[u8; 4]>::try_from(&header[16..20]).ok()?;
        (sound && header[9] == IGMP).then(|| Self {
            to_mac: *to_mac,
            // All but "may not be divided".
            whole: header[6] & 0b1011_1111 == 0 && header[7] == 0,
            hops: header[8],
            from: from.into(),
            to: to.into(),
        })
    }

    /// In one piece, to a group of this wire (RFC 3376 §4: one hop), from this address.
    fn is_said_by(&self, address: Ipv4Addr) -> bool {
        self.whole
            && self.hops == 1
            && self.from == address
            && self.to_mac == group_mac(self.to)
            && self.to.is_multicast()
    }
}

/// Where Ethernet carries a group (RFC 1112 §6.4).
fn group_mac(group: Ipv4Addr) -> [u8; 6] {
    let [_, a, b, c] = group.octets();
    [1, 0, 0x5e, a & 0x7f, b, c]
}

fn ethertype(frame: &[u8]) -> Option<u16> {
    let (bytes, _) = frame.get(ETHERTYPE..)?.split_first_chunk()?;
    Some(u16::from_be_bytes(*bytes))
}

fn source(frame: &[u8]) -> Option<[u8; 6]> {
    let (mac, _) = frame.get(SOURCE..)?.split_first_chunk()?;
    Some(*mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: [u8; 6] = [2, 0, 0, 0, 0, 1];
    const OTHERS: [u8; 6] = [2, 0, 0, 0, 0, 9];
    const STATION: Ipv4Addr = Ipv4Addr::new(192, 168, 151, 1);
    const BOARD: Ipv4Addr = Ipv4Addr::new(192, 168, 151, 100);
    const ALL_HOSTS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 1);

    /// A general query as a querier says it, with the "router alert" that comes with it.
    fn query(mac: [u8; 6], from: Ipv4Addr) -> Vec<u8> {
        let mut frame = [&group_mac(ALL_HOSTS)[..], &mac, &[8, 0]].concat();
        frame.extend([0x46, 0xc0, 0, 32, 0, 0, 0x40, 0, 1, IGMP, 0, 0]);
        frame.extend(from.octets());
        frame.extend(ALL_HOSTS.octets());
        frame.extend([0x94, 4, 0, 0]);
        frame.extend([0x11, 100, 0xee, 0x9b, 0, 0, 0, 0]);
        frame
    }

    fn arp(mac: [u8; 6]) -> Vec<u8> {
        [&[0xff; 6][..], &mac, &ARP.to_be_bytes(), &[0; 28]].concat()
    }

    #[test]
    fn arp_enters_from_anybody_and_leaves_as_ourselves() {
        let passage = Passage::Arp { mac: OURS };
        assert!(passage.enters(&arp(OTHERS)) && passage.leaves(&arp(OURS)));
        assert!(!passage.leaves(&arp(OTHERS)));
        assert!(!passage.leaves(&query(OURS, STATION)));
        assert!(!passage.enters(&query(OTHERS, BOARD)));
    }

    #[test]
    fn igmp_enters_from_anybody_and_leaves_as_ourselves() {
        let passage = Passage::Igmp {
            mac: OURS,
            address: STATION,
        };
        assert!(passage.enters(&query(OTHERS, BOARD)));
        assert!(passage.leaves(&query(OURS, STATION)));
        assert!(!passage.leaves(&query(OTHERS, STATION)), "another's card");
        assert!(!passage.leaves(&query(OURS, BOARD)), "another's address");
        assert!(!passage.enters(&arp(OTHERS)) && !passage.leaves(&arp(OURS)));
    }

    #[test]
    fn nothing_else_goes_out_as_igmp() {
        let passage = Passage::Igmp {
            mac: OURS,
            address: STATION,
        };
        let changed = |at: usize, to: u8| {
            let mut frame = query(OURS, STATION);
            frame[at] = to;
            frame
        };
        for (what, at, to) in [
            ("UDP", PACKET + 9, 17),
            ("to one board alone", 0, 2),
            ("to another group's cards", 5, 2),
            ("beyond this wire", PACKET + 8, 2),
            ("the first of several pieces", PACKET + 6, 0x20),
            ("a later piece", PACKET + 7, 1),
            ("IPv6", PACKET, 0x66),
            ("a header that is too short", PACKET, 0x44),
            ("longer than it is", PACKET + 3, 33),
            ("to no group", PACKET + 16, 192),
        ] {
            assert!(!passage.leaves(&changed(at, to)), "{what}");
        }
        for length in 0..query(OURS, STATION).len() {
            assert!(!passage.leaves(&query(OURS, STATION)[..length]), "{length}");
        }
    }
}
