//! The transfers that are running, by the client's address and port, and how many there may be.
//!
//! A client's address and port name a transfer (RFC 1350 §4), so there is never a second one for
//! the same pair. Boards open one port per file and may leave old ones behind when they are reset;
//! the limit per client keeps such leftovers, or one confused client, from taking every place.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::transfer::Transfer;

#[derive(Debug, Default, Clone)]
pub(super) struct Table(Arc<Mutex<HashMap<SocketAddr, Arc<Transfer>>>>);

/// Why a client has to come back later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// As many transfers as the server takes are running.
    Server,
    /// As many transfers as one client may have are running.
    Client,
}

impl Table {
    /// The transfer that talks to this address and port.
    pub(super) fn of(&self, client: SocketAddr) -> Option<Arc<Transfer>> {
        self.lock().get(&client).cloned()
    }

    /// Whether another transfer may begin.
    pub(super) fn place(&self, client: IpAddr, all: usize, own: usize) -> Result<(), NoPlace> {
        let running = self.lock();
        if running.len() >= all {
            return Err(NoPlace::Server);
        }
        if running.keys().filter(|key| key.ip() == client).count() >= own {
            return Err(NoPlace::Client);
        }
        Ok(())
    }

    pub(super) fn add(&self, transfer: Arc<Transfer>) {
        self.lock().insert(transfer.client, transfer);
    }

    /// Takes a transfer out, unless its client's port already has a newer one.
    pub(super) fn remove(&self, transfer: &Transfer) {
        let mut running = self.lock();
        if running
            .get(&transfer.client)
            .is_some_and(|there| there.id == transfer.id)
        {
            running.remove(&transfer.client);
        }
    }

    pub(super) fn all(&self) -> Vec<Arc<Transfer>> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SocketAddr, Arc<Transfer>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
