//! May this NIC be used with this address? The one rule that every request has to pass.

use crate::words::{Denied, Reason};
use std::net::Ipv4Addr;

/// A network card as the kernel describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Nic {
    /// The kernel's number for it.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// A remark beside its name.
    pub alias: String,
    /// Is it switched on?
    pub up: bool,
    /// Is it the loopback?
    pub loopback: bool,
    /// Does it speak Ethernet?
    pub ethernet: bool,
    /// Does a default route leave through it?
    pub default_route: bool,
    /// Its IPv4 addresses.
    pub addresses: Vec<Address>,
}

/// An address of a NIC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub ip: Ipv4Addr,
    /// Length of its network's prefix in bits.
    pub prefix: u8,
    /// Does it carry our mark?
    pub marked: bool,
}

/// The NIC and the address that a station wants to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Name of the NIC.
    pub nic: String,
    /// The station's address.
    pub address: Ipv4Addr,
    /// Length of the network prefix in bits.
    pub prefix: u8,
    /// Also when the default route leaves through it.
    pub force_default_route: bool,
}

/// The NIC, if it may be used.
pub fn fit<'n>(nics: &'n [Nic], wish: &Wish) -> Result<&'n Nic, Denied> {
    let name = &wish.nic;
    let Some(nic) = nics.iter().find(|n| n.name == *name) else {
        let text = format!("there is no network card {name}");
        return Err(Denied::new(Reason::Missing, text));
    };
    let forbidden = |text: String| Err(Denied::new(Reason::Forbidden, text));
    if nic.loopback || !nic.ethernet {
        return forbidden(format!("{name} is no Ethernet card"));
    }
    if nic.default_route && !wish.force_default_route {
        return forbidden(format!("the default route leaves through {name}"));
    }
    if !is_host(wish.address, wish.prefix) {
        let (ip, prefix) = (wish.address, wish.prefix);
        return forbidden(format!("{ip}/{prefix} is no address that a card may have"));
    }
    // Traffic for the other card's network would leave through this one.
    let others = nics.iter().filter(|n| n.index != nic.index);
    let mut others = others.flat_map(|n| n.addresses.iter().map(move |a| (n, a)));
    if let Some((other, own)) = others.find(|(_, a)| overlap(wish, **a)) {
        return forbidden(format!(
            "{}/{} lies in the network of {}, which has {}/{}",
            wish.address, wish.prefix, other.name, own.ip, own.prefix
        ));
    }
    Ok(nic)
}

fn mask(prefix: u8) -> u32 {
    u32::MAX
        .checked_shl(32 - u32::from(prefix.min(32)))
        .unwrap_or(0)
}

fn is_host(ip: Ipv4Addr, prefix: u8) -> bool {
    let host = ip.to_bits() & !mask(prefix);
    let special = ip.is_loopback() || ip.is_multicast() || ip.is_unspecified();
    (8..=30).contains(&prefix) && !special && host != 0 && host != !mask(prefix)
}

fn overlap(wish: &Wish, other: Address) -> bool {
    let shared = mask(wish.prefix.min(other.prefix));
    wish.address.to_bits() & shared == other.ip.to_bits() & shared
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(name: &str, index: u32) -> Nic {
        Nic {
            index,
            name: name.to_owned(),
            up: true,
            ethernet: true,
            ..Nic::default()
        }
    }

    fn wish(nic: &str) -> Wish {
        Wish {
            nic: nic.to_owned(),
            address: Ipv4Addr::new(192, 168, 151, 1),
            prefix: 24,
            force_default_route: false,
        }
    }

    fn with(nic: &Nic, ip: [u8; 4], prefix: u8) -> Nic {
        let address = Address {
            ip: ip.into(),
            prefix,
            marked: false,
        };
        Nic {
            addresses: vec![address],
            ..nic.clone()
        }
    }

    #[test]
    fn only_a_card_of_its_own_is_fit() {
        let eth1 = card("eth1", 3);
        assert_eq!(fit(std::slice::from_ref(&eth1), &wish("eth1")), Ok(&eth1));
        let way_out = Nic {
            default_route: true,
            ..eth1.clone()
        };
        let loopback = Nic {
            loopback: true,
            ..eth1.clone()
        };
        let tunnel = Nic {
            ethernet: false,
            ..eth1.clone()
        };
        for (nic, part) in [
            (&way_out, "default route"),
            (&loopback, "no Ethernet"),
            (&tunnel, "no Ethernet"),
        ] {
            let denied = fit(std::slice::from_ref(nic), &wish("eth1")).unwrap_err();
            assert_eq!(denied.reason, Reason::Forbidden);
            assert!(denied.text.contains(part), "{denied}");
        }
        let mut forced = wish("eth1");
        forced.force_default_route = true;
        assert!(fit(&[way_out], &forced).is_ok());
        let missing = fit(&[eth1], &wish("eth7")).unwrap_err();
        assert_eq!(missing.reason, Reason::Missing);
    }

    #[test]
    fn an_address_that_is_none_or_belongs_elsewhere_is_refused() {
        let eth1 = card("eth1", 3);
        let said = |address: [u8; 4], prefix, others: &[Nic]| {
            let mut wish = wish("eth1");
            (wish.address, wish.prefix) = (address.into(), prefix);
            let mut nics = vec![eth1.clone()];
            nics.extend_from_slice(others);
            fit(&nics, &wish).map(|_| ()).map_err(|e| e.text)
        };
        for (address, prefix) in [
            ([127, 0, 0, 1], 8),
            ([224, 0, 0, 1], 24),
            ([0, 0, 0, 0], 8),
            ([10, 0, 0, 0], 24),
            ([10, 0, 0, 255], 24),
            ([10, 0, 0, 1], 0),
            ([10, 0, 0, 1], 32),
            ([10, 0, 0, 1], 200),
        ] {
            assert!(said(address, prefix, &[]).is_err(), "{address:?}/{prefix}");
        }
        let office = with(&card("eth0", 2), [10, 1, 2, 3], 16);
        let others = std::slice::from_ref(&office);
        assert!(
            said([10, 1, 9, 9], 24, others)
                .unwrap_err()
                .contains("eth0")
        );
        assert!(said([10, 200, 0, 1], 8, others).is_err());
        assert_eq!(said([10, 2, 0, 1], 16, others), Ok(()));
        // What the card has itself is no obstacle.
        let own = with(&eth1, [192, 168, 151, 7], 24);
        assert!(fit(&[own], &wish("eth1")).is_ok());
    }
}
