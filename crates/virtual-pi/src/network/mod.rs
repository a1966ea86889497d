//! A board's network card: real sockets with the board's own loopback address, and what can go
//! wrong on a wire.
//!
//! The conversations themselves are `netboot`'s clients; [`lease`] and [`fetch`] only carry their
//! datagrams.

mod fetch;
mod lease;
#[cfg(test)]
mod tests;

pub(crate) use fetch::Fetcher;
pub(crate) use lease::{Refused, lease};

use crate::chance::Chance;
use crate::power::{NoPower, Power};
use netboot::dhcp::CLIENT_PORT;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::time::{Duration, Instant};

/// How long a receive blocks before the power is looked at again.
const GLANCE: Duration = Duration::from_millis(50);

/// What happens to datagrams on the way.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Wire {
    /// Probability that a datagram is lost, in each direction.
    pub loss: f64,
    /// Probability that a request is sent twice, or that a second one is begun and abandoned.
    pub duplicates: f64,
}

/// One socket of a board.
#[derive(Debug)]
pub(crate) struct Socket {
    udp: UdpSocket,
    loss: f64,
    chance: Chance,
}

/// Bytes of the largest datagram a board takes: an Ethernet frame's worth.
pub(crate) const LARGEST: usize = 1500;

impl Socket {
    pub(crate) fn bind(address: Ipv4Addr, wire: Wire, chance: &mut Chance) -> io::Result<Self> {
        let udp = UdpSocket::bind(SocketAddrV4::new(address, 0))?;
        Ok(Self::over(udp, wire, chance))
    }

    /// The socket of a board on a real wire that has no address yet; its port is shared.
    pub(crate) fn without_address(wire: Wire, chance: &mut Chance) -> io::Result<Self> {
        let any = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, CLIENT_PORT);
        let udp = netboot::socket::open_shared(None, any).map_err(io::Error::other)?;
        Ok(Self::over(udp, wire, chance))
    }

    fn over(udp: UdpSocket, wire: Wire, chance: &mut Chance) -> Self {
        Self {
            udp,
            loss: wire.loss,
            chance: Chance::new(chance.draw(), 0),
        }
    }

    /// Sends, unless the wire loses it. A refusal by the kernel is a loss too: on loopback it
    /// means that nobody listens there now.
    pub(crate) fn send(&mut self, bytes: &[u8], to: SocketAddr) {
        if !self.chance.hits(self.loss) {
            self.udp.send_to(bytes, to).ok();
        }
    }

    /// Waits for a datagram until `deadline`; `Ok(None)` when there was none.
    pub(crate) fn receive(
        &mut self,
        into: &mut [u8; LARGEST],
        deadline: Instant,
        power: &Power,
    ) -> Result<Option<(usize, SocketAddr)>, NoPower> {
        loop {
            power.check()?;
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            let wait = left.min(GLANCE).max(Duration::from_millis(1));
            if self.udp.set_read_timeout(Some(wait)).is_err() {
                return Ok(None);
            }
            match self.udp.recv_from(into) {
                Ok(received) if !self.chance.hits(self.loss) => return Ok(Some(received)),
                // Lost, nothing yet, or word that the other end is closed.
                _ => {}
            }
        }
    }
}
