//! The sockets that are handed over. A UDP socket is tied to its NIC before it is bound, and only
//! somebody with rights could tie it to another.

use crate::nic::Nic;
use crate::passage::{ARP, IGMP, IPV4, Passage};
use crate::relay::{self, Card};
use crate::words::{Denied, Reason, What};
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::bind;
use rustix::net::{RecvFlags, recv};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, SockFilter, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd as _, OwnedFd};

/// Ports of DHCP servers and clients (RFC 2131 §4.1) and of TFTP (RFC 1350 §4).
const DHCP_SERVER: u16 = 67;
const DHCP_CLIENT: u16 = 68;
const TFTP: u16 = 69;
/// Where boards say to routers which groups they belong to: all routers, where an IGMPv2 board
/// leaves (RFC 2236 §3), and all IGMPv3 routers (RFC 3376 §4.2.14).
const ROUTERS: [Ipv4Addr; 2] = [Ipv4Addr::new(224, 0, 0, 2), Ipv4Addr::new(224, 0, 0, 22)];
/// Kernel buffer asked for in each direction, in bytes: a whole rack that is powered at once fits.
const KERNEL_BUFFER: usize = 1 << 20;

/// Opens a socket on a NIC; the NIC's Ethernet address beside it.
pub(crate) fn open(what: What, nic: &Nic, address: Ipv4Addr) -> Result<(OwnedFd, [u8; 6]), Denied> {
    let (nic, index) = (nic.name.as_str(), nic.index);
    let mac = ethernet_address(nic)?;
    let any = Ipv4Addr::UNSPECIFIED;
    let (name, opened) = match what {
        What::Dhcp => ("UDP port 67", udp(nic, any, DHCP_SERVER, false)),
        What::DhcpClient => ("UDP port 68", udp(nic, any, DHCP_CLIENT, true)),
        What::Tftp => ("UDP port 69", udp(nic, address, TFTP, false)),
        What::Arp => ("ARP", arp(nic, mac)),
        What::Igmp => ("IGMP", igmp(nic, index, mac, address)),
        What::Unknown => {
            let text = "a socket of that kind is not handed over";
            return Err(Denied::new(Reason::Forbidden, text));
        }
    };
    let socket = opened
        .map_err(|why| Denied::of_kernel(&format!("{name} cannot be opened on {nic}"), &why))?;
    Ok((socket, mac))
}

/// A server's port is shared with nobody: two servers on port 67 answer each other's clients by
/// chance, and the kernel would not tell.
fn udp(nic: &str, address: Ipv4Addr, port: u16, shared: bool) -> io::Result<OwnedFd> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(shared)?;
    socket.set_broadcast(true)?;
    socket.bind_device(Some(nic.as_bytes()))?;
    for buffer in [Socket::set_recv_buffer_size, Socket::set_send_buffer_size] {
        // The kernel caps this without asking; a smaller buffer is no reason not to serve.
        let _ = buffer(&socket, KERNEL_BUFFER);
    }
    socket.bind(&SocketAddrV4::new(address, port).into())?;
    Ok(socket.into())
}

fn arp(nic: &str, mac: [u8; 6]) -> io::Result<OwnedFd> {
    let socket = packet_socket(nic, ARP, &[])?;
    let groups = None;
    relay::begin(Card { socket, groups }, Passage::Arp { mac })
}

fn igmp(nic: &str, index: u32, mac: [u8; 6], address: Ipv4Addr) -> io::Result<OwnedFd> {
    // Without it every packet of an image would wake the relay.
    let socket = packet_socket(nic, IPV4, &only(IGMP))?;
    let groups = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    let card = InterfaceIndexOrAddress::Index(index);
    for group in ROUTERS {
        groups.join_multicast_v4_n(&group, &card)?;
    }
    let groups = Some(groups);
    relay::begin(Card { socket, groups }, Passage::Igmp { mac, address })
}

/// A socket for the frames of one ethertype on a NIC that pass the filter.
fn packet_socket(nic: &str, ethertype: u16, filter: &[SockFilter]) -> io::Result<Socket> {
    let protocol = Protocol::from(i32::from(ethertype.to_be()));
    let socket = Socket::new(Domain::PACKET, Type::RAW, Some(protocol))?;
    if !filter.is_empty() {
        socket.attach_filter(filter)?;
    }
    let links = getifaddrs()?.filter(|interface| interface.interface_name == nic);
    let link = links.filter_map(|interface| interface.address?.as_link_addr().copied());
    let link = link.last().ok_or(io::ErrorKind::NotFound)?;
    // The address from the list names the NIC and no protocol, so that of the socket stays.
    bind(socket.as_raw_fd(), &link)?;
    // Until then it heard every NIC.
    while recv(&socket, &mut [0; 1], RecvFlags::DONTWAIT).is_ok() {}
    Ok(socket)
}

/// A filter of the kernel's for one protocol over IPv4 (bpf(4)): the byte that names it stands 23
/// bytes into the frame.
fn only(protocol: u8) -> [SockFilter; 4] {
    const LOAD_BYTE: u16 = 0x30;
    const JUMP_UNLESS_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    [
        SockFilter::new(LOAD_BYTE, 0, 0, 23),
        SockFilter::new(JUMP_UNLESS_EQUAL, 0, 1, u32::from(protocol)),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
        SockFilter::new(RETURN, 0, 0, 0),
    ]
}

fn ethernet_address(nic: &str) -> Result<[u8; 6], Denied> {
    let links = getifaddrs()
        .map_err(|why| Denied::of_kernel("the network cards cannot be listed", &why.into()))?;
    links
        .filter(|interface| interface.interface_name == nic)
        .find_map(|interface| interface.address?.as_link_addr()?.addr())
        .filter(|mac| *mac != [0; 6])
        .ok_or_else(|| Denied::new(Reason::Missing, format!("{nic} has no Ethernet address")))
}
