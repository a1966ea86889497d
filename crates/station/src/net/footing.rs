//! May the station serve on this NIC? The pure rule, from a list of cards to a verdict in words.

use super::nics::Nic;
use crate::config::Deployment;

/// What the station stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Footing {
    /// It will not serve on that NIC until a person changes something.
    Refused(Unfit),
    /// It will serve as soon as this has passed.
    Waiting {
        /// What is missing, in words.
        why: String,
        /// The NIC, when there is one that only lacks its address.
        lacks_address: Option<Nic>,
    },
    /// It may serve.
    Ready(Nic),
}

/// Why a NIC cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Nobody chose one.
    #[error(
        "no interface is chosen for the boards. Set `interface` under [deployment] to one of: {0}."
    )]
    NotChosen(String),
    /// There is none of that name.
    #[error("there is no interface {name}. This machine has: {others}.")]
    NoSuch {
        /// The name that was asked for.
        name: String,
        /// The ones that exist, described.
        others: String,
    },
    /// It leads out of the house.
    #[error(
        "{0} holds the default route, so it leads to a network that is not only boards. Choose \
         another interface, or set `force_default_route = true` if this is meant."
    )]
    DefaultRoute(String),
    /// Boards cannot hang on it.
    #[error("{0} is the loopback; no board hangs on it. Choose another interface.")]
    Loopback(String),
}

/// The verdict on the configured NIC. `known` is true once it was seen in this run, so that an
/// unplugged USB adapter is waited for instead of being called a wrong name.
pub fn footing(nics: &[Nic], deployment: &Deployment, known: bool) -> Footing {
    let Some(name) = &deployment.interface else {
        return Footing::Refused(Unfit::NotChosen(describe(nics)));
    };
    let wait = |why: String| Footing::Waiting {
        why,
        lacks_address: None,
    };
    let Some(nic) = nics.iter().find(|n| n.name == *name) else {
        if known {
            return wait(format!("{name} is gone; plug it in again"));
        }
        let (name, others) = (name.clone(), describe(nics));
        return Footing::Refused(Unfit::NoSuch { name, others });
    };
    if nic.loopback {
        return Footing::Refused(Unfit::Loopback(name.clone()));
    }
    if nic.default_route && !deployment.force_default_route {
        return Footing::Refused(Unfit::DefaultRoute(name.clone()));
    }
    let address = deployment.address;
    let has_address = nic.addresses.iter().any(|(ip, _)| *ip == address.address);
    if !has_address {
        return Footing::Waiting {
            why: format!("{name} does not have the address {address} yet"),
            lacks_address: Some(nic.clone()),
        };
    }
    if !nic.up {
        return wait(format!("{name} is switched off"));
    }
    if !nic.carrier {
        return wait(format!(
            "{name} has no link; check the cable and the switch"
        ));
    }
    Footing::Ready(nic.clone())
}

/// The cards that boards could hang on, each with the facts that help to choose.
fn describe(nics: &[Nic]) -> String {
    let list: Vec<String> = nics
        .iter()
        .filter(|n| !n.loopback)
        .map(|n| {
            let mut facts = Vec::new();
            if n.default_route {
                facts.push("default route".to_owned());
            }
            facts.push(match (n.carrier, n.speed_mbit) {
                (false, _) => "no link".to_owned(),
                (true, None) => "link".to_owned(),
                (true, Some(mbit)) => format!("{mbit} Mbit/s"),
            });
            format!("{} ({})", n.name, facts.join(", "))
        })
        .collect();
    if list.is_empty() {
        return "none but the loopback".to_owned();
    }
    list.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Environment};

    fn card(name: &str) -> Nic {
        Nic {
            index: 2,
            name: name.to_owned(),
            mac: None,
            up: true,
            carrier: true,
            speed_mbit: Some(1000),
            addresses: vec![("192.168.151.1".parse().unwrap(), 24)],
            default_route: false,
            loopback: false,
        }
    }

    fn on(name: &str) -> Deployment {
        let mut deployment = Config::defaults(&Environment::default()).deployment;
        deployment.interface = Some(name.to_owned());
        deployment
    }

    #[test]
    fn a_card_with_its_address_and_a_link_carries_the_station() {
        let nics = [card("eth0"), card("eth1")];
        assert_eq!(
            footing(&nics, &on("eth1"), false),
            Footing::Ready(card("eth1"))
        );
    }

    #[test]
    fn an_unknown_name_lists_what_exists_but_a_lost_card_is_waited_for() {
        let mut dead = card("eth1");
        dead.carrier = false;
        let nics = [card("eth0"), dead];
        let Footing::Refused(why) = footing(&nics, &on("eth7"), false) else {
            panic!("was not refused")
        };
        let said = why.to_string();
        assert!(
            said.contains("eth0 (1000 Mbit/s), eth1 (no link)"),
            "{said}"
        );
        assert!(matches!(
            footing(&nics, &on("eth7"), true),
            Footing::Waiting { .. }
        ));
    }

    #[test]
    fn the_default_route_is_refused_unless_forced() {
        let mut way_out = card("eth0");
        way_out.default_route = true;
        let nics = [way_out.clone()];
        let mut deployment = on("eth0");
        let refused = footing(&nics, &deployment, false);
        assert_eq!(
            refused,
            Footing::Refused(Unfit::DefaultRoute("eth0".to_owned()))
        );
        deployment.force_default_route = true;
        assert_eq!(footing(&nics, &deployment, false), Footing::Ready(way_out));
    }

    #[test]
    fn a_missing_link_or_address_is_waited_for() {
        let mut nic = card("eth1");
        nic.carrier = false;
        let verdict = footing(std::slice::from_ref(&nic), &on("eth1"), false);
        assert!(
            matches!(&verdict, Footing::Waiting { why, lacks_address: None } if why.contains("no link")),
            "{verdict:?}"
        );
        nic.addresses.clear();
        let verdict = footing(std::slice::from_ref(&nic), &on("eth1"), false);
        assert!(
            matches!(&verdict, Footing::Waiting { lacks_address: Some(n), .. } if *n == nic),
            "{verdict:?}"
        );
    }

    #[test]
    fn without_a_choice_the_cards_are_listed() {
        let mut deployment = on("eth1");
        deployment.interface = None;
        let Footing::Refused(why) = footing(&[card("eth1")], &deployment, false) else {
            panic!("was not refused")
        };
        assert!(why.to_string().contains("eth1 (1000 Mbit/s)"), "{why}");
    }
}
