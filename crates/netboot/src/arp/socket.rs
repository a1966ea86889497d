//! The packet socket around the ARP conversation.
//!
//! The socket can be opened here, which needs CAP_NET_RAW. Or a privileged program carries the frames
//! and hands over a socket that keeps them apart, together with the NIC's Ethernet address.

use super::frame::ETHERTYPE;
use super::{Arp, Conflict, Output, Timing};
use crate::clock::{self, Clock};
use crate::packets::{Packets, Way};
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::bind;
use socket2::{Domain, Protocol, Socket, Type};
use std::future::Future;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use wire::Mac;

/// Why ARP cannot be spoken.
#[derive(Debug, thiserror::Error)]
pub enum ArpError {
    /// There is no such NIC, or it has no Ethernet address.
    #[error("there is no Ethernet interface named {device:?}; `ip link` lists the ones there are")]
    NoSuchDevice {
        /// The name as given.
        device: String,
    },
    /// The process lacks the right.
    #[error(
        "no right to look for duplicate addresses on {device}; start punnet-net, or run with CAP_NET_RAW"
    )]
    PermissionDenied {
        /// The NIC.
        device: String,
    },
    /// The NIC is down.
    #[error("the network interface is down; plug the cable in or run `ip link set … up`")]
    Down,
    /// Anything else the kernel said.
    #[error("cannot speak ARP: {0}")]
    Other(#[source] io::Error),
}

/// A packet socket that hears and sends ARP on one NIC.
#[derive(Debug)]
pub struct ArpSocket {
    socket: Socket,
    mac: Mac,
    packets: Packets,
}

/// Probes for an address on a NIC: the Ethernet address that answers, or `None` when it is free.
pub async fn probe(device: &str, ip: Ipv4Addr, timing: Timing) -> Result<Option<Mac>, ArpError> {
    ArpSocket::open(device)?.probe(ip, timing).await
}

impl ArpSocket {
    /// Opens the socket; needs CAP_NET_RAW.
    pub fn open(device: &str) -> Result<Self, ArpError> {
        let no_device = || ArpError::NoSuchDevice {
            device: device.to_owned(),
        };
        let links = getifaddrs().map_err(|why| ArpError::Other(why.into()))?;
        let link = links
            .filter(|interface| interface.interface_name == device)
            .find_map(|interface| interface.address?.as_link_addr().copied())
            .ok_or_else(no_device)?;
        let mac = link
            .addr()
            .map(Mac)
            .filter(|mac| mac.0 != [0; 6])
            .ok_or_else(no_device)?;
        let protocol = Protocol::from(i32::from(ETHERTYPE.to_be()));
        let socket =
            Socket::new(Domain::PACKET, Type::RAW, Some(protocol)).map_err(|why| {
                match why.kind() {
                    io::ErrorKind::PermissionDenied => ArpError::PermissionDenied {
                        device: device.to_owned(),
                    },
                    _ => ArpError::Other(why),
                }
            })?;
        // The address from the list names the NIC and no protocol, so that of the socket stays.
        bind(socket.as_raw_fd(), &link).map_err(|why| ArpError::Other(why.into()))?;
        socket.set_nonblocking(true).map_err(ArpError::Other)?;
        Ok(Self {
            socket,
            mac,
            packets: Packets::default(),
        })
    }

    /// A socket that somebody else opened for the NIC with this Ethernet address.
    pub fn from_parts(descriptor: OwnedFd, mac: Mac) -> io::Result<Self> {
        let socket = Socket::from(descriptor);
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            mac,
            packets: Packets::default(),
        })
    }

    /// The descriptor, to be handed over, and the NIC's Ethernet address.
    pub fn into_parts(self) -> (OwnedFd, Mac) {
        (self.socket.into(), self.mac)
    }

    /// The same socket, with what passes written down.
    #[must_use]
    pub fn watched(mut self, packets: Packets) -> Self {
        self.packets = packets;
        self
    }

    /// The NIC's Ethernet address.
    pub fn mac(&self) -> Mac {
        self.mac
    }

    /// Probes for an address: the Ethernet address that answers, or `None` when it is free.
    pub async fn probe(&self, ip: Ipv4Addr, timing: Timing) -> Result<Option<Mac>, ArpError> {
        let mut clock = Clock::new();
        let mut arp = Arp::new(ip, self.mac, timing, clock.now());
        let mut shell = Shell::new(self)?;
        loop {
            match shell.step(&mut arp, &mut clock).await? {
                Output::Free => return Ok(None),
                Output::Conflict(Conflict { mac }) => return Ok(Some(mac)),
                Output::Send(_) => {}
            }
        }
    }

    /// Announces an address that is ours, then watches and defends it until `stop` is ready. A NIC
    /// that is down is waited for.
    pub async fn watch(
        &self,
        ip: Ipv4Addr,
        timing: Timing,
        conflicts: mpsc::Sender<Conflict>,
        stop: impl Future<Output = ()>,
    ) -> Result<(), ArpError> {
        let mut clock = Clock::new();
        let mut arp = Arp::holding(ip, self.mac, timing, clock.now());
        let mut shell = Shell::new(self)?;
        tokio::pin!(stop);
        loop {
            let output = tokio::select! {
                () = &mut stop => return Ok(()),
                output = shell.step(&mut arp, &mut clock) => output,
            };
            match output {
                // Nobody reads: the conflict is told again after the pause.
                Ok(Output::Conflict(conflict)) => drop(conflicts.try_send(conflict)),
                Ok(Output::Send(_) | Output::Free) => {}
                Err(ArpError::Down) => tokio::time::sleep(Duration::from_secs(1)).await,
                Err(why) => return Err(why),
            }
        }
    }
}

struct Shell<'p> {
    socket: UdpSocket,
    packets: &'p Packets,
    buffer: [u8; 128],
}

impl<'p> Shell<'p> {
    fn new(arp: &'p ArpSocket) -> Result<Self, ArpError> {
        // The runtime has no packet sockets, and taking a bare descriptor is unsafe there; of its
        // UDP socket only readiness, recv(2) and send(2) are used, which are the same for both.
        let plain = arp.socket.try_clone().map_err(ArpError::Other)?.into();
        let socket = UdpSocket::from_std(plain).map_err(ArpError::Other)?;
        Ok(Self {
            socket,
            packets: &arp.packets,
            buffer: [0; 128],
        })
    }

    /// Converses until there is something to tell.
    async fn step(&mut self, arp: &mut Arp, clock: &mut Clock) -> Result<Output, ArpError> {
        loop {
            arp.handle_timeout(clock.now());
            while let Some(output) = arp.poll() {
                let Output::Send(frame) = output else {
                    return Ok(output);
                };
                self.packets.frame(Way::Out, &frame);
                self.socket.send(&frame).await.map_err(explain)?;
            }
            let now = clock.now();
            let due = arp.next_deadline().map(|due| clock::until(due, now));
            tokio::select! {
                received = self.socket.recv(&mut self.buffer) => {
                    let length = received.map_err(explain)?;
                    if length == 0 {
                        // Whoever carries the frames is gone.
                        return Err(ArpError::Other(io::ErrorKind::UnexpectedEof.into()));
                    }
                    let frame = self.buffer.get(..length).unwrap_or_default();
                    self.packets.frame(Way::In, frame);
                    arp.handle(frame, clock.now());
                }
                () = tokio::time::sleep(due.unwrap_or_default()), if due.is_some() => {}
            }
        }
    }
}

fn explain(why: io::Error) -> ArpError {
    match why.kind() {
        io::ErrorKind::NetworkDown => ArpError::Down,
        _ => ArpError::Other(why),
    }
}
