//! A UDP socket that is waited on for reading only and written to directly.
//!
//! Every datagram that leaves makes the system report "writable" again. Whoever waits for that,
//! as a general-purpose socket does, wakes once more per block for nothing; and whoever believes
//! the last report may hold a datagram back although it could go. Here a datagram is sent or, if
//! the send buffer is full, lost, exactly as on the wire.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::task::{Context, Poll};

use crate::packets::{Packets, Way};
use crate::socket::HEARD;
use nix::libc::MSG_CONFIRM;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::io::unix::AsyncFd;
use tokio::io::{Interest, Ready};

#[derive(Debug)]
pub(super) struct Port {
    socket: AsyncFd<UdpSocket>,
    watch: Option<Watch>,
}

/// Who writes down what passes, and between whom it does.
#[derive(Debug)]
struct Watch {
    packets: Packets,
    client: SocketAddr,
    own: SocketAddr,
}

impl Port {
    /// A socket with this address and a free port. It shares its port with nobody: the option for
    /// sharing would let the system hand one port to two transfers.
    pub(super) fn open(address: std::net::IpAddr, device: Option<&str>) -> io::Result<Self> {
        let address = SocketAddr::new(address, 0);
        let socket = Socket::new(
            Domain::for_address(address),
            Type::DGRAM,
            Some(Protocol::UDP),
        )?;
        if let Some(device) = device {
            socket.bind_device(Some(device.as_bytes()))?;
        }
        socket.bind(&address.into())?;
        Self::from_std(socket.into())
    }

    pub(super) fn from_std(socket: UdpSocket) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        #[expect(
            deprecated,
            reason = "its successor is unsafe for the sake of types that may swap their \
                      descriptor; a UdpSocket keeps its own for life"
        )]
        let waited_on = AsyncFd::with_interest(socket, Interest::READABLE)?;
        Ok(Self {
            socket: waited_on,
            watch: None,
        })
    }

    /// From here on only this peer is heard, and a closed port at its end is noticed.
    pub(super) fn connect(&self, peer: SocketAddr) -> io::Result<()> {
        self.socket.get_ref().connect(peer)
    }

    /// From here on packets between this port and its peer are written down.
    pub(super) fn watched(mut self, packets: &Packets, client: SocketAddr) -> Self {
        self.watch = self.address().ok().map(|own| Watch {
            packets: packets.clone(),
            client,
            own,
        });
        self
    }

    fn note(&self, way: Way, datagram: &[u8]) {
        if let Some(watch) = &self.watch {
            watch.packets.tftp(way, watch.client, watch.own, datagram);
        }
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.socket.get_ref().local_addr()
    }

    /// Whether there may be something to receive.
    pub(super) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.socket.poll_read_ready(cx).map(|_| ())
    }

    /// Waits until there may be something to receive, or to be told about the socket itself.
    pub(super) async fn ready(&self) -> io::Result<()> {
        let mut heard = self.socket.ready(HEARD).await?;
        if heard.ready().is_error() {
            heard.clear_ready_matching(Ready::ERROR);
            if let Some(why) = self.socket.get_ref().take_error()? {
                return Err(why);
            }
        }
        Ok(())
    }

    /// Takes the next datagram, if the last wait reported one.
    pub(super) fn receive(&self, into: &mut [u8]) -> io::Result<usize> {
        let length = self
            .socket
            .try_io(Interest::READABLE, |socket| socket.recv(into))?;
        self.note(Way::In, &into[..length]);
        Ok(length)
    }

    /// Takes the next datagram and its sender, if the last wait reported one.
    pub(super) fn receive_from(&self, into: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket
            .try_io(Interest::READABLE, |socket| socket.recv_from(into))
    }

    /// Takes the next datagram, whether or not one was reported yet.
    pub(super) fn receive_now(&self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.socket.get_ref().recv(into)?;
        self.note(Way::In, &into[..length]);
        Ok(length)
    }

    pub(super) fn send(&self, datagram: &[u8]) -> io::Result<()> {
        self.note(Way::Out, datagram);
        self.socket.get_ref().send(datagram).map(|_| ())
    }

    /// Sends in answer to something the peer has just said. That it was heard tells the system
    /// that the peer's hardware address still holds: a Pi 3's boot ROM does not answer ARP in the
    /// middle of a transfer, and without this word the system would ask, and stop sending to it.
    pub(super) fn answer(&self, datagram: &[u8]) -> io::Result<()> {
        self.note(Way::Out, datagram);
        let socket = SockRef::from(self.socket.get_ref());
        socket.send_with_flags(datagram, MSG_CONFIRM).map(|_| ())
    }

    pub(super) fn send_to(&self, datagram: &[u8], peer: SocketAddr) -> io::Result<()> {
        self.socket.get_ref().send_to(datagram, peer).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::{Port, SockRef};

    #[tokio::test]
    async fn a_port_is_bound_to_the_device_it_is_given() {
        let port = Port::open(Ipv4Addr::LOCALHOST.into(), Some("lo")).unwrap();
        let device = SockRef::from(port.socket.get_ref()).device().unwrap();
        assert_eq!(device.as_deref(), Some(&b"lo"[..]));
    }
}
