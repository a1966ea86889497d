//! May the station stand on this NIC? The pure rule, from a list of cards to a verdict in words.

use super::nics::Nic;
use crate::config::Deployment;

/// What the station stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Footing {
    /// It will not serve on that NIC until a person changes something.
    Refused(Unfit),
    /// The NIC is the right one but nobody can be reached through it now.
    NoLink {
        /// Why, in words.
        why: String,
        /// The NIC, unless it is gone.
        nic: Option<Nic>,
    },
    /// The NIC has a link. Its address may still be missing.
    Linked(Nic),
}

/// Why a NIC cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Nobody chose one.
    #[error(
        "no network card is chosen for the boards. Choose one in the settings, or set `interface` \
         under [deployment] to one of: {0}."
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
    let Some(nic) = nics.iter().find(|n| n.name == *name) else {
        if known {
            let why = format!("{name} is gone; plug it in again");
            return Footing::NoLink { why, nic: None };
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
    let why = match (nic.up, nic.carrier) {
        (true, true) => return Footing::Linked(nic.clone()),
        (false, _) => format!("{name} is switched off"),
        (true, false) => format!("{name} has no link; check the cable and the switch"),
    };
    let nic = Some(nic.clone());
    Footing::NoLink { why, nic }
}

/// The cards that boards could hang on, each with the facts that help to choose.
fn describe(nics: &[Nic]) -> String {
    let list: Vec<String> = nics
        .iter()
        .filter(|n| !n.loopback)
        .map(|n| {
            let route = if n.default_route {
                "default route, "
            } else {
                ""
            };
            format!("{} ({route}{})", n.name, n.link_words())
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
            addresses: Vec::new(),
            default_route: false,
            loopback: false,
        }
    }

    fn on(name: &str) -> Deployment {
        let mut deployment = Config::defaults(&Environment::default()).deployment;
        deployment.interface = Some(name.to_owned());
        deployment
    }

    fn refusal(nics: &[Nic], deployment: &Deployment) -> String {
        match footing(nics, deployment, false) {
            Footing::Refused(why) => why.to_string(),
            other => panic!("was not refused: {other:?}"),
        }
    }

    #[test]
    fn a_card_with_a_link_carries_the_station() {
        let nics = [card("eth0"), card("eth1")];
        let verdict = footing(&nics, &on("eth1"), false);
        assert_eq!(verdict, Footing::Linked(card("eth1")));
    }

    #[test]
    fn an_unknown_name_lists_what_exists_but_a_lost_card_is_waited_for() {
        let mut dead = card("eth1");
        dead.carrier = false;
        let nics = [card("eth0"), dead];
        let said = refusal(&nics, &on("eth7"));
        assert!(
            said.contains("eth0 (1000 Mbit/s), eth1 (no link)"),
            "{said}"
        );
        let lost = footing(&nics, &on("eth7"), true);
        assert!(
            matches!(lost, Footing::NoLink { nic: None, .. }),
            "{lost:?}"
        );
    }

    #[test]
    fn the_default_route_is_refused_unless_forced() {
        let mut way_out = card("eth0");
        way_out.default_route = true;
        let nics = [way_out.clone()];
        let mut deployment = on("eth0");
        assert!(refusal(&nics, &deployment).contains("default route"));
        deployment.force_default_route = true;
        assert_eq!(footing(&nics, &deployment, false), Footing::Linked(way_out));
    }

    #[test]
    fn a_missing_link_is_waited_for() {
        let mut nic = card("eth1");
        nic.carrier = false;
        let verdict = footing(std::slice::from_ref(&nic), &on("eth1"), false);
        assert!(
            matches!(&verdict, Footing::NoLink { why, nic: Some(n) } if why.contains("no link") && *n == nic),
            "{verdict:?}"
        );
    }

    #[test]
    fn without_a_choice_the_cards_are_listed() {
        let mut deployment = on("eth1");
        deployment.interface = None;
        let said = refusal(&[card("eth1")], &deployment);
        assert!(said.contains("eth1 (1000 Mbit/s)"), "{said}");
    }
}
