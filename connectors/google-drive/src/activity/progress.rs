//! How far a reading of a log is: what its page tokens and cursors hold. Pure.

use revtrail_connector::time::Timestamp;
use revtrail_model::time::plus_seconds;
use serde::{Deserialize, Serialize};

/// Read again each time, seconds: most records are there within minutes.
const OVERLAP: i64 = 2 * 3_600;
/// Read again once in this time, seconds: some records come half a day late.
const DEEP: i64 = 24 * 3_600;

/// Where a log was read to.
#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    /// When more than the last hours was read last.
    deep: Timestamp,
    to: Timestamp,
}

/// A reading under way.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    deep: Timestamp,
    pub(super) from: Timestamp,
    /// The provider's token of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) page: Option<String>,
    /// Folder whose log is at hand, where each has its own.
    pub(super) root: usize,
    /// Where the reading ends, so that pages do not move meanwhile.
    pub(super) to: Timestamp,
}

impl Progress {
    pub(super) fn begin(moment: Timestamp, now: Timestamp) -> Self {
        Self {
            deep: now,
            from: moment.min(plus_seconds(now, -1)),
            page: None,
            root: 0,
            to: now,
        }
    }

    /// From a cursor; `None` when it cannot be read.
    pub(super) fn resume(cursor: &str, now: Timestamp) -> Option<Self> {
        let mark: Mark = serde_json::from_str(cursor).ok()?;
        let now = now.max(mark.to);
        let due = plus_seconds(mark.deep, DEEP) <= now;
        let (from, deep) = if due {
            (plus_seconds(mark.deep, -DEEP), now)
        } else {
            (plus_seconds(mark.to, -OVERLAP), mark.deep)
        };
        Some(Self {
            deep,
            from,
            page: None,
            root: 0,
            to: now,
        })
    }

    pub(super) fn read(token: &str) -> Option<Self> {
        serde_json::from_str(token).ok()
    }

    /// Of plain members: writing them cannot fail.
    pub(super) fn token(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(super) fn cursor(&self) -> String {
        let mark = Mark {
            deep: self.deep,
            to: self.to,
        };
        serde_json::to_string(&mark).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use revtrail_model::time;

    use super::*;

    fn at(text: &str) -> Timestamp {
        time::parse(text).unwrap()
    }

    #[test]
    fn the_last_hours_are_read_again_and_once_a_day_the_last_day() {
        let began = Progress::begin(at("2026-01-01T00:00:00Z"), at("2026-01-10T00:00:00Z"));
        assert_eq!(began.from, at("2026-01-01T00:00:00Z"));
        let soon = Progress::resume(&began.cursor(), at("2026-01-10T02:00:00Z")).unwrap();
        assert_eq!(
            (soon.from, soon.to),
            (at("2026-01-09T22:00:00Z"), at("2026-01-10T02:00:00Z"))
        );
        let late = Progress::resume(&soon.cursor(), at("2026-01-11T00:00:00Z")).unwrap();
        assert_eq!(late.from, at("2026-01-09T00:00:00Z"));
        let again = Progress::resume(&late.cursor(), at("2026-01-11T02:00:00Z")).unwrap();
        assert_eq!(again.from, at("2026-01-10T22:00:00Z"));
        assert_eq!(Progress::resume("garbage", at("2026-01-11T02:00:00Z")), None);
        assert_eq!(Progress::read(&again.token()), Some(again));
    }
}
