//! The visit of the synthetic board, while there is one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use wire::ImageId;

/// Longest time that a key is good for.
const LONGEST: Duration = Duration::from_secs(15);

/// What the session of a visit begins with, in the place of a deployment.
pub const SESSION: &str = "self-test";

/// Bytes of a key.
pub const KEY: usize = 16;

/// The visits; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Visits(Arc<Mutex<Option<Visit>>>);

#[derive(Debug, Clone, Copy)]
struct Visit {
    key: [u8; KEY],
    image: Option<ImageId>,
    until: Instant,
}

/// A visit that is under way; it is over when this is dropped.
#[derive(Debug)]
pub struct Pass {
    visits: Visits,
    key: [u8; KEY],
}

impl Visits {
    /// Lets a synthetic board in, whose boot files come from `image`. `None` while another one is here, or where no
    /// key can be drawn.
    pub fn begin(&self, image: Option<ImageId>) -> Option<Pass> {
        let mut key = [0; KEY];
        getrandom::fill(&mut key).ok()?;
        let mut place = self.place();
        let now = Instant::now();
        if place.is_some_and(|visit| visit.until > now) {
            return None;
        }
        *place = Some(Visit {
            key,
            image,
            until: now + LONGEST,
        });
        drop(place);
        Some(Pass {
            visits: self.clone(),
            key,
        })
    }

    /// Is this the key of the visit under way?
    pub fn knows(&self, key: &[u8]) -> bool {
        self.find(key).is_some()
    }

    /// The same for a key in hex digits.
    pub fn knows_text(&self, key: &str) -> bool {
        hex::decode(key).is_ok_and(|key| self.knows(&key))
    }

    /// The image whose boot files the visit with this key, in hex digits, gets.
    pub fn image(&self, key: &str) -> Option<ImageId> {
        self.find(&hex::decode(key).ok()?)?.image
    }

    fn find(&self, key: &[u8]) -> Option<Visit> {
        let visit = (*self.place())?;
        // Every byte is looked at, so that the time it takes says nothing of where they differ.
        let differs = visit.key.iter().zip(key).fold(0, |d, (a, b)| d | (a ^ b));
        let same = key.len() == KEY && differs == 0;
        (same && visit.until > Instant::now()).then_some(visit)
    }

    fn place(&self) -> MutexGuard<'_, Option<Visit>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass {
    /// The key.
    pub fn key(&self) -> [u8; KEY] {
        self.key
    }

    /// The key in hex digits.
    pub fn text(&self) -> String {
        hex::encode(self.key)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        *self.visits.place() = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_good_while_its_visit_lasts_and_for_nothing_else() {
        let visits = Visits::default();
        assert!(!visits.knows(&[0; KEY]) && !visits.knows(&[]));
        let pass = visits.begin(None).unwrap();
        assert!(visits.begin(None).is_none(), "one at a time");
        let (key, text) = (pass.key(), pass.text());
        assert!(visits.knows(&key) && visits.knows_text(&text));
        assert!(!visits.knows(&key[..15]) && !visits.knows_text("zz"));
        let mut other = key;
        other[15] ^= 1;
        assert!(!visits.knows(&other));
        drop(pass);
        assert!(!visits.knows(&key));
        assert!(visits.begin(None).is_some());
    }
}
