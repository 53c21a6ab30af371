//! How far a reading of the log is: what its page tokens and cursors hold. Pure.

use revtrail_connector::time::Timestamp;
use revtrail_model::{sha256, time::plus_seconds};
use serde::{Deserialize, Serialize};

/// Longest window the service accepts, seconds.
const WINDOW: i64 = 24 * 3_600;
/// What was listed so recently is listed again: listings are not promised to be complete at once.
const OVERLAP: i64 = 12 * 3_600;
/// How far back content can be read, seconds, less what a reading itself may take.
const REACH: i64 = 7 * 86_400 - 1_800;
/// Blobs remembered as fetched at most; older ones are fetched again, and their records recognised by their ids.
const REMEMBERED: usize = 4_096;
/// Characters of a digest that tell blobs apart.
const MARK: usize = 16;

/// Where the log was read to.
#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    /// Blobs of the last windows, in the order they were fetched.
    fetched: Vec<String>,
    to: Timestamp,
}

/// A reading under way.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// Addresses of blobs to fetch; the last is next.
    blobs: Vec<String>,
    fetched: Vec<String>,
    /// Beginning of the window to list next, or of the one whose pages are being listed.
    from: Timestamp,
    /// The next page of that window.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    /// Where the reading ends.
    to: Timestamp,
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// List a window, or the page of it behind the link.
    List {
        window: (Timestamp, Timestamp),
        link: Option<String>,
    },
    /// Fetch the blob at this address.
    Fetch(String),
    /// Nothing.
    Done,
}

/// What to give the caller.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Until {
    Page(String),
    CaughtUp(String),
}

impl Progress {
    /// Everything that became available from a moment on, as far back as there is any.
    pub(super) fn begin(moment: Timestamp, now: Timestamp) -> Self {
        Self {
            blobs: Vec::new(),
            fetched: Vec::new(),
            from: moment.max(plus_seconds(now, -REACH)).min(now),
            link: None,
            to: now,
        }
    }

    /// From a cursor; `None` when it cannot be read, or what follows it has expired.
    pub(super) fn resume(cursor: &str, now: Timestamp) -> Option<Self> {
        let mark: Mark = serde_json::from_str(cursor).ok()?;
        let oldest = plus_seconds(now, -REACH);
        (mark.to >= oldest).then(|| Self {
            blobs: Vec::new(),
            fetched: mark.fetched,
            from: plus_seconds(mark.to, -OVERLAP).max(oldest).min(now),
            link: None,
            to: now.max(mark.to),
        })
    }

    pub(super) fn read(token: &str) -> Option<Self> {
        serde_json::from_str(token).ok()
    }

    pub(super) fn step(&self) -> Step {
        if let Some(blob) = self.blobs.last() {
            return Step::Fetch(blob.clone());
        }
        if self.link.is_none() && self.from >= self.to {
            return Step::Done;
        }
        Step::List {
            window: (self.from, self.window_end()),
            link: self.link.clone(),
        }
    }

    fn window_end(&self) -> Timestamp {
        plus_seconds(self.from, WINDOW).min(self.to)
    }

    /// Notes a page of the window: blobs by id and address, and the next page.
    pub(super) fn listed(&mut self, blobs: impl Iterator<Item = (String, String)>, next: Option<String>) {
        for (id, uri) in blobs {
            let mark: String = sha256(id.as_bytes()).to_string().chars().take(MARK).collect();
            if !self.fetched.contains(&mark) {
                self.fetched.push(mark);
                self.blobs.push(uri);
            }
        }
        self.blobs.reverse();
        if next.is_none() {
            self.from = self.window_end();
        }
        self.link = next;
    }

    /// The blob at hand was read.
    pub(super) fn fetched(&mut self) {
        self.blobs.pop();
    }

    /// The rest, or where to go on when there is more.
    pub(super) fn until(mut self) -> Until {
        if self.step() != Step::Done {
            // Of plain members: writing them cannot fail.
            return Until::Page(serde_json::to_string(&self).unwrap_or_default());
        }
        let old = self.fetched.len().saturating_sub(REMEMBERED);
        let mark = Mark {
            fetched: self.fetched.split_off(old),
            to: self.to,
        };
        Until::CaughtUp(serde_json::to_string(&mark).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use revtrail_model::time;

    use super::*;

    fn at(text: &str) -> Timestamp {
        time::parse(text).unwrap()
    }

    fn blobs(ids: &[&str]) -> impl Iterator<Item = (String, String)> {
        let named: Vec<(String, String)> = ids
            .iter()
            .map(|id| ((*id).to_owned(), format!("https://x/{id}")))
            .collect();
        named.into_iter()
    }

    /// Reads to the end with empty windows; the windows listed, and the cursor.
    fn windows(mut progress: Progress) -> (Vec<String>, String) {
        let mut found = Vec::new();
        while let Step::List { window, .. } = progress.step() {
            found.push(format!("{}/{}", window.0, window.1));
            progress.listed(blobs(&[]), None);
        }
        match progress.until() {
            Until::CaughtUp(cursor) => (found, cursor),
            Until::Page(token) => panic!("{token}"),
        }
    }

    #[test]
    fn windows_are_a_day_long_and_the_last_ones_are_listed_again() {
        let now = at("2026-01-10T06:00:00Z");
        let (first, cursor) = windows(Progress::begin(at("2026-01-08T18:00:00Z"), now));
        assert_eq!(
            first,
            [
                "2026-01-08T18:00:00Z/2026-01-09T18:00:00Z",
                "2026-01-09T18:00:00Z/2026-01-10T06:00:00Z"
            ]
        );
        let later = at("2026-01-10T08:00:00Z");
        let (again, _) = windows(Progress::resume(&cursor, later).unwrap());
        assert_eq!(again, ["2026-01-09T18:00:00Z/2026-01-10T08:00:00Z"]);
        let week_later = at("2026-01-17T06:00:00Z");
        assert_eq!(Progress::resume(&cursor, week_later), None);
        assert_eq!(Progress::resume("garbage", now), None);
        let (deep, _) = windows(Progress::begin(at("2025-12-01T00:00:00Z"), now));
        assert_eq!(
            (deep.len(), deep[0].as_str()),
            (7, "2026-01-03T06:30:00Z/2026-01-04T06:30:00Z")
        );
    }

    #[test]
    fn a_blob_is_fetched_once() {
        let now = at("2026-01-10T06:00:00Z");
        let mut progress = Progress::begin(at("2026-01-10T00:00:00Z"), now);
        progress.listed(blobs(&["a", "b"]), Some("https://x/page2".into()));
        assert_eq!(progress.step(), Step::Fetch("https://x/a".into()));
        let Until::Page(token) = progress.until() else {
            panic!("there is more")
        };
        let mut progress = Progress::read(&token).unwrap();
        progress.fetched();
        assert_eq!(progress.step(), Step::Fetch("https://x/b".into()));
        progress.fetched();
        let Step::List { window, link } = progress.step() else {
            panic!("the page after it")
        };
        assert_eq!(
            (window.0, link.as_deref()),
            (at("2026-01-10T00:00:00Z"), Some("https://x/page2"))
        );
        progress.listed(blobs(&["b", "c"]), None);
        assert_eq!(progress.step(), Step::Fetch("https://x/c".into()));
        progress.fetched();
        let Until::CaughtUp(cursor) = progress.until() else {
            panic!("that was all")
        };
        let mut progress = Progress::resume(&cursor, now).unwrap();
        progress.listed(blobs(&["a", "b", "c"]), None);
        assert_eq!(progress.step(), Step::Done);
    }
}
