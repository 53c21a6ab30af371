//! What is known of an item after a round.

use std::sync::Arc;

use revtrail_connector::change::TrashedThrough;
use revtrail_model::{event::ItemKind, id::ItemId};

use super::{Settle, Step};
use crate::{
    inventory::{Item, Lookup as _, Pending, Status, Tree},
    round::{Entry, Shown},
};

impl Settle<'_> {
    pub(super) fn next_item(&self, id: &ItemId, entry: &Entry, step: Step) -> Item {
        let old = self.inventory.item(id);
        let mut item = old.cloned().unwrap_or_else(|| Item::new(kind_of(&entry.shown)));
        item.status = match step {
            Step::Entered | Step::Stayed | Step::Restored | Step::Trashed => match entry.shown {
                Shown::Trashed(..) => Status::Trashed,
                Shown::Deleted { .. } => Status::Deleted,
                Shown::Present(_) | Shown::Lost => Status::Inside,
            },
            Step::Deleted => Status::Deleted,
            Step::Lost => Status::Lost,
            Step::Left => Status::Outside,
            Step::Elsewhere => old.map_or(Status::Outside, |item| item.status),
        };
        place_item(&mut item, entry, step);
        item.trashed_through = self.trashed_through(id, entry);
        self.set_pending(id, entry, &mut item);
        item
    }

    /// The folder through which an item is in the bin.
    fn trashed_through(&self, id: &ItemId, entry: &Entry) -> Option<ItemId> {
        let Shown::Trashed(_, how) = &entry.shown else {
            return None;
        };
        if how.through == TrashedThrough::Itself {
            return None;
        }
        let overlay = self.overlay();
        let tree = Tree::new(&overlay, &self.root.item);
        tree.ancestors(id)
            .take_while(|ancestor| **ancestor != self.root.item)
            .find(|ancestor| self.is_trashed_itself(ancestor))
            .cloned()
    }

    fn is_trashed_itself(&self, id: &ItemId) -> bool {
        match self.entries.get(id).map(|entry| &entry.shown) {
            Some(Shown::Trashed(_, how)) => how.through == TrashedThrough::Itself,
            Some(_) => false,
            None => self
                .inventory
                .item(id)
                .is_some_and(|item| item.status == Status::Trashed && item.trashed_through.is_none()),
        }
    }

    /// Asks for the revisions of a file whose content may have changed: in the folder, in the bin, or just gone from the folder (the
    /// edits before it left belong to the folder).
    fn set_pending(&self, id: &ItemId, entry: &Entry, item: &mut Item) {
        let Some(meta) = entry.shown.meta().filter(|meta| meta.kind == ItemKind::File) else {
            item.pending = None;
            return;
        };
        let inside = matches!(item.status, Status::Inside | Status::Trashed);
        let was_inside = self
            .inventory
            .item(id)
            .is_some_and(|old| old.status == Status::Inside);
        let asked = item.marker.is_some() && item.marker.as_deref() == meta.marker();
        if asked || !(inside || was_inside) {
            return;
        }
        let last_path = if inside {
            None
        } else {
            self.inventory.tree(self.root).path(id)
        };
        let former = item.pending.take();
        item.pending = Some(Box::new(Pending {
            details: Arc::clone(&meta.details),
            raw: entry.source.raw,
            operation: entry.source.operation.clone(),
            request_id: entry.source.request_id.clone(),
            baseline: self.frame.baseline || former.as_ref().is_some_and(|former| former.baseline),
            reconciled: self.frame.reconciled || former.is_some_and(|former| former.reconciled),
            was_gone: false,
            last_path: last_path.map(Into::into),
        }));
    }

    /// The folder that brought an item in: the outermost ancestor that itself came from outside.
    pub(super) fn cause_of_arrival(&self, id: &ItemId) -> Option<ItemId> {
        if let Some(cause) = self.cause {
            return Some(cause.clone());
        }
        let overlay = self.overlay();
        let tree = Tree::new(&overlay, &self.root.item);
        let arrived = |ancestor: &&ItemId| {
            self.inventory
                .item(ancestor)
                .is_none_or(|item| item.status == Status::Outside)
                && self
                    .entries
                    .get(*ancestor)
                    .is_some_and(|entry| self.existed_before(ancestor, entry))
        };
        tree.ancestors(id)
            .take_while(|ancestor| **ancestor != self.root.item)
            .filter(arrived)
            .last()
            .cloned()
    }

    /// The nearest ancestor that took the same step, when the item's own parent did not change.
    pub(super) fn ancestor_with(&self, id: &ItemId, step: Step) -> Option<ItemId> {
        let overlay = self.overlay();
        if overlay.node(id)?.parent != self.inventory.node(id)?.parent {
            return None;
        }
        let tree = Tree::new(&overlay, &self.root.item);
        tree.ancestors(id)
            .take_while(|ancestor| **ancestor != self.root.item)
            .find(|ancestor| self.step_of(ancestor) == Some(step))
            .cloned()
    }

    fn step_of(&self, id: &ItemId) -> Option<Step> {
        let entry = self.entries.get(id)?;
        Some(super::step(
            self.inventory.item(id),
            &entry.shown,
            self.overlay().standing(id, self.root),
        ))
    }
}

fn place_item(item: &mut Item, entry: &Entry, step: Step) {
    match (&entry.shown, step) {
        // Names outside the folder are not our business; the parent is needed to follow the tree.
        (Shown::Present(meta), Step::Elsewhere | Step::Left) => {
            item.parent.clone_from(&meta.parent);
            item.name = None;
        }
        (Shown::Present(meta) | Shown::Trashed(meta, _), _) => {
            item.parent.clone_from(&meta.parent);
            item.name = meta.name.clone().or(item.name.take());
            item.kind = meta.kind;
        }
        (Shown::Deleted { parent, .. }, _) => item.parent = parent.clone().or(item.parent.take()),
        (Shown::Lost, _) => {}
    }
}

fn kind_of(shown: &Shown) -> ItemKind {
    match shown {
        Shown::Present(meta) | Shown::Trashed(meta, _) => meta.kind,
        Shown::Deleted { kind, .. } => kind.unwrap_or(ItemKind::Other),
        Shown::Lost => ItemKind::Other,
    }
}
