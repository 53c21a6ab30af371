//! How near the provider's retention, as measured, comes to the time between two looks.

use std::cmp::Ordering;

use revtrail_model::{
    leaf::WindowLeaf,
    time::{Timestamp, millis_between},
};

/// The provider's retention, measured, beside the time between two looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nearness {
    /// The shortest time for which some file's revisions were still listed, milliseconds.
    pub kept_ms: i64,
    /// Time from the look before to this one, or from this one to the next as the schedule has it, whichever is longer, milliseconds.
    pub interval_ms: i64,
    /// Revisions in the longest list that does not begin at the beginning.
    pub most: u64,
}

impl Nearness {
    /// What a window measured; `None` when it measured nothing: every list it read begins with the file's first revision.
    pub fn of(window: &WindowLeaf, period_ms: i64) -> Option<Self> {
        let (kept, seen_at) = (window.kept?, window.covers_to?);
        Some(Self {
            kept_ms: millis_between(kept.from, seen_at),
            interval_ms: interval_ms(window, period_ms),
            most: kept.most.0,
        })
    }

    /// What is kept for less than twice the interval may be gone when one look is missed.
    pub const fn is_near(&self) -> bool {
        self.interval_ms > self.kept_ms / 2
    }

    /// Orders what was measured by how many intervals fit into what is kept, the fewest first.
    pub fn nearest(a: &Self, b: &Self) -> Ordering {
        let across =
            |kept: &Self, other: &Self| i128::from(kept.kept_ms) * i128::from(other.interval_ms.max(1));
        across(a, b).cmp(&across(b, a))
    }
}

/// Time from the look before a window's to this one, or one period of the schedule, whichever is longer, milliseconds.
pub fn interval_ms(window: &WindowLeaf, period_ms: i64) -> i64 {
    let looks = window.covers_from.zip(window.covers_to);
    looks
        .map_or(0, |(from, to)| millis_between(from, to))
        .max(period_ms)
}

/// One period of a schedule, milliseconds: `deadline` tells the second due moment after another. The mean of two, from a due moment on, so
/// that it does not depend on the time of asking. Zero where there is no schedule.
pub fn period_ms(now: Timestamp, deadline: impl Fn(Timestamp) -> Option<Timestamp>) -> i64 {
    let due = deadline(now);
    let later = due.and_then(deadline);
    due.zip(later)
        .map_or(0, |(due, later)| millis_between(due, later) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn measured(kept_hours: i64, interval_hours: i64) -> Nearness {
        Nearness {
            kept_ms: kept_hours * HOUR,
            interval_ms: interval_hours * HOUR,
            most: 1,
        }
    }

    #[test]
    fn what_is_kept_must_outlast_two_looks() {
        assert!(!measured(48, 24).is_near());
        assert!(measured(47, 24).is_near());
        assert!(measured(0, 1).is_near());
    }

    #[test]
    fn the_nearest_is_the_one_that_fewest_looks_fit_into() {
        let mut all = [
            measured(48, 24),
            measured(10, 1),
            measured(5, 0),
            measured(30, 24),
        ];
        all.sort_by(Nearness::nearest);
        assert_eq!(
            all,
            [
                measured(30, 24),
                measured(48, 24),
                measured(10, 1),
                measured(5, 0)
            ]
        );
    }

    #[test]
    fn a_period_does_not_depend_on_the_time_of_asking() {
        let hourly =
            |after: Timestamp| Timestamp::from_second((after.as_second().div_euclid(3600) + 2) * 3600).ok();
        for now in ["2026-11-21T12:00:00Z", "2026-11-21T12:59:59Z"] {
            assert_eq!(period_ms(now.parse().unwrap(), hourly), HOUR);
        }
        assert_eq!(period_ms("2026-11-21T12:00:00Z".parse().unwrap(), |_| None), 0);
    }
}
