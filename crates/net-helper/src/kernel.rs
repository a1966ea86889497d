//! What the kernel knows about network cards, and what it is told: rtnetlink(7), one question at a
//! time.

use crate::MARK;
use crate::nic::{Address, Nic};
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkLayerType, LinkMessage};
use netlink_packet_route::route::{RouteAttribute, RouteMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use std::io;
use std::net::{IpAddr, Ipv4Addr};

/// A connection to the kernel's routing socket.
pub(crate) struct Kernel {
    socket: Socket,
    asked: u32,
}

impl std::fmt::Debug for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kernel").finish_non_exhaustive()
    }
}

impl Kernel {
    pub(crate) fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        Ok(Self { socket, asked: 0 })
    }

    /// All network cards with their IPv4 addresses and whether a default route leaves through them.
    pub(crate) fn nics(&mut self) -> io::Result<Vec<Nic>> {
        let links = self.list(RouteNetlinkMessage::GetLink(LinkMessage::default()))?;
        let mut nics: Vec<Nic> = links.into_iter().filter_map(nic).collect();
        let mut question = AddressMessage::default();
        question.header.family = AddressFamily::Inet;
        for message in self.list(RouteNetlinkMessage::GetAddress(question))? {
            let RouteNetlinkMessage::NewAddress(message) = message else {
                continue;
            };
            let owner = nics.iter_mut().find(|n| n.index == message.header.index);
            if let (Some(nic), Some(address)) = (owner, address(&message)) {
                nic.addresses.push(address);
            }
        }
        let mut question = RouteMessage::default();
        question.header.address_family = AddressFamily::Inet;
        for message in self.list(RouteNetlinkMessage::GetRoute(question))? {
            let RouteNetlinkMessage::NewRoute(route) = message else {
                continue;
            };
            if route.header.destination_prefix_length == 0 {
                let ways: Vec<u32> = route.attributes.iter().flat_map(leaves_through).collect();
                let mut ways = nics.iter_mut().filter(|n| ways.contains(&n.index));
                ways.by_ref().for_each(|nic| nic.default_route = true);
            }
        }
        Ok(nics)
    }

    /// Gives a NIC an address that carries our mark.
    pub(crate) fn give(&mut self, index: u32, ip: Ipv4Addr, prefix: u8) -> io::Result<()> {
        let mut message = marked(index, ip, prefix);
        let host = u32::MAX.checked_shr(u32::from(prefix)).unwrap_or(0);
        let everybody = Ipv4Addr::from_bits(ip.to_bits() | host);
        message
            .attributes
            .push(AddressAttribute::Broadcast(everybody));
        self.tell(
            RouteNetlinkMessage::NewAddress(message),
            NLM_F_CREATE | NLM_F_EXCL,
        )
    }

    /// Takes an address away, if it carries our mark.
    pub(crate) fn take_away(&mut self, index: u32, ip: Ipv4Addr, prefix: u8) -> io::Result<()> {
        self.tell(
            RouteNetlinkMessage::DelAddress(marked(index, ip, prefix)),
            0,
        )
    }

    /// Switches a NIC on or off.
    pub(crate) fn switch(&mut self, index: u32, on: bool) -> io::Result<()> {
        let mut message = LinkMessage::default();
        message.header.index = index;
        message.header.change_mask = LinkFlags::Up;
        if on {
            message.header.flags = LinkFlags::Up;
        }
        self.tell(RouteNetlinkMessage::SetLink(message), 0)
    }

    /// Writes a remark beside a NIC's name.
    pub(crate) fn remark(&mut self, index: u32, alias: &str) -> io::Result<()> {
        let mut message = LinkMessage::default();
        message.header.index = index;
        let alias = LinkAttribute::IfAlias(alias.to_owned());
        message.attributes.push(alias);
        self.tell(RouteNetlinkMessage::SetLink(message), 0)
    }

    fn list(&mut self, question: RouteNetlinkMessage) -> io::Result<Vec<RouteNetlinkMessage>> {
        self.ask(question, NLM_F_DUMP)
    }

    fn tell(&mut self, order: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        self.ask(order, NLM_F_ACK | flags).map(|_| ())
    }

    /// Sends one message and gathers what comes of it.
    fn ask(
        &mut self,
        message: RouteNetlinkMessage,
        flags: u16,
    ) -> io::Result<Vec<RouteNetlinkMessage>> {
        self.asked = self.asked.wrapping_add(1);
        let mut packet = NetlinkMessage::from(message);
        packet.header.flags = NLM_F_REQUEST | flags;
        packet.header.sequence_number = self.asked;
        packet.finalize();
        let mut bytes = vec![0; packet.buffer_len()];
        packet.serialize(&mut bytes);
        self.socket.send(&bytes, 0)?;
        let mut gathered = Vec::new();
        loop {
            let (bytes, _) = self.socket.recv_from_full()?;
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                let reply = NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest)
                    .map_err(io::Error::other)?;
                let length = usize::try_from(reply.header.length).map_err(io::Error::other)?;
                // Messages begin at multiples of four bytes.
                rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
                if reply.header.sequence_number != self.asked {
                    continue;
                }
                match reply.payload {
                    NetlinkPayload::InnerMessage(message) => gathered.push(message),
                    NetlinkPayload::Error(said) if said.code.is_some() => return Err(said.to_io()),
                    NetlinkPayload::Error(_) | NetlinkPayload::Done(_) => return Ok(gathered),
                    _ => {}
                }
            }
        }
    }
}

fn marked(index: u32, ip: Ipv4Addr, prefix: u8) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = AddressFamily::Inet;
    message.header.index = index;
    message.header.prefix_len = prefix;
    message.attributes = vec![
        AddressAttribute::Local(ip.into()),
        AddressAttribute::Address(ip.into()),
        AddressAttribute::Label(MARK.to_owned()),
    ];
    message
}

fn nic(message: RouteNetlinkMessage) -> Option<Nic> {
    let RouteNetlinkMessage::NewLink(message) = message else {
        return None;
    };
    let flags = message.header.flags;
    let mut nic = Nic {
        index: message.header.index,
        up: flags.contains(LinkFlags::Up),
        loopback: flags.contains(LinkFlags::Loopback),
        ethernet: message.header.link_layer_type == LinkLayerType::Ether,
        ..Nic::default()
    };
    for attribute in message.attributes {
        match attribute {
            LinkAttribute::IfName(name) => nic.name = name,
            LinkAttribute::IfAlias(alias) => nic.alias = alias,
            _ => {}
        }
    }
    (!nic.name.is_empty()).then_some(nic)
}

fn address(message: &AddressMessage) -> Option<Address> {
    let mut marked = false;
    let mut local = None;
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(IpAddr::V4(ip)) => local = Some(*ip),
            AddressAttribute::Label(label) => marked = label == MARK,
            _ => {}
        }
    }
    local.map(|ip| Address {
        ip,
        prefix: message.header.prefix_len,
        marked,
    })
}

fn leaves_through(attribute: &RouteAttribute) -> Vec<u32> {
    match attribute {
        RouteAttribute::Oif(index) => vec![*index],
        RouteAttribute::MultiPath(hops) => hops.iter().map(|hop| hop.interface_index).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_of_this_machine_is_listed() {
        let mut kernel = Kernel::open().unwrap();
        // Twice, because answers of an earlier question must not be taken for those of the next.
        for _ in 0..2 {
            let nics = kernel.nics().unwrap();
            let lo = nics.iter().find(|n| n.name == "lo").expect("lo");
            assert!(lo.loopback && !lo.ethernet && !lo.default_route, "{lo:?}");
            let own = lo.addresses.iter().find(|a| a.ip == Ipv4Addr::LOCALHOST);
            assert!(own.is_some_and(|a| a.prefix == 8 && !a.marked), "{lo:?}");
        }
    }

    #[test]
    fn what_the_kernel_refuses_is_an_error() {
        let mut kernel = Kernel::open().unwrap();
        let address = Ipv4Addr::new(192, 0, 2, 1);
        assert!(kernel.take_away(u32::MAX >> 1, address, 24).is_err());
        assert!(kernel.switch(u32::MAX >> 1, true).is_err());
    }
}
