//! The last packets that the servers heard and sent, for a network analyser.
//!
//! Nothing is captured beside the servers: each socket writes down the datagrams that pass through it,
//! and Ethernet, IP and UDP headers are put before them as they were on the wire, as far as that is
//! known here. Of boot files only the beginning and the end of the conversation is kept, and of no block
//! what is in it: a board's command line holds the token of its boot. The memory is bounded; the
//! oldest packets make room.

use std::collections::{HashMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use wire::Mac;

/// Bytes that are kept unless said otherwise.
pub const USUAL: usize = 4 << 20;
/// What a packet costs beside its bytes.
const OVERHEAD: usize = 64;
/// Bytes of one packet that are kept; more fits into no frame of the servers.
const SNAP: usize = 1518;
/// Most clients whose Ethernet address is remembered.
const MOST_CLIENTS: usize = 4096;
/// Our own Ethernet address, until it is known.
const UNKNOWN: Mac = Mac([2, 0, 0, 0, 0, 1]);
const BROADCAST: Mac = Mac([0xff; 6]);
const ETHERTYPE_IPV4: [u8; 2] = [8, 0];
const UDP: u8 = 17;
/// Operation code and number of a block.
const BLOCK_HEAD: usize = 4;
/// Ethernet, IP and UDP.
const HEADERS: usize = 14 + 20 + 8;

/// Which way a packet went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A client sent it.
    In,
    /// We sent it.
    Out,
}

/// The ring. Clones share it; the default keeps nothing.
#[derive(Debug, Clone, Default)]
pub struct Packets(Option<Arc<Mutex<Ring>>>);

#[derive(Debug)]
struct Ring {
    kept: VecDeque<Kept>,
    bytes: usize,
    most: usize,
    own: Mac,
    clients: HashMap<Ipv4Addr, Mac>,
}

#[derive(Debug)]
struct Kept {
    /// Microseconds since 1970.
    at: u64,
    frame: Vec<u8>,
    /// Bytes that it had on the wire.
    length: usize,
}

impl Packets {
    /// A ring of at most `most` bytes.
    pub fn new(most: usize) -> Self {
        Self(Some(Arc::new(Mutex::new(Ring {
            kept: VecDeque::new(),
            bytes: 0,
            most,
            own: UNKNOWN,
            clients: HashMap::new(),
        }))))
    }

    /// A DHCP message between a client and us. Who the client is, the message says itself.
    pub(crate) fn dhcp(&self, way: Way, client: SocketAddrV4, server: SocketAddrV4, bytes: &[u8]) {
        let Some(mut ring) = self.ring() else { return };
        // `chaddr` and `yiaddr` of RFC 2131.
        if let Some(mac) = bytes.get(28..34).and_then(|mac| mac.try_into().ok()) {
            let mac = Mac(mac);
            let given = bytes
                .get(16..20)
                .and_then(|ip| <[u8; 4]>::try_from(ip).ok());
            let given = given.map(Ipv4Addr::from).filter(|ip| !ip.is_unspecified());
            if let Some(ip) = given.filter(|_| way == Way::Out) {
                ring.learn(ip, mac);
            }
            ring.udp(way, mac, (client, server), bytes, bytes.len());
        }
    }

    /// A TFTP datagram between a client and us.
    pub(crate) fn tftp(&self, way: Way, client: SocketAddr, server: SocketAddr, bytes: &[u8]) {
        if self.0.is_none() || !is_of_interest(bytes) {
            return;
        }
        if let (SocketAddr::V4(client), SocketAddr::V4(server)) = (client, server)
            && let Some(mut ring) = self.ring()
        {
            let mac = ring.clients.get(client.ip()).copied();
            let mac = mac.unwrap_or_else(|| made_up(*client.ip()));
            let shown = match bytes {
                [0, 3, ..] => bytes.get(..BLOCK_HEAD).unwrap_or(bytes),
                _ => bytes,
            };
            ring.udp(way, mac, (client, server), shown, bytes.len());
        }
    }

    /// A whole frame, as it was.
    pub(crate) fn frame(&self, way: Way, frame: &[u8]) {
        let Some(mut ring) = self.ring() else { return };
        if let Some(mac) = frame.get(6..12).and_then(|mac| mac.try_into().ok())
            && way == Way::Out
        {
            ring.own = Mac(mac);
        }
        ring.keep(frame.to_vec(), frame.len());
    }

    /// The packets as a file for Wireshark or tcpdump (pcap, Ethernet); of one client alone when its
    /// Ethernet addresses are given.
    pub fn pcap(&self, only: Option<&[Mac]>) -> Vec<u8> {
        let mut file = Vec::new();
        for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 262_144, 1] {
            file.extend(word.to_le_bytes());
        }
        let Some(ring) = self.ring() else { return file };
        let of_client = |frame: &[u8]| {
            let has = |mac: &Mac| frame.windows(6).any(|part| part == mac.0);
            only.is_none_or(|macs| macs.iter().any(has))
        };
        for Kept { at, frame, length } in ring.kept.iter().filter(|kept| of_client(&kept.frame)) {
            let word = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            let seconds = u32::try_from(at / 1_000_000).unwrap_or(u32::MAX);
            let micros = u32::try_from(at % 1_000_000).unwrap_or(0);
            for word in [seconds, micros, word(frame.len()), word(*length)] {
                file.extend(word.to_le_bytes());
            }
            file.extend(frame);
        }
        file
    }

    fn ring(&self) -> Option<MutexGuard<'_, Ring>> {
        let ring = self.0.as_ref()?;
        Some(ring.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Ring {
    fn learn(&mut self, ip: Ipv4Addr, mac: Mac) {
        if self.clients.len() >= MOST_CLIENTS && !self.clients.contains_key(&ip) {
            self.clients.clear();
        }
        self.clients.insert(ip, mac);
    }

    fn udp(
        &mut self,
        way: Way,
        mac: Mac,
        (client, server): (SocketAddrV4, SocketAddrV4),
        payload: &[u8],
        length: usize,
    ) {
        let everybody = if client.ip().is_broadcast() {
            BROADCAST
        } else {
            mac
        };
        let (from_mac, from, to_mac, to) = match way {
            // What a client without an address asks goes to everybody.
            Way::In if client.ip().is_unspecified() => {
                let all = SocketAddrV4::new(Ipv4Addr::BROADCAST, server.port());
                (mac, client, BROADCAST, all)
            }
            Way::In => (mac, client, self.own, server),
            Way::Out => (self.own, server, everybody, client),
        };
        let frame = frame((from_mac, from), (to_mac, to), payload, length);
        self.keep(frame, HEADERS + length);
    }

    fn keep(&mut self, mut frame: Vec<u8>, length: usize) {
        frame.truncate(SNAP);
        let at = SystemTime::now().duration_since(UNIX_EPOCH);
        let at = at.map_or(0, |since| u64::try_from(since.as_micros()).unwrap_or(0));
        self.bytes += frame.len() + OVERHEAD;
        self.kept.push_back(Kept { at, frame, length });
        while self.bytes > self.most
            && let Some(oldest) = self.kept.pop_front()
        {
            self.bytes -= oldest.frame.len() + OVERHEAD;
        }
    }
}

/// Everything but the blocks in the middle of a file, and what acknowledges them.
fn is_of_interest(datagram: &[u8]) -> bool {
    match datagram {
        [0, 3 | 4, high, low, ..] => u16::from_be_bytes([*high, *low]) <= 1,
        _ => true,
    }
}

/// The address of a client that never asked for one here; it says which client it is.
fn made_up(ip: Ipv4Addr) -> Mac {
    let [a, b, c, d] = ip.octets();
    Mac([2, 0, a, b, c, d])
}

/// An Ethernet frame around a UDP datagram of `length` bytes, of which `payload` is the beginning.
/// The checksum of UDP is left out, which IPv4 allows.
fn frame(
    from: (Mac, SocketAddrV4),
    to: (Mac, SocketAddrV4),
    payload: &[u8],
    length: usize,
) -> Vec<u8> {
    let length = |more: usize| u16::try_from(length + more).unwrap_or(u16::MAX);
    let mut ip = vec![0x45, 0];
    ip.extend(length(28).to_be_bytes());
    ip.extend([0, 0, 0x40, 0, 64, UDP, 0, 0]);
    ip.extend(from.1.ip().octets());
    ip.extend(to.1.ip().octets());
    let sum = checksum(&ip);
    ip.splice(10..12, sum.to_be_bytes());
    let mut all = [&to.0.0[..], &from.0.0, &ETHERTYPE_IPV4, &ip].concat();
    all.extend(from.1.port().to_be_bytes());
    all.extend(to.1.port().to_be_bytes());
    all.extend(length(8).to_be_bytes());
    all.extend([0, 0]);
    all.extend(payload);
    all
}

/// The checksum of an IP header or an IGMP message (RFC 1071), whose length is even and whose own field
/// is zero yet.
pub fn checksum(header: &[u8]) -> u16 {
    let words = header.chunks(2).map(|pair| match pair {
        [high, low] => u32::from(u16::from_be_bytes([*high, *low])),
        _ => 0,
    });
    let sum: u32 = words.sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    !u16::try_from(folded).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOARD: Mac = Mac([0x2c, 0xcf, 0x67, 0, 0, 7]);
    const SERVER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(192, 168, 151, 1), 67);

    fn message(yiaddr: [u8; 4]) -> Vec<u8> {
        let mut bytes = vec![0; 240];
        bytes[16..20].copy_from_slice(&yiaddr);
        bytes[28..34].copy_from_slice(&BOARD.0);
        bytes
    }

    /// The frames of a file.
    fn frames(file: &[u8]) -> Vec<Vec<u8>> {
        let mut rest = &file[24..];
        let mut frames = Vec::new();
        while let Some((head, after)) = rest.split_first_chunk::<16>() {
            let length = u32::from_le_bytes(head[8..12].try_into().unwrap()) as usize;
            frames.push(after[..length].to_vec());
            rest = &after[length..];
        }
        frames
    }

    #[test]
    fn a_boot_is_kept_with_the_addresses_that_were_on_the_wire() {
        let packets = Packets::new(USUAL);
        let nobody = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68);
        let all = SocketAddrV4::new(Ipv4Addr::BROADCAST, 68);
        let board = SocketAddr::from(([192, 168, 151, 100], 49_152));
        let own = SocketAddr::from(([192, 168, 151, 1], 69));
        packets.dhcp(Way::In, nobody, SERVER, &message([0; 4]));
        packets.dhcp(Way::Out, all, SERVER, &message([192, 168, 151, 100]));
        packets.tftp(Way::In, board, own, b"\0\x01config.txt\0octet\0");
        for block in 1..2000_u16 {
            let [high, low] = block.to_be_bytes();
            packets.tftp(
                Way::Out,
                board,
                own,
                &[&[0, 3, high, low][..], &[7; 1468]].concat(),
            );
            packets.tftp(Way::In, board, own, &[0, 4, high, low]);
        }
        packets.tftp(Way::Out, board, own, b"\0\x05\0\x01file not found\0");
        let kept = frames(&packets.pcap(None));
        assert_eq!(kept.len(), 6, "blocks in the middle are not kept");
        assert_eq!(
            (&kept[0][..6], &kept[0][6..12]),
            (&BROADCAST.0[..], &BOARD.0[..])
        );
        assert_eq!(&kept[1][..6], &BROADCAST.0);
        assert_eq!(
            (&kept[2][6..12], &kept[2][26..30]),
            (&BOARD.0[..], &[192, 168, 151, 100][..])
        );
        for frame in &kept {
            assert_eq!(checksum(&frame[14..34]), 0, "the IP header adds up");
        }
        assert_eq!(kept[3].len(), HEADERS + BLOCK_HEAD, "no block is kept");
        assert_eq!(frames(&packets.pcap(Some(&[BOARD]))).len(), 6);
        assert_eq!(frames(&packets.pcap(Some(&[Mac([2; 6])]))).len(), 0);
    }

    #[test]
    fn the_memory_is_bounded_and_the_newest_stay() {
        let packets = Packets::new(64 << 10);
        for n in 0..10_000_u32 {
            let mut frame = vec![0; 60];
            frame[20..24].copy_from_slice(&n.to_be_bytes());
            packets.frame(Way::In, &frame);
        }
        let kept = frames(&packets.pcap(None));
        assert!(kept.len() * (60 + OVERHEAD) <= 64 << 10 && kept.len() > 400);
        let last = kept.last().unwrap();
        assert_eq!(last[20..24], 9_999_u32.to_be_bytes());
        assert_eq!(Packets::default().pcap(None).len(), 24);
    }
}
