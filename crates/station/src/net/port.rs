//! Who holds a port that should be ours.
//!
//! Two servers can share a UDP port without noticing when both set `SO_REUSEADDR`, and then each
//! gets some of the packets. So before a server opens its real socket, a plain one without that
//! option asks the kernel whether the place is free; the kernel knows about bound devices too. When
//! it is not, `/proc` says who sits there: `/proc/net/{udp,tcp}` gives the socket's inode, the file
//! descriptors of all processes give its owner (proc(5)).

use socket2::{Domain, Protocol, Socket, Type};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

/// The two transports a server may sit on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// Connections.
    Tcp,
}

impl Transport {
    fn table(self) -> &'static str {
        match self {
            Self::Udp => "/proc/net/udp",
            Self::Tcp => "/proc/net/tcp",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        })
    }
}

/// A process that holds a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its id.
    pub pid: u32,
    /// Its name.
    pub name: String,
}

/// Why a port cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// Somebody sits there.
    #[error("{transport} port {} on {} is taken{}", at.port(), at.ip(), taken_by(holders))]
    Taken {
        /// UDP or TCP.
        transport: Transport,
        /// Where.
        at: SocketAddrV4,
        /// Who; empty when the owner cannot be seen.
        holders: Vec<Holder>,
    },
    /// It is a low port and this process may not have it.
    #[error(
        "{transport} port {} needs rights that this process does not have. Choose a port above \
         1023, or start Punnet with sudo.",
        at.port()
    )]
    NoRight {
        /// UDP or TCP.
        transport: Transport,
        /// Where.
        at: SocketAddrV4,
    },
    /// Anything else.
    #[error("{transport} port {} on {} cannot be opened: {why}.", at.port(), at.ip())]
    Other {
        /// UDP or TCP.
        transport: Transport,
        /// Where.
        at: SocketAddrV4,
        /// What the kernel said.
        why: std::io::Error,
    },
}

fn taken_by(holders: &[Holder]) -> String {
    let Some(first) = holders.first() else {
        return ", and its owner cannot be seen without root rights. `sudo ss -lnp` shows it; stop \
                it, or choose another port."
            .to_owned();
    };
    let names: Vec<String> = holders
        .iter()
        .map(|h| format!("{} (process {})", h.name, h.pid))
        .collect();
    let remedy = if first.name == "punnet" {
        "another station is running; stop it first.".to_owned()
    } else {
        format!(
            "stop it (`sudo systemctl stop {name}` or `sudo kill {pid}`), or choose another port.",
            name = first.name,
            pid = first.pid
        )
    };
    format!(" by {}. To serve here, {remedy}", names.join(", "))
}

/// Asks the kernel whether `at` is free, on `device` only when one is named. Port 0 always is.
pub fn free(transport: Transport, device: Option<&str>, at: SocketAddrV4) -> Result<(), PortError> {
    if at.port() == 0 {
        return Ok(());
    }
    match try_bind(transport, device, at) {
        Ok(()) => Ok(()),
        Err(why) => Err(explain(transport, at, why)),
    }
}

/// Turns the error of a bind into words.
pub fn explain(transport: Transport, at: SocketAddrV4, why: std::io::Error) -> PortError {
    match why.kind() {
        std::io::ErrorKind::AddrInUse => PortError::Taken {
            transport,
            at,
            holders: holders(transport, at),
        },
        std::io::ErrorKind::PermissionDenied => PortError::NoRight { transport, at },
        _ => PortError::Other { transport, at, why },
    }
}

fn try_bind(transport: Transport, device: Option<&str>, at: SocketAddrV4) -> std::io::Result<()> {
    let (kind, protocol) = match transport {
        Transport::Udp => (Type::DGRAM, Protocol::UDP),
        Transport::Tcp => (Type::STREAM, Protocol::TCP),
    };
    let socket = Socket::new(Domain::IPV4, kind, Some(protocol))?;
    socket.bind_device(device.map(str::as_bytes))?;
    if transport == Transport::Tcp {
        // Connections that linger after a stop do not count as a holder.
        socket.set_reuse_address(true)?;
    }
    // Whether the address is there yet is another question.
    socket.set_freebind_v4(true)?;
    socket.bind(&SocketAddr::V4(at).into())
}

/// The processes that hold `at`, as far as this process may see them.
pub fn holders(transport: Transport, at: SocketAddrV4) -> Vec<Holder> {
    let table = std::fs::read_to_string(transport.table()).unwrap_or_default();
    let inodes: Vec<u64> = table
        .lines()
        .filter_map(|line| parse_line(transport, line))
        .filter(|(held, _)| overlaps(*held, at))
        .map(|(_, inode)| inode)
        .collect();
    owners(&inodes)
}

/// One line of the kernel's socket table: where it is bound, and its inode. For TCP only listeners
/// (state 0A) count.
fn parse_line(transport: Transport, line: &str) -> Option<(SocketAddrV4, u64)> {
    let mut fields = line.split_ascii_whitespace();
    let (_slot, local, _remote, state) = (
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
    );
    if transport == Transport::Tcp && state != "0A" {
        return None;
    }
    let (address, port) = local.split_once(':')?;
    // The address is printed as a number in the machine's own byte order.
    let address = u32::from_str_radix(address, 16).ok()?.to_ne_bytes();
    let port = u16::from_str_radix(port, 16).ok()?;
    // After the state: queues, timer, retransmits, user, timeout, then the inode.
    let inode = fields.nth(5)?.parse().ok()?;
    Some((SocketAddrV4::new(Ipv4Addr::from(address), port), inode))
}

fn overlaps(held: SocketAddrV4, wanted: SocketAddrV4) -> bool {
    held.port() == wanted.port()
        && (held.ip() == wanted.ip() || held.ip().is_unspecified() || wanted.ip().is_unspecified())
}

fn owners(inodes: &[u64]) -> Vec<Holder> {
    let wanted: Vec<String> = inodes.iter().map(|i| format!("socket:[{i}]")).collect();
    let holds_one = |pid: u32| {
        std::fs::read_dir(format!("/proc/{pid}/fd")).is_ok_and(|fds| {
            fds.flatten()
                .filter_map(|fd| std::fs::read_link(fd.path()).ok())
                .any(|target| wanted.iter().any(|w| target.as_os_str() == w.as_str()))
        })
    };
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| holds_one(*pid))
        .map(|pid| Holder {
            pid,
            name: std::fs::read_to_string(format!("/proc/{pid}/comm"))
                .map_or_else(|_| "a process".to_owned(), |name| name.trim().to_owned()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, UdpSocket};

    fn v4(address: SocketAddr) -> SocketAddrV4 {
        match address {
            SocketAddr::V4(v4) => v4,
            SocketAddr::V6(_) => panic!("not IPv4"),
        }
    }

    #[test]
    fn the_holder_of_a_port_is_named() {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        for (transport, at) in [
            (Transport::Udp, v4(udp.local_addr().unwrap())),
            (Transport::Tcp, v4(tcp.local_addr().unwrap())),
        ] {
            let error = free(transport, None, at).expect_err("was free");
            let said = error.to_string();
            let own = format!("(process {})", std::process::id());
            assert!(said.contains(&own), "{said}");
            assert!(
                said.contains(&format!("{transport} port {}", at.port())),
                "{said}"
            );
        }
    }

    #[test]
    fn a_sharing_holder_is_noticed_too() {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
        socket.set_reuse_address(true).unwrap();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        socket.bind(&any.into()).unwrap();
        let at = v4(socket.local_addr().unwrap().as_socket().unwrap());
        assert!(matches!(
            free(Transport::Udp, None, at),
            Err(PortError::Taken { .. })
        ));
        drop(socket);
        free(Transport::Udp, None, at).unwrap();
    }

    #[test]
    fn lines_of_the_kernel_table_are_understood() {
        let line = "  14: 0100007F:0045 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 17337 2 0000000000000000 0";
        let (at, inode) = parse_line(Transport::Udp, line).unwrap();
        assert_eq!((at.to_string().as_str(), inode), ("127.0.0.1:69", 17337));
        let connected = "   1: 0100007F:1389 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 20 1";
        assert_eq!(parse_line(Transport::Tcp, connected), None);
        for junk in [
            "",
            "sl local",
            "0: zz:zz 0:0 0A",
            "0: 0100007F:1 0:0 0A 0 0 0 0 0 x",
        ] {
            assert_eq!(parse_line(Transport::Tcp, junk), None, "{junk:?}");
        }
    }
}
