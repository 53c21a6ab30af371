//! When to try again.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use revtrail_model::time::{Timestamp, jiff, millis_between};

/// How often and how long a failed request is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Upper bound of the first wait; doubles with each further one. Default 500 ms.
    pub base: Duration,
    /// Upper bound of every wait we choose ourselves. Default 60 s.
    pub max: Duration,
    /// Most times one request is sent, the first included. Default 8.
    pub attempts: u32,
    /// Most time spent on one request, waits included. A wait that would exceed it is not begun. Default 15 min.
    pub budget: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            base: Duration::from_millis(500),
            max: Duration::from_mins(1),
            attempts: 8,
            budget: Duration::from_mins(15),
        }
    }
}

/// Where the repeats of one request stand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spent {
    /// Times sent.
    pub(crate) attempts: u32,
    /// Time since the first attempt began.
    pub(crate) time: Duration,
}

impl RetryPolicy {
    /// How long to wait before the next attempt; `None` when there is none. `random` is spread over all of `u64`.
    ///
    /// Exponential backoff with full jitter: callers that failed together do not return together. What the provider asked for is
    /// never shortened.
    pub(crate) fn wait(&self, spent: Spent, asked: Option<Duration>, random: u64) -> Option<Duration> {
        if spent.attempts >= self.attempts {
            return None;
        }
        let doublings = spent.attempts.saturating_sub(1).min(31);
        let ceiling = self.base.saturating_mul(1 << doublings).min(self.max);
        let jitter = Duration::from_nanos(((ceiling.as_nanos() * u128::from(random)) >> 64) as u64);
        let wait = asked.map_or(jitter, |asked| asked.max(jitter));
        (spent.time.saturating_add(wait) <= self.budget).then_some(wait)
    }
}

/// What `Retry-After` asks for (RFC 9110 §10.2.3): seconds, or a time, which is taken relative to `sent_at`, the provider's own `Date`
/// where there is one, so that a difference of clocks does not matter. Fractions, which some gateways send, are rounded up.
pub fn retry_after(headers: &HeaderMap, sent_at: Timestamp) -> Option<Duration> {
    asked_wait(headers.get(RETRY_AFTER)?.to_str().ok()?, sent_at)
}

/// As [`retry_after`], for a value that came elsewhere than in a header of the answer, as in a part of a batch.
pub fn asked_wait(text: &str, sent_at: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Some(until) = http_date(text) {
        let wait_ms = u64::try_from(millis_between(sent_at, until)).unwrap_or(0);
        return Some(Duration::from_millis(wait_ms));
    }
    let seconds: f64 = text.parse().ok()?;
    if seconds.is_nan() || seconds < 0.0 {
        return None;
    }
    // Longer than a duration can be is longer than anybody waits.
    Some(Duration::try_from_secs_f64(seconds.ceil()).unwrap_or(Duration::MAX))
}

/// A time as HTTP headers spell it, in any of the three forms of RFC 9110 §5.6.7.
pub fn http_date(text: &str) -> Option<Timestamp> {
    const FORMS: [&str; 3] = [
        "%a, %d %b %Y %H:%M:%S GMT",
        "%A, %d-%b-%y %H:%M:%S GMT",
        "%a %b %e %H:%M:%S %Y",
    ];
    FORMS.iter().find_map(|form| {
        let civil = jiff::civil::DateTime::strptime(form, text).ok()?;
        Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn spent(attempts: u32, seconds: u64) -> Spent {
        Spent {
            attempts,
            time: Duration::from_secs(seconds),
        }
    }

    #[test]
    fn the_upper_bound_doubles_up_to_the_maximum() {
        let policy = RetryPolicy::default();
        let bounds: Vec<u128> = (1..8)
            .map(|attempts| policy.wait(spent(attempts, 0), None, u64::MAX).unwrap())
            .map(|wait| wait.as_nanos().div_ceil(1_000_000))
            .collect();
        assert_eq!(bounds, [500, 1000, 2000, 4000, 8000, 16_000, 32_000]);
        let patient = RetryPolicy {
            attempts: 100,
            ..policy
        };
        let wait = patient.wait(spent(99, 0), None, u64::MAX).unwrap();
        assert_eq!(wait.as_nanos().div_ceil(1_000_000), 60_000);
    }

    #[test]
    fn jitter_covers_the_whole_range() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.wait(spent(2, 0), None, 0), Some(Duration::ZERO));
        assert_eq!(
            policy.wait(spent(2, 0), None, u64::MAX / 2 + 1),
            Some(Duration::from_millis(500))
        );
    }

    #[test]
    fn what_was_asked_is_never_shortened_even_above_the_maximum() {
        let policy = RetryPolicy::default();
        let asked = Some(SECOND * 300);
        assert_eq!(policy.wait(spent(1, 0), asked, u64::MAX), asked);
        assert_eq!(
            policy.wait(spent(1, 0), Some(Duration::ZERO), 0),
            Some(Duration::ZERO)
        );
    }

    #[test]
    fn attempts_and_budget_end() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.wait(spent(8, 0), None, 0), None);
        assert_eq!(policy.wait(spent(1, 899), Some(SECOND), 0), Some(SECOND));
        assert_eq!(policy.wait(spent(1, 900), Some(SECOND), 0), None);
        assert_eq!(policy.wait(spent(1, 1), Some(Duration::MAX), 0), None);
    }

    #[rstest]
    #[case::seconds("120", Some(120))]
    #[case::zero("0", Some(0))]
    #[case::fraction("1.2", Some(2))]
    #[case::spaces(" 3 ", Some(3))]
    #[case::date("Fri, 20 Nov 2026 23:15:00 GMT", Some(55))]
    #[case::past("Fri, 20 Nov 2026 23:13:00 GMT", Some(0))]
    #[case::negative("-1", None)]
    #[case::words("soon", None)]
    #[case::not_a_number("NaN", None)]
    #[case::empty("", None)]
    fn reads_retry_after(#[case] value: &str, #[case] seconds: Option<u64>) {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().unwrap());
        let sent_at = "2026-11-20T23:14:05Z".parse().unwrap();
        assert_eq!(retry_after(&headers, sent_at), seconds.map(Duration::from_secs));
    }

    #[test]
    fn endless_waits_are_the_longest() {
        for value in ["inf", "1e300", "99999999999999999999999"] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, value.parse().unwrap());
            assert_eq!(
                retry_after(&headers, Timestamp::UNIX_EPOCH),
                Some(Duration::MAX),
                "{value}"
            );
        }
    }

    #[rstest]
    #[case::fixed("Sun, 06 Nov 1994 08:49:37 GMT")]
    #[case::rfc850("Sunday, 06-Nov-94 08:49:37 GMT")]
    #[case::asctime("Sun Nov  6 08:49:37 1994")]
    fn reads_every_form_of_http_date(#[case] text: &str) {
        assert_eq!(http_date(text), Some("1994-11-06T08:49:37Z".parse().unwrap()));
    }

    #[test]
    fn other_texts_are_no_http_date() {
        for text in [
            "",
            "1994-11-06T08:49:37Z",
            "Sun, 06 Nov 1994 08:49:37 +0200",
            "Mon, 06 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(http_date(text), None, "{text}");
        }
    }
}
