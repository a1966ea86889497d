//! Two small limits against chatter: how fast one client is answered, and how often one fact is
//! told. Both forget rather than grow, because Ethernet addresses cost an attacker nothing.

use std::collections::HashMap;
use std::hash::Hash;
use wire::{Mac, Millis};

/// Packets a client may send at once. A whole exchange takes two; five retries of both fit.
const BURST: i64 = 12;
/// Packets a second a client may send for ever. One early Pi 4 image retries every 15 ms.
const RATE: i64 = 4;
/// Most clients or facts kept in mind.
const MOST: usize = 8192;

/// A token bucket for each client. Tokens are counted in thousandths.
#[derive(Debug, Default)]
pub(super) struct Buckets(HashMap<Mac, (i64, Millis)>);

impl Buckets {
    /// Takes `cost` tokens from the client's bucket; false when it holds too few.
    pub(super) fn take(&mut self, mac: Mac, cost: i64, now: Millis) -> bool {
        if self.0.len() >= MOST && !self.0.contains_key(&mac) {
            self.0
                .retain(|_, bucket| refilled(*bucket, now) < BURST * 1000);
            if self.0.len() >= MOST {
                self.0.clear();
            }
        }
        let bucket = self.0.entry(mac).or_insert((BURST * 1000, now));
        let tokens = refilled(*bucket, now);
        let enough = tokens >= cost * 1000;
        *bucket = (if enough { tokens - cost * 1000 } else { tokens }, now);
        enough
    }
}

fn refilled((tokens, at): (i64, Millis), now: Millis) -> i64 {
    let gained = now.since(at).max(0).saturating_mul(RATE);
    tokens.saturating_add(gained).min(BURST * 1000)
}

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

    fn mac(n: u32) -> Mac {
        let [_, high, middle, low] = n.to_be_bytes();
        Mac([2, 0, 0, high, middle, low])
    }

    #[test]
    fn a_burst_passes_then_the_rate_holds() {
        let mut buckets = Buckets::default();
        let passed = (0..1000)
            .filter(|i| buckets.take(mac(1), 1, Millis(i * 15)))
            .count();
        assert_eq!(
            passed,
            12 + 4 * 15 - 1,
            "fifteen seconds at one packet each 15 ms"
        );
        assert!(
            buckets.take(mac(2), 1, Millis(15_000)),
            "others are not hurt"
        );
    }

    #[test]
    fn made_up_clients_do_not_grow_the_table() {
        let mut buckets = Buckets::default();
        let mut told = Told::every(60_000);
        for n in 0..50_000 {
            buckets.take(mac(n), 1, Millis(0));
            told.is_due(mac(n), Millis(0));
        }
        assert!(buckets.0.len() <= MOST && told.at.len() <= MOST);
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
