//! How often somebody may ask: pure arithmetic over moments, for whichever door.
//!
//! [`Buckets`] holds one token bucket per address and keeps anybody from taking all of the station.
//! [`Backoff`] makes whoever keeps being wrong wait, twice as long each time. Both remember a bounded
//! number of askers, and forget first those of whom there is nothing to remember.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Askers remembered at once. Those beyond share one bucket.
const MOST: usize = 8192;

/// The asker that an address stands for: the whole network of an IPv6 address, because one machine
/// has as many of those as it likes.
pub fn asker(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Token buckets, one per asker.
#[derive(Debug)]
pub struct Buckets {
    per_second: f64,
    burst: f64,
    held: Mutex<HashMap<IpAddr, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Buckets {
    /// Buckets that hold `burst` and gain `per_second`.
    pub fn new(per_second: u32, burst: u32) -> Self {
        Self {
            per_second: f64::from(per_second.max(1)),
            burst: f64::from(burst.max(1)),
            held: Mutex::default(),
        }
    }

    /// Takes one token of an asker, or says how long it has to wait for one.
    pub fn take(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut held = lock(&self.held);
        let mut who = asker(address);
        if held.len() >= MOST && !held.contains_key(&who) {
            held.retain(|_, bucket| self.filled(*bucket, now) < self.burst);
            if held.len() >= MOST {
                who = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
            }
        }
        let bucket = held.entry(who).or_insert(Bucket {
            tokens: self.burst,
            at: now,
        });
        let tokens = self.filled(*bucket, now);
        if tokens < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - tokens) / self.per_second));
        }
        *bucket = Bucket {
            tokens: tokens - 1.0,
            at: now,
        };
        Ok(())
    }

    fn filled(&self, bucket: Bucket, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        (bucket.tokens + passed * self.per_second).min(self.burst)
    }
}

/// Waits that grow with every fault.
#[derive(Debug)]
pub struct Backoff<K> {
    free: u32,
    first: Duration,
    longest: Duration,
    held: Mutex<HashMap<K, Faults>>,
}

#[derive(Debug, Clone, Copy)]
struct Faults {
    times: u32,
    until: Instant,
}

impl<K: Eq + Hash> Backoff<K> {
    /// The first `free` faults cost nothing; the next costs `first`, and each after it twice as much,
    /// up to `longest`. An asker who has kept still for `longest` after a wait starts afresh.
    pub fn new(free: u32, first: Duration, longest: Duration) -> Self {
        Self {
            free,
            first,
            longest,
            held: Mutex::default(),
        }
    }

    /// May this asker try, or how long has it to wait?
    pub fn may(&self, who: &K, now: Instant) -> Result<(), Duration> {
        let held = lock(&self.held);
        let until = held.get(who).map_or(now, |faults| faults.until);
        match until.saturating_duration_since(now) {
            Duration::ZERO => Ok(()),
            wait => Err(wait),
        }
    }

    /// This asker was wrong.
    pub fn wrong(&self, who: K, now: Instant) {
        let mut held = lock(&self.held);
        held.retain(|_, faults| now.saturating_duration_since(faults.until) < self.longest);
        if held.len() >= MOST && !held.contains_key(&who) {
            // The one whose wait ends first has the least to remember.
            let soonest = held.values().map(|faults| faults.until).min();
            held.retain(|_, faults| Some(faults.until) != soonest);
        }
        let faults = held.entry(who).or_insert(Faults {
            times: 0,
            until: now,
        });
        faults.times = faults.times.saturating_add(1);
        let doubled = faults.times.saturating_sub(self.free + 1).min(20);
        let wait = if faults.times > self.free {
            self.first.saturating_mul(1 << doubled).min(self.longest)
        } else {
            Duration::ZERO
        };
        faults.until = now + wait;
    }

    /// This asker was right: nothing is held against it.
    pub fn right(&self, who: &K) {
        lock(&self.held).remove(who);
    }
}

/// A panic elsewhere leaves counts that are at worst one off.
fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(n: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from(n))
    }

    #[test]
    fn a_bucket_empties_says_when_and_fills_again_for_each_asker_alone() {
        let buckets = Buckets::new(2, 3);
        let begun = Instant::now();
        for _ in 0..3 {
            assert!(buckets.take(ip(1), begun).is_ok());
        }
        let wait = buckets.take(ip(1), begun).unwrap_err();
        assert_eq!(wait, Duration::from_millis(500));
        assert!(buckets.take(ip(2), begun).is_ok());
        assert!(buckets.take(ip(1), begun + wait).is_ok());
        assert!(buckets.take(ip(1), begun + wait).is_err());
    }

    #[test]
    fn a_flood_of_addresses_is_held_in_bounds() {
        let buckets = Buckets::new(1, 2);
        let now = Instant::now();
        let mut refused = 0;
        for n in 0..20_000 {
            refused += u32::from(buckets.take(ip(n + 1), now).is_err());
        }
        assert!(lock(&buckets.held).len() <= MOST + 1);
        assert!(refused > 10_000, "{refused}");
        // Whoever was known before is not hurt by the flood.
        assert!(buckets.take(ip(1), now).is_ok());
        assert!(
            buckets
                .take(ip(50_000), now + Duration::from_mins(1))
                .is_ok()
        );
    }

    #[test]
    fn one_network_of_ipv6_is_one_asker() {
        let of = |text: &str| asker(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }

    #[test]
    fn each_fault_costs_twice_the_one_before_and_being_right_forgives() {
        let second = Duration::from_secs(1);
        let backoff = Backoff::new(2, second, second * 5);
        let mut now = Instant::now();
        let mut waits = Vec::new();
        for _ in 0..6 {
            backoff.wrong("tess", now);
            let wait = backoff.may(&"tess", now).err().unwrap_or_default();
            waits.push(wait.as_secs());
            now += wait;
            assert!(backoff.may(&"tess", now).is_ok());
        }
        assert_eq!(waits, [0, 0, 1, 2, 4, 5]);
        assert!(backoff.may(&"other", now).is_ok());
        backoff.wrong("tess", now);
        backoff.right(&"tess");
        assert!(backoff.may(&"tess", now).is_ok());
    }

    #[test]
    fn the_waits_of_a_flood_are_held_in_bounds() {
        let backoff = Backoff::new(0, Duration::from_secs(1), Duration::from_mins(1));
        let now = Instant::now();
        for n in 0..MOST + 10 {
            backoff.wrong(n, now + Duration::from_nanos(u64::try_from(n).unwrap()));
        }
        assert!(lock(&backoff.held).len() <= MOST);
        assert!(backoff.may(&(MOST + 9), now).is_err());
    }
}
