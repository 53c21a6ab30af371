//! The walk where the feed names items by id.

use std::collections::BTreeSet;

use revtrail_connector::{FeedPoint, FolderRoot};
use revtrail_model::id::ItemId;

use super::Found;
use crate::{
    error::HarvestError,
    folder::{FolderRun, by_id::Read},
    inventory::{Inventory, Item, Tree},
    round::{Keep, Overlay},
    settle::{Settle, Settled, unlisted},
    snapshot::Draft,
};

impl FolderRun<'_> {
    /// Lists the folder in full and records what differs from what the feed told.
    pub(in crate::folder) async fn walk_by_id(
        &mut self,
        root: &FolderRoot,
        draft: &mut Draft,
    ) -> Result<(), HarvestError> {
        let outcome = self.compare_by_id(root, draft).await;
        self.outcome_of_walk(outcome)
    }

    async fn compare_by_id(&mut self, root: &FolderRoot, draft: &mut Draft) -> Result<(), HarvestError> {
        let listing = self
            .read_round(root, (FeedPoint::Start, Keep::Differing), draft)
            .await?;
        let mut feed = self.read_round(root, (self.start(), Keep::All), draft).await?;
        let shown = std::mem::take(&mut feed.finished.seen);
        let settled = self.settle_feed(root, &mut feed)?;
        let meanwhile = Meanwhile::of(shown, &settled, &self.inventory);
        self.keep_feed(root, (feed, settled), draft).await?;
        self.take_listing(root, listing, &meanwhile)
    }

    fn take_listing(
        &mut self,
        root: &FolderRoot,
        mut listing: Read,
        meanwhile: &Meanwhile,
    ) -> Result<(), HarvestError> {
        let frame = self.walk_frame(listing.last_at)?;
        let overlay = Overlay {
            entries: &listing.finished.entries,
            inventory: &self.inventory,
        };
        let tree = Tree::new(&overlay, &root.item);
        let left = listing.finished.entries.keys().filter(|id| {
            let id: &ItemId = id;
            meanwhile.tells(id, tree.ancestors(id))
        });
        let left: Vec<ItemId> = left.cloned().collect();
        for id in &left {
            listing.finished.entries.remove(id);
        }
        let mut found = Found::default();
        let settle = Settle {
            frame: &frame,
            root,
            inventory: &self.inventory,
            entries: listing.finished.entries,
            cause: None,
        };
        self.take_found(settle.settle(), &mut found);
        let tree = self.inventory.tree(root);
        let items = listing.finished.seen.len();
        let mut seen = listing.finished.seen;
        let known = self.inventory.items().map(|(id, _)| id);
        let left: Vec<ItemId> = known
            .filter(|id| meanwhile.tells(id, tree.ancestors(id)))
            .cloned()
            .collect();
        seen.extend(left);
        let missing = unlisted(&frame, root, &self.inventory, (&seen, listing.last_at));
        self.take_found(missing, &mut found);
        self.close_walk(&frame, items, &found);
        self.walked(listing.first_at);
        Ok(())
    }

    fn take_found(&mut self, settled: Settled, found: &mut Found) {
        let is_new = |(id, item): (&ItemId, &Item)| {
            let before = self.inventory.item(id);
            let asked = before.is_some_and(|before| before.pending == item.pending);
            (item.pending.is_some() && !asked).then(|| id.clone())
        };
        let pending: Vec<ItemId> = settled.items.iter().filter_map(is_new).collect();
        found.add(&settled.events, pending.into_iter());
        self.apply(settled);
    }
}

/// What the feed told while the listing was read.
struct Meanwhile {
    shown: BTreeSet<ItemId>,
    /// Items that came, went or moved; what is below them went along.
    moved: BTreeSet<ItemId>,
}

impl Meanwhile {
    fn of(mut shown: BTreeSet<ItemId>, settled: &Settled, inventory: &Inventory) -> Self {
        let is_moved = |(id, item): &(&ItemId, &Item)| {
            let old = inventory.item(id);
            old.is_none_or(|old| old.status != item.status || old.parent != item.parent)
        };
        let moved = settled.items.iter().filter(is_moved);
        let moved = moved.map(|(id, _)| id.clone()).collect();
        shown.extend(settled.items.keys().cloned());
        Self { shown, moved }
    }

    fn tells<'a>(&self, id: &ItemId, mut above: impl Iterator<Item = &'a ItemId>) -> bool {
        self.shown.contains(id) || !self.moved.is_empty() && above.any(|folder| self.moved.contains(folder))
    }
}
