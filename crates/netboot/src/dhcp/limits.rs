//! How often one fact is told, and how fast one client is answered. Both forget rather than grow,
//! because Ethernet addresses cost an attacker nothing.

use std::collections::HashMap;
use std::hash::Hash;
use wire::Millis;

/// Packets a client may send at once. A whole exchange takes two; five retries of both fit.
pub(super) const BURST: u32 = 12;
/// Packets a second a client may send for ever. One early Pi 4 image retries every 15 ms.
pub(super) const RATE: u32 = 4;
/// Most facts kept in mind.
const MOST: usize = 8192;

/// Facts told at most once in a while.
#[derive(Debug)]
pub(super) struct Told<K> {
    pause_ms: i64,
    at: HashMap<K, Millis>,
}

impl<K: Eq + Hash> Told<K> {
    /// Facts are told again after this many milliseconds.
    pub(super) fn every(pause_ms: i64) -> Self {
        let at = HashMap::new();
        Self { pause_ms, at }
    }

    /// True when the fact is due to be told now.
    pub(super) fn is_due(&mut self, fact: K, now: Millis) -> bool {
        let pause = self.pause_ms;
        // A clock that was set back must not silence anything for long.
        let recent = |at: &Millis| (0..pause).contains(&now.since(*at));
        if self.at.get(&fact).is_some_and(recent) {
            return false;
        }
        if self.at.len() >= MOST {
            self.at.retain(|_, at| recent(at));
        }
        if self.at.len() >= MOST {
            // More strangers in a minute than a site has devices: somebody makes them up.
            return false;
        }
        self.at.insert(fact, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::Mac;

    fn mac(n: u32) -> Mac {
        let [_, high, middle, low] = n.to_be_bytes();
        Mac([2, 0, 0, high, middle, low])
    }

    #[test]
    fn made_up_clients_do_not_grow_the_table() {
        let mut told = Told::every(60_000);
        for n in 0..50_000 {
            told.is_due(mac(n), Millis(0));
        }
        assert!(told.at.len() <= MOST);
        assert!(
            told.is_due(mac(99_999), Millis(60_000)),
            "room again after the pause"
        );
    }

    #[test]
    fn a_fact_is_told_once_in_its_pause() {
        let mut told = Told::every(60_000);
        let due: Vec<_> = [0, 1, 59_999, 60_000, 61_000]
            .map(|t| told.is_due(7, Millis(t)))
            .into();
        assert_eq!(due, [true, false, false, true, false]);
    }
}
