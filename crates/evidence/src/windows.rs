//! Windows: each folder's must join without a gap that is not recorded.

use std::collections::BTreeMap;

use revtrail_model::{
    Digest,
    id::FolderName,
    leaf::{LeafRef, RunLeaf, WindowLeaf},
    record::Count,
    sha256,
};

use crate::{
    finding::{Finding, Report},
    load::{Leaves, Record},
    objects::StateHeader,
};

/// The last window of each folder.
#[derive(Default)]
pub(crate) struct Windows {
    last: BTreeMap<FolderName, Last>,
    /// Other folders may have had windows in snapshots that could not be judged.
    forgetful: bool,
}

struct Last {
    place: LeafRef,
    cursor: Option<Digest>,
}

impl Windows {
    /// There may have been later windows.
    pub(crate) fn forget(&mut self) {
        self.last.clear();
        self.forgetful = true;
    }

    pub(crate) fn check(&mut self, leaves: &Leaves, run: &RunLeaf, report: &mut Report) {
        let mut indices = Vec::new();
        let mut events = 0_u64;
        for ((index, record), hash) in leaves.records.iter().enumerate().zip(&leaves.hashes) {
            match record {
                Record::Event(_) => events += 1,
                Record::Window(window) => {
                    let place = LeafRef {
                        index: Count(leaves.first + index as u64),
                        leaf_hash: Digest::from_bytes(*hash.as_bytes()),
                    };
                    indices.push(place.index);
                    self.window(leaves, (window, place), std::mem::take(&mut events), report);
                }
                _ => {}
            }
        }
        if events > 0 {
            report.findings.push(Finding::contradiction(
                leaves.key.clone(),
                format!("{events} events stand after the last window"),
            ));
        }
        if indices != run.windows {
            let show = |indices: &[Count]| {
                indices
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(",")
            };
            let finding = Finding::contradiction(
                leaves.key.clone(),
                "run leaf does not name the windows of its snapshot",
            );
            report
                .findings
                .push(finding.values(show(&run.windows), show(&indices)));
        }
    }

    fn window(
        &mut self,
        leaves: &Leaves,
        (window, place): (&WindowLeaf, LeafRef),
        events: u64,
        report: &mut Report,
    ) {
        report.windows += 1;
        report.windows_with_gaps += u64::from(!window.gaps.is_empty());
        let mut fail = |what: &str, expected: String, actual: String| {
            let what = format!(
                "window of folder {} at leaf {}: {what}",
                window.folder, place.index
            );
            report
                .findings
                .push(Finding::contradiction(leaves.key.clone(), what).values(expected, actual));
        };
        if window.count.0 != events {
            fail(
                "number of events does not agree",
                window.count.to_string(),
                events.to_string(),
            );
        }
        let first = place.index.0.saturating_sub(events);
        if window.first.0 != first {
            fail(
                "place of its first event does not agree",
                window.first.to_string(),
                first.to_string(),
            );
        }
        let last = self.last.get(&window.folder);
        let previous = last.map(|last| last.place);
        let is_known = last.is_some() || !self.forgetful;
        if is_known && window.previous_window != previous {
            let show = |place: Option<LeafRef>| {
                place.map_or("none".to_owned(), |place| {
                    format!("leaf {} {}", place.index, place.leaf_hash)
                })
            };
            fail(
                "does not join the folder's window before it",
                show(previous),
                show(window.previous_window),
            );
        }
        // The first window of a log joins the log before, whose cursor its state object holds.
        if let Some(last) = last
            && last.cursor != window.from_cursor_sha256
        {
            let show = |cursor: Option<Digest>| cursor.map_or("none".to_owned(), |cursor| cursor.to_string());
            fail(
                "does not start at the cursor where the one before it ended",
                show(last.cursor),
                show(window.from_cursor_sha256),
            );
        }
        self.last.insert(
            window.folder.clone(),
            Last {
                place,
                cursor: window.to_cursor_sha256,
            },
        );
    }

    /// The cursor in the state object must be the one the folder's window ends at.
    pub(crate) fn check_state(&self, header: &StateHeader, leaves: &Leaves, report: &mut Report) {
        for (folder, last) in &self.last {
            let cursor = header
                .folders
                .get(folder.as_str())
                .and_then(|folder| folder.cursor.as_ref());
            let stored = cursor.map(|cursor| sha256(cursor.as_bytes()));
            if stored != last.cursor {
                let what = format!(
                    "state object does not hold the cursor where the window of folder {folder} ended"
                );
                report
                    .findings
                    .push(Finding::contradiction(leaves.key.clone(), what));
            }
        }
    }
}
