//! A set of numbers as disjoint ranges, and bits of a bitmap as ranges.

use std::collections::BTreeMap;
use std::ops::Range;

/// A set of block numbers.
#[derive(Debug, Default)]
pub(super) struct RangeSet(BTreeMap<u64, u64>);

impl RangeSet {
    pub(super) fn insert(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let (mut start, mut end) = (range.start, range.end);
        // Swallow every range that touches the new one.
        while let Some((&s, &e)) = self
            .0
            .range(..=end)
            .next_back()
            .filter(|(_, e)| **e >= start)
        {
            start = start.min(s);
            end = end.max(e);
            self.0.remove(&s);
        }
        self.0.insert(start, end);
    }

    /// The parts of the set inside `range`, ascending.
    pub(super) fn inside(&self, range: Range<u64>) -> impl Iterator<Item = Range<u64>> {
        let before = self.0.range(..range.start).next_back();
        let from = self.0.range(range.start..range.end.max(range.start));
        before
            .into_iter()
            .chain(from)
            .map(move |(s, e)| (*s).max(range.start)..(*e).min(range.end))
            .filter(|r| !r.is_empty())
    }

    /// Appends the parts of `range` outside of the set to `to`.
    pub(super) fn subtract_from(&self, range: Range<u64>, to: &mut Vec<Range<u64>>) {
        let mut at = range.start;
        for hole in self.inside(range.clone()) {
            if at < hole.start {
                to.push(at..hole.start);
            }
            at = hole.end;
        }
        if at < range.end {
            to.push(at..range.end);
        }
    }
}

/// The runs of clear bits of `bitmap` (least significant bit first) within `bits`.
pub(super) fn clear_runs(bitmap: &[u8], bits: Range<u64>) -> Vec<Range<u64>> {
    let mut runs: Vec<Range<u64>> = Vec::new();
    let mut at = bits.start;
    while at < bits.end {
        let byte = bitmap.get((at / 8) as usize).copied().unwrap_or(0xff);
        // Most bytes are all set or all clear and are taken in one step.
        let whole = at.is_multiple_of(8) && bits.end - at >= 8 && matches!(byte, 0 | 0xff);
        let step = if whole { 8 } else { 1 };
        if byte >> (at % 8) & 1 == 0 {
            match runs.last_mut() {
                Some(run) if run.end == at => run.end += step,
                _ => runs.push(at..at + step),
            }
        }
        at += step;
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn a_range_set_is_a_set(
            inserted in prop::collection::vec((0_u64..60, 0_u64..20), 0..20),
            asked in (0_u64..60, 0_u64..30),
        ) {
            let mut ranges = RangeSet::default();
            let mut plain = BTreeSet::new();
            for (start, len) in inserted {
                ranges.insert(start..start + len);
                plain.extend(start..start + len);
            }
            let asked = asked.0..asked.0 + asked.1;
            let inside: Vec<u64> = ranges.inside(asked.clone()).flatten().collect();
            let outside = {
                let mut out = Vec::new();
                ranges.subtract_from(asked.clone(), &mut out);
                out.into_iter().flatten().collect::<Vec<u64>>()
            };
            let (want_in, want_out): (Vec<u64>, Vec<u64>) = asked.partition(|n| plain.contains(n));
            prop_assert_eq!(inside, want_in);
            prop_assert_eq!(outside, want_out);
        }
    }

    #[test]
    fn runs_of_clear_bits() {
        assert_eq!(clear_runs(&[0b1100_0011, 0xfe], 0..16), [2..6, 8..9]);
        assert_eq!(clear_runs(&[0, 0xff, 0], 6..18), [6..8, 16..18]);
        assert_eq!(clear_runs(&[0xff, 0, 0, 0x7f, 0], 3..37), [8..24, 31..37]);
    }
}
