//! Revision and creation facts: what the provider itself says.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::content::{Algorithm, ContentStore};
use crate::drive::{ids, is_editors};
use crate::truth::{Basis, Fact, FactAction, FactActor, Poll};
use crate::world::{Actor, Item, ItemNo, ItemState, Save, Standing, World};

/// Provider's id of an item below the designated folder.
pub(super) fn id(no: ItemNo) -> String {
    ids::file(no)
}

/// The provider gives times in milliseconds, cut off.
pub(super) fn millis(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

/// Revisions an item has.
pub(super) fn saves(world: &World, no: ItemNo) -> usize {
    world.item(no).map_or(0, |item| item.saves.len())
}

/// Which facts of an item are to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// Its revisions only.
    Revisions,
    /// Its creation, too, if no revision stands for it.
    Creation,
}

/// The facts of one item that have not been told.
pub(super) struct Told<'p> {
    no: ItemNo,
    path: &'p str,
    from: usize,
    extent: Extent,
}

impl<'p> Told<'p> {
    /// The revisions after the first `from`.
    pub(super) fn revisions(no: ItemNo, path: &'p str, from: usize) -> Self {
        Self {
            no,
            path,
            from,
            extent: Extent::Revisions,
        }
    }

    /// As [`Told::revisions`], and the creation.
    pub(super) fn creation(no: ItemNo, path: &'p str, from: usize) -> Self {
        Self {
            extent: Extent::Creation,
            ..Self::revisions(no, path, from)
        }
    }

    /// In the order of the revisions.
    pub(super) fn facts(&self, world: &World, poll: Poll) -> Vec<Fact> {
        let Some(item) = world.item(self.no) else {
            return Vec::new();
        };
        let mut facts = Vec::new();
        if self.extent == Extent::Creation && !opens_with_creation(item) {
            facts.push(self.reported(item, poll, FactAction::Created, item.created_at));
        }
        let digests = ContentStore::default();
        let is_editors = is_editors(world, item);
        let revision_id = |save: &Save| {
            if is_editors {
                ids::editors_revision(save.seq)
            } else {
                ids::revision(save.seq)
            }
        };
        let mut previous = self.from.checked_sub(1).and_then(|place| item.saves.get(place));
        for (place, save) in item.saves.iter().enumerate().skip(self.from) {
            let action = if place == 0 && opens_with_creation(item) {
                FactAction::Created
            } else {
                FactAction::Modified
            };
            let mut fact = self.reported(item, poll, action, save.at);
            fact.revision_id = Some(revision_id(save));
            fact.previous_revision_id = previous.map(revision_id);
            fact.actor = Some(actor(&save.actor));
            if !is_editors {
                fact.size = Some(save.size);
                let is_head = place + 1 == item.saves.len();
                fact.hashes = hashes(&digests, save, if is_head { &HEAD } else { &OLDER });
            }
            facts.push(fact);
            previous = Some(save);
        }
        facts
    }

    fn reported(&self, item: &Item, poll: Poll, action: FactAction, at: Timestamp) -> Fact {
        let mut fact = Fact::reported(poll, action, (item.kind, id(item.no)), millis(at));
        fact.path = Some(self.path.to_owned());
        fact
    }
}

/// Makes the fact of an item in the trash what a shared drive tells of it.
pub(super) fn trashing(world: &World, item: &Item, fact: &mut Fact) {
    let ItemState::Deleted { at, seq } = item.state else {
        return;
    };
    fact.occurred_at = Some(millis(at));
    fact.not_before = None;
    fact.not_after = None;
    fact.basis = Basis::Reported;
    fact.actor = world.op(seq).map(|op| actor(&op.actor));
}

/// Whether the oldest revision stands for the creation.
fn opens_with_creation(item: &Item) -> bool {
    let oldest = item.saves.first();
    oldest.is_some_and(|save| millis(save.at) <= millis(item.created_at))
}

fn actor(actor: &Actor) -> FactActor {
    let is_named = actor.standing() != Standing::Removed;
    FactActor {
        id: Some(ids::permission(&actor.email)),
        email: Some(actor.email.clone()),
        name: is_named.then(|| actor.name.clone()),
    }
}

/// Digests of every revision.
const OLDER: [(&str, Algorithm); 1] = [("md5", Algorithm::Md5)];
/// Digests of the newest, which the file itself gives.
const HEAD: [(&str, Algorithm); 3] = [
    ("md5", Algorithm::Md5),
    ("sha1", Algorithm::Sha1),
    ("sha256", Algorithm::Sha256),
];

fn hashes(digests: &ContentStore, save: &Save, which: &[(&str, Algorithm)]) -> BTreeMap<String, String> {
    which
        .iter()
        .map(|(name, algorithm)| {
            let digest = digests.digest(*algorithm, &save.content_key, save.size);
            ((*name).to_owned(), digest.to_string())
        })
        .collect()
}
