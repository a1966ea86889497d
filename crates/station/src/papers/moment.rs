//! Points in time on paper: for people in the time of the place where the station stands, for
//! programs in UTC.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use wire::Millis;

/// When and where a document is drawn up.
#[derive(Debug, Clone)]
pub(crate) struct Occasion {
    /// When.
    pub(crate) at: Millis,
    /// The time zone of the people who read it.
    pub(crate) zone: TimeZone,
}

impl Occasion {
    /// Now, here.
    pub(crate) fn now() -> Self {
        Self {
            at: Millis::now(),
            zone: TimeZone::system(),
        }
    }

    /// The zone in words.
    pub(super) fn place(&self) -> String {
        match self.zone.iana_name() {
            Some("Etc/UTC") => "UTC".to_owned(),
            Some(name) => name.replace('_', " "),
            None => self.write(self.at, "UTC%:z"),
        }
    }

    /// A day: `2026-11-18`.
    pub(super) fn day(&self, at: Millis) -> String {
        self.write(at, "%Y-%m-%d")
    }

    /// A minute: `2026-11-18 12:06`.
    pub(crate) fn minute(&self, at: Millis) -> String {
        self.write(at, "%Y-%m-%d %H:%M")
    }

    /// A moment with its zone: `2026-11-18 12:06:40.123 +01:00`.
    pub(super) fn exactly(&self, at: Millis) -> String {
        self.write(at, "%Y-%m-%d %H:%M:%S%.3f %:z")
    }

    fn write(&self, at: Millis, format: &str) -> String {
        let zoned = stamp(at).to_zoned(self.zone.clone());
        zoned.strftime(format).to_string()
    }
}

fn stamp(at: Millis) -> Timestamp {
    Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// UTC, ISO 8601 with zone: `2026-11-23T15:05:09Z`.
pub(super) fn iso(at: Millis) -> String {
    stamp(at).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_their_readers_expect() {
        let at = Millis(1_795_000_000_123);
        let occasion = |zone| Occasion { at, zone };
        let here = occasion(TimeZone::fixed(jiff::tz::offset(1)));
        assert_eq!(here.day(at), "2026-11-18");
        assert_eq!(here.minute(at), "2026-11-18 12:06");
        assert_eq!(here.exactly(at), "2026-11-18 12:06:40.123 +01:00");
        assert_eq!(here.place(), "UTC+01:00");
        assert_eq!(occasion(TimeZone::UTC).place(), "UTC");
        assert_eq!(iso(at), "2026-11-18T11:06:40Z");
        assert_eq!(iso(Millis(i64::MAX)), "1970-01-01T00:00:00Z");
    }
}
