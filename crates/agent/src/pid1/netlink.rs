//! Setting up a network card through rtnetlink (rtnetlink(7)): link up, address, default route.
//!
//! Four kinds of message, written by hand: a netlink library brings an asynchronous runtime that a
//! program of a few threads has no use for.

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket,
};
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, OwnedFd};

const RTM_NEWLINK: u16 = 16;
const RTM_NEWADDR: u16 = 20;
const RTM_DELADDR: u16 = 21;
const RTM_NEWROUTE: u16 = 24;
const NLMSG_ERROR: u16 = 2;
const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_ACK: u16 = 0x4;
const NLM_F_REPLACE: u16 = 0x100;
const NLM_F_CREATE: u16 = 0x400;
const AF_INET: u8 = 2;
const IFF_UP: u32 = 1;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_BROADCAST: u16 = 4;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;

/// Switches an interface on.
pub(crate) fn link_up(index: u32) -> io::Result<()> {
    let mut body = vec![0; 4];
    body.extend(index.to_ne_bytes());
    body.extend(IFF_UP.to_ne_bytes());
    body.extend(IFF_UP.to_ne_bytes());
    talk(&message(RTM_NEWLINK, 0, &body))
}

/// Gives an interface an address.
pub(crate) fn add_address(index: u32, ip: Ipv4Addr, mask: Ipv4Addr) -> io::Result<()> {
    let flags = NLM_F_CREATE | NLM_F_REPLACE;
    talk(&message(RTM_NEWADDR, flags, &address(index, ip, mask)))
}

/// Takes an address away.
pub(crate) fn remove_address(index: u32, ip: Ipv4Addr, mask: Ipv4Addr) -> io::Result<()> {
    talk(&message(RTM_DELADDR, 0, &address(index, ip, mask)))
}

/// Sends what has no nearer way to a router.
pub(crate) fn default_route(index: u32, router: Ipv4Addr) -> io::Result<()> {
    // Family, lengths of destination and source, type of service, table main (254), protocol boot
    // (3), scope universe (0), type unicast (1), flags.
    let mut body = vec![AF_INET, 0, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0];
    attribute(&mut body, RTA_GATEWAY, &router.octets());
    attribute(&mut body, RTA_OIF, &index.to_ne_bytes());
    talk(&message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &body))
}

fn address(index: u32, ip: Ipv4Addr, mask: Ipv4Addr) -> Vec<u8> {
    let prefix = mask.to_bits().leading_ones() as u8;
    let broadcast = Ipv4Addr::from_bits(ip.to_bits() | !mask.to_bits());
    let mut body = vec![AF_INET, prefix, 0, 0];
    body.extend(index.to_ne_bytes());
    attribute(&mut body, IFA_LOCAL, &ip.octets());
    attribute(&mut body, IFA_ADDRESS, &ip.octets());
    attribute(&mut body, IFA_BROADCAST, &broadcast.octets());
    body
}

fn attribute(body: &mut Vec<u8>, kind: u16, value: &[u8]) {
    body.extend((4 + value.len() as u16).to_ne_bytes());
    body.extend(kind.to_ne_bytes());
    body.extend(value);
    body.resize(body.len().next_multiple_of(4), 0);
}

fn message(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(16 + body.len());
    message.extend((16 + body.len() as u32).to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend((NLM_F_REQUEST | NLM_F_ACK | flags).to_ne_bytes());
    // Sequence number and port: one question, one answer, the kernel knows who asked.
    message.extend(1_u32.to_ne_bytes());
    message.extend(0_u32.to_ne_bytes());
    message.extend(body);
    message
}

fn talk(message: &[u8]) -> io::Result<()> {
    let socket: OwnedFd = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkRoute,
    )?;
    let fd = socket.as_raw_fd();
    sendto(fd, message, &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
    let mut answer = [0; 4096];
    let got = recv(fd, &mut answer, MsgFlags::empty())?;
    outcome(&answer[..got])
}

/// Reads the kernel's answer: an error message with number 0 is the acknowledgement.
fn outcome(answer: &[u8]) -> io::Result<()> {
    let word = |at: usize| answer.get(at..at + 4)?.first_chunk::<4>().copied();
    let kind = answer.get(4..6).and_then(|b| b.first_chunk::<2>());
    match (kind.map(|b| u16::from_ne_bytes(*b)), word(16)) {
        (Some(NLMSG_ERROR), Some(number)) => match i32::from_ne_bytes(number) {
            0 => Ok(()),
            number => Err(io::Error::from_raw_os_error(-number)),
        },
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_interface_takes_and_loses_an_address_in_a_namespace() {
        // Without the right to make a namespace there is nothing to test here.
        let made = std::thread::spawn(|| {
            if nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).is_err() {
                return;
            }
            let (ip, mask) = (Ipv4Addr::new(10, 77, 3, 9), Ipv4Addr::new(255, 255, 0, 0));
            link_up(1).unwrap();
            add_address(1, ip, mask).unwrap();
            add_address(1, ip, mask).unwrap();
            let listener = std::net::TcpListener::bind((ip, 0)).unwrap();
            std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            default_route(1, Ipv4Addr::new(10, 77, 0, 1)).unwrap();
            remove_address(1, ip, mask).unwrap();
            assert!(std::net::TcpListener::bind((ip, 0)).is_err());
            let error = add_address(999, ip, mask).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(nix::libc::ENODEV));
        });
        made.join().unwrap();
    }

    #[test]
    fn an_answer_that_is_none_is_an_error() {
        assert!(outcome(&[]).is_err());
        assert!(outcome(&[0; 20]).is_err());
        assert!(outcome(&[0xff; 3]).is_err());
    }
}
