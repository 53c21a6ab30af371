//! Reading a feed that names items by id.

use std::collections::HashMap;

use revtrail_connector::{ErrorKind, FeedPage, FeedPoint, FolderRoot, Next};
use revtrail_model::{
    id::{Cursor, ItemId},
    time::Timestamp,
};

use super::{FolderRun, PageGuard, WalkDue};
use crate::{
    error::HarvestError,
    inventory::{Inventory, Item, Status},
    round::{Finished, Keep, Round, View},
    settle::{Settle, Settled, unlisted},
    snapshot::Draft,
};

/// A feed read to its end.
pub(super) struct Read {
    pub(super) finished: Finished,
    pub(super) cursor: Cursor,
    pub(super) first_at: Timestamp,
    pub(super) last_at: Timestamp,
    full: bool,
}

/// What was known before something was taken that may have to be given up again.
#[derive(Default)]
struct Undo {
    items: HashMap<ItemId, Option<Item>>,
    events: usize,
}

impl Undo {
    fn note(&mut self, inventory: &Inventory, settled: &Settled) {
        for id in settled.items.keys() {
            let before = || inventory.item(id).cloned();
            self.items.entry(id.clone()).or_insert_with(before);
        }
    }
}

impl FolderRun<'_> {
    pub(super) async fn feed_by_id(&mut self, draft: &mut Draft) -> Result<(), HarvestError> {
        let Some(root) = self.root.clone() else {
            return Ok(());
        };
        let mut read = match self.read_round(&root, (self.start(), Keep::All), draft).await {
            Err(HarvestError::Connector(error)) if error.kind == ErrorKind::CursorExpired => {
                self.lose_cursor();
                self.read_without_cursor(&root, draft).await?
            }
            other => other?,
        };
        let (full, seen) = (read.full, std::mem::take(&mut read.finished.seen));
        let (first_at, last_at) = (read.first_at, read.last_at);
        let settled = self.settle_feed(&root, &mut read)?;
        self.keep_feed(&root, (read, settled), draft).await?;
        if full && let (Some(_), Some(frame)) = (self.covers_from, self.frame.clone()) {
            let settled = unlisted(&frame, &root, &self.inventory, (&seen, last_at));
            self.apply(settled);
        }
        if full {
            self.walked(first_at);
        } else if self.may_walk() {
            self.walk_by_id(&root, draft).await?;
        }
        Ok(())
    }

    /// Reads on from the moment of the last look, where the provider's feed can: it tells deletions as such, and not only what is no
    /// longer listed. Whether it leaves something out, the full listing beside it shows. Elsewhere that listing is all there is.
    async fn read_without_cursor(
        &mut self,
        root: &FolderRoot,
        draft: &mut Draft,
    ) -> Result<Read, HarvestError> {
        if let Some(last_look) = self.covers_from {
            let since = (FeedPoint::Since(last_look), Keep::All);
            match self.read_round(root, since, draft).await {
                Err(HarvestError::Connector(error))
                    if matches!(error.kind, ErrorKind::NotSupported | ErrorKind::CursorExpired) => {}
                Err(error) => return Err(error),
                Ok(read) => {
                    self.walk_due = WalkDue::Now;
                    return Ok(read);
                }
            }
        }
        self.read_round(root, (FeedPoint::Start, Keep::All), draft).await
    }

    /// Compares a feed read to its end with what is known.
    pub(super) fn settle_feed(&self, root: &FolderRoot, read: &mut Read) -> Result<Settled, HarvestError> {
        let settle = Settle {
            frame: &self.make_frame(read.last_at)?,
            root,
            inventory: &self.inventory,
            entries: std::mem::take(&mut read.finished.entries),
            cause: None,
        };
        let mut settled = settle.settle();
        if self.covers_from.is_none() {
            // There is no look before to tell that a folder existed outside.
            let is_inside = |id: &ItemId| {
                let item = settled.items.get(id);
                item.is_some_and(|item| item.status == Status::Inside)
            };
            let came_in = std::mem::take(&mut read.finished.came_in);
            let came_in: Vec<ItemId> = came_in.into_iter().filter(is_inside).collect();
            settled.walk.extend(came_in);
        }
        Ok(settled)
    }

    /// Takes what the feed told, and its cursor; or nothing of it, when what came into the folder cannot be listed: a folder that is known
    /// is not listed again.
    pub(super) async fn keep_feed(
        &mut self,
        root: &FolderRoot,
        (read, settled): (Read, Settled),
        draft: &mut Draft,
    ) -> Result<(), HarvestError> {
        let frame = self.make_frame(read.last_at)?;
        let walk = settled.walk.clone();
        let mut undo = Undo {
            events: self.events.len(),
            ..Undo::default()
        };
        if !walk.is_empty() {
            undo.note(&self.inventory, &settled);
        }
        self.apply(settled);
        for folder in walk {
            match self.walk(root, &folder, draft, (&frame, read.last_at)).await {
                Ok(below) => {
                    undo.note(&self.inventory, &below);
                    self.apply(below);
                }
                Err(error) => {
                    self.take_back(undo);
                    return Err(error);
                }
            }
        }
        self.frame = Some(frame);
        self.caught_up(read.cursor, read.first_at);
        Ok(())
    }

    fn take_back(&mut self, undo: Undo) {
        self.events.truncate(undo.events);
        for (id, before) in undo.items {
            self.inventory.put_back(id, before);
        }
    }

    pub(super) fn apply(&mut self, settled: Settled) {
        self.events.extend(settled.events);
        self.inventory.put_all(settled.items);
    }

    pub(super) async fn read_round(
        &mut self,
        root: &FolderRoot,
        (start, keep): (FeedPoint, Keep),
        draft: &mut Draft,
    ) -> Result<Read, HarvestError> {
        let full = start == FeedPoint::Start;
        let (mut round, mut guard, mut at, mut first_at) =
            (Round::new(keep), PageGuard::default(), start, None);
        loop {
            let page: FeedPage = self.plan.connector.changes(root, at).await?;
            let answered = page.answered_at.unwrap_or_else(|| self.clock.now());
            let first = *first_at.get_or_insert(answered);
            self.counted.pages += 1;
            self.counted.changes += page.changes.len() as u64;
            let mut view = View {
                root,
                inventory: &self.inventory,
                with_contents: page.with_contents,
                spool: &mut draft.spool,
            };
            for change in page.changes {
                round.take(change, answered, &mut view)?;
            }
            match page.next {
                Next::Page(token) => {
                    guard.check(&self.capabilities, &token)?;
                    at = FeedPoint::Page(token);
                }
                Next::CaughtUp(cursor) => {
                    let finished = round.finish(&mut view)?;
                    return Ok(Read {
                        finished,
                        cursor,
                        first_at: first,
                        last_at: answered,
                        full,
                    });
                }
            }
        }
    }

    /// Lists what is below a folder that came from outside with contents the feed does not tell of.
    async fn walk(
        &mut self,
        root: &FolderRoot,
        folder: &ItemId,
        draft: &mut Draft,
        (frame, seen_at): (&crate::facts::Frame, Timestamp),
    ) -> Result<Settled, HarvestError> {
        let (mut round, mut guard, mut page) = (Round::default(), PageGuard::default(), None);
        loop {
            let answer = self.plan.connector.subtree(root, folder, page).await?;
            self.counted.pages += 1;
            self.counted.changes += answer.changes.len() as u64;
            let mut view = View {
                root,
                inventory: &self.inventory,
                with_contents: true,
                spool: &mut draft.spool,
            };
            for change in answer.changes {
                round.take(change, seen_at, &mut view)?;
            }
            let Some(token) = answer.next else {
                let finished = round.finish(&mut view)?;
                let settle = Settle {
                    frame,
                    root,
                    inventory: &self.inventory,
                    entries: finished.entries,
                    cause: Some(folder),
                };
                return Ok(settle.settle());
            };
            guard.check(&self.capabilities, &token)?;
            page = Some(token);
        }
    }
}
