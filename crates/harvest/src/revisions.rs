//! Revision lists of providers that keep place and content apart: each new revision is an event.

use std::collections::{HashMap, HashSet};

use revtrail_connector::{
    FolderRoot,
    change::{Completeness, Presence, Revision, RevisionList},
};
use revtrail_model::{
    event::{Action, Basis, Event, Occurred},
    id::{ItemId, RevisionId},
    leaf::Kept,
    record::Count,
    time::{Timestamp, plus_seconds},
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
    /// Where the provider's numbers say that revisions were removed before we saw them.
    pub hole: Option<Hole>,
    /// How far back the list goes, if it does not go back to the start.
    pub kept: Option<Kept>,
    /// The list lacks the revision that the item names as its present content.
    pub headless: bool,
}

/// A stretch of time in which revisions were saved that are no longer listed and were never recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hole {
    /// Time of the revision listed before.
    pub from: Timestamp,
    /// Time of the revision listed after.
    pub to: Timestamp,
    /// Revisions, at least.
    pub revisions: u64,
    /// Items.
    pub items: u64,
}

impl Hole {
    /// Both, as one.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            from: self.from.min(other.from),
            to: self.to.max(other.to),
            revisions: self.revisions + other.revisions,
            items: self.items + other.items,
        }
    }
}

/// Holes before revisions that are new to us; those before known ones were told when these were new. What was recorded and is no longer
/// listed has vanished, which is told by itself.
fn hole(revisions: &[Revision], item: &Item) -> Option<Hole> {
    let is_known = |id: &RevisionId| item.revisions.iter().any(|known| known.id == *id);
    let listed: HashSet<&RevisionId> = revisions.iter().map(|revision| &revision.id).collect();
    let recorded = |from: Timestamp, to: Timestamp| {
        let gone = item.revisions.iter().filter(|known| !listed.contains(&known.id));
        gone.filter(|known| from <= known.at && known.at <= to).count() as u64
    };
    let pairs = revisions.iter().zip(revisions.iter().skip(1));
    let found = pairs.filter_map(|(before, after)| {
        let never_seen = after.skipped.saturating_sub(recorded(before.at, after.at));
        (never_seen > 0 && !is_known(&after.id)).then_some(Hole {
            from: before.at,
            to: after.at,
            revisions: never_seen,
            items: 0,
        })
    });
    found.reduce(Hole::and).map(|hole| Hole { items: 1, ..hole })
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
    if list.now == Presence::Gone {
        // Deleted since the feed was read: the next look shows the tombstone.
        item.marker = pending.details.head.as_ref().map(|head| head.marker.clone());
        inventory.put(id.clone(), item);
        return Ok(Listed::default());
    }
    let headless = is_headless(&item, &pending, &list);
    if !headless {
        item.marker = pending.details.head.as_ref().map(|head| head.marker.clone());
    }
    let path = pending
        .last_path
        .as_deref()
        .map(str::to_owned)
        .or_else(|| inventory.tree(root).path(id));
    let frame = Frame {
        baseline: pending.baseline,
        reconciled: pending.reconciled,
        ..frame.clone()
    };
    let mut taking = Taking {
        frame: &frame,
        id,
        pending: &pending,
        path: path.clone(),
        out: Listed {
            kept: kept(&item, &pending, &list),
            headless,
            ..summary(&list, &item)
        },
    };
    let source = pending.source();
    let subject = (id, path.as_deref());
    let missing = unlisted(&item, &list.revisions);
    let gone = vanished(&frame, subject, (&mut item, missing), &source);
    taking.out.vanished = gone.len() as u64;
    taking.out.events = gone;
    taking.new_revisions(&mut item, list.revisions.iter(), spool)?;
    let out = taking.out;
    remember(&mut item, &list.revisions);
    if headless {
        item.pending = Some(Box::new(pending));
    }
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
        hole: hole(&list.revisions, item),
        ..Listed::default()
    }
}

/// Whether a list lacks what the item itself named as its present content: the provider has not caught up with itself.
pub fn is_headless(item: &Item, pending: &Pending, list: &RevisionList) -> bool {
    let head = pending
        .details
        .head
        .as_ref()
        .and_then(|head| head.revision.as_ref());
    match head {
        Some(head) => list.revisions.iter().all(|revision| revision.id != *head),
        None => list.revisions.is_empty() && !item.revisions.is_empty(),
    }
}

/// Creation and first revision of one upload may lie this far apart.
const UPLOAD_SECONDS: i64 = 60;

/// How far back a list goes that does not begin at the beginning.
pub fn kept(item: &Item, pending: &Pending, list: &RevisionList) -> Option<Kept> {
    let oldest = list.revisions.iter().map(|revision| revision.at).min()?;
    let created = pending.details.created.as_ref().map(|created| created.at);
    let after_creation = created.is_some_and(|at| plus_seconds(at, UPLOAD_SECONDS) < oldest);
    let recorded_before = item.revisions.iter().any(|known| known.at < oldest);
    let whole = list.completeness != Completeness::Truncated;
    (whole && (after_creation || recorded_before)).then_some(Kept {
        files: Count(1),
        from: oldest,
        most: Count(list.revisions.len() as u64),
    })
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

/// Recorded revisions that a whole list lacks.
pub fn unlisted(item: &Item, revisions: &[Revision]) -> Vec<RevisionId> {
    if revisions.is_empty() {
        return Vec::new();
    }
    let listed: HashSet<&RevisionId> = revisions.iter().map(|revision| &revision.id).collect();
    let gone = item.revisions.iter().filter(|known| !listed.contains(&known.id));
    gone.map(|known| known.id.clone()).collect()
}

/// Facts about recorded revisions that the provider no longer lists. Why is not known.
pub fn vanished(
    frame: &Frame,
    (id, path): (&ItemId, Option<&str>),
    (item, gone): (&mut Item, Vec<RevisionId>),
    source: &Source,
) -> Vec<Event> {
    let tell = |revision| {
        let marker = state_marker(item.changes);
        item.changes += 1;
        let subject = Subject {
            item: id,
            kind: item.kind,
            marker: &marker,
        };
        let occurred = frame.bounds(frame.seen_at);
        let mut event = frame.fact(subject, Action::RevisionVanished, occurred, source);
        event.revision_id = Some(revision);
        set_path(&mut event, path.map(str::to_owned), None);
        event
    };
    gone.into_iter().map(tell).collect()
}

struct Taking<'a> {
    frame: &'a Frame,
    id: &'a ItemId,
    pending: &'a Pending,
    path: Option<String>,
    out: Listed,
}

impl Taking<'_> {
    fn new_revisions<'r>(
        &mut self,
        item: &mut Item,
        revisions: impl Iterator<Item = &'r Revision>,
        spool: &mut Spool,
    ) -> Result<(), HarvestError> {
        let known: HashMap<RevisionId, Timestamp> = item
            .revisions
            .iter()
            .map(|known| (known.id.clone(), known.at))
            .collect();
        let first_listing = known.is_empty();
        let mut previous: Option<&Revision> = None;
        for revision in revisions {
            let told_at = known.get(&revision.id);
            if told_at.is_some_and(|at| *at != revision.at) {
                let source = spool.put(&revision.raw)?;
                let event = self.grown(item, (revision, previous), &source);
                self.out.events.push(event);
            } else if told_at.is_none() {
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

    /// A recorded revision that took more since: with co-authoring and automatic saving, providers put the saves of a while into one
    /// revision, which then names its last author and time. What it said before is recorded already.
    fn grown(
        &self,
        item: &mut Item,
        (revision, previous): (&Revision, Option<&Revision>),
        source: &Source,
    ) -> Event {
        let marker = state_marker(item.changes);
        item.changes += 1;
        let subject = Subject {
            item: self.id,
            kind: item.kind,
            marker: &marker,
        };
        let occurred = Occurred::At {
            at: revision.at,
            source: revision.time_source,
        };
        let mut event = self.frame.fact(subject, Action::Modified, occurred, source);
        event.basis = Basis::Reported;
        describe(&mut event, revision);
        event.previous_revision_id = previous.map(|previous| previous.id.clone());
        if event.mime_type.is_none() {
            event.mime_type = self.pending.details.mime_type.as_deref().map(str::to_owned);
        }
        set_path(&mut event, self.path.clone(), None);
        event
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

#[cfg(test)]
mod tests;
