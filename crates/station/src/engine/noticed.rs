//! What the engine noticed in this run and keeps in mind: rivals on the wire, what it has warned of,
//! and what was said so lately that it is not said again. Nothing of it is stored.

use super::seldom::Seldom;
use crate::bench::advice::Rival;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use wire::Millis;
use wire::board::Mac;
use wire::name::{ProductCode, VenueCode};

/// Most rivals kept in mind, with the clients that took their offers.
const MOST_RIVALS: usize = 64;

/// What was noticed.
#[derive(Debug, Clone, Default)]
pub(super) struct Noticed {
    /// What was told lately.
    pub(super) seldom: Seldom,
    /// Other DHCP servers, the one heard of last at the end.
    pub(super) rivals: Vec<Rival>,
    /// Pools that are low and were warned of.
    pub(super) low_pools: BTreeSet<(ProductCode, VenueCode)>,
    /// The disk is low and that was warned of.
    pub(super) low_disk: bool,
}

impl Noticed {
    /// Another DHCP server was noticed.
    pub(super) fn rival(&mut self, server: Ipv4Addr, client: Option<Mac>, at: Millis) {
        self.rivals
            .retain(|known| (known.server, known.client) != (server, client));
        if self.rivals.len() >= MOST_RIVALS {
            self.rivals.remove(0);
        }
        self.rivals.push(Rival { server, client, at });
    }
}
