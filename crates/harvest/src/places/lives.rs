//! The life of one item from its revisions, where each revision says where the item was.

use std::collections::BTreeMap;

use revtrail_connector::change::{Placement, Revision};
use revtrail_model::{
    event::{Action, Basis, Event, ItemKind, Occurred},
    id::ItemId,
};

use crate::{
    error::HarvestError,
    facts::{Frame, Subject, set_path},
    inventory::Item,
    revisions::describe,
    spool::{Source, Spool},
};

/// The state before a revision.
#[derive(Debug, Clone)]
struct Before {
    hashes: BTreeMap<String, String>,
    place: Option<Placement>,
    revision: Option<revtrail_model::id::RevisionId>,
}

/// How an item was known to stand before the round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Live, or not known.
    Live,
    /// Deleted, so that a first new revision with the old content is its restoration.
    Gone,
}

impl Standing {
    /// From what the inventory says.
    #[expect(
        clippy::fn_params_excessive_bools,
        reason = "turns the stored flag into the word"
    )]
    pub const fn of(gone: bool) -> Self {
        if gone { Self::Gone } else { Self::Live }
    }
}

/// One item whose revisions are taken.
#[derive(Debug)]
pub struct Life<'a> {
    /// Shared fields.
    pub frame: &'a Frame,
    /// The item.
    pub id: &'a ItemId,
    /// What was known of it before the round.
    pub known: Option<&'a Item>,
    /// How it was known to stand.
    pub before: Standing,
    /// Where it was when last known, before the round.
    pub last_place: Option<Placement>,
}

impl Life<'_> {
    /// Events for the revisions that are not known yet. `revisions` is the whole list, oldest first.
    pub fn take(&self, revisions: &[Revision], spool: &mut Spool) -> Result<Vec<Event>, HarvestError> {
        let mut events = Vec::new();
        let mut before = self.stored();
        let mut standing = self.before;
        let first_entry = first_inside(revisions);
        for (index, revision) in revisions.iter().enumerate() {
            let is_known = self
                .known
                .is_some_and(|item| item.revisions.iter().any(|known| known.id == revision.id));
            if !is_known {
                let outside = !is_inside(revision.place.as_ref());
                let left = before
                    .as_ref()
                    .is_some_and(|before| is_inside(before.place.as_ref()));
                let went_along = before.as_ref().is_some_and(|before| went_along(before, revision))
                    && standing == Standing::Live;
                // What happens to the item outside, after it left for good, is not the folder's business.
                let concerns = !outside || left || first_entry.is_some_and(|entry| index < entry);
                // A revision that the provider saved because the designated folder itself went elsewhere: nothing happened in it.
                if concerns && !went_along {
                    let source = spool.put(&revision.raw)?;
                    events.push(self.event(revision, before.as_ref(), standing, &source));
                }
                standing = Standing::Live;
            }
            before = Some(Before {
                hashes: revision.hashes.clone(),
                place: revision.place.clone(),
                revision: Some(revision.id.clone()),
            });
        }
        Ok(events)
    }

    /// The state before the listed revisions, from what was recorded.
    fn stored(&self) -> Option<Before> {
        let item = self.known.filter(|item| !item.revisions.is_empty())?;
        Some(Before {
            hashes: (&item.hashes).into(),
            place: self.last_place.clone(),
            revision: item.revisions.last().map(|known| known.id.clone()),
        })
    }

    fn event(
        &self,
        revision: &Revision,
        before: Option<&Before>,
        standing: Standing,
        source: &Source,
    ) -> Event {
        let action = action(revision, before, standing);
        let kind = self.known.map_or(ItemKind::File, |item| item.kind);
        let subject = Subject {
            item: self.id,
            kind,
            marker: revision.id.as_str(),
        };
        let occurred = Occurred::At {
            at: revision.at,
            source: revision.time_source,
        };
        let mut event = self.frame.fact(subject, action, occurred, source);
        event.basis = Basis::Reported;
        if action == Action::Created {
            event.basis = Basis::Derived;
            event.derived_from = Some("oldest_listed_revision".into());
        }
        describe(&mut event, revision);
        event.previous_revision_id = before.and_then(|before| before.revision.clone());
        let now = path(revision.place.as_ref());
        let former = before.and_then(|before| path(before.place.as_ref()));
        match action {
            Action::MovedOut => set_path(&mut event, former, None),
            Action::Moved | Action::Renamed | Action::MovedIn => set_path(&mut event, now, former),
            _ => set_path(&mut event, now, None),
        }
        event
    }
}

fn action(revision: &Revision, before: Option<&Before>, standing: Standing) -> Action {
    let Some(before) = before else {
        return Action::Created;
    };
    if before.hashes != revision.hashes || revision.hashes.is_empty() {
        return Action::Modified;
    }
    if standing == Standing::Gone {
        return Action::Restored;
    }
    match (
        is_inside(before.place.as_ref()),
        is_inside(revision.place.as_ref()),
    ) {
        (false, true) if before.place.is_some() => Action::MovedIn,
        (true, false) => Action::MovedOut,
        _ => between(before.place.as_ref(), revision.place.as_ref()),
    }
}

fn between(from: Option<&Placement>, to: Option<&Placement>) -> Action {
    let (Some(from), Some(to)) = (from, to) else {
        return Action::Modified;
    };
    let (from, to) = (inside_key(from), inside_key(to));
    if parent_of(from) != parent_of(to) {
        Action::Moved
    } else if from != to {
        Action::Renamed
    } else {
        Action::Modified
    }
}

/// The same content at the same place within the folder, which was elsewhere itself.
fn went_along(before: &Before, revision: &Revision) -> bool {
    let (Some(from), Some(to)) = (&before.place, &revision.place) else {
        return false;
    };
    let inside = is_inside(Some(from)) && is_inside(Some(to));
    let same_content = before.hashes == revision.hashes && !revision.hashes.is_empty();
    inside && same_content && from.key != to.key && inside_key(from) == inside_key(to)
}

/// The part of the key within the folder, wherever the folder was; all of it for a place outside.
fn inside_key(place: &Placement) -> &str {
    let key = place.key.as_str();
    let Some(path) = &place.path else { return key };
    let components = path.split('/').count();
    let start = key.rmatch_indices('/').nth(components.saturating_sub(1));
    start.map_or(key, |(slash, _)| key.get(slash + 1..).unwrap_or(key))
}

fn parent_of(key: &str) -> Option<&str> {
    key.rsplit_once('/').map(|(parent, _)| parent)
}

/// Index of the first revision in the folder.
fn first_inside(revisions: &[Revision]) -> Option<usize> {
    revisions
        .iter()
        .position(|revision| is_inside(revision.place.as_ref()))
}

fn is_inside(place: Option<&Placement>) -> bool {
    place.is_some_and(|place| place.path.is_some())
}

fn path(place: Option<&Placement>) -> Option<String> {
    place.and_then(|place| place.path.clone())
}
