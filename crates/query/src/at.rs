//! The state of a folder at a time, as far as the record tells it.

use std::collections::BTreeMap;

use revtrail_model::{
    event::{Action, DESIGNATED_FOLDER, Event, ItemKind},
    id::{FolderName, ItemId},
    time::Timestamp,
};

use crate::{filter::bounds, paths::PathChanges, reader::Row};

/// How sure a statement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// Every fact it rests on lies wholly before the time asked for.
    Certain,
    /// Something may or may not have happened by then: only bounds are known.
    Uncertain,
}

impl Certainty {
    /// The word shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Uncertain => "uncertain",
        }
    }
}

/// One item that was, or may have been, in the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The folder.
    pub folder: FolderName,
    /// The item.
    pub item_id: ItemId,
    /// Its kind.
    pub kind: ItemKind,
    /// Its path then; absent when no path is known.
    pub path: Option<String>,
    /// The last content saved by then.
    pub content: Option<Row>,
    /// The last fact by then.
    pub last: Row,
    /// How sure.
    pub certainty: Certainty,
}

/// Every item that was, or may have been, live at `time`.
pub fn at(rows: &[Row], time: Timestamp) -> Vec<Standing> {
    let changes = PathChanges::of(rows);
    let mut items: BTreeMap<(FolderName, ItemId), Vec<&Row>> = BTreeMap::new();
    // What follows from a fact tells nothing of its own about the item, and the designated folder is none.
    let facts = rows.iter().filter(|row| {
        row.event.action != Action::InstructionsChanged && row.event.source_api != DESIGNATED_FOLDER
    });
    for row in facts {
        items
            .entry((row.event.scope.folder.clone(), row.event.item_id.clone()))
            .or_default()
            .push(row);
    }
    let mut found: Vec<Standing> = items
        .into_values()
        .filter_map(|rows| standing(rows, time, &changes))
        .collect();
    found.sort_by(|a, b| (&a.folder, &a.path, &a.item_id).cmp(&(&b.folder, &b.path, &b.item_id)));
    found
}

fn standing(mut rows: Vec<&Row>, time: Timestamp, changes: &PathChanges) -> Option<Standing> {
    rows.sort_by_key(|row| (row.event.occurred.sort_key(), row.year, row.index));
    let (mut last, mut content, mut certainty) = (None, None, Certainty::Certain);
    for row in &rows {
        let (earliest, latest) = bounds(&row.event.occurred);
        if latest > time {
            // It may have happened by then if it can have happened before.
            let open = latest != earliest.unwrap_or(latest) || earliest.is_none();
            if open && earliest.is_none_or(|earliest| earliest < time) {
                certainty = Certainty::Uncertain;
            }
            continue;
        }
        last = Some(*row);
        if row.event.revision_id.is_some() && row.event.action != Action::RevisionVanished {
            content = Some(*row);
        }
    }
    let last = last?;
    if is_gone(&last.event) {
        return None;
    }
    let shown = observed_after(&rows, last).and_then(|row| changes.at(row, time));
    if shown.as_ref().is_some_and(|shown| shown.uncertain) {
        certainty = Certainty::Uncertain;
    }
    Some(Standing {
        folder: last.event.scope.folder.clone(),
        item_id: last.event.item_id.clone(),
        kind: last.event.item_kind,
        path: shown.map(|shown| shown.path),
        content: content.cloned(),
        last: last.clone(),
        certainty,
    })
}

/// The earliest row recorded at or after `last` that names a path: its observation is the nearest to the time asked for.
fn observed_after<'a>(rows: &[&'a Row], last: &'a Row) -> Option<&'a Row> {
    let mut recorded: Vec<&Row> = rows.to_vec();
    recorded.sort_by_key(|row| (row.year, row.index));
    let from = (last.year, last.index);
    recorded
        .iter()
        .find(|row| (row.year, row.index) >= from && row.event.path.path.is_some())
        .or_else(|| recorded.iter().rev().find(|row| row.event.path.path.is_some()))
        .copied()
}

fn is_gone(event: &Event) -> bool {
    matches!(
        event.action,
        Action::Deleted | Action::Trashed | Action::AccessLost | Action::MovedOut
    )
}
