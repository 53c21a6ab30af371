//! Making events: the fields every fact of one folder and one look shares.

use std::collections::BTreeMap;

use revtrail_model::{
    event::{Action, Actor, ActorSource, Basis, Event, EventKey, ItemKind, Occurred, PathDetails, Scope},
    id::ItemId,
    time::{Timestamp, plus_seconds},
};

use crate::spool::Source;

/// What is the same for all facts of one look at one folder.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Where the facts belong.
    pub scope: Scope,
    /// True for the folder's first look.
    pub baseline: bool,
    /// True for what a full listing shows beside the feed.
    pub reconciled: bool,
    /// The provider's clock at the start of the look before; nothing of this look was visible then.
    pub previous: Option<Timestamp>,
    /// The provider's clock at the end of this look's feed.
    pub seen_at: Timestamp,
    /// Our clock.
    pub observed_at: Timestamp,
}

impl Frame {
    /// Bounds of a change that is visible since the look before. `seen_at` is the provider's `Date`, which is truncated to whole
    /// seconds: the change can have happened up to a second later.
    pub fn bounds(&self, seen_at: Timestamp) -> Occurred {
        Occurred::Between {
            not_before: self.previous,
            not_after: plus_seconds(seen_at, 1),
        }
    }

    /// A fact with nothing but its identity.
    pub fn fact(&self, subject: Subject<'_>, action: Action, occurred: Occurred, source: &Source) -> Event {
        let id = EventKey {
            scope: &self.scope,
            item_id: subject.item,
            marker: subject.marker,
            action,
        }
        .id();
        Event {
            id,
            scope: self.scope.clone(),
            item_id: subject.item.clone(),
            item_kind: subject.kind,
            action,
            revision_id: None,
            previous_revision_id: None,
            path: PathDetails::default(),
            mime_type: None,
            size_bytes: None,
            hashes: BTreeMap::new(),
            content_missing: None,
            content_sha256: None,
            occurred,
            claimed_at: None,
            observed_at: self.observed_at,
            actor: None,
            actor_source: ActorSource::NotReported,
            basis: Basis::Derived,
            derived_from: None,
            baseline: self.baseline,
            reconciled: self.reconciled,
            source_api: source.operation.to_string(),
            source_request_id: source.request_id.as_deref().map(str::to_owned),
            raw_sha256: source.raw,
        }
    }
}

/// What a fact is about.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The item.
    pub item: &'a ItemId,
    /// Its kind.
    pub kind: ItemKind,
    /// Revision id or state-change counter; makes the event id.
    pub marker: &'a str,
}

/// The marker of an item's next state change.
pub fn state_marker(changes: u32) -> String {
    format!("#{changes}")
}

/// Sets path, name and former path.
pub fn set_path(event: &mut Event, path: Option<String>, previous: Option<String>) {
    let name = path
        .as_deref()
        .or(previous.as_deref())
        .and_then(last_component)
        .map(str::to_owned);
    event.path = PathDetails {
        name,
        path,
        previous_path: previous,
    };
}

/// Sets the actor, if there is one.
pub fn set_actor(event: &mut Event, actor: Option<Actor>) {
    event.actor_source = if actor.is_some() {
        ActorSource::Revision
    } else {
        ActorSource::NotReported
    };
    event.actor = actor;
}

/// The last component of a path.
pub fn last_component(path: &str) -> Option<&str> {
    path.rsplit('/').next().filter(|name| !name.is_empty())
}

/// Puts the events of one folder into their order in the segment: by time, revisions before state changes, then item; facts that
/// agree in all three (two revisions in one second) keep the provider's order.
pub fn sort(events: &mut [Event]) {
    events.sort_by(|a, b| {
        let key = |event: &Event| (event.occurred.sort_key(), event.revision_id.is_none());
        key(a).cmp(&key(b)).then_with(|| a.item_id.cmp(&b.item_id))
    });
}
