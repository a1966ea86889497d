//! Things that happen often and are told seldom: a rival server, a full pool, a foreign device.

use std::collections::HashMap;
use wire::Millis;

const MOST: usize = 4096;

/// Remembers when something was last told.
#[derive(Debug, Clone, Default)]
pub(super) struct Seldom(HashMap<(&'static str, String), Millis>);

impl Seldom {
    /// True when `what` about `whom` was not told within the last `every_ms`; then it counts as
    /// told now.
    pub(super) fn is_due(
        &mut self,
        what: &'static str,
        whom: String,
        every_ms: i64,
        now: Millis,
    ) -> bool {
        if self.0.len() >= MOST {
            self.0.retain(|_, told| now.since(*told) < every_ms);
        }
        // A flood of made-up addresses ends here: what does not fit is not told.
        if self.0.len() >= MOST {
            return false;
        }
        let key = (what, whom);
        let due = self
            .0
            .get(&key)
            .is_none_or(|told| now.since(*told) >= every_ms);
        if due {
            self.0.insert(key, now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_told_once_in_its_time() {
        let mut seldom = Seldom::default();
        let mut due = |whom: &str, at| seldom.is_due("x", whom.to_owned(), 60_000, Millis(at));
        assert!(due("a", 0));
        assert!(!due("a", 59_999));
        assert!(due("b", 59_999), "another one is another matter");
        assert!(due("a", 60_000));
    }
}
