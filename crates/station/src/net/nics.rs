//! The list of network cards, and a signal when it changes. Linux rtnetlink (rtnetlink(7)); the
//! link speed, which rtnetlink does not carry, comes from sysfs.

use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::AddressAttribute;
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};
use netlink_packet_route::route::RouteAttribute;
use rtnetlink::{Handle, MulticastGroup, RouteMessageBuilder};
use serde::Serialize;
use std::net::{IpAddr, Ipv4Addr};
use tokio::sync::watch;
use tokio_stream::{Stream, StreamExt};
use wire::Mac;

/// One network card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Nic {
    /// The kernel's number for it.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Its Ethernet address; absent for loopback and tunnels.
    pub mac: Option<Mac>,
    /// Administratively switched on?
    pub up: bool,
    /// Is there a link partner?
    pub carrier: bool,
    /// Speed in Mbit/s, when the driver knows it.
    pub speed_mbit: Option<u32>,
    /// Its IPv4 addresses with prefix lengths.
    pub addresses: Vec<(Ipv4Addr, u8)>,
    /// Does an IPv4 default route leave through it?
    pub default_route: bool,
    /// Is it the loopback?
    pub loopback: bool,
}

impl Nic {
    /// True when the card has this address.
    pub fn has(&self, ip: Ipv4Addr) -> bool {
        self.addresses.iter().any(|(own, _)| *own == ip)
    }

    /// How its link is, in two words.
    pub fn link_words(&self) -> String {
        match (self.up, self.carrier, self.speed_mbit) {
            (false, ..) => "switched off".to_owned(),
            (true, false, _) => "no link".to_owned(),
            (true, true, None) => "link".to_owned(),
            (true, true, Some(mbit)) => format!("{mbit} Mbit/s"),
        }
    }
}

/// The kernel could not be asked about its network cards.
#[derive(Debug, thiserror::Error)]
pub enum NetlinkError {
    /// No netlink socket.
    #[error("cannot open a netlink socket: {0}")]
    Socket(#[from] std::io::Error),
    /// The kernel refused.
    #[error("the kernel refused a question about network cards: {0}")]
    Refused(#[from] rtnetlink::Error),
}

/// A connection to the kernel's routing socket. Clones share it.
#[derive(Clone)]
pub struct Netlink {
    handle: Handle,
    changed: watch::Receiver<u64>,
}

impl std::fmt::Debug for Netlink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Netlink").finish_non_exhaustive()
    }
}

impl Netlink {
    /// Connects, and subscribes to changes of links, IPv4 addresses and IPv4 routes. Needs a tokio
    /// runtime and no rights.
    pub fn open() -> Result<Self, NetlinkError> {
        let (connection, handle, mut messages) = rtnetlink::new_multicast_connection(&[
            MulticastGroup::Link,
            MulticastGroup::Ipv4Ifaddr,
            MulticastGroup::Ipv4Route,
        ])?;
        tokio::spawn(connection);
        let (changes, changed) = watch::channel(0);
        tokio::spawn(async move {
            while messages.next().await.is_some() {
                changes.send_modify(|n| *n += 1);
            }
        });
        Ok(Self { handle, changed })
    }

    /// Waits for the next change since the last call on this clone.
    pub async fn changed(&mut self) {
        if self.changed.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// All network cards, in the kernel's order.
    pub async fn list(&self) -> Result<Vec<Nic>, NetlinkError> {
        let mut nics: Vec<Nic> = all(self.handle.link().get().execute())
            .await?
            .into_iter()
            .filter_map(nic)
            .collect();
        for message in all(self.handle.address().get().execute()).await? {
            if message.header.family != AddressFamily::Inet {
                continue;
            }
            let local = message.attributes.iter().find_map(|a| match a {
                AddressAttribute::Local(IpAddr::V4(ip)) => Some(*ip),
                _ => None,
            });
            let owner = nics.iter_mut().find(|n| n.index == message.header.index);
            if let (Some(nic), Some(ip)) = (owner, local) {
                nic.addresses.push((ip, message.header.prefix_len));
            }
        }
        let routes = RouteMessageBuilder::<Ipv4Addr>::new().build();
        for route in all(self.handle.route().get(routes).execute()).await? {
            if route.header.destination_prefix_length != 0 {
                continue;
            }
            for attribute in &route.attributes {
                let through = |index| move |n: &&mut Nic| n.index == index;
                match attribute {
                    RouteAttribute::Oif(index) => nics
                        .iter_mut()
                        .filter(through(*index))
                        .for_each(|n| n.default_route = true),
                    RouteAttribute::MultiPath(hops) => hops.iter().for_each(|hop| {
                        nics.iter_mut()
                            .filter(through(hop.interface_index))
                            .for_each(|n| n.default_route = true);
                    }),
                    _ => {}
                }
            }
        }
        Ok(nics)
    }
}

async fn all<T>(
    replies: impl Stream<Item = Result<T, rtnetlink::Error>>,
) -> Result<Vec<T>, NetlinkError> {
    let mut replies = std::pin::pin!(replies);
    let mut list = Vec::new();
    while let Some(reply) = replies.next().await {
        list.push(reply?);
    }
    Ok(list)
}

fn nic(message: LinkMessage) -> Option<Nic> {
    let flags = message.header.flags;
    let mut nic = Nic {
        index: message.header.index,
        name: String::new(),
        mac: None,
        up: flags.contains(LinkFlags::Up),
        carrier: flags.contains(LinkFlags::LowerUp),
        speed_mbit: None,
        addresses: Vec::new(),
        default_route: false,
        loopback: flags.contains(LinkFlags::Loopback),
    };
    for attribute in message.attributes {
        match attribute {
            LinkAttribute::IfName(name) => nic.name = name,
            LinkAttribute::Address(octets) => {
                nic.mac = octets.try_into().ok().filter(|mac| *mac != [0; 6]).map(Mac);
            }
            _ => {}
        }
    }
    nic.speed_mbit = speed(&nic.name);
    (!nic.name.is_empty()).then_some(nic)
}

/// Link speed in Mbit/s. The file reads as an error or -1 without a link.
fn speed(name: &str) -> Option<u32> {
    let text = std::fs::read_to_string(format!("/sys/class/net/{name}/speed")).ok()?;
    text.trim().parse().ok().filter(|mbit| *mbit > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_loopback_of_this_machine_is_listed() {
        let nics = Netlink::open().unwrap().list().await.unwrap();
        let lo = nics.iter().find(|n| n.name == "lo").expect("lo");
        assert!(lo.loopback && lo.mac.is_none() && !lo.default_route);
        assert!(lo.addresses.contains(&(Ipv4Addr::LOCALHOST, 8)), "{lo:?}");
    }
}
