//! The address book: who has which address, until when, and who gets one next.
//!
//! An address belongs to a board for as long as the pool allows: not only while the lease runs but
//! after it ended too, so that a board that is switched off over night comes back to its old
//! address. A newcomer gets an address nobody ever had; only when there is none left does it get
//! the one whose lease ended longest ago, then one that was set aside. An address whose lease runs
//! is never given to anybody else.

use super::settings::Settings;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::Ipv4Addr;
use wire::health::Lease;
use wire::{BoardId, Mac, Millis};

#[derive(Debug, Clone, Copy)]
struct Slot {
    /// `None`: set aside, because somebody who did not ask us uses it.
    holder: Option<(Mac, Option<BoardId>)>,
    until: Millis,
}

/// All addresses that were ever given out.
#[derive(Debug, Default)]
pub(super) struct Pool {
    slots: BTreeMap<Ipv4Addr, Slot>,
    by_mac: HashMap<Mac, Ipv4Addr>,
    by_end: BTreeSet<(Millis, Ipv4Addr)>,
    /// Every address below has a slot or may not be given out.
    fresh: Option<Ipv4Addr>,
}

impl Pool {
    /// An address book that remembers earlier leases. Those that the settings no longer allow are
    /// dropped; where two disagree, the one that runs longer counts.
    pub(super) fn new(settings: &Settings, mut leases: Vec<Lease>) -> Self {
        let mut pool = Self {
            fresh: Some(*settings.pool.start()),
            ..Self::default()
        };
        leases.sort_by_key(|lease| lease.until);
        for lease in leases {
            if settings.may_give(lease.ip) {
                pool.hold(lease.ip, lease.mac, lease.board, lease.until);
            }
        }
        pool
    }

    /// The address this client has or had last.
    pub(super) fn address_of(&self, mac: Mac) -> Option<Ipv4Addr> {
        self.by_mac.get(&mac).copied()
    }

    /// The address this client is to get: its own, or the one it wishes for when nobody ever had
    /// it, or the next in line. `None`: every address is in use.
    pub(super) fn choose(
        &mut self,
        settings: &Settings,
        mac: Mac,
        wish: Option<Ipv4Addr>,
        now: Millis,
    ) -> Option<Ipv4Addr> {
        if let Some(own) = self.address_of(mac) {
            return Some(own);
        }
        wish.filter(|ip| self.is_fresh(settings, *ip))
            .or_else(|| self.next_fresh(settings))
            .or_else(|| self.longest_ended(now))
            .or_else(|| self.set_aside())
    }

    /// True when this client may have exactly this address: it is its own, or nobody ever had it
    /// and the client has no other.
    pub(super) fn may_have(&self, settings: &Settings, mac: Mac, ip: Ipv4Addr) -> bool {
        self.address_of(mac)
            .map_or_else(|| self.is_fresh(settings, ip), |own| own == ip)
    }

    /// Gives the address to the client until then (or longer, if it was promised longer already).
    pub(super) fn hold(&mut self, ip: Ipv4Addr, mac: Mac, board: Option<BoardId>, until: Millis) {
        if let Some(other) = self.address_of(mac).filter(|other| *other != ip) {
            self.put(other, None, Millis(0));
        }
        let before = self.slots.get(&ip).copied();
        let same = before.filter(|slot| slot.holder.is_some_and(|(holder, _)| holder == mac));
        let board = board.or_else(|| same?.holder?.1);
        let until = same.map_or(until, |slot| slot.until.max(until));
        self.put(ip, Some((mac, board)), until);
    }

    /// Ends the client's lease now; the address stays its favourite.
    pub(super) fn release(&mut self, mac: Mac, now: Millis) {
        if let Some(ip) = self.address_of(mac)
            && let Some(slot) = self.slots.get(&ip).copied()
        {
            self.put(ip, slot.holder, now.min(slot.until));
        }
    }

    /// Takes the client's address away and sets it aside until then.
    pub(super) fn quarantine(&mut self, mac: Mac, until: Millis) {
        if let Some(ip) = self.address_of(mac) {
            self.put(ip, None, until);
        }
    }

    /// Shortens promises that reach further than any promise made now could: they were made under
    /// a clock that has been set back since.
    pub(super) fn cap(&mut self, latest: Millis) {
        let late = self.by_end.range((latest.plus(1), Ipv4Addr::UNSPECIFIED)..);
        for (_, ip) in late.copied().collect::<Vec<_>>() {
            self.end(ip, latest);
        }
    }

    /// Every address with its holder, lowest first.
    pub(super) fn leases(&self) -> Vec<Lease> {
        let lease = |(ip, slot): (&Ipv4Addr, &Slot)| {
            let (mac, board) = slot.holder?;
            Some(Lease {
                mac,
                board,
                ip: *ip,
                until: slot.until,
            })
        };
        self.slots.iter().filter_map(lease).collect()
    }

    /// The lease of this client.
    pub(super) fn lease_of(&self, mac: Mac) -> Option<Lease> {
        let ip = self.address_of(mac)?;
        let slot = self.slots.get(&ip)?;
        let board = slot.holder.and_then(|(_, board)| board);
        Some(Lease {
            mac,
            board,
            ip,
            until: slot.until,
        })
    }

    fn is_fresh(&self, settings: &Settings, ip: Ipv4Addr) -> bool {
        settings.may_give(ip) && !self.slots.contains_key(&ip)
    }

    fn next_fresh(&mut self, settings: &Settings) -> Option<Ipv4Addr> {
        while let Some(ip) = self.fresh.filter(|ip| settings.pool.contains(ip)) {
            if self.is_fresh(settings, ip) {
                return Some(ip);
            }
            self.fresh = ip.to_bits().checked_add(1).map(Ipv4Addr::from_bits);
        }
        None
    }

    fn longest_ended(&self, now: Millis) -> Option<Ipv4Addr> {
        let (end, ip) = self.by_end.first()?;
        (*end <= now).then_some(*ip)
    }

    fn set_aside(&self) -> Option<Ipv4Addr> {
        let aside = |(_, ip): &&(Millis, Ipv4Addr)| {
            self.slots.get(ip).is_some_and(|slot| slot.holder.is_none())
        };
        self.by_end.iter().find(aside).map(|(_, ip)| *ip)
    }

    fn end(&mut self, ip: Ipv4Addr, until: Millis) {
        if let Some(slot) = self.slots.get(&ip).copied() {
            self.put(ip, slot.holder, until);
        }
    }

    /// The one place where the three tables change, so that they never disagree.
    fn put(&mut self, ip: Ipv4Addr, holder: Option<(Mac, Option<BoardId>)>, until: Millis) {
        if let Some(old) = self.slots.insert(ip, Slot { holder, until }) {
            self.by_end.remove(&(old.until, ip));
            if let Some((mac, _)) = old.holder {
                self.by_mac.remove(&mac);
            }
        }
        self.by_end.insert((until, ip));
        if let Some((mac, _)) = holder {
            self.by_mac.insert(mac, ip);
        }
    }
}
