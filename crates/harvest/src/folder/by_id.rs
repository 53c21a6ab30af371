//! Reading a feed that names items by id.

use revtrail_connector::{ErrorKind, FeedPage, FeedPoint, FolderRoot, Next};
use revtrail_model::{
    id::{Cursor, ItemId},
    time::Timestamp,
};

use super::{FolderRun, PageGuard};
use crate::{
    error::HarvestError,
    round::{Finished, Round, View},
    settle::{Settle, Settled, unlisted},
    snapshot::Draft,
};

/// A feed read to its end.
struct Read {
    finished: Finished,
    cursor: Cursor,
    first_at: Timestamp,
    last_at: Timestamp,
    full: bool,
}

impl FolderRun<'_> {
    pub(super) async fn feed_by_id(&mut self, draft: &mut Draft) -> Result<(), HarvestError> {
        let Some(root) = self.root.clone() else {
            return Ok(());
        };
        let read = match self.read_round(&root, self.start(), draft).await {
            Err(HarvestError::Connector(error)) if error.kind == ErrorKind::CursorExpired => {
                self.lose_cursor();
                self.read_round(&root, FeedPoint::Start, draft).await?
            }
            other => other?,
        };
        let frame = self.make_frame(read.last_at)?;
        let settle = Settle {
            frame: &frame,
            root: &root,
            inventory: &self.inventory,
            entries: read.finished.entries,
            cause: None,
        };
        let settled = settle.settle();
        let walk = settled.walk.clone();
        self.apply(settled);
        for folder in walk {
            self.walk(&root, &folder, draft, (&frame, read.last_at)).await?;
        }
        if read.full && self.covers_from.is_some() {
            let settled = unlisted(
                &frame,
                &root,
                &self.inventory,
                (&read.finished.seen, read.last_at),
            );
            self.apply(settled);
        }
        self.frame = Some(frame);
        self.caught_up(read.cursor, read.first_at);
        Ok(())
    }

    fn apply(&mut self, settled: Settled) {
        self.events.extend(settled.events);
        self.inventory.put_all(settled.items);
    }

    async fn read_round(
        &mut self,
        root: &FolderRoot,
        start: FeedPoint,
        draft: &mut Draft,
    ) -> Result<Read, HarvestError> {
        let full = start == FeedPoint::Start;
        let (mut round, mut guard, mut at, mut first_at) =
            (Round::default(), PageGuard::default(), start, None);
        loop {
            let page: FeedPage = self.plan.connector.changes(root, at).await?;
            let answered = page.answered_at.unwrap_or_else(|| self.clock.now());
            let first = *first_at.get_or_insert(answered);
            self.counted.pages += 1;
            self.counted.changes += page.changes.len() as u64;
            let mut view = View {
                root,
                inventory: &self.inventory,
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
    ) -> Result<(), HarvestError> {
        let (mut round, mut guard, mut page) = (Round::default(), PageGuard::default(), None);
        loop {
            let answer = self.plan.connector.subtree(root, folder, page).await?;
            self.counted.pages += 1;
            self.counted.changes += answer.changes.len() as u64;
            let mut view = View {
                root,
                inventory: &self.inventory,
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
                let settled = settle.settle();
                self.apply(settled);
                return Ok(());
            };
            guard.check(&self.capabilities, &token)?;
            page = Some(token);
        }
    }
}
