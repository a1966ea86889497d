//! How fast one client is answered: a token bucket for each. Forgets rather than grows, because
//! addresses cost an attacker nothing.

use std::collections::HashMap;
use std::hash::Hash;
use wire::Millis;

/// Most clients kept in mind.
const MOST: usize = 8192;

/// A token bucket for each client. Tokens are counted in thousandths.
#[derive(Debug)]
pub struct Buckets<K> {
    burst: i64,
    rate: i64,
    of: HashMap<K, (i64, Millis)>,
}

impl<K: Eq + Hash> Buckets<K> {
    /// Each client may take `burst` tokens at once and `rate` tokens a second for ever.
    pub fn new(burst: u32, rate: u32) -> Self {
        Self {
            burst: i64::from(burst) * 1000,
            rate: i64::from(rate),
            of: HashMap::new(),
        }
    }

    /// Takes `cost` tokens from the client's bucket; false when it holds too few.
    pub fn take(&mut self, client: K, cost: u32, now: Millis) -> bool {
        let (burst, rate) = (self.burst, self.rate);
        let refilled = |(tokens, at): (i64, Millis)| {
            let gained = now.since(at).max(0).saturating_mul(rate);
            tokens.saturating_add(gained).min(burst)
        };
        if self.of.len() >= MOST && !self.of.contains_key(&client) {
            self.of.retain(|_, bucket| refilled(*bucket) < burst);
            if self.of.len() >= MOST {
                self.of.clear();
            }
        }
        let bucket = self.of.entry(client).or_insert((burst, now));
        let tokens = refilled(*bucket);
        let cost = i64::from(cost) * 1000;
        let enough = tokens >= cost;
        *bucket = (if enough { tokens - cost } else { tokens }, now);
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_the_rate_holds() {
        let mut buckets = Buckets::new(12, 4);
        let passed = (0..1000)
            .filter(|i| buckets.take(1, 1, Millis(i * 15)))
            .count();
        assert_eq!(
            passed,
            12 + 4 * 15 - 1,
            "fifteen seconds at one packet each 15 ms"
        );
        assert!(buckets.take(2, 1, Millis(15_000)), "others are not hurt");
    }

    #[test]
    fn made_up_clients_do_not_grow_the_table() {
        let mut buckets = Buckets::new(12, 4);
        for n in 0..50_000 {
            buckets.take(n, 1, Millis(0));
        }
        assert!(buckets.of.len() <= MOST);
    }
}
