//! What the record covers, per folder and day.

use std::collections::BTreeMap;

use revtrail_model::{
    id::FolderName,
    leaf::{Gap, GapReason, WindowState},
    time::{
        Timestamp,
        jiff::{SignedDuration, civil::Date, tz::TimeZone},
    },
};

use crate::reader::{Record, WindowRow};

/// How well a day is covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DayState {
    /// The folder was not looked at yet; its first look took what the provider still had.
    NotConfigured,
    /// Everything the provider had.
    Complete,
    /// Something is missing; see the gaps.
    Partial,
    /// No look covers the whole day.
    Missed,
    /// The next look is not due yet.
    Due,
}

impl DayState {
    /// The word shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotConfigured => "not configured",
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Missed => "missed",
            Self::Due => "due",
        }
    }
}

/// One folder on one day (UTC).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// The folder.
    pub folder: FolderName,
    /// The day.
    pub date: Date,
    /// How well it is covered.
    pub state: DayState,
    /// Why something is missing.
    pub reasons: Vec<GapReason>,
}

/// A gap that no later window closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenGap {
    /// The folder.
    pub folder: FolderName,
    /// The window that recorded it.
    pub index: u64,
    /// The gap.
    pub gap: Gap,
}

/// Gaps that no later window closed: pending revision lists are closed by a later complete window of the folder.
pub fn open_gaps(record: &Record) -> Vec<OpenGap> {
    let mut open = Vec::new();
    for (folder, windows) in by_folder(record) {
        for (place, row) in windows.iter().enumerate() {
            let closed = windows
                .iter()
                .skip(place + 1)
                .any(|later| later.window.state == WindowState::Complete);
            for gap in &row.window.gaps {
                if !(closed && is_closable(gap.reason)) {
                    open.push(OpenGap {
                        folder: folder.clone(),
                        index: row.index,
                        gap: gap.clone(),
                    });
                }
            }
        }
    }
    open
}

/// A later complete look makes good for work that was put off or a look that failed whole; it does not bring back what a lost cursor
/// merged or the provider left out.
fn is_closable(reason: GapReason) -> bool {
    match reason {
        GapReason::RevisionsPending
        | GapReason::RevisionsUnavailable
        | GapReason::HeadMissing
        | GapReason::FolderUnavailable
        | GapReason::FeedFailed
        | GapReason::WalkFailed
        | GapReason::Malformed => true,
        GapReason::RevisionsTruncated
        | GapReason::ContentsUnavailable
        | GapReason::CursorLost
        | GapReason::FeedIncomplete
        | GapReason::FolderReplaced => false,
    }
}

/// Each folder's days from `from` to `until`, both included.
pub fn coverage(record: &Record, (from, until): (Date, Date), now: Timestamp) -> Vec<Day> {
    let gaps = open_gaps(record);
    let due = record.last_run.as_ref().and_then(|run| run.next_expected_by);
    let mut days = Vec::new();
    for (folder, windows) in by_folder(record) {
        let gaps: Vec<&Gap> = gaps
            .iter()
            .filter(|gap| gap.folder == folder)
            .map(|gap| &gap.gap)
            .collect();
        let coverage = Folder {
            windows: &windows,
            gaps: &gaps,
            due,
            now,
        };
        let mut date = from;
        while date <= until {
            let (state, reasons) = coverage.day(date);
            days.push(Day {
                folder: folder.clone(),
                date,
                state,
                reasons,
            });
            let Ok(next) = date.tomorrow() else { break };
            date = next;
        }
    }
    days
}

fn by_folder(record: &Record) -> BTreeMap<FolderName, Vec<&WindowRow>> {
    let mut folders: BTreeMap<FolderName, Vec<&WindowRow>> = BTreeMap::new();
    for row in &record.windows {
        folders.entry(row.window.folder.clone()).or_default().push(row);
    }
    folders
}

struct Folder<'a> {
    windows: &'a [&'a WindowRow],
    gaps: &'a [&'a Gap],
    due: Option<Timestamp>,
    now: Timestamp,
}

impl Folder<'_> {
    fn day(&self, date: Date) -> (DayState, Vec<GapReason>) {
        let Some((start, end)) = span(date) else {
            return (DayState::Missed, Vec::new());
        };
        let Some(first) = self.windows.iter().find_map(|row| row.window.covers_to) else {
            return (DayState::Missed, Vec::new());
        };
        if end <= first {
            return (DayState::NotConfigured, Vec::new());
        }
        let mut reasons: Vec<GapReason> = self
            .gaps
            .iter()
            .filter(|gap| gap.to >= start && gap.from.is_none_or(|from| from < end))
            .map(|gap| gap.reason)
            .collect();
        reasons.sort_unstable();
        reasons.dedup();
        if !reasons.is_empty() {
            return (DayState::Partial, reasons);
        }
        let covered = self.covered_until(first, start.max(first), end);
        let nothing_missing_yet = self.last_end().is_none_or(|last| covered >= last);
        let state = if start < self.now && covered >= end.min(self.now) {
            DayState::Complete
        } else if nothing_missing_yet && (start >= self.now || self.due.is_some_and(|due| self.now <= due)) {
            DayState::Due
        } else {
            DayState::Missed
        };
        (state, reasons)
    }

    fn last_end(&self) -> Option<Timestamp> {
        self.windows.iter().filter_map(|row| row.window.covers_to).max()
    }

    /// How far, from `start`, looks join without a hole.
    fn covered_until(&self, first: Timestamp, start: Timestamp, end: Timestamp) -> Timestamp {
        let mut reach = start;
        let mut spans: Vec<(Timestamp, Timestamp)> = self
            .windows
            .iter()
            .filter_map(|row| Some((row.window.covers_from.unwrap_or(first), row.window.covers_to?)))
            .collect();
        spans.sort_unstable();
        for (from, to) in spans {
            if from <= reach && to > reach {
                reach = to;
            }
        }
        reach.min(end)
    }
}

fn span(date: Date) -> Option<(Timestamp, Timestamp)> {
    let start = date.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some((start, start.checked_add(SignedDuration::from_hours(24)).ok()?))
}

#[cfg(test)]
mod tests;
