//! When folders are listed in full beside their feed.

use std::str::FromStr;

use revtrail_model::time::{Timestamp, millis_between};

use crate::schedule::Schedule;

const HOUR_MS: i64 = 3_600_000;

/// When a folder is due for a full listing that is compared with what its feed told: `1d`, `12h`, a cron expression, or `never`.
#[derive(Debug, Clone)]
pub struct Reconcile(When);

#[derive(Debug, Clone)]
enum When {
    Every { hours: i64 },
    Cron(Box<Schedule>),
    Never,
}

impl Reconcile {
    /// Whether a run that starts at `now` is to list a folder in full that was last listed at `last`.
    ///
    /// An interval counts as over when nine tenths of it are: a run that starts a minute earlier than the day before is not to put the
    /// listing off by a whole run.
    pub fn is_due(&self, last: Option<Timestamp>, now: Timestamp) -> bool {
        let Some(last) = last else {
            return !matches!(self.0, When::Never);
        };
        match &self.0 {
            When::Every { hours } => millis_between(last, now) >= hours * HOUR_MS / 10 * 9,
            When::Cron(schedule) => schedule.next_after(last).is_some_and(|due| due <= now),
            When::Never => false,
        }
    }
}

impl Default for Reconcile {
    fn default() -> Self {
        Self(When::Every { hours: 24 })
    }
}

impl FromStr for Reconcile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "never" {
            return Ok(Self(When::Never));
        }
        if text.contains(' ') {
            return text.parse().map(|schedule| Self(When::Cron(Box::new(schedule))));
        }
        let unit = match text.chars().last() {
            Some('h') => Some(1),
            Some('d') => Some(24),
            _ => None,
        };
        let count = text
            .strip_suffix(['h', 'd'])
            .and_then(|count| count.parse::<u16>().ok());
        match (count, unit) {
            (Some(count @ 1..), Some(unit)) => Ok(Self(When::Every {
                hours: i64::from(count) * unit,
            })),
            _ => Err(format!(
                "{text:?} is no interval; write a number and h or d, five cron fields, or \"never\""
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use revtrail_model::time::parse;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::a_day("1d", "2026-11-21T02:00:00Z", "2026-11-22T02:00:00Z", true)]
    #[case::nearly_a_day("1d", "2026-11-21T02:00:20Z", "2026-11-22T02:00:00Z", true)]
    #[case::half_a_day("1d", "2026-11-21T02:00:00Z", "2026-11-21T14:00:00Z", false)]
    #[case::hours("6h", "2026-11-21T02:00:00Z", "2026-11-21T08:00:00Z", true)]
    #[case::cron_passed("0 3 * * *", "2026-11-21T02:00:00Z", "2026-11-21T03:00:00Z", true)]
    #[case::cron_to_come("0 3 * * *", "2026-11-21T03:10:00Z", "2026-11-21T23:00:00Z", false)]
    #[case::never("never", "2020-01-01T00:00:00Z", "2026-11-21T23:00:00Z", false)]
    fn a_listing_is_due(#[case] text: &str, #[case] last: &str, #[case] now: &str, #[case] due: bool) {
        let reconcile: Reconcile = text.parse().unwrap();
        assert_eq!(
            reconcile.is_due(Some(parse(last).unwrap()), parse(now).unwrap()),
            due
        );
    }

    #[rstest]
    #[case("1d", true)]
    #[case("0 3 * * *", true)]
    #[case("never", false)]
    fn a_folder_never_listed_in_full_is_due(#[case] text: &str, #[case] due: bool) {
        let now = parse("2026-11-21T23:00:00Z").unwrap();
        assert_eq!(text.parse::<Reconcile>().unwrap().is_due(None, now), due);
    }

    #[rstest]
    #[case("1w", "is no interval")]
    #[case("0d", "is no interval")]
    #[case("", "is no interval")]
    #[case("0 3 * *", "does not have the five fields")]
    fn other_words_are_refused(#[case] text: &str, #[case] why: &str) {
        let refused = text.parse::<Reconcile>().unwrap_err();
        assert!(refused.contains(why), "{refused}");
    }
}
