//! Finding the network card: the one that booted, or the first that has a cable.

use super::{netlink, sysfs};
use std::path::Path;
use std::time::{Duration, Instant};
use wire::Mac;

const NETWORK: &str = "/sys/class/net";
/// How long a card named on the command line is waited for before any card with a cable will do: a
/// driver may come up late, and a name may be wrong.
const NAMED_PATIENCE: Duration = Duration::from_secs(30);

/// A network card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Card {
    /// Its name, e.g. `eth0`.
    pub(crate) name: String,
    /// Its number in the kernel.
    pub(crate) index: u32,
    /// Its address.
    pub(crate) mac: Mac,
    /// Is there a cable with somebody at its other end?
    pub(crate) carrier: bool,
}

/// The wired Ethernet cards that there are now.
pub(crate) fn cards(root: &Path) -> Vec<Card> {
    sysfs::entries(root)
        .into_iter()
        .filter_map(|path| {
            // Hardware type 1 is Ethernet; wireless cards say it too, and name themselves.
            let wired = sysfs::number::<u32>(&path.join("type"))? == 1
                && !path.join("wireless").exists()
                && !path.join("phy80211").exists()
                && path.join("device").exists();
            wired.then_some(())?;
            Some(Card {
                name: sysfs::name(&path),
                index: sysfs::number(&path.join("ifindex"))?,
                mac: sysfs::text(&path.join("address"))?.parse().ok()?,
                // The file cannot be read while the interface is off.
                carrier: sysfs::number::<u32>(&path.join("carrier")) == Some(1),
            })
        })
        .collect()
}

/// Waits for the card to use, for ever if need be, and says meanwhile what is missing.
pub(crate) fn choose(wanted: Option<Mac>, note: &mut dyn FnMut(&str)) -> Card {
    if let Err(e) = netlink::link_up(1) {
        note(&format!(
            "the loopback interface cannot be switched on: {e}"
        ));
    }
    let started = Instant::now();
    let mut said = String::new();
    loop {
        let cards = cards(Path::new(NETWORK));
        for card in &cards {
            if let Err(e) = netlink::link_up(card.index) {
                note(&format!("{} cannot be switched on: {e}", card.name));
            }
        }
        let insist = wanted.filter(|_| started.elapsed() < NAMED_PATIENCE);
        match pick(&cards, insist, wanted) {
            Ok(card) => return card.clone(),
            Err(words) if words != said => {
                note(&words);
                said = words;
            }
            Err(_) => {}
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// The card to use, or what to wait for. `insist` admits only the named card, `prefer` puts it
/// first.
fn pick(cards: &[Card], insist: Option<Mac>, prefer: Option<Mac>) -> Result<&Card, String> {
    let named = |mac: Option<Mac>| cards.iter().find(|c| Some(c.mac) == mac);
    let card = match (insist, named(prefer)) {
        (_, Some(card)) if card.carrier => Some(card),
        (Some(_), _) => None,
        (None, _) => cards.iter().find(|c| c.carrier),
    };
    card.ok_or_else(|| match (cards, insist) {
        ([], _) => "waiting for a network card".to_owned(),
        (_, Some(mac)) if named(insist).is_none() => {
            format!("waiting for the network card {mac}")
        }
        _ => "waiting for the network cable".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn card(n: u8, carrier: bool) -> Card {
        Card {
            name: format!("eth{n}"),
            index: n.into(),
            mac: Mac([2, 0, 0, 0, 0, n]),
            carrier,
        }
    }

    #[test]
    fn the_card_that_booted_is_used_and_any_other_only_when_it_stays_away() {
        let cards = [card(1, true), card(2, true), card(3, false)];
        let two = Some(cards[1].mac);
        assert_eq!(pick(&cards, two, two).unwrap().name, "eth2");
        assert_eq!(pick(&cards, None, None).unwrap().name, "eth1");
        let three = Some(cards[2].mac);
        let words = pick(&cards, three, three).unwrap_err();
        assert_eq!(words, "waiting for the network cable");
        assert_eq!(pick(&cards, None, three).unwrap().name, "eth1");
        let none = Some(card(9, true).mac);
        assert!(
            pick(&cards, none, none)
                .unwrap_err()
                .contains("02:00:00:00:00:09")
        );
        assert!(pick(&[], None, None).unwrap_err().contains("network card"));
    }

    #[test]
    fn only_wired_cards_count() {
        let dir = tempfile::tempdir().unwrap();
        let make = |name: &str, kind: &str, extra: &[&str]| {
            let path = dir.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::write(path.join("type"), kind).unwrap();
            fs::write(path.join("ifindex"), "7\n").unwrap();
            fs::write(path.join("address"), "02:00:00:00:00:01\n").unwrap();
            for folder in extra {
                fs::create_dir(path.join(folder)).unwrap();
            }
        };
        make("eth0", "1\n", &["device"]);
        make("wlan0", "1\n", &["device", "wireless"]);
        make("lo", "772\n", &[]);
        make("br0", "1\n", &[]);
        let found = cards(dir.path());
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].name.as_str(), found[0].carrier), ("eth0", false));
    }
}
