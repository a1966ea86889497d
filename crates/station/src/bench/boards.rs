//! All boards of the bench, and how addresses lead to them.

use super::identity;
use super::seat::{NO_MAC, Seat};
use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;
use wire::BoardId;
use wire::board::Mac;

/// Most strangers shown at a time: devices that are none of ours, and boards known by address only.
pub const MOST_STRANGERS: usize = 64;
/// Most boards on the bench that never checked in: whoever floods the wire with made-up boards
/// gets no further.
pub const MOST_UNVERIFIED: usize = 1024;

/// The bench.
#[derive(Debug, Default)]
pub struct Bench {
    seats: BTreeMap<BoardId, Seat>,
    by_mac: HashMap<Mac, BoardId>,
    by_ip: HashMap<Ipv4Addr, Mac>,
    leased: HashMap<Ipv4Addr, Mac>,
}

impl Bench {
    /// A board of the bench.
    pub fn seat(&self, id: BoardId) -> Option<&Seat> {
        self.seats.get(&id)
    }

    /// All of them, by id.
    pub fn seats(&self) -> impl Iterator<Item = &Seat> {
        self.seats.values()
    }

    /// Their ids, in order of appearance.
    pub fn by_appearance(&self) -> Vec<BoardId> {
        let mut seats: Vec<&Seat> = self.seats.values().collect();
        seats.sort_by_key(|seat| (seat.first_seen, seat.tile.id));
        seats.into_iter().map(|seat| seat.tile.id).collect()
    }

    /// The board that spoke with this address.
    pub fn by_mac(&self, mac: Mac) -> Option<BoardId> {
        self.by_mac.get(&mac).copied()
    }

    /// Who has this IPv4 address.
    pub fn holder(&self, ip: Ipv4Addr) -> Option<Mac> {
        self.by_ip.get(&ip).copied()
    }

    /// Every IPv4 address with the board that has it.
    pub fn addresses(&self) -> impl Iterator<Item = (Ipv4Addr, BoardId)> {
        let board = |(ip, mac): (&Ipv4Addr, &Mac)| self.by_mac(*mac).map(|id| (*ip, id));
        self.by_ip.iter().filter_map(board)
    }

    /// Puts a board on the bench, or its newer state.
    pub fn put(&mut self, seat: Seat) {
        let id = seat.tile.id;
        for mac in &seat.macs {
            self.by_mac.insert(*mac, id);
        }
        if let Some(ip) = seat.tile.ip
            && seat.tile.mac != NO_MAC
        {
            self.by_ip.entry(ip).or_insert(seat.tile.mac);
        }
        self.seats.insert(id, seat);
    }

    /// Takes a board off the bench.
    pub fn remove(&mut self, id: BoardId) {
        if self.seats.remove(&id).is_some() {
            self.by_mac.retain(|_, board| *board != id);
        }
    }

    /// An address was given, or offered.
    pub fn give(&mut self, ip: Ipv4Addr, mac: Mac) {
        if mac != NO_MAC {
            self.by_ip.retain(|_, holder| *holder != mac);
            self.by_ip.insert(ip, mac);
        }
    }

    /// An address was leased by DHCP, or offered.
    pub fn lease(&mut self, ip: Ipv4Addr, mac: Mac) {
        self.give(ip, mac);
        self.leased.retain(|_, holder| *holder != mac);
        self.leased.insert(ip, mac);
    }

    /// Whom DHCP gave this IPv4 address to. Unlike [`Bench::holder`] it takes nobody's word for it.
    pub fn leased(&self, ip: Ipv4Addr) -> Option<Mac> {
        self.leased.get(&ip).copied()
    }

    /// Every IPv4 address that DHCP gave.
    pub fn leases(&self) -> &HashMap<Ipv4Addr, Mac> {
        &self.leased
    }

    /// The seat that has to make room before another stranger, or another board that never checked
    /// in, gets one: the one that was heard of the longest ago.
    pub fn makes_room(&self, stranger: bool) -> Option<BoardId> {
        let alike = |seat: &&Seat| {
            let is_stranger = identity::is_provisional(seat.tile.id);
            is_stranger == stranger && !seat.checked_in && seat.last.is_none()
        };
        let most = if stranger {
            MOST_STRANGERS
        } else {
            MOST_UNVERIFIED
        };
        let alike: Vec<&Seat> = self.seats.values().filter(alike).collect();
        if alike.len() < most {
            return None;
        }
        let oldest = alike.into_iter().min_by_key(|seat| seat.tile.last_seen);
        oldest.map(|seat| seat.tile.id)
    }
}
