//! The socket around the server: one task that waits for datagrams, deadlines and vouchers.
//!
//! The task never waits for whoever reads its events: a station that is busy must not leave a rack
//! of boards without addresses. Events queue up here; when the queue is absurdly long, what merely
//! informs is dropped first.

use super::event::{DhcpEvent, Output};
use super::news::{News, Told};
use super::packet::MAX_PACKET;
use super::server::Server;
use crate::clock::{self, Clock};
use crate::packets::{Packets, Way};
use crate::socket::{HEARD, is_lost};
use nix::libc::in_pktinfo;
use nix::sys::socket::{ControlMessage, MsgFlags, SockaddrIn, recvfrom, sendmsg};
use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, IoSlice};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::AsRawFd;
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use wire::Mac;

/// Errors in a row after which the socket is given up.
const MOST_ERRORS: u32 = 20;
/// Events kept while nobody reads them.
const MOST_EVENTS: usize = 16_384;

/// Why the server ended other than by being told to.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The socket could not be handed to the runtime.
    #[error("the DHCP socket cannot be used: {0}")]
    Socket(#[source] io::Error),
    /// Receiving fails for good, or again and again; the NIC may be gone.
    #[error("DHCP packets cannot be received ({0}); check that the NIC is still there")]
    Receive(#[source] io::Error),
}

/// Serves until `stop` is ready. Addresses that arrive on `vouched` are answered from then on.
pub async fn serve(
    socket: std::net::UdpSocket,
    server: Server,
    events: mpsc::Sender<Told>,
    vouched: mpsc::Receiver<Mac>,
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let (news, packets) = (News::default(), Packets::default());
    serve_watched(socket, server, (events, news), vouched, packets, stop).await
}

/// [`serve`], counting what is on its way and writing packets down.
pub async fn serve_watched(
    socket: std::net::UdpSocket,
    mut server: Server,
    (events, news): (mpsc::Sender<Told>, News),
    mut vouched: mpsc::Receiver<Mac>,
    packets: Packets,
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    socket.set_nonblocking(true).map_err(ServeError::Socket)?;
    let socket = UdpSocket::from_std(socket).map_err(ServeError::Socket)?;
    let source = server.source();
    let own = match socket.local_addr() {
        Ok(SocketAddr::V4(at)) => SocketAddrV4::new(server.address(), at.port()),
        _ => SocketAddrV4::new(server.address(), super::SERVER_PORT),
    };
    let mut clock = Clock::new();
    let mut buffer = [0; MAX_PACKET + 1];
    let mut waiting = VecDeque::new();
    let mut errors = 0;
    tokio::pin!(stop);
    loop {
        server.handle_timeout(clock.now());
        let mut replies = Vec::new();
        while let Some(output) = server.poll() {
            match output {
                Output::Send { to, bytes } => replies.push((to, bytes)),
                Output::Event(event) => queue(&mut waiting, news.tell(event)),
            }
        }
        // After the news, so that nobody who was answered is taken for who he was before.
        for (to, bytes) in replies {
            packets.dhcp(Way::Out, to, own, &bytes);
            send(&socket, source, to, &bytes).await;
        }
        let now = clock.now();
        let due = server.next_deadline().map(|due| clock::until(due, now));
        tokio::select! {
            () = &mut stop => return Ok(()),
            received = receive(&socket, &mut buffer) => match received {
                Ok((length, from)) => {
                    errors = 0;
                    let bytes = buffer.get(..length).unwrap_or_default();
                    packets.dhcp(Way::In, from, own, bytes);
                    server.handle(bytes, from, clock.now());
                }
                Err(why) if errors >= MOST_ERRORS || is_lost(&why) => {
                    return Err(ServeError::Receive(why));
                }
                Err(why) => {
                    // A cable pulled, or a refusal sent by a board that has gone: both pass.
                    errors += 1;
                    tracing::debug!(%why, "DHCP receive failed");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(mac) = vouched.recv() => server.accept(mac),
            () = tokio::time::sleep(due.unwrap_or_default()), if due.is_some() => {}
            permit = events.reserve(), if !waiting.is_empty() => match (permit, waiting.pop_front()) {
                (Ok(permit), Some(event)) => permit.send(event),
                // Nobody listens any more; boards still need their addresses.
                _ => waiting.clear(),
            },
        }
    }
}

async fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<(usize, SocketAddrV4)> {
    let receive = || Ok(recvfrom::<SockaddrIn>(socket.as_raw_fd(), buffer)?);
    let (length, from) = socket.async_io(HEARD, receive).await?;
    let from = from.ok_or(io::ErrorKind::InvalidData)?;
    Ok((length, SocketAddrV4::new(from.ip(), from.port())))
}

/// Sends a reply, from `source` where that matters: a NIC with two addresses would else send
/// broadcasts from the first of them. The client asks again, so a reply that the kernel refuses is
/// only worth a note.
async fn send(socket: &UdpSocket, source: Option<Ipv4Addr>, to: SocketAddrV4, bytes: &[u8]) {
    let sent = match source {
        Some(source) => send_from(socket, source, to, bytes).await,
        None => socket.send_to(bytes, to).await,
    };
    if let Err(why) = sent {
        tracing::warn!(%to, %why, "DHCP reply not sent");
    }
}

async fn send_from(
    socket: &UdpSocket,
    source: Ipv4Addr,
    to: SocketAddrV4,
    bytes: &[u8],
) -> io::Result<usize> {
    let source = SockaddrIn::from(SocketAddrV4::new(source, 0))
        .as_ref()
        .sin_addr;
    let from = in_pktinfo {
        ipi_ifindex: 0,
        ipi_spec_dst: source,
        ipi_addr: source,
    };
    let send = || {
        let control = [ControlMessage::Ipv4PacketInfo(&from)];
        let data = [IoSlice::new(bytes)];
        let to = SockaddrIn::from(to);
        let flags = MsgFlags::empty();
        Ok(sendmsg(
            socket.as_raw_fd(),
            &data,
            &control,
            flags,
            Some(&to),
        )?)
    };
    socket.async_io(Interest::WRITABLE, send).await
}

fn queue(waiting: &mut VecDeque<Told>, told: Told) {
    let informs = |told: &Told| {
        matches!(
            told.event,
            DhcpEvent::Seen { .. } | DhcpEvent::NotOurs { .. } | DhcpEvent::PoolFull { .. }
        )
    };
    if waiting.len() >= MOST_EVENTS {
        tracing::warn!("nobody reads DHCP events; dropping the ones that only inform");
        waiting.retain(|told| !informs(told));
        waiting.truncate(MOST_EVENTS - 1);
    }
    waiting.push_back(told);
}
