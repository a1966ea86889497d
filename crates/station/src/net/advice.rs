//! The network cards as the operator sees them, each with what speaks for or against it.

use super::footing::{Footing, footing};
use super::nics::Nic;
use crate::config::Deployment;
use wire::event::Level;
use wire::nic::NicAdvice;

/// Every card that boards could hang on; the loopback is none.
pub fn cards(nics: &[Nic], deployment: &Deployment) -> Vec<wire::nic::Nic> {
    let cards = nics.iter().filter(|n| !n.loopback);
    cards
        .map(|nic| wire::nic::Nic {
            name: nic.name.clone(),
            mac: nic.mac,
            up: nic.up,
            carrier: nic.carrier,
            speed_mbit: nic.speed_mbit,
            addresses: nic
                .addresses
                .iter()
                .map(|(ip, prefix)| format!("{ip}/{prefix}"))
                .collect(),
            default_route: nic.default_route,
            chosen: deployment.interface.as_ref() == Some(&nic.name),
            advice: Some(advice(nic, nics, deployment)),
        })
        .collect()
}

fn advice(nic: &Nic, nics: &[Nic], deployment: &Deployment) -> NicAdvice {
    let say = |level, text: String| NicAdvice { level, text };
    if nic.mac.is_none() {
        let text = format!("{} is no Ethernet card; no board can hang on it.", nic.name);
        return say(Level::Error, text);
    }
    if nic.default_route {
        let text = format!(
            "{} leads to other networks. Choose it only if nothing but boards hangs on it.",
            nic.name
        );
        return say(Level::Warning, text);
    }
    let wanted = Deployment {
        interface: Some(nic.name.clone()),
        ..deployment.clone()
    };
    match footing(nics, &wanted, true) {
        Footing::Refused(why) => say(Level::Error, why.to_string()),
        Footing::NoLink { why, .. } => say(Level::Info, format!("{why}.")),
        Footing::Linked(_) => match nic.speed_mbit {
            Some(mbit) if mbit < 1000 => {
                let text = format!("It runs at {mbit} Mbit/s; every board shares that.");
                say(Level::Info, text)
            }
            _ => say(
                Level::Info,
                "It has a link, and no other network behind it.".to_owned(),
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Environment};
    use wire::Mac;

    fn card(name: &str) -> Nic {
        Nic {
            index: 2,
            name: name.to_owned(),
            mac: Some(Mac([2, 0, 0, 0, 0, 1])),
            up: true,
            carrier: true,
            speed_mbit: Some(1000),
            addresses: vec![([192, 168, 151, 1].into(), 24)],
            default_route: false,
            loopback: false,
        }
    }

    #[test]
    fn each_card_says_what_speaks_against_it() {
        let loopback = Nic {
            loopback: true,
            mac: None,
            ..card("lo")
        };
        let office = Nic {
            default_route: true,
            ..card("wlan0")
        };
        let tunnel = Nic {
            mac: None,
            ..card("tun0")
        };
        let unplugged = Nic {
            carrier: false,
            ..card("eth2")
        };
        let mut deployment = Config::defaults(&Environment::default()).deployment;
        deployment.interface = Some("eth1".to_owned());
        let nics = [loopback, office, tunnel, unplugged, card("eth1")];
        let cards = cards(&nics, &deployment);
        let levels: Vec<_> = cards
            .iter()
            .map(|c| (c.name.as_str(), c.chosen, c.advice.clone().map(|a| a.level)))
            .collect();
        assert_eq!(
            levels,
            [
                ("wlan0", false, Some(Level::Warning)),
                ("tun0", false, Some(Level::Error)),
                ("eth2", false, Some(Level::Info)),
                ("eth1", true, Some(Level::Info)),
            ]
        );
        let said = |at: usize| cards[at].advice.clone().map(|a| a.text).unwrap_or_default();
        assert!(said(2).contains("no link"), "{}", said(2));
        assert_eq!(cards[3].addresses, ["192.168.151.1/24"]);
    }
}
