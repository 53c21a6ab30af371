//! Reading a feed that names deleted things by place, and asking what lived there.

use std::collections::BTreeSet;

use revtrail_connector::{
    ConnectorError, ErrorKind, FeedPoint, FolderRoot, Next,
    change::{About, AskFailure, Placement, Presence, RevisionAsk, RevisionList},
};
use revtrail_model::{
    event::ItemKind,
    id::{Cursor, ItemId, PlaceKey},
    time::Timestamp,
};

use super::{FolderRun, PageGuard, gone::Gone, questions::Questions};
use crate::{
    error::HarvestError,
    facts::Frame,
    inventory::{Item, Status},
    places::{Departed, PlaceRound, PlacesSettled},
    round::Keep,
    snapshot::Draft,
    spool::Source,
};

/// A feed read to its end.
pub(super) struct Read {
    pub(super) round: PlaceRound,
    cursor: Cursor,
    pub(super) first_at: Timestamp,
    pub(super) last_at: Timestamp,
    full: bool,
}

impl FolderRun<'_> {
    /// Reads the feed. A look that fails leaves the places still to be asked as they were committed.
    pub(super) async fn feed_by_place(&mut self, draft: &mut Draft) -> Result<(), HarvestError> {
        let waiting = self.state.pending_places.clone();
        let outcome = self.look_at_places(draft).await;
        if outcome.is_err() {
            self.state.pending_places = waiting;
        }
        outcome
    }

    async fn look_at_places(&mut self, draft: &mut Draft) -> Result<(), HarvestError> {
        let Some(root) = self.root.clone() else {
            return Ok(());
        };
        let read = match self.read_places(&root, (self.start(), Keep::All), draft).await {
            Err(HarvestError::Connector(error)) if error.kind == ErrorKind::CursorExpired => {
                self.lose_cursor();
                self.read_places(&root, (FeedPoint::Start, Keep::All), draft)
                    .await?
            }
            other => other?,
        };
        let (full, first_at) = (read.full, read.first_at);
        self.keep_places(&root, read, draft).await?;
        if full {
            self.walked(first_at);
        } else if self.may_walk() {
            self.walk_by_place(&root, draft).await?;
        }
        Ok(())
    }

    /// Takes a feed read to its end, and its cursor.
    pub(super) async fn keep_places(
        &mut self,
        root: &FolderRoot,
        read: Read,
        draft: &mut Draft,
    ) -> Result<(), HarvestError> {
        let frame = self.make_frame(read.last_at)?;
        let mut settled = read.round.settle(&frame, &self.inventory);
        if read.full && self.covers_from.is_some() {
            self.unlisted(read.last_at, &mut settled);
        }
        self.take_places(root, (&frame, settled), draft).await?;
        self.frame = Some(frame);
        self.caught_up(read.cursor, read.first_at);
        Ok(())
    }

    /// Asks what a comparison of places leaves open, and takes it all.
    pub(super) async fn take_places(
        &mut self,
        root: &FolderRoot,
        (frame, mut settled): (&Frame, PlacesSettled),
        draft: &mut Draft,
    ) -> Result<(), HarvestError> {
        self.ask_places = std::mem::take(&mut settled.ask);
        for place in std::mem::take(&mut self.state.pending_places) {
            let source = Source {
                raw: None,
                operation: "pending_place".into(),
                request_id: None,
            };
            self.ask_places.entry(place).or_insert((source, frame.seen_at));
        }
        let mut gone = self.ask_vacated(root, &settled).await?;
        self.ask_departed(root, &settled, &mut gone).await?;
        self.record_gone(frame, &settled, gone, draft)?;
        self.events.append(&mut settled.events);
        self.inventory.put_all(settled.items);
        Ok(())
    }

    pub(super) async fn read_places(
        &mut self,
        root: &FolderRoot,
        (start, keep): (FeedPoint, Keep),
        draft: &mut Draft,
    ) -> Result<Read, HarvestError> {
        let full = start == FeedPoint::Start;
        let place = root.place.clone().unwrap_or_else(|| PlaceKey::from(""));
        let (mut round, mut guard, mut at, mut first_at) =
            (PlaceRound::default(), PageGuard::default(), start, None);
        loop {
            let page = self.plan.connector.changes(root, at).await?;
            let answered = page.answered_at.unwrap_or_else(|| self.clock.now());
            let first = *first_at.get_or_insert(answered);
            self.counted.pages += 1;
            self.counted.changes += page.changes.len() as u64;
            for change in page.changes {
                let into = (&place, &mut draft.spool);
                match keep {
                    Keep::All => round.take(change, answered, into)?,
                    Keep::Differing => round.take_differing(change, answered, into, &self.inventory)?,
                }
            }
            match page.next {
                Next::Page(token) => {
                    guard.check(&self.capabilities, &token)?;
                    at = FeedPoint::Page(token);
                }
                Next::CaughtUp(cursor) => {
                    return Ok(Read {
                        round,
                        cursor,
                        first_at: first,
                        last_at: answered,
                        full,
                    });
                }
            }
        }
    }

    /// Known live items that a full listing does not show have left their places.
    pub(super) fn unlisted(&self, seen_at: Timestamp, settled: &mut PlacesSettled) {
        for (id, item) in self.inventory.items() {
            if item.status != Status::Inside || settled.seen.contains(id) || settled.departed.contains_key(id)
            {
                continue;
            }
            let source = Source {
                raw: None,
                operation: "full_listing".into(),
                request_id: None,
            };
            if item.kind != ItemKind::Folder
                && let Some(place) = &item.place
            {
                settled
                    .ask
                    .entry(place.clone())
                    .or_insert((source.clone(), seen_at));
            }
            let departed = Departed {
                id: id.clone(),
                kind: item.kind,
                through: None,
                source,
                seen_at,
            };
            settled.departed.insert(id.clone(), departed);
        }
    }

    /// Lists the revisions of places left empty or taken by another item.
    async fn ask_vacated(
        &mut self,
        root: &FolderRoot,
        settled: &PlacesSettled,
    ) -> Result<Gone, HarvestError> {
        let mut gone = Gone::default();
        let places: Vec<PlaceKey> = self.ask_places.keys().cloned().collect();
        let departed = settled.departed.keys().filter_map(|id| self.inventory.item(id));
        let left: BTreeSet<PlaceKey> = departed.filter_map(|item| item.place.clone()).collect();
        let (mut questions, mut places) = (Questions::new(&self.plan.connector), places.into_iter());
        loop {
            ask_all(&mut questions, root, &mut places, About::Place);
            let Some((batch, answers)) = questions.answered().await else {
                break;
            };
            for (place, answer) in batch.iter().zip(answers?) {
                match answer.outcome {
                    Ok(list) => self.take_place(place, list, settled, &mut gone),
                    // The place can tell when its item was deleted; without that the fact would be recorded for ever with bounds only.
                    Err(failure) if is_passing(&failure) && left.contains(place) => {
                        return Err(self.unanswered(failure));
                    }
                    Err(failure) => {
                        *self.unavailable.entry(failure.kind.as_str()).or_default() += 1;
                        self.state.pending_places.push(place.clone());
                    }
                }
            }
        }
        Ok(gone)
    }

    fn take_place(&mut self, place: &PlaceKey, list: RevisionList, settled: &PlacesSettled, gone: &mut Gone) {
        self.count_list(&list);
        let newest = list.revisions.last().map(|revision| revision.item.clone());
        if let (Presence::Deleted { at: Some(at) }, Some(id)) = (&list.now, newest) {
            gone.deleted_at.insert(id, *at);
        }
        for revision in list.revisions {
            let id = &revision.item;
            let live = settled.present.contains(id)
                || self
                    .inventory
                    .item(id)
                    .is_some_and(|item| item.status == Status::Inside && !settled.departed.contains_key(id));
            if live {
                // Its own list, asked by id, is complete.
                continue;
            }
            if let Some(shown) = self.ask_places.get(place) {
                gone.shown_by.entry(id.clone()).or_insert_with(|| shown.clone());
            }
            let known = gone.revisions.entry(id.clone()).or_default();
            if known.iter().all(|other| other.id != revision.id) {
                known.push(revision);
            }
        }
    }

    /// Asks where items are whose deletion no place tells of: they may live on outside the folder.
    async fn ask_departed(
        &mut self,
        root: &FolderRoot,
        settled: &PlacesSettled,
        gone: &mut Gone,
    ) -> Result<(), HarvestError> {
        let mut ids: BTreeSet<ItemId> = gone.revisions.keys().cloned().collect();
        ids.extend(settled.departed.keys().cloned());
        ids.retain(|id| !gone.deleted_at.contains_key(id) && !self.is_recorded_gone(id));
        let (mut questions, mut ids) = (Questions::new(&self.plan.connector), ids.into_iter());
        loop {
            ask_all(&mut questions, root, &mut ids, About::Item);
            let Some((batch, answers)) = questions.answered().await else {
                break;
            };
            for (id, answer) in batch.iter().zip(answers?) {
                match answer.outcome {
                    Ok(list) => self.take_departed(id, list, gone),
                    Err(failure) => {
                        // Without an answer nobody knows whether it was deleted or lives elsewhere.
                        return Err(self.unanswered(failure));
                    }
                }
            }
        }
        Ok(())
    }

    /// A question that the look cannot do without: the look is not used, and the next one reads the same feed again.
    fn unanswered(&self, failure: AskFailure) -> HarvestError {
        let mut error = ConnectorError::new(failure.kind, self.capabilities.provider, "revisions");
        error.status = failure.status;
        error.into()
    }

    pub(super) fn is_recorded_gone(&self, id: &ItemId) -> bool {
        self.inventory
            .item(id)
            .is_some_and(|item| matches!(item.status, Status::Deleted | Status::Lost))
    }
}

/// Asks as many of these questions as may be under way.
fn ask_all<K: Clone + Send + 'static>(
    questions: &mut Questions<K>,
    root: &FolderRoot,
    open: &mut impl Iterator<Item = K>,
    about: fn(K) -> About,
) {
    while let Some(size) = questions.room() {
        let batch: Vec<K> = open.take(size).collect();
        if batch.is_empty() {
            return;
        }
        let ask = |key: &K| RevisionAsk {
            about: about(key.clone()),
            head: None,
        };
        let asks = batch.iter().map(ask).collect();
        questions.ask(root, batch, asks);
    }
}

/// A failure that another time need not meet.
const fn is_passing(failure: &AskFailure) -> bool {
    matches!(failure.kind, ErrorKind::Unavailable { .. })
}

/// Where an item was when last known.
pub(super) fn placement(item: &Item) -> Option<Placement> {
    Some(Placement {
        key: item.place.clone()?,
        path: item.path.as_deref().map(str::to_owned),
    })
}
