//! Changes of place, so that a path can be told for another time than that of its observation.

use std::collections::BTreeMap;

use revtrail_model::{
    event::{Action, ItemKind, Occurred},
    id::{FolderName, ItemId},
    time::Timestamp,
};

use crate::{filter::bounds, reader::Row};

/// One rename or move.
#[derive(Debug, Clone)]
struct Change {
    /// Position in the record.
    order: (i16, u64),
    occurred: Occurred,
    from: String,
    to: String,
}

/// All renames and moves of a record.
#[derive(Debug, Clone, Default)]
pub struct PathChanges {
    own: BTreeMap<(FolderName, ItemId), Vec<Change>>,
    folders: BTreeMap<FolderName, Vec<Change>>,
}

/// A path at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathAt {
    pub(crate) path: String,
    /// A rename or move may or may not have happened by then.
    pub(crate) uncertain: bool,
}

impl PathAt {
    /// Takes the other path when the change happened on the wanted side of the time; `other` is `None` when it does not concern it.
    fn step(&mut self, when: When, wanted: When, other: Option<String>) {
        let Some(other) = other else { return };
        if when == wanted {
            self.path = other;
        } else if when == When::Unknown {
            self.uncertain = true;
        }
    }
}

impl PathChanges {
    /// Collects them.
    pub fn of(rows: &[Row]) -> Self {
        let mut changes = Self::default();
        for row in rows {
            let event = &row.event;
            let (Some(to), Some(from)) = (&event.path.path, &event.path.previous_path) else {
                continue;
            };
            if !matches!(event.action, Action::Renamed | Action::Moved | Action::Restored) {
                continue;
            }
            let change = Change {
                order: (row.year, row.index),
                occurred: event.occurred,
                from: from.clone(),
                to: to.clone(),
            };
            let folder = event.scope.folder.clone();
            if event.item_kind == ItemKind::Folder {
                changes
                    .folders
                    .entry(folder.clone())
                    .or_default()
                    .push(change.clone());
            }
            changes
                .own
                .entry((folder, event.item_id.clone()))
                .or_default()
                .push(change);
        }
        changes
    }

    /// The path at `time` of an item whose path was observed when the row was recorded.
    ///
    /// Going back undoes the changes recorded up to the row that had not happened yet; going on applies those recorded after it that
    /// had. A change of which only bounds around `time` are known makes the path uncertain.
    pub(crate) fn at(&self, row: &Row, time: Timestamp) -> Option<PathAt> {
        let path = row
            .event
            .path
            .path
            .clone()
            .or_else(|| row.event.path.previous_path.clone())?;
        let mut shown = PathAt {
            path,
            uncertain: false,
        };
        let here = (row.year, row.index);
        let changes = self.of_item(row);
        for change in changes.iter().rev().filter(|change| change.order <= here) {
            shown.step(change.when(time), When::After, undo(&shown.path, change));
        }
        for change in changes.iter().filter(|change| change.order > here) {
            shown.step(change.when(time), When::Before, redo(&shown.path, change));
        }
        Some(shown)
    }

    /// Changes of the item and of the folders of its designated folder, in the order of the record.
    fn of_item(&self, row: &Row) -> Vec<&Change> {
        let key = (row.event.scope.folder.clone(), row.event.item_id.clone());
        let own = self.own.get(&key).into_iter().flatten();
        let above = self.folders.get(&key.0).into_iter().flatten();
        let mut changes: Vec<&Change> = own.chain(above).collect();
        changes.sort_by_key(|change| change.order);
        changes.dedup_by_key(|change| change.order);
        changes
    }

    /// True when the item of the row was at `path` at its observation or before.
    pub(crate) fn ever_at(&self, row: &Row, path: &str) -> bool {
        let event = &row.event;
        if event.path.path.as_deref() == Some(path) || event.path.previous_path.as_deref() == Some(path) {
            return true;
        }
        let Some(mut now) = event.path.path.clone() else {
            return false;
        };
        let folders = self.folders.get(&event.scope.folder).into_iter().flatten();
        for change in folders
            .filter(|change| change.order <= (row.year, row.index))
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
        {
            if let Some(before) = undo(&now, change) {
                if before == path {
                    return true;
                }
                now = before;
            }
        }
        false
    }
}

/// Whether a change had happened at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// It happened by then.
    Before,
    /// It happened later.
    After,
    /// It may or may not have happened by then.
    Unknown,
}

impl Change {
    fn when(&self, time: Timestamp) -> When {
        let (earliest, latest) = bounds(&self.occurred);
        if latest <= time {
            When::Before
        } else if earliest.is_some_and(|earliest| earliest >= time) {
            When::After
        } else {
            When::Unknown
        }
    }
}

fn undo(path: &str, change: &Change) -> Option<String> {
    replaced(path, &change.to, &change.from)
}

fn redo(path: &str, change: &Change) -> Option<String> {
    replaced(path, &change.from, &change.to)
}

/// `path` with `from` at its start replaced by `to`, if it is that place or below it.
fn replaced(path: &str, from: &str, to: &str) -> Option<String> {
    if path == from {
        return Some(to.to_owned());
    }
    let rest = path.strip_prefix(from).filter(|rest| rest.starts_with('/'))?;
    Some(format!("{to}{rest}"))
}
