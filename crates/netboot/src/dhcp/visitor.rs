//! A visitor: a DISCOVER by which a station tests its own server. It carries a key that the server was
//! told of beforehand, and is answered like a board's, back to where it came from; no address is held
//! for it and no event tells of it. With any other key it is nobody's question and meets silence.

use super::client::{Answer, Persona};
use super::draft::Draft;
use super::packet::MAX_PACKET;
use dhcproto::v4::{MessageType, Opcode, OptionCode};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use wire::Mac;
use wire::revision::Revision;

/// Bytes of a key.
pub const KEY: usize = 16;
/// User class (option 77) of a visitor, with its key behind it.
const MARK: &[u8] = b"punnet-visitor-";
/// It asks in the manner of a Raspberry Pi 5.
const PI_5: Revision = Revision(0x00d0_4170);

/// Says whether a key is good at this moment.
type Good = dyn Fn(&[u8]) -> bool + Send + Sync;

/// Which keys are good at this moment.
#[derive(Clone, Default)]
pub struct Keys(Option<Arc<Good>>);

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys {
    /// The keys for which `good` says so.
    pub fn new(good: impl Fn(&[u8]) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(good)))
    }

    fn has(&self, key: &[u8]) -> bool {
        self.0.as_ref().is_some_and(|good| good(key))
    }
}

/// Does this user class belong to a visitor, and to one that is expected?
pub(super) fn expected(user_class: &[u8], keys: &Keys) -> Option<bool> {
    let key = user_class.strip_prefix(MARK)?;
    Some(key.len() == KEY && keys.has(key))
}

/// What a visitor is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// The address; absent when none is left.
    pub ip: Option<Ipv4Addr>,
    /// Where its boot files are.
    pub boot_server: Ipv4Addr,
}

/// The question of a visitor.
#[derive(Debug)]
pub struct Question {
    bytes: Vec<u8>,
    xid: u32,
    mac: Mac,
}

impl Question {
    /// A question with a key.
    pub fn new(key: [u8; KEY]) -> Self {
        let [m0, m1, m2, m3, m4, x0, x1, x2, x3, s0, s1, s2, s3, ..] = key;
        // Made up, and told to nobody but our own server; the key itself is not in it.
        let hashed = |a: u8, b: u8| a ^ b.rotate_left(3) ^ 0x5a;
        let mac = Mac([2, hashed(m0, x0), hashed(m1, x1), m2 ^ x2, m3 ^ x3, m4 ^ s0]);
        let xid = u32::from_be_bytes([x0 ^ s1, x1 ^ s2, x2 ^ s3, x3 ^ s0]);
        let serial = u32::from_be_bytes([s0 ^ m0, s1 ^ m1, s2 ^ m2, s3 ^ m3]);
        let mut draft = Draft::new(Opcode::BootRequest, MessageType::Discover, xid, mac);
        draft.flags = 0x8000;
        Persona::eeprom(PI_5, mac, serial, false).introduce(&mut draft);
        draft.push(OptionCode::UserClass, [MARK, &key].concat());
        Self {
            bytes: draft.encode(MAX_PACKET).unwrap_or_default(),
            xid,
            mac,
        }
    }

    /// The datagram.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What a datagram offers to it.
    pub fn answer(&self, bytes: &[u8], from: SocketAddrV4) -> Option<Offer> {
        let answer = Answer::parse(bytes, *from.ip()).ok()?;
        let offers = answer.is_to(self.xid, self.mac) && answer.kind() == MessageType::Offer;
        offers.then(|| Offer {
            ip: answer.address(),
            boot_server: answer.tftp(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dhcp::{Output, Server, Settings};
    use wire::Millis;

    const OURS: Ipv4Addr = Ipv4Addr::new(192, 168, 151, 1);

    fn deaf() -> Server {
        let mask = Ipv4Addr::new(255, 255, 255, 0);
        let pool = Ipv4Addr::new(192, 168, 151, 100)..=Ipv4Addr::new(192, 168, 151, 100);
        Server::new(Settings::new(OURS, mask, pool), Vec::new())
    }

    fn server() -> Server {
        deaf().expecting(Keys::new(|key| key == [7; KEY]))
    }

    #[test]
    fn a_visitor_is_answered_where_it_is_and_leaves_everything_as_it_was() {
        let mut server = server();
        let question = Question::new([7; KEY]);
        let from = SocketAddrV4::new(OURS, 40_000);
        for _ in 0..3 {
            server.handle(question.bytes(), from, Millis(0));
            let Some(Output::Send { to, bytes }) = server.poll() else {
                panic!("no answer")
            };
            assert_eq!(to, from);
            let offer = question.answer(&bytes, SocketAddrV4::new(OURS, 67));
            let wanted = Offer {
                ip: Some(Ipv4Addr::new(192, 168, 151, 100)),
                boot_server: OURS,
            };
            assert_eq!(offer, Some(wanted));
            assert_eq!((server.poll(), server.leases().len()), (None, 0));
        }
    }

    #[test]
    fn nobody_passes_for_a_visitor() {
        let from = SocketAddrV4::new(Ipv4Addr::new(192, 168, 151, 66), 68);
        for key in [[8; KEY], [0; KEY]] {
            let mut server = server();
            server.handle(Question::new(key).bytes(), from, Millis(0));
            assert_eq!((server.poll(), server.leases().len()), (None, 0));
        }
        let mut deaf = deaf();
        deaf.handle(Question::new([7; KEY]).bytes(), from, Millis(0));
        assert_eq!((deaf.poll(), deaf.leases().len()), (None, 0));
    }
}
