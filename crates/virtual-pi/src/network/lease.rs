//! Getting an address, in the voice of a bootloader or of the agent.

use super::{LARGEST, Socket};
use crate::power::{NoPower, Power};
use netboot::dhcp::client::{Event, Grant, Lessee, Output};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use wire::Millis;

/// Why there is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// The board lost its power.
    #[error(transparent)]
    NoPower(#[from] NoPower),
    /// Nobody gave what the bootloader needs.
    #[error("{0}")]
    GaveUp(&'static str),
}

/// Converses until there is an address. `begin` makes the client for the present moment.
pub(crate) fn lease(
    socket: &mut Socket,
    power: &Power,
    begin: impl FnOnce(Millis) -> Lessee,
) -> Result<Grant, Refused> {
    let (base, since) = (Millis::now(), Instant::now());
    let now = || base.plus(i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX));
    let mut lessee = begin(now());
    let mut buffer = [0; LARGEST];
    loop {
        power.check()?;
        lessee.handle_timeout(now());
        while let Some(output) = lessee.poll() {
            match output {
                Output::Send { to, bytes } => socket.send(&bytes, to.into()),
                Output::Event(Event::Bound(grant) | Event::Renewed(grant)) => return Ok(grant),
                Output::Event(Event::GaveUp { why }) => return Err(Refused::GaveUp(why)),
                Output::Event(Event::Lost { .. }) => {}
            }
        }
        let due = lessee.next_deadline().map_or(1000, |at| at.since(now()));
        let wait = Duration::from_millis(due.clamp(1, 60_000).unsigned_abs());
        let received = socket.receive(&mut buffer, Instant::now() + wait, power)?;
        if let Some((len, SocketAddr::V4(from))) = received {
            lessee.handle(&buffer[..len], from, now());
        }
    }
}
