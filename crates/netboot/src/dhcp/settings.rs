//! What the server is told once, at its start.

use super::identify::{ARCH_ARM64, ARCH_X64};
use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::time::Duration;
use wire::Mac;

/// Most addresses a pool may have.
const LARGEST_POOL: u32 = 1 << 16;

/// How the server is to serve.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Our address on the deployment network: server id, next server, TFTP server.
    pub server: Ipv4Addr,
    /// Its network mask.
    pub mask: Ipv4Addr,
    /// The addresses to give out. Our own, the network's and the broadcast address are skipped.
    pub pool: RangeInclusive<Ipv4Addr>,
    /// How long a lease holds.
    pub lease: Duration,
    /// How long an OFFER to a Pi 3, or to what may be one, is held back. Old ROMs miss an answer
    /// that comes too soon; later boards are answered at once.
    pub reply_delay: Duration,
    /// Answer UEFI network boot of machines whose architecture has a loader.
    pub answer_uefi: bool,
    /// The boot loader for each UEFI architecture, as a TFTP path.
    pub uefi_loaders: Vec<(u16, String)>,
    /// Send option 43 as bare text instead of PXE sub-options, for firmware that insists.
    pub raw_option_43: bool,
    /// Clients answered whoever they are.
    pub accept: HashSet<Mac>,
    /// Where replies go.
    pub reply: ReplyTo,
}

/// Where replies go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyTo {
    /// As RFC 2131 says: to the relay agent, to the address the client has, or to everybody.
    Standard,
    /// Back to where the datagram came from: rehearsals over loopback.
    Source,
}

/// Why the settings cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Ones and zeros are mixed.
    #[error("{0} is not a network mask; use one such as 255.255.255.0")]
    BadMask(Ipv4Addr),
    /// The pool leaves the network.
    #[error(
        "the address range {first}-{last} is not inside the network of {server}; choose addresses beside {server}"
    )]
    PoolOutside {
        /// First address of the pool.
        first: Ipv4Addr,
        /// Last address of the pool.
        last: Ipv4Addr,
        /// Our address.
        server: Ipv4Addr,
    },
    /// The pool holds nothing, or too much.
    #[error(
        "the address range {first}-{last} must hold 1 to 65536 addresses, the smaller one first"
    )]
    PoolSize {
        /// First address of the pool.
        first: Ipv4Addr,
        /// Last address of the pool.
        last: Ipv4Addr,
    },
    /// A lease is too short to work with, or too long to be stored.
    #[error("a lease must last between one minute and one week")]
    LeaseLength,
}

impl Settings {
    /// The usual settings for a station at this address: leases of an hour, no delay, Raspberry Pi
    /// boards only.
    pub fn new(server: Ipv4Addr, mask: Ipv4Addr, pool: RangeInclusive<Ipv4Addr>) -> Self {
        Self {
            server,
            mask,
            pool,
            lease: Duration::from_hours(1),
            reply_delay: Duration::ZERO,
            answer_uefi: false,
            uefi_loaders: vec![
                (ARCH_ARM64, "grubaa64.efi".to_owned()),
                (ARCH_X64, "grubx64.efi".to_owned()),
            ],
            raw_option_43: false,
            accept: HashSet::new(),
            reply: ReplyTo::Standard,
        }
    }

    /// The loader for UEFI firmware of this architecture, when such firmware is answered.
    pub fn loader(&self, arch: u16) -> Option<&str> {
        let mut known = self.uefi_loaders.iter().filter(|_| self.answer_uefi);
        known
            .find(|(of, _)| *of == arch)
            .map(|(_, path)| path.as_str())
    }

    /// Says what cannot be served, for the moment when an operator enters it.
    pub fn check(&self) -> Result<(), SettingsError> {
        let (first, last, server) = (*self.pool.start(), *self.pool.end(), self.server);
        let mask = self.mask.to_bits();
        if mask.leading_ones() + mask.trailing_zeros() != 32 || mask == 0 {
            return Err(SettingsError::BadMask(self.mask));
        }
        if self.pool.is_empty() || last.to_bits() - first.to_bits() >= LARGEST_POOL {
            return Err(SettingsError::PoolSize { first, last });
        }
        if !self.is_local(first) || !self.is_local(last) {
            return Err(SettingsError::PoolOutside {
                first,
                last,
                server,
            });
        }
        if !(60..=7 * 24 * 3600).contains(&self.lease.as_secs()) {
            return Err(SettingsError::LeaseLength);
        }
        Ok(())
    }

    /// True for addresses of the deployment network.
    pub(super) fn is_local(&self, ip: Ipv4Addr) -> bool {
        ip & self.mask == self.server & self.mask
    }

    /// The deployment network's broadcast address.
    pub(super) fn broadcast(&self) -> Ipv4Addr {
        self.server | !self.mask
    }

    /// True for addresses that may be given out.
    pub(super) fn may_give(&self, ip: Ipv4Addr) -> bool {
        // A network of one or two addresses has no room for the two reserved ones.
        let reserved = self.mask.to_bits().trailing_zeros() >= 2
            && (ip == self.broadcast() || ip == self.server & self.mask);
        self.pool.contains(&ip) && self.is_local(ip) && ip != self.server && !reserved
    }

    /// The lease in milliseconds.
    pub(super) fn lease_ms(&self) -> i64 {
        i64::try_from(self.lease.as_millis()).unwrap_or(i64::MAX / 4)
    }
}
