//! What follows for the contents of a folder that left, went or came back: the feed lists the folder only.

use std::collections::HashMap;

use revtrail_model::id::ItemId;

use super::{Settle, Settled, Step, action_of};
use crate::{
    facts::{Subject, set_path, state_marker},
    inventory::{Item, Status},
    round::Entry,
};

impl Settle<'_> {
    pub(super) fn settle_below(&self, settled: &mut Settled) {
        let mut folders: Vec<(&ItemId, &Entry, Step)> = self
            .entries
            .iter()
            .filter_map(|(id, entry)| self.folder_step(id, entry))
            .collect();
        if folders.is_empty() {
            return;
        }
        folders.sort_by_key(|(id, ..)| *id);
        let children = self.inventory.children();
        for (folder, entry, step) in folders {
            self.settle_contents(folder, (entry, step), &children, settled);
        }
    }

    fn folder_step<'a>(&self, id: &'a ItemId, entry: &'a Entry) -> Option<(&'a ItemId, &'a Entry, Step)> {
        let old = self.inventory.item(id)?;
        let step = super::step(Some(old), &entry.shown, self.overlay().standing(id, self.root));
        action_of(step).map(|_| (id, entry, step))
    }

    fn settle_contents(
        &self,
        folder: &ItemId,
        (entry, step): (&Entry, Step),
        children: &HashMap<&ItemId, Vec<&ItemId>>,
        settled: &mut Settled,
    ) {
        // A folder that is in the bin through one above it passes that one on as the cause.
        let cause = settled
            .items
            .get(folder)
            .and_then(|item| item.trashed_through.clone())
            .unwrap_or_else(|| folder.clone());
        let mut queue: Vec<&ItemId> = children.get(folder).cloned().unwrap_or_default();
        queue.sort();
        while let Some(id) = queue.pop() {
            // An item with an entry of its own has been settled by it; so has everything below a folder with one that took a step.
            if self.entries.contains_key(id) || settled.items.contains_key(id) {
                continue;
            }
            let Some(old) = self.inventory.item(id) else {
                continue;
            };
            if let Some(status) = status_after(old, step, folder) {
                self.derive(
                    id,
                    (entry, step, &cause),
                    Item {
                        status,
                        ..old.clone()
                    },
                    settled,
                );
                queue.extend(children.get(id).into_iter().flatten());
            }
        }
    }

    fn derive(
        &self,
        id: &ItemId,
        (entry, step, folder): (&Entry, Step, &ItemId),
        mut item: Item,
        settled: &mut Settled,
    ) {
        let Some(action) = action_of(step) else { return };
        let marker = state_marker(item.changes);
        item.changes += 1;
        item.trashed_through = (item.status == Status::Trashed).then(|| folder.clone());
        if matches!(item.status, Status::Deleted | Status::Lost) {
            item.pending = None;
        }
        let subject = Subject {
            item: id,
            kind: item.kind,
            marker: &marker,
        };
        let mut event = self
            .frame
            .fact(subject, action, self.frame.bounds(entry.seen_at), &entry.source);
        let before = self.inventory.tree(self.root).path(id);
        set_path(&mut event, before, None);
        event.derived_from = Some(folder.to_string());
        if step == Step::Left {
            item.name = None;
        }
        settled.events.push(event);
        settled.items.insert(id.clone(), item);
    }
}

/// The status of an item below a folder that took a step; `None` when the step does not concern it.
fn status_after(old: &Item, step: Step, folder: &ItemId) -> Option<Status> {
    match (old.status, step) {
        (Status::Inside, Step::Left) => Some(Status::Outside),
        (Status::Inside, Step::Trashed) => Some(Status::Trashed),
        (Status::Inside | Status::Trashed, Step::Deleted) => Some(Status::Deleted),
        (Status::Inside | Status::Trashed, Step::Lost) => Some(Status::Lost),
        (Status::Trashed, Step::Restored) if old.trashed_through.as_ref() == Some(folder) => {
            Some(Status::Inside)
        }
        _ => None,
    }
}
