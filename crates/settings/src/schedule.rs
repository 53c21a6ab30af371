//! When harvests are due.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use revtrail_model::time::Timestamp;

/// A cron expression of five fields (minute, hour, day of month, month, day of week), UTC, with the meaning Kubernetes gives it.
#[derive(Debug, Clone)]
pub struct Schedule {
    text: String,
    inner: cron::Schedule,
}

impl Schedule {
    /// The first due moment after `after`.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        self.nth_after(after, 0)
    }

    /// By when the next snapshot must stand if a run finished at `after`: the second due moment from then, because the next run starts
    /// at the first one and takes a while.
    pub fn deadline_after(&self, after: Timestamp) -> Option<Timestamp> {
        self.nth_after(after, 1)
    }

    fn nth_after(&self, after: Timestamp, nth: usize) -> Option<Timestamp> {
        let after: DateTime<Utc> = DateTime::from_timestamp(after.as_second(), 0)?;
        let due = self.inner.after(&after).nth(nth)?;
        Timestamp::from_second(due.timestamp()).ok()
    }
}

impl FromStr for Schedule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(format!(
                "{text:?} does not have the five fields minute, hour, day of month, month, day of week"
            ));
        };
        if *day != "*" && *weekday != "*" {
            return Err("day of month and day of week cannot both be restricted; schedulers disagree on what that means".into());
        }
        let weekday = weekdays(weekday)?;
        let inner = cron::Schedule::from_str(&format!("0 {minute} {hour} {day} {month} {weekday}"))
            .map_err(|error| format!("{text:?} is not a cron expression: {error}"))?;
        Ok(Self {
            text: text.to_owned(),
            inner,
        })
    }
}

/// Days of the week as the cron library counts them: it has Sunday as 1, cron and Kubernetes have Sunday as 0 (or 7).
fn weekdays(field: &str) -> Result<String, String> {
    let wrong = || format!("{field:?} is not a day of the week; write 0 (Sunday) to 6, or names such as MON");
    let mut parts = Vec::new();
    for part in field.split(',') {
        let (range, step) = part
            .split_once('/')
            .map_or((part, None), |(range, step)| (range, Some(step)));
        let ends: Vec<String> = range
            .split('-')
            .map(|day| weekday(day).ok_or_else(wrong))
            .collect::<Result<_, _>>()?;
        let range = ends.join("-");
        parts.push(step.map_or_else(|| range.clone(), |step| format!("{range}/{step}")));
    }
    Ok(parts.join(","))
}

fn weekday(day: &str) -> Option<String> {
    if day == "*" || day.chars().all(|c| c.is_ascii_alphabetic()) {
        return Some(day.to_owned());
    }
    let number: u8 = day.parse().ok().filter(|number| *number <= 7)?;
    Some((number % 7 + 1).to_string())
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use revtrail_model::time::parse;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::every_two_hours(
        "0 */2 * * *",
        "2026-11-21T03:10:00Z",
        "2026-11-21T04:00:00Z",
        "2026-11-21T06:00:00Z"
    )]
    #[case::at_the_due_moment(
        "0 */2 * * *",
        "2026-11-21T04:00:00Z",
        "2026-11-21T06:00:00Z",
        "2026-11-21T08:00:00Z"
    )]
    #[case::sunday_is_0(
        "30 1 * * 0",
        "2026-11-21T00:00:00Z",
        "2026-11-22T01:30:00Z",
        "2026-11-29T01:30:00Z"
    )]
    #[case::sunday_is_7_too(
        "30 1 * * 7",
        "2026-11-21T00:00:00Z",
        "2026-11-22T01:30:00Z",
        "2026-11-29T01:30:00Z"
    )]
    #[case::monday_to_friday(
        "0 6 * * 1-5",
        "2026-11-21T00:00:00Z",
        "2026-11-23T06:00:00Z",
        "2026-11-24T06:00:00Z"
    )]
    #[case::names(
        "0 6 * * MON",
        "2026-11-21T00:00:00Z",
        "2026-11-23T06:00:00Z",
        "2026-11-30T06:00:00Z"
    )]
    fn due_moments_are_those_of_kubernetes(
        #[case] text: &str,
        #[case] after: &str,
        #[case] next: &str,
        #[case] deadline: &str,
    ) {
        let schedule: Schedule = text.parse().unwrap();
        let after = parse(after).unwrap();
        assert_eq!(schedule.next_after(after).unwrap().to_string(), next);
        assert_eq!(schedule.deadline_after(after).unwrap().to_string(), deadline);
    }

    #[rstest]
    #[case("* * * *", "does not have the five fields")]
    #[case("0 0 1 * 1", "cannot both be restricted")]
    #[case("77 * * * *", "is not a cron expression")]
    #[case("0 0 * * 8", "is not a day of the week")]
    fn wrong_expressions_say_why(#[case] text: &str, #[case] why: &str) {
        assert!(text.parse::<Schedule>().unwrap_err().contains(why));
    }
}
