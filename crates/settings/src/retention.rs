//! Retention periods.

use std::{fmt, str::FromStr};

/// A calendar period: days, months or years. Written `90d`, `18m`, `7y`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    count: u16,
    unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Days,
    Months,
    Years,
}

/// A year's log is closed by the first run after the year: what that run writes is kept for the whole period, too, if it comes within
/// this many days.
const MARGIN_DAYS: i64 = 31;

impl Period {
    /// The moment this long, and a margin of 31 days, after the end of the log year `year`, UTC. Object Lock keeps the year's record until
    /// then.
    ///
    /// `None` when it lies beyond the calendar.
    pub fn after_year(self, year: i16) -> Option<revtrail_model::time::Timestamp> {
        use revtrail_model::time::jiff::{Span, civil::date, tz::TimeZone};
        let end = date(year.checked_add(1)?, 1, 1);
        let count = i64::from(self.count);
        let span = match self.unit {
            Unit::Days => Span::new().try_days(count),
            Unit::Months => Span::new().try_months(count),
            Unit::Years => Span::new().try_years(count),
        };
        let until = end.checked_add(span.ok()?).ok()?;
        let until = until.checked_add(Span::new().days(MARGIN_DAYS)).ok()?;
        Some(until.to_zoned(TimeZone::UTC).ok()?.timestamp())
    }
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a period; write a number and d, m or y, for example \"7y\"");
        let unit = match text.chars().last() {
            Some('d') => Unit::Days,
            Some('m') => Unit::Months,
            Some('y') => Unit::Years,
            _ => return Err(wrong()),
        };
        let count: u16 = text
            .strip_suffix(['d', 'm', 'y'])
            .and_then(|count| count.parse().ok())
            .ok_or_else(wrong)?;
        if count == 0 {
            Err(wrong())
        } else {
            Ok(Self { count, unit })
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Days => 'd',
            Unit::Months => 'm',
            Unit::Years => 'y',
        };
        write!(f, "{}{unit}", self.count)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("7y", 2026, "2034-02-01T00:00:00Z")]
    #[case("18m", 2026, "2028-08-01T00:00:00Z")]
    #[case("90d", 2027, "2028-05-01T00:00:00Z")]
    fn counts_from_the_end_of_the_log_year_and_adds_a_margin(
        #[case] text: &str,
        #[case] year: i16,
        #[case] until: &str,
    ) {
        let period: Period = text.parse().unwrap();
        assert_eq!(period.after_year(year).unwrap().to_string(), until);
        assert_eq!(period.to_string(), text);
    }

    #[rstest]
    #[case("")]
    #[case("7")]
    #[case("0y")]
    #[case("-1y")]
    #[case("7 years")]
    #[case("y")]
    fn refuses_what_is_no_period(#[case] text: &str) {
        assert!(text.parse::<Period>().unwrap_err().contains("is not a period"));
    }
}
