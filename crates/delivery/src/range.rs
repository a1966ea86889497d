//! What a `Range` header asks for (RFC 9110 §14). Pure.

use std::ops::Range;

/// What a request wants of a body of known length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// All of it: no range, or one that a server may ignore (another unit, malformed, several
    /// ranges at once; RFC 9110 §14.2).
    Whole,
    /// These bytes; never empty and always inside the body.
    Part(Range<u64>),
    /// Bytes that lie outside the body: answer 416.
    Unsatisfiable,
}

/// Reads the value of a `Range` header for a body of `length` bytes.
pub fn parse(header: &str, length: u64) -> Asked {
    let Some((unit, set)) = header.split_once('=') else {
        return Asked::Whole;
    };
    let set = set.trim();
    if !unit.trim().eq_ignore_ascii_case("bytes") || set.contains(',') {
        return Asked::Whole;
    }
    let Some((first, last)) = set.split_once('-') else {
        return Asked::Whole;
    };
    match (number(first), number(last)) {
        (Number::None, Number::Some(suffix)) => part(length.saturating_sub(suffix)..length),
        (Number::Some(first), Number::None) => part(first..length),
        (Number::Some(first), Number::Some(last)) if first <= last => {
            part(first..length.min(last.saturating_add(1)))
        }
        _ => Asked::Whole,
    }
}

fn part(range: Range<u64>) -> Asked {
    if range.is_empty() {
        Asked::Unsatisfiable
    } else {
        Asked::Part(range)
    }
}

enum Number {
    None,
    Some(u64),
    Bad,
}

fn number(text: &str) -> Number {
    let text = text.trim();
    if text.is_empty() {
        return Number::None;
    }
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return Number::Bad;
    }
    // More digits than fit are still a number, one beyond every body.
    Number::Some(text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_forms_of_the_standard() {
        let rows = [
            ("bytes=0-499", Asked::Part(0..500)),
            ("bytes=500-", Asked::Part(500..1000)),
            ("bytes=-200", Asked::Part(800..1000)),
            ("bytes=-5000", Asked::Part(0..1000)),
            ("bytes=900-5000", Asked::Part(900..1000)),
            ("BYTES = 1 - 2", Asked::Part(1..3)),
            ("bytes=1000-", Asked::Unsatisfiable),
            ("bytes=-0", Asked::Unsatisfiable),
            ("bytes=99999999999999999999-", Asked::Unsatisfiable),
            ("bytes=5-2", Asked::Whole),
            ("bytes=0-1,5-6", Asked::Whole),
            ("items=0-1", Asked::Whole),
            ("bytes=+1-2", Asked::Whole),
            ("", Asked::Whole),
        ];
        for (header, asked) in rows {
            assert_eq!(parse(header, 1000), asked, "{header:?}");
        }
    }

    proptest! {
        #[test]
        fn a_part_is_never_empty_and_never_outside(header in "(bytes=)?[-0-9, a-z=]{0,24}", length in 0..5000u64) {
            if let Asked::Part(part) = parse(&header, length) {
                prop_assert!(part.start < part.end && part.end <= length);
            }
        }
    }
}
