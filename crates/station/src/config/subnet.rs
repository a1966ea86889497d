//! An IPv4 address with its prefix, and a range of addresses inside it.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

/// An address together with the size of its network: `192.168.151.1/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subnet {
    /// The address itself, not the network's.
    pub address: Ipv4Addr,
    /// Length of the network prefix in bits, 8 to 30.
    pub prefix: u8,
}

/// A range of addresses, both ends included: `192.168.151.100-192.168.151.250`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseRange {
    /// The first address.
    pub first: Ipv4Addr,
    /// The last address, not below the first.
    pub last: Ipv4Addr,
}

/// Why a text is not a subnet or a range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubnetError {
    /// Not of the form address/prefix.
    #[error("{0:?} is not an address with its prefix, such as 192.168.151.1/24")]
    NotASubnet(String),
    /// A prefix that leaves no room, or far too much.
    #[error("the prefix /{0} cannot be used; /8 to /30 can")]
    Prefix(u8),
    /// The network's own or its broadcast address.
    #[error("{0} is the {1} address of its network; a host needs another one")]
    NotAHost(Ipv4Addr, &'static str),
    /// Not of the form first-last.
    #[error("{0:?} is not a range of addresses, such as 192.168.151.100-192.168.151.250")]
    NotARange(String),
    /// The ends are the wrong way round.
    #[error("the range runs backwards: {0} comes after {1}")]
    Backwards(Ipv4Addr, Ipv4Addr),
}

impl Subnet {
    /// The network mask.
    pub fn mask(&self) -> Ipv4Addr {
        Ipv4Addr::from_bits(u32::MAX << (32 - u32::from(self.prefix)))
    }

    /// The network's own address.
    pub fn network(&self) -> Ipv4Addr {
        self.address & self.mask()
    }

    /// The network's broadcast address.
    pub fn broadcast(&self) -> Ipv4Addr {
        self.network() | !self.mask()
    }

    /// True for an address that a host of this network may have.
    pub fn has_host(&self, ip: Ipv4Addr) -> bool {
        ip & self.mask() == self.network() && ip != self.network() && ip != self.broadcast()
    }

    /// True when the network of `other`, an address with its prefix, shares addresses with this one.
    pub fn overlaps(&self, other: (Ipv4Addr, u8)) -> bool {
        let (ip, prefix) = other;
        let shared = self.prefix.min(prefix);
        let mask = u32::MAX.checked_shl(32 - u32::from(shared)).unwrap_or(0);
        self.address.to_bits() & mask == ip.to_bits() & mask
    }

    /// The upper part of the network, the station's own address left out: what is handed out when
    /// nothing else was said. `.100` to `.250` in a /24.
    pub fn usual_leases(&self) -> LeaseRange {
        let (low, high) = (self.network().to_bits(), self.broadcast().to_bits());
        let own = self.address.to_bits();
        let (first, last) = if high - low >= 255 {
            (low + 100, low + 250)
        } else {
            (low + (high - low).div_ceil(2), high - 1)
        };
        let sides = |first: u32, last: u32| [(own + 1, last), (first, own - 1)];
        let mut choices = vec![(first, last)];
        if (first..=last).contains(&own) {
            // The larger side of the station's own address, in the usual part or in all of it.
            choices = sides(first, last).to_vec();
            choices.sort_by_key(|(a, b)| std::cmp::Reverse(i64::from(*b) - i64::from(*a)));
            choices.extend(sides(low + 1, high - 1));
        }
        let (first, last) = choices
            .into_iter()
            .find(|(a, b)| a <= b)
            .unwrap_or((own, own));
        LeaseRange {
            first: first.into(),
            last: last.into(),
        }
    }
}

impl LeaseRange {
    /// True when `ip` lies in the range.
    pub fn contains(&self, ip: Ipv4Addr) -> bool {
        (self.first..=self.last).contains(&ip)
    }

    /// Number of addresses.
    pub fn count(&self) -> u64 {
        u64::from(self.last.to_bits() - self.first.to_bits()) + 1
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl fmt::Display for LeaseRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

impl FromStr for Subnet {
    type Err = SubnetError;
    fn from_str(text: &str) -> Result<Self, SubnetError> {
        let wrong = || SubnetError::NotASubnet(text.to_owned());
        let (address, prefix) = text.split_once('/').ok_or_else(wrong)?;
        let subnet = Self {
            address: address.trim().parse().map_err(|_| wrong())?,
            prefix: prefix.trim().parse().map_err(|_| wrong())?,
        };
        if !(8..=30).contains(&subnet.prefix) {
            return Err(SubnetError::Prefix(subnet.prefix));
        }
        for (special, name) in [
            (subnet.network(), "network"),
            (subnet.broadcast(), "broadcast"),
        ] {
            if subnet.address == special {
                return Err(SubnetError::NotAHost(subnet.address, name));
            }
        }
        Ok(subnet)
    }
}

impl FromStr for LeaseRange {
    type Err = SubnetError;
    fn from_str(text: &str) -> Result<Self, SubnetError> {
        let wrong = || SubnetError::NotARange(text.to_owned());
        let (first, last) = text.split_once('-').ok_or_else(wrong)?;
        let first: Ipv4Addr = first.trim().parse().map_err(|_| wrong())?;
        let last: Ipv4Addr = last.trim().parse().map_err(|_| wrong())?;
        if first > last {
            return Err(SubnetError::Backwards(first, last));
        }
        Ok(Self { first, last })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_leases_never_hold_the_station_and_stay_inside() {
        for text in [
            "192.168.151.1/24",
            "192.168.151.120/24",
            "192.168.151.240/24",
            "10.0.0.1/8",
            "10.0.0.1/30",
            "10.0.0.2/30",
            "10.1.1.5/29",
            "10.1.1.6/29",
        ] {
            let subnet: Subnet = text.parse().unwrap();
            let leases = subnet.usual_leases();
            assert!(!leases.contains(subnet.address), "{text}: {leases}");
            assert!(subnet.has_host(leases.first), "{text}: {leases}");
            assert!(subnet.has_host(leases.last), "{text}: {leases}");
        }
        let usual: Subnet = "192.168.151.1/24".parse().unwrap();
        assert_eq!(
            usual.usual_leases().to_string(),
            "192.168.151.100-192.168.151.250"
        );
    }

    #[test]
    fn impossible_networks_are_refused_with_the_reason() {
        for (text, part) in [
            ("192.168.151.1", "with its prefix"),
            ("192.168.151.1/33", "/33"),
            ("192.168.151.0/24", "network address"),
            ("192.168.151.255/24", "broadcast address"),
            ("192.168.151.300/24", "with its prefix"),
        ] {
            let said = text.parse::<Subnet>().unwrap_err().to_string();
            assert!(said.contains(part), "{text}: {said}");
        }
        assert!("10.0.0.9-10.0.0.1".parse::<LeaseRange>().is_err());
        assert!("10.0.0.9".parse::<LeaseRange>().is_err());
    }
}
