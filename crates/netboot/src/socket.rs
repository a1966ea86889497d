//! Opening the UDP sockets of the deployment NIC, with errors that say what to do about them.
//!
//! A boot server has to be tied to one NIC: bound to a device it neither hears nor answers what
//! arrives elsewhere, whatever the routing table says. Server sockets do *not* allow the address to
//! be reused, because two servers sharing port 67 answer each other's clients by chance, and the
//! kernel would not tell; a client's port 68 may be shared.

use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{SocketAddrV4, UdpSocket};
use tokio::io::Interest;

/// Kernel buffer asked for in each direction, in bytes: a whole rack that is powered at once fits.
const KERNEL_BUFFER: usize = 1 << 20;

/// What a server waits for: a datagram, or an end of the socket, which is no datagram. It is for waiting
/// alone: tokio's `try_io` knows no two interests at once, and would not block for ever.
pub(crate) const HEARD: Interest = Interest::READABLE.add(Interest::ERROR);

/// Why a socket could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Somebody else holds the port.
    #[error(
        "UDP port {} is in use by another program on {place}; stop that program (`ss -ulpn` names it) and start again",
        address.port()
    )]
    AddressInUse {
        /// What was asked for.
        address: SocketAddrV4,
        /// The device or address, in words.
        place: String,
    },
    /// The process lacks the right.
    #[error(
        "no right to open UDP port {} on {place}; start punnet-net, or run with CAP_NET_BIND_SERVICE and CAP_NET_RAW",
        address.port()
    )]
    PermissionDenied {
        /// What was asked for.
        address: SocketAddrV4,
        /// The device or address, in words.
        place: String,
    },
    /// There is no such NIC.
    #[error("there is no network interface named {device:?}; `ip link` lists the ones there are")]
    NoSuchDevice {
        /// The name as given.
        device: String,
    },
    /// No NIC of this machine has the address.
    #[error("no network interface has the address {}; give it to the deployment NIC first", address.ip())]
    NoSuchAddress {
        /// What was asked for.
        address: SocketAddrV4,
    },
    /// Anything else the kernel said.
    #[error("cannot open UDP port {} on {place}: {source}", address.port())]
    Other {
        /// What was asked for.
        address: SocketAddrV4,
        /// The device or address, in words.
        place: String,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
}

/// Opens a UDP socket for a server: broadcasting allowed, tied to `device` when one is given, the
/// address not shared with anybody. A DHCP server gives `0.0.0.0:67` and a device, because a socket
/// bound to a unicast address hears no broadcast.
///
/// The socket is in blocking mode.
pub fn open(device: Option<&str>, address: SocketAddrV4) -> Result<UdpSocket, OpenError> {
    build(device, address, false)
}

/// Like [`open`], but shares the address with others that share it too: for port 68, on which a
/// DHCP client of the machine may already listen.
pub fn open_shared(device: Option<&str>, address: SocketAddrV4) -> Result<UdpSocket, OpenError> {
    build(device, address, true)
}

fn build(
    device: Option<&str>,
    address: SocketAddrV4,
    shared: bool,
) -> Result<UdpSocket, OpenError> {
    let said = |source| explain(device, address, source);
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).map_err(said)?;
    socket.set_reuse_address(shared).map_err(said)?;
    socket.set_broadcast(true).map_err(said)?;
    if let Some(name) = device {
        socket.bind_device(Some(name.as_bytes())).map_err(said)?;
    }
    for buffer in [Socket::set_recv_buffer_size, Socket::set_send_buffer_size] {
        // The kernel caps this without asking; a smaller buffer is no reason not to serve.
        let _ = buffer(&socket, KERNEL_BUFFER);
    }
    socket.bind(&address.into()).map_err(said)?;
    Ok(socket.into())
}

/// Did the kernel take the socket away, as it does on an administrator's `ss -K`? It still receives
/// then, but Linux has untied it from its device (`__udp_disconnect`), so nobody may serve on it.
pub(crate) fn is_lost(why: &io::Error) -> bool {
    why.kind() == io::ErrorKind::ConnectionAborted
}

fn explain(device: Option<&str>, address: SocketAddrV4, source: io::Error) -> OpenError {
    let place = device.map_or_else(|| address.ip().to_string(), str::to_owned);
    match (source.kind(), source.raw_os_error(), device) {
        (io::ErrorKind::AddrInUse, ..) => OpenError::AddressInUse { address, place },
        (io::ErrorKind::PermissionDenied, ..) => OpenError::PermissionDenied { address, place },
        (io::ErrorKind::AddrNotAvailable, ..) => OpenError::NoSuchAddress { address },
        // ENODEV, and EINVAL for a name longer than a name can be.
        (_, Some(19 | 22), Some(device)) => OpenError::NoSuchDevice {
            device: device.to_owned(),
        },
        _ => OpenError::Other {
            address,
            place,
            source,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn a_port_that_is_taken_is_named() {
        let any = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
        let first = open(None, any).expect("a free port");
        let Ok(std::net::SocketAddr::V4(taken)) = first.local_addr() else {
            panic!("an IPv4 address")
        };
        let error = open(None, taken).expect_err("taken");
        assert!(matches!(error, OpenError::AddressInUse { .. }), "{error:?}");
        assert!(
            error.to_string().contains(&taken.port().to_string()),
            "{error}"
        );
    }

    #[test]
    fn clients_may_share_a_port() {
        let any = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
        let first = open_shared(None, any).expect("a free port");
        let Ok(std::net::SocketAddr::V4(taken)) = first.local_addr() else {
            panic!("an IPv4 address")
        };
        open_shared(None, taken).expect("shared");
        let error = open(None, taken).expect_err("a server does not share");
        assert!(matches!(error, OpenError::AddressInUse { .. }), "{error:?}");
    }

    #[test]
    fn a_device_that_is_missing_is_named() {
        let address = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0);
        for name in ["no-such-nic", "a-name-longer-than-any-name"] {
            let error = open(Some(name), address).expect_err("no device");
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn an_address_of_another_machine_is_refused() {
        let foreign = SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, 7), 0);
        let error = open(None, foreign).expect_err("not ours");
        assert!(
            matches!(error, OpenError::NoSuchAddress { .. }),
            "{error:?}"
        );
    }
}
