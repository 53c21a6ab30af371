//! Time: one type, one text form, one source of "now".

use jiff::SignedDuration;
pub use jiff::{self, Timestamp};

use crate::ModelError;

/// Source of the present moment. Injected, so that tests and replays decide what time it is.
pub trait Clock: Send + Sync {
    /// The present moment, UTC.
    fn now(&self) -> Timestamp;
}

/// A clock that stands still.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Reads an RFC 3339 time; any offset is accepted and turned into UTC.
pub fn parse(text: &str) -> Result<Timestamp, ModelError> {
    text.parse()
        .map_err(|_| ModelError::Time(text.chars().take(60).collect()))
}

/// Whether `text` is a time as records hold it: `2026-11-20T23:14:05Z`, with a fraction of up to nine digits, not of a 31st or a
/// leap day. What is not plain may be a time all the same.
pub(crate) fn is_plain(text: &str) -> bool {
    let Some((whole, rest)) = text.as_bytes().split_first_chunk::<19>() else {
        return false;
    };
    let fraction = match rest {
        [b'Z'] => true,
        [b'.', digits @ .., b'Z'] => (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    let shape = whole.iter().zip(b"0000-00-00T00:00:00").all(|(byte, like)| {
        if *like == b'0' {
            byte.is_ascii_digit()
        } else {
            byte == like
        }
    });
    let two = |at: usize| (whole[at] & 15) * 10 + (whole[at + 1] & 15);
    // The calendar of `Timestamp` ends within the year 9999.
    fraction
        && shape
        && (two(0), two(2)) < (99, 99)
        && (1..=12).contains(&two(5))
        && (1..=if two(5) == 2 { 28 } else { 30 }).contains(&two(8))
        && two(11) < 24
        && two(14) < 60
        && two(17) < 60
}

/// Reads a moment that a person wrote: an RFC 3339 time, or a date, which is its start in UTC.
pub fn moment(text: &str) -> Result<Timestamp, ModelError> {
    if let Ok(date) = text.parse::<jiff::civil::Date>()
        && text.len() == 10
        && let Ok(start) = date.to_zoned(jiff::tz::TimeZone::UTC)
    {
        return Ok(start.timestamp());
    }
    parse(text)
}

/// `at` moved by `seconds`, held at the ends of the calendar.
pub fn plus_seconds(at: Timestamp, seconds: i64) -> Timestamp {
    at.saturating_add(SignedDuration::from_secs(seconds))
        .unwrap_or(at)
}

/// The UTC calendar year of `at`, which names the log a run writes to.
pub fn year(at: Timestamp) -> i16 {
    at.to_zoned(jiff::tz::TimeZone::UTC).year()
}

/// Milliseconds between `from` and `until`; negative when `until` is earlier.
pub fn millis_between(from: Timestamp, until: Timestamp) -> i64 {
    i64::try_from(until.duration_since(from).as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_is_utc_and_keeps_the_fraction() {
        assert_eq!(
            parse("2026-11-20T23:14:05+02:00").unwrap().to_string(),
            "2026-11-20T21:14:05Z"
        );
        assert_eq!(
            parse("2026-11-20T23:14:05.120Z").unwrap().to_string(),
            "2026-11-20T23:14:05.12Z"
        );
        assert!(matches!(parse("yesterday"), Err(ModelError::Time(text)) if text == "yesterday"));
    }

    #[test]
    fn a_date_is_its_start() {
        assert_eq!(moment("2026-11-20").unwrap().to_string(), "2026-11-20T00:00:00Z");
        assert_eq!(
            moment("2026-11-20T23:14:05+02:00").unwrap().to_string(),
            "2026-11-20T21:14:05Z"
        );
        assert!(matches!(moment("20261120"), Err(ModelError::Time(text)) if text == "20261120"));
    }

    #[test]
    fn the_year_is_the_utc_year() {
        assert_eq!(year(parse("2026-12-31T23:30:00-02:00").unwrap()), 2027);
    }

    #[test]
    fn the_ends_of_the_calendar_hold() {
        assert_eq!(plus_seconds(Timestamp::MAX, 5), Timestamp::MAX);
        assert_eq!(
            millis_between(
                parse("2026-01-01T00:00:01Z").unwrap(),
                parse("2026-01-01T00:00:00Z").unwrap()
            ),
            -1000
        );
    }
}
