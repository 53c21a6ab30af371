//! The walk where the feed names places.

use revtrail_connector::{FeedPoint, FolderRoot};
use revtrail_model::id::ItemId;

use super::Found;
use crate::{
    error::HarvestError,
    folder::{FolderRun, by_place::Read},
    round::Keep,
    snapshot::Draft,
};

impl FolderRun<'_> {
    /// Lists the folder in full and records what differs from what the feed told.
    pub(in crate::folder) async fn walk_by_place(
        &mut self,
        root: &FolderRoot,
        draft: &mut Draft,
    ) -> Result<(), HarvestError> {
        let outcome = self.compare_by_place(root, draft).await;
        self.outcome_of_walk(outcome)
    }

    async fn compare_by_place(&mut self, root: &FolderRoot, draft: &mut Draft) -> Result<(), HarvestError> {
        let mut listing = self
            .read_places(root, (FeedPoint::Start, Keep::Differing), draft)
            .await?;
        let feed = self.read_places(root, (self.start(), Keep::All), draft).await?;
        listing.round.leave_to(&feed.round);
        let waiting = self.state.pending_places.clone();
        if let Err(error) = self.keep_places(root, feed, draft).await {
            self.state.pending_places = waiting;
            return Err(error);
        }
        // Places that the feed left to ask are not the listing's.
        let waiting = std::mem::take(&mut self.state.pending_places);
        let outcome = self.take_listed_places(root, listing, draft).await;
        self.state.pending_places.extend(waiting);
        outcome
    }

    async fn take_listed_places(
        &mut self,
        root: &FolderRoot,
        listing: Read,
        draft: &mut Draft,
    ) -> Result<(), HarvestError> {
        let frame = self.walk_frame(listing.last_at)?;
        let items = listing.round.items();
        let mut settled = listing.round.settle(&frame, &self.inventory);
        self.unlisted(listing.last_at, &mut settled);
        let pending = settled.items.iter().filter(|(_, item)| item.pending.is_some());
        let pending: Vec<ItemId> = pending.map(|(id, _)| id.clone()).collect();
        let before = self.events.len();
        self.take_places(root, (&frame, settled), draft).await?;
        let mut found = Found::default();
        found.add(self.events.get(before..).unwrap_or_default(), pending.into_iter());
        self.close_walk(&frame, items, &found);
        self.walked(listing.first_at);
        Ok(())
    }
}
