//! Revision lists of providers that keep place and content apart: each new revision is an event.

use std::collections::{HashMap, HashSet};

use revtrail_connector::{
    FolderRoot,
    change::{Completeness, Presence, Revision, RevisionList},
};
use revtrail_model::{
    event::{Action, Basis, Event, Occurred},
    id::{ItemId, RevisionId},
    time::Timestamp,
};

use crate::{
    error::HarvestError,
    facts::{Frame, Subject, set_actor, set_path, state_marker},
    inventory::{Inventory, Item, KnownRevision, Pending},
    spool::{Source, Spool},
};

/// What one revision list gave.
#[derive(Debug, Default)]
pub struct Listed {
    /// Facts.
    pub events: Vec<Event>,
    /// Revisions in the list.
    pub listed: u64,
    /// Known revisions with another time than recorded.
    pub changed: u64,
    /// Known revisions no longer listed.
    pub vanished: u64,
    /// The list may leave some out.
    pub truncated: bool,
    /// Time of the oldest one listed.
    pub oldest: Option<Timestamp>,
}

/// Takes the revision list of one pending item: events for what is new, and the item as known from now on.
pub fn take_list(
    frame: &Frame,
    root: &FolderRoot,
    inventory: &mut Inventory,
    spool: &mut Spool,
    (id, list): (&ItemId, RevisionList),
) -> Result<Listed, HarvestError> {
    let Some(mut item) = inventory.item(id).cloned() else {
        return Ok(Listed::default());
    };
    let pending = item.pending.take().map(|pending| *pending).unwrap_or_default();
    item.marker = pending.details.head.as_ref().map(|head| head.marker.clone());
    if list.now == Presence::Gone {
        // Deleted since the feed was read: the next look shows the tombstone.
        inventory.put(id.clone(), item);
        return Ok(Listed::default());
    }
    let path = pending
        .last_path
        .as_deref()
        .map(str::to_owned)
        .or_else(|| inventory.tree(root).path(id));
    let frame = Frame {
        baseline: pending.baseline,
        ..frame.clone()
    };
    let mut taking = Taking {
        frame: &frame,
        id,
        pending: &pending,
        path,
        out: summary(&list, &item),
    };
    taking.vanished(&mut item, &list);
    taking.new_revisions(&item, list.revisions.iter(), spool)?;
    let out = taking.out;
    remember(&mut item, &list.revisions);
    inventory.put(id.clone(), item);
    Ok(out)
}

fn summary(list: &RevisionList, item: &Item) -> Listed {
    let known: HashMap<&RevisionId, Timestamp> =
        item.revisions.iter().map(|known| (&known.id, known.at)).collect();
    let changed = list
        .revisions
        .iter()
        .filter(|revision| known.get(&revision.id).is_some_and(|at| *at != revision.at))
        .count();
    Listed {
        listed: list.revisions.len() as u64,
        changed: changed as u64,
        truncated: list.completeness == Completeness::Truncated,
        oldest: list.revisions.iter().map(|revision| revision.at).min(),
        ..Listed::default()
    }
}

/// Records what the provider lists now.
fn remember(item: &mut Item, revisions: &[Revision]) {
    if !revisions.is_empty() {
        item.revisions = revisions
            .iter()
            .map(|revision| KnownRevision {
                id: revision.id.clone(),
                at: revision.at,
            })
            .collect();
    }
}

/// Records what the provider lists now and the digests of the newest, for providers whose revisions tell a move from an edit by them.
pub fn remember_content(item: &mut Item, revisions: &[Revision]) {
    remember(item, revisions);
    if let Some(newest) = revisions.last() {
        item.hashes = (&newest.hashes).into();
    }
}

struct Taking<'a> {
    frame: &'a Frame,
    id: &'a ItemId,
    pending: &'a Pending,
    path: Option<String>,
    out: Listed,
}

impl Taking<'_> {
    /// Revisions recorded before that the provider no longer lists. Why is not known.
    fn vanished(&mut self, item: &mut Item, list: &RevisionList) {
        if list.revisions.is_empty() {
            return;
        }
        let listed: HashSet<&RevisionId> = list.revisions.iter().map(|revision| &revision.id).collect();
        let gone: Vec<RevisionId> = item
            .revisions
            .iter()
            .filter(|known| !listed.contains(&known.id))
            .map(|known| known.id.clone())
            .collect();
        for revision in gone {
            let source = self.pending.source();
            let marker = state_marker(item.changes);
            item.changes += 1;
            let subject = Subject {
                item: self.id,
                kind: item.kind,
                marker: &marker,
            };
            let occurred = self.frame.bounds(self.frame.seen_at);
            let mut event = self
                .frame
                .fact(subject, Action::RevisionVanished, occurred, &source);
            event.revision_id = Some(revision);
            set_path(&mut event, self.path.clone(), None);
            self.out.events.push(event);
            self.out.vanished += 1;
        }
    }

    fn new_revisions<'r>(
        &mut self,
        item: &Item,
        revisions: impl Iterator<Item = &'r Revision>,
        spool: &mut Spool,
    ) -> Result<(), HarvestError> {
        let known: HashSet<&RevisionId> = item.revisions.iter().map(|known| &known.id).collect();
        let first_listing = known.is_empty();
        let mut previous: Option<&Revision> = None;
        for revision in revisions {
            if !known.contains(&revision.id) {
                let oldest = first_listing && previous.is_none();
                if oldest && self.created_apart(revision) {
                    self.separate_creation(item);
                }
                let source = spool.put(&revision.raw)?;
                let event = self.revision(item, (revision, oldest), previous, &source);
                self.out.events.push(event);
            }
            previous = Some(revision);
        }
        Ok(())
    }

    /// True when the oldest listed revision is not the creation the item tells of: older ones are gone.
    fn created_apart(&self, oldest: &Revision) -> bool {
        self.pending
            .details
            .created
            .as_ref()
            .is_some_and(|created| oldest.at > created.at)
    }

    fn revision(
        &self,
        item: &Item,
        (revision, oldest): (&Revision, bool),
        previous: Option<&Revision>,
        source: &Source,
    ) -> Event {
        let created = oldest && !self.created_apart(revision);
        let action = if created {
            Action::Created
        } else {
            Action::Modified
        };
        let occurred = Occurred::At {
            at: revision.at,
            source: revision.time_source,
        };
        let subject = Subject {
            item: self.id,
            kind: item.kind,
            marker: revision.id.as_str(),
        };
        let mut event = self.frame.fact(subject, action, occurred, source);
        event.basis = Basis::Reported;
        if created && self.pending.details.created.is_none() {
            event.basis = Basis::Derived;
            event.derived_from = Some("oldest_listed_revision".into());
        }
        describe(&mut event, revision);
        event.previous_revision_id = previous.map(|previous| previous.id.clone());
        if event.mime_type.is_none() {
            event.mime_type = self.pending.details.mime_type.as_deref().map(str::to_owned);
        }
        set_path(&mut event, self.path.clone(), None);
        event
    }

    /// The creation as the item tells it, when its revision is no longer listed.
    fn separate_creation(&mut self, item: &Item) {
        let Some(created) = &self.pending.details.created else {
            return;
        };
        let subject = Subject {
            item: self.id,
            kind: item.kind,
            marker: "created",
        };
        let mut event = self.frame.fact(
            subject,
            Action::Created,
            Occurred::At {
                at: created.at,
                source: created.source,
            },
            &self.pending.source(),
        );
        event.basis = Basis::Reported;
        set_actor(&mut event, created.by.as_deref().map(Into::into));
        set_path(&mut event, self.path.clone(), None);
        self.out.events.push(event);
    }
}

/// Copies into an event what a revision says of itself.
pub fn describe(event: &mut Event, revision: &Revision) {
    event.revision_id = Some(revision.id.clone());
    event.size_bytes = revision.size_bytes;
    event.hashes.clone_from(&revision.hashes);
    event.claimed_at = revision.claimed_at;
    event.mime_type.clone_from(&revision.mime_type);
    set_actor(event, revision.actor.clone());
}
