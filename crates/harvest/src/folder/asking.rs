//! Listing the revisions of pending items, a few batches at a time.

use revtrail_connector::{
    Addressing, ConnectorError, FolderRoot,
    change::{About, Completeness, RevisionAnswer, RevisionAsk, RevisionList},
};
use revtrail_model::id::ItemId;

use super::{FolderRun, Progress};
use crate::{
    error::HarvestError,
    places::lives::{Life, Standing},
    revisions::{Listed, is_headless, kept, remember_content, take_list, unlisted, vanished},
    snapshot::Draft,
};

impl FolderRun<'_> {
    /// Lists the revisions of pending items, and takes those of one batch. An item that fails stays pending: it is a gap of this window
    /// and is asked again at the next run.
    pub async fn list_revisions(&mut self, draft: &mut Draft) -> Result<Progress, HarvestError> {
        let (Some(root), Some(_)) = (self.root.clone(), &self.frame) else {
            return Ok(Progress::Done);
        };
        while let Some(size) = self.questions.room() {
            let batch = self.inventory.pending_after(self.last_asked.as_ref(), size);
            let Some(last) = batch.last().cloned() else { break };
            let asks = batch.iter().map(|id| self.ask(id)).collect();
            self.questions.ask(&root, batch, asks);
            self.last_asked = Some(last);
        }
        let Some((batch, answers)) = self.questions.answered().await else {
            return Ok(Progress::Done);
        };
        self.take_answers(&root, (&batch, answers), draft)?;
        Ok(Progress::More)
    }

    fn take_answers(
        &mut self,
        root: &FolderRoot,
        (ids, answers): (&[ItemId], Result<Vec<RevisionAnswer>, ConnectorError>),
        draft: &mut Draft,
    ) -> Result<(), HarvestError> {
        let answers = match answers {
            Ok(answers) => answers,
            Err(error) => {
                tracing::error!(folder = %self.plan.name, error = %super::chain(&error), hint = error.hint(), "revisions could not be listed");
                *self.unavailable.entry(error.kind.as_str()).or_default() += ids.len() as u64;
                return Ok(());
            }
        };
        for (id, answer) in ids.iter().zip(answers) {
            match answer.outcome {
                Ok(revisions) => self.take_answer(root, (id, revisions), draft)?,
                Err(failure) => {
                    tracing::warn!(folder = %self.plan.name, item.id = %id, kind = failure.kind.as_str(), "revisions of an item are not available");
                    *self.unavailable.entry(failure.kind.as_str()).or_default() += 1;
                }
            }
        }
        Ok(())
    }

    fn ask(&self, id: &ItemId) -> RevisionAsk {
        let head = self
            .inventory
            .item(id)
            .and_then(|item| item.pending.as_ref())
            .and_then(|pending| pending.details.head.as_ref());
        RevisionAsk {
            about: About::Item(id.clone()),
            head: head.map(Into::into),
        }
    }

    pub(super) fn count_list(&mut self, list: &RevisionList) {
        self.count(&Listed {
            listed: list.revisions.len() as u64,
            truncated: list.completeness == Completeness::Truncated,
            oldest: list.revisions.iter().map(|revision| revision.at).min(),
            ..Listed::default()
        });
    }

    fn count(&mut self, listed: &Listed) {
        self.counted.revisions += listed.listed;
        self.counted.changed += listed.changed;
        self.counted.vanished += listed.vanished;
        self.counted.truncated += u64::from(listed.truncated);
        self.counted.headless += u64::from(listed.headless);
        self.counted.kept = match (self.counted.kept, listed.kept) {
            (Some(a), Some(b)) => Some(a.and(b)),
            (a, b) => a.or(b),
        };
        self.counted.hole = match (self.counted.hole, listed.hole) {
            (Some(a), Some(b)) => Some(a.and(b)),
            (a, b) => a.or(b),
        };
        self.counted.oldest = match (self.counted.oldest, listed.oldest) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }

    fn take_answer(
        &mut self,
        root: &FolderRoot,
        (id, list): (&ItemId, RevisionList),
        draft: &mut Draft,
    ) -> Result<(), HarvestError> {
        match self.capabilities.addressing {
            Addressing::Id => {
                let Some(frame) = &self.frame else { return Ok(()) };
                let listed = take_list(frame, root, &mut self.inventory, &mut draft.spool, (id, list))?;
                self.count(&listed);
                self.events.extend(listed.events);
                Ok(())
            }
            Addressing::Place => self.take_life(id, &list, draft),
        }
    }

    fn take_life(&mut self, id: &ItemId, list: &RevisionList, draft: &mut Draft) -> Result<(), HarvestError> {
        self.count_list(list);
        let Some(mut item) = self.inventory.item(id).cloned() else {
            return Ok(());
        };
        let pending = item.pending.take().map(|pending| *pending).unwrap_or_default();
        let headless = is_headless(&item, &pending, list);
        self.count(&Listed {
            kept: kept(&item, &pending, list),
            headless,
            ..Listed::default()
        });
        let Some(frame) = &self.frame else {
            return Ok(());
        };
        let frame = crate::facts::Frame {
            baseline: pending.baseline,
            reconciled: pending.reconciled,
            ..frame.clone()
        };
        // A list that leaves some out does not say which are gone.
        if list.completeness == Completeness::AsKept {
            let path = item.path.as_deref().map(str::to_owned);
            let subject = (id, path.as_deref());
            let missing = unlisted(&item, &list.revisions);
            let gone = vanished(&frame, subject, (&mut item, missing), &pending.source());
            self.counted.vanished += gone.len() as u64;
            self.events.extend(gone);
        }
        let life = Life {
            frame: &frame,
            id,
            known: Some(&item),
            before: Standing::of(pending.was_gone),
            last_place: None,
        };
        let events = life.take(&list.revisions, &mut draft.spool)?;
        self.events.extend(events);
        if headless {
            item.pending = Some(Box::new(pending));
        } else {
            item.marker = pending.details.head.as_ref().map(|head| head.marker.clone());
        }
        remember_content(&mut item, &list.revisions);
        self.inventory.put(id.clone(), item);
        Ok(())
    }
}
