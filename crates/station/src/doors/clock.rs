//! Points in time as the compatible interfaces write them.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use wire::Millis;

fn stamp(at: Millis) -> Timestamp {
    Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Local time, ISO 8601 without a zone: `2026-11-23T16:05:09.123`.
pub fn naive_local(at: Millis) -> String {
    stamp(at)
        .to_zoned(TimeZone::system())
        .datetime()
        .to_string()
}

/// UTC as a database prints it: `2026-11-23 15:05:09`.
pub fn database(at: Millis) -> String {
    stamp(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_their_readers_expect() {
        let at = Millis(1_795_000_000_123);
        assert_eq!(database(at), "2026-11-18 11:06:40");
        assert!(
            !naive_local(at).contains(['Z', '+', '[']),
            "{}",
            naive_local(at)
        );
        assert_eq!(database(Millis(i64::MAX)), "1970-01-01 00:00:00");
    }
}
