//! Keeps boards away from the door for operators.
//!
//! Where that door listens does not decide it: `0.0.0.0` is on the boards' card too, and Linux takes a
//! packet for any address of the machine on any of its cards. So both ends of each connection are looked
//! at, and whoever hangs where boards hang is gone before a byte is answered.

use super::listen::Ends;
use crate::config::Deployment;
use nix::ifaddrs::{InterfaceAddress, getifaddrs};
use nix::net::if_::{InterfaceFlags, if_nametoindex};
use nix::sys::socket::SockaddrStorage;
use std::net::{IpAddr, SocketAddr};
use tokio::sync::watch;

/// Where boards hang, as it is chosen at this moment.
#[derive(Debug, Clone)]
pub struct Apart(watch::Receiver<Deployment>);

impl Apart {
    /// Follows the deployment side.
    pub fn new(deployment: watch::Receiver<Deployment>) -> Self {
        Self(deployment)
    }

    /// Does a connection come from where boards hang?
    pub fn bars(&self, ends: Ends) -> bool {
        bars(&self.0.borrow(), ends)
    }

    /// Returns once boards are served where an open connection comes from.
    pub async fn reaches(mut self, ends: Ends) {
        let reached = self.0.wait_for(|deployment| bars(deployment, ends));
        let over = reached.await.is_err();
        if over {
            // Nobody chooses any more: the station stops.
            std::future::pending::<()>().await;
        }
    }
}

fn bars(deployment: &Deployment, ends: Ends) -> bool {
    // Without a card nobody hangs there, and a rehearsal stands on the loopback.
    let Some(card) = &deployment.interface else {
        return false;
    };
    let in_network = |end: SocketAddr| match end.ip().to_canonical() {
        IpAddr::V4(ip) => deployment.address.overlaps((ip, 32)),
        IpAddr::V6(_) => false,
    };
    let mut ends = [ends.peer, ends.own].into_iter().flatten();
    // A card with the default route is shared on purpose: operators may hang on it beside the boards.
    ends.any(|end| in_network(end) || (!deployment.force_default_route && is_on(card, end)))
}

/// Is an end of a connection in a network that this card has?
fn is_on(card: &str, end: SocketAddr) -> bool {
    if let SocketAddr::V6(at) = end
        && at.ip().is_unicast_link_local()
    {
        // Every card has this network; the number of the card tells them apart.
        return if_nametoindex(card).is_ok_and(|number| number == at.scope_id());
    }
    let ip = end.ip().to_canonical();
    let own = |one: &InterfaceAddress| {
        one.interface_name == card && !one.flags.contains(InterfaceFlags::IFF_LOOPBACK)
    };
    let all = getifaddrs().into_iter().flatten();
    all.filter(own).any(|one| {
        let network = (one.address.and_then(ip_of), one.netmask.and_then(ip_of));
        matches!(network, (Some(address), Some(mask)) if share(ip, address, mask))
    })
}

fn ip_of(at: SockaddrStorage) -> Option<IpAddr> {
    let v4 = at.as_sockaddr_in().map(|at| at.ip().into());
    v4.or_else(|| at.as_sockaddr_in6().map(|at| at.ip().into()))
}

/// Do two addresses share a network of this mask?
fn share(one: IpAddr, other: IpAddr, mask: IpAddr) -> bool {
    match (one, other, mask) {
        (IpAddr::V4(one), IpAddr::V4(other), IpAddr::V4(mask)) => one & mask == other & mask,
        (IpAddr::V6(one), IpAddr::V6(other), IpAddr::V6(mask)) => one & mask == other & mask,
        _ => false,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::config::{Config, Environment};

    /// Boards on a card of this machine or of none, in this network.
    pub(in super::super) fn deployment(interface: Option<&str>, address: &str) -> Deployment {
        let mut deployment = Config::defaults(&Environment::default()).deployment;
        deployment.interface = interface.map(str::to_owned);
        deployment.address = address.parse().unwrap();
        deployment
    }

    fn ends(peer: &str, own: &str) -> Ends {
        Ends {
            peer: Some(peer.parse().unwrap()),
            own: Some(own.parse().unwrap()),
            user: None,
        }
    }

    #[test]
    fn whoever_hangs_where_boards_hang_is_barred_whatever_address_they_ask() {
        let boards = deployment(Some("no-card"), "192.168.151.1/24");
        for (peer, own) in [
            ("192.168.151.100:4000", "192.168.151.1:5000"),
            ("192.168.151.100:4000", "10.0.0.5:5000"),
            ("10.9.9.9:4000", "192.168.151.1:5000"),
            ("[::ffff:192.168.151.100]:4000", "[::ffff:10.0.0.5]:5000"),
        ] {
            assert!(bars(&boards, ends(peer, own)), "{peer} {own}");
        }
        for (peer, own) in [
            ("192.168.150.100:4000", "192.168.150.1:5000"),
            ("127.0.0.1:4000", "127.0.0.1:5000"),
            ("[2001:db8::7]:4000", "[2001:db8::1]:5000"),
        ] {
            assert!(!bars(&boards, ends(peer, own)), "{peer} {own}");
        }
    }

    #[test]
    fn nobody_is_barred_without_a_card_and_the_loopback_is_none() {
        let here = ends("127.0.0.1:4000", "127.0.0.1:5000");
        assert!(!bars(&deployment(None, "127.0.0.1/8"), here));
        assert!(!bars(&deployment(Some("lo"), "192.168.151.1/24"), here));
        assert!(!is_on("lo", "127.0.0.1:4000".parse().unwrap()));
    }

    #[test]
    fn a_link_of_ipv6_is_known_by_the_number_of_its_card() {
        let mut boards = deployment(Some("lo"), "192.168.151.1/24");
        let number = if_nametoindex("lo").unwrap();
        let here = ends(
            &format!("[fe80::7%{number}]:4000"),
            &format!("[fe80::1%{number}]:5000"),
        );
        let elsewhere = ends("[fe80::7%99999]:4000", "[fe80::1%99999]:5000");
        assert!(bars(&boards, here) && !bars(&boards, elsewhere));
        boards.force_default_route = true;
        assert!(!bars(&boards, here), "a shared card");
    }

    #[test]
    fn networks_are_compared_by_their_mask() {
        let share = |one: &str, other: &str, mask: &str| {
            share(
                one.parse().unwrap(),
                other.parse().unwrap(),
                mask.parse().unwrap(),
            )
        };
        assert!(share("169.254.9.9", "169.254.1.1", "255.255.0.0"));
        assert!(!share("169.253.9.9", "169.254.1.1", "255.255.0.0"));
        assert!(share("2001:db8::9", "2001:db8::1", "ffff:ffff:ffff:ffff::"));
        assert!(!share(
            "2001:db9::9",
            "2001:db8::1",
            "ffff:ffff:ffff:ffff::"
        ));
        assert!(!share("::1", "127.0.0.1", "255.0.0.0"));
    }
}
