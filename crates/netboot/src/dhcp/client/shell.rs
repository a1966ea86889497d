//! The socket around a client, for callers that have a thread to wait with: the agent and virtual
//! boards.

use super::{Event, Lessee, Output};
use crate::clock::{self, Clock};
use crate::dhcp::packet::MAX_PACKET;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};
use wire::Millis;

/// A client and its socket.
///
/// On a NIC the socket is [`crate::socket::open_shared`] on `0.0.0.0:68` of that device; it works
/// before the NIC has an address, where reverse path filtering is off (the kernel's default).
#[derive(Debug)]
pub struct Conversation {
    lessee: Lessee,
    socket: UdpSocket,
    clock: Clock,
}

impl Conversation {
    /// Begins to ask. The function makes the client, given the present moment.
    pub fn begin(socket: UdpSocket, lessee: impl FnOnce(Millis) -> Lessee) -> Self {
        let mut clock = Clock::new();
        let lessee = lessee(clock.now());
        Self {
            lessee,
            socket,
            clock,
        }
    }

    /// Converses until something happens, at most for `patience`; `None` when nothing did. Keep
    /// calling it after [`Event::Bound`]: renewing is part of the conversation.
    pub fn next_event(&mut self, patience: Duration) -> io::Result<Option<Event>> {
        let started = Instant::now();
        let mut buffer = [0; MAX_PACKET + 1];
        loop {
            self.lessee.handle_timeout(self.clock.now());
            while let Some(output) = self.lessee.poll() {
                match output {
                    Output::Event(event) => return Ok(Some(event)),
                    Output::Send { to, bytes } => {
                        // Without a link the kernel refuses; the next retry may find one.
                        if let Err(why) = self.socket.send_to(&bytes, to) {
                            tracing::debug!(%to, %why, "DHCP packet not sent");
                        }
                    }
                }
            }
            let left = patience.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Ok(None);
            }
            let now = self.clock.now();
            let due = self
                .lessee
                .next_deadline()
                .map(|due| clock::until(due, now));
            let wait = due.unwrap_or(left).min(left).max(Duration::from_millis(1));
            self.socket.set_read_timeout(Some(wait))?;
            match self.socket.recv_from(&mut buffer) {
                Ok((length, SocketAddr::V4(from))) => {
                    let now = self.clock.now();
                    self.lessee
                        .handle(buffer.get(..length).unwrap_or_default(), from, now);
                }
                Ok((_, SocketAddr::V6(_))) => {}
                Err(why) if is_passing(&why) => {}
                Err(why) => return Err(why),
            }
        }
    }
}

/// Errors of a receive that say nothing about the socket: no datagram in time, a signal, a refusal
/// by the peer's machine that a loopback socket hears of, a link that is down for now.
fn is_passing(why: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        why.kind(),
        Kind::WouldBlock
            | Kind::TimedOut
            | Kind::Interrupted
            | Kind::ConnectionRefused
            | Kind::NetworkDown
            | Kind::NetworkUnreachable
            | Kind::HostUnreachable
    )
}
