//! What a perfect reader of a OneDrive business drive could tell.
//!
//! The reader knows states, not journals: of every item the place it had at the poll before, and of every file how many
//! versions were listed. Whatever differs at the next poll becomes a fact. Versions bring their own time and author;
//! places, deletions and restorations only the bounds of two polls.
//!
//! The folder is looked up by its path at the first poll that finds it, and followed by its id from then on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{
    Fact, FactAction, FactActor, FactApplication, Poll, Scope, Seen, instructions::with_instructions, replay,
};
use crate::content::{Algorithm, ContentStore};
use crate::error::SimulatorError;
use crate::graph::ids;
use crate::graph::{SERVICE, login_name};
use crate::merging::groups;
use crate::source::WorldSource;
use crate::world::{Actor, Identity, Item, ItemKind, ItemNo, Reach, Slot, Standing, World};

pub use crate::graph::drive_id;

/// Facts a reader learns who polls `folder` at each of `polls` (ascending), in order of poll.
pub fn could_tell(
    source: &WorldSource,
    folder: &str,
    polls: &[Timestamp],
) -> Result<Vec<Fact>, SimulatorError> {
    could_tell_merged(source, folder, polls, None)
}

/// As [`could_tell`], of a drive where saves of so long a time share a version. A version that took more since it was told is told
/// again: who saved last, when, and what is there now.
pub fn could_tell_merged(
    source: &WorldSource,
    folder: &str,
    polls: &[Timestamp],
    merging: Option<SignedDuration>,
) -> Result<Vec<Fact>, SimulatorError> {
    let mut reader = Reader {
        merging,
        ..Reader::default()
    };
    replay(source, polls, |world, poll| reader.poll(world, poll, folder))?;
    Ok(with_instructions(reader.facts))
}

/// What the reader holds of an item that was in the folder at some poll.
#[derive(Debug, Clone)]
struct Known {
    parent: ItemNo,
    name: Arc<str>,
    /// Last path in the folder; `None` of an item only ever seen as a tombstone.
    path: Option<String>,
    state: State,
    /// Saves that are in versions told so far.
    told: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    In,
    Out,
    Deleted,
}

#[derive(Default)]
struct Reader {
    folder: Option<ItemNo>,
    known: BTreeMap<ItemNo, Known>,
    /// Newest operation at the poll before.
    seq: u64,
    facts: Vec<Fact>,
    content: ContentStore,
    merging: Option<SignedDuration>,
}

/// One poll: the world, its moment, and what is in the folder.
struct Round<'a> {
    world: &'a World,
    poll: Poll,
    folder: ItemNo,
    scope: Scope,
}

impl Reader {
    fn poll(&mut self, world: &World, poll: Poll, folder: &str) {
        let found = || world.find(folder).filter(|item| item.is_folder());
        self.folder = self.folder.or_else(|| found().map(|item| item.no));
        if let Some(folder) = self.folder {
            let scope = if world.is_visible(folder) {
                Scope::of(world, &world.path_of(folder))
            } else {
                Scope::default()
            };
            let round = Round {
                world,
                poll,
                folder,
                scope,
            };
            self.leave(&round);
            self.vanish(&round);
            self.stay_and_come(&round);
        }
        self.seq = world.seq();
    }

    /// Known items that are no longer in the folder: moved out, or deleted.
    fn leave(&mut self, round: &Round<'_>) {
        let gone: BTreeSet<ItemNo> = self
            .known
            .iter()
            .filter(|(no, known)| known.state == State::In && !round.scope.items.contains_key(*no))
            .map(|(no, _)| *no)
            .collect();
        for no in &gone {
            let (Some(item), Some(before)) = (round.world.item(*no), self.known.get(no).cloned()) else {
                continue;
            };
            let state = if round.world.is_visible(*no) {
                self.move_out(round, item, (&before, &gone));
                State::Out
            } else {
                self.tell(round, item, FactAction::Deleted, |fact| {
                    fact.path.clone_from(&before.path);
                });
                State::Deleted
            };
            if let Some(known) = self.known.get_mut(no) {
                known.state = state;
            }
        }
    }

    fn move_out(&mut self, round: &Round<'_>, item: &Item, (before, gone): (&Known, &BTreeSet<ItemNo>)) {
        let cause = carrier(round.world, item, gone, &self.known);
        self.tell(round, item, FactAction::MovedOut, |fact| {
            fact.path.clone_from(&before.path);
            fact.derived_from = cause.map(ids::item_id);
        });
        // The last look: an item that left by itself is still readable where it is now.
        if cause.is_none() {
            let path = before.path.clone().unwrap_or_default();
            self.revisions(round, item, &path);
        }
    }

    /// Tombstones of items that lived and went between two polls, if they lay in the folder.
    fn vanish(&mut self, round: &Round<'_>) {
        if round.poll.index == 0 {
            return;
        }
        let tombstones: BTreeSet<ItemNo> = round
            .world
            .changed_after(Reach::Tree, Slot::end_of(self.seq))
            .map(|slot| slot.item)
            .filter(|no| !round.world.is_visible(*no))
            .collect();
        for no in &tombstones {
            let known = self.known.get(no);
            if known.is_some_and(|known| known.state == State::Deleted) || *no == round.folder {
                continue;
            }
            let Some(item) = round.world.item(*no) else {
                continue;
            };
            let Some(parent) = item.parent.filter(|_| self.lay_inside(round, item, &tombstones)) else {
                continue;
            };
            let told = known.map_or(0, |known| known.told);
            self.tell(round, item, FactAction::Deleted, |_| {});
            let known = Known {
                parent,
                name: Arc::clone(&item.name),
                path: None,
                state: State::Deleted,
                told,
            };
            self.known.insert(*no, known);
        }
    }

    /// A tombstone names its parent: the folder itself, something in it, or another tombstone of which the same holds.
    fn lay_inside(&self, round: &Round<'_>, item: &Item, tombstones: &BTreeSet<ItemNo>) -> bool {
        let mut at = item.parent;
        while let Some(no) = at {
            let known = self.known.get(&no).map(|known| known.state);
            if no == round.folder || round.scope.items.contains_key(&no) || known == Some(State::Deleted) {
                return true;
            }
            at = round
                .world
                .item(no)
                .filter(|_| tombstones.contains(&no))
                .and_then(|folder| folder.parent);
        }
        false
    }

    /// Everything in the folder now: changed in place, restored, moved in, or new.
    fn stay_and_come(&mut self, round: &Round<'_>) {
        // Folders come before what they hold, so that their own entry is known first.
        let mut order: Vec<(&ItemNo, &Seen)> = round.scope.items.iter().collect();
        order.sort_by_key(|(_, seen)| seen.path.split('/').count());
        let mut entered: BTreeMap<ItemNo, ItemNo> = BTreeMap::new();
        for (no, seen) in order {
            let Some(item) = round.world.item(*no) else {
                continue;
            };
            match self.known.get(no).cloned() {
                Some(before) if before.state == State::In => self.change_place(round, item, (&before, seen)),
                Some(before) if before.state == State::Deleted => {
                    self.tell(round, item, FactAction::Restored, |fact| {
                        fact.path = Some(seen.path.clone());
                        fact.previous_path = before.path.filter(|path| *path != seen.path);
                    });
                }
                _ if round.poll.previous.is_none_or(|last| item.created_at > last) => {
                    self.create_folder(round, item, seen);
                }
                _ => {
                    let cause = entered.get(&seen.parent).copied();
                    entered.insert(*no, cause.unwrap_or(*no));
                    self.tell(round, item, FactAction::MovedIn, |fact| {
                        fact.path = Some(seen.path.clone());
                        fact.derived_from = cause.map(ids::item_id);
                    });
                }
            }
            self.remember(*no, seen);
            self.revisions(round, item, &seen.path);
        }
    }

    fn change_place(&mut self, round: &Round<'_>, item: &Item, (before, seen): (&Known, &Seen)) {
        let action = if before.parent != seen.parent {
            FactAction::Moved
        } else if before.name != seen.name {
            FactAction::Renamed
        } else {
            return;
        };
        self.tell(round, item, action, |fact| {
            fact.path = Some(seen.path.clone());
            fact.previous_path.clone_from(&before.path);
        });
    }

    /// Creation of a folder is told by its own time; that of a file by its first version.
    fn create_folder(&mut self, round: &Round<'_>, item: &Item, seen: &Seen) {
        if item.is_folder() {
            self.facts.push(creation(round.poll, item, &seen.path));
        }
    }

    fn remember(&mut self, no: ItemNo, seen: &Seen) {
        let told = self.known.get(&no).map_or(0, |known| known.told);
        let known = Known {
            parent: seen.parent,
            name: Arc::clone(&seen.name),
            path: Some(seen.path.clone()),
            state: State::In,
            told,
        };
        self.known.insert(no, known);
    }

    /// Versions not told before. The oldest carries the item's creation time, so it is the creation.
    fn revisions(&mut self, round: &Round<'_>, item: &Item, path: &str) {
        let Some(known) = self
            .known
            .get_mut(&item.no)
            .filter(|_| item.kind == ItemKind::File)
        else {
            return;
        };
        let told = std::mem::replace(&mut known.told, item.saves.len());
        for (place, group) in groups(&item.saves, self.merging).into_iter().enumerate() {
            let Some(save) = item.saves.get(group.end - 1).filter(|_| group.end > told) else {
                continue;
            };
            let is_first = place == 0 && group.start >= told;
            // The oldest version is the creation only while nobody saved into it again.
            let opens = save.at <= item.created_at;
            if is_first && !opens {
                self.facts.push(creation(round.poll, item, path));
            }
            let action = if is_first && opens {
                FactAction::Created
            } else {
                FactAction::Modified
            };
            let mut fact = Fact::reported(round.poll, action, (item.kind, ids::item_id(item.no)), save.at);
            fact.revision_id = Some(ids::version_id(place));
            fact.previous_revision_id = place.checked_sub(1).map(ids::version_id);
            fact.actor = actor(&save.actor);
            fact.application = program(&save.actor, save.application.as_deref());
            fact.size = Some(save.size);
            fact.path = Some(path.to_owned());
            // Only the current content has a hash, in the item's own entry.
            if group.end == item.saves.len() {
                let hash = self
                    .content
                    .digest(Algorithm::QuickXor, &save.content_key, save.size);
                fact.hashes.insert("quickxor".to_owned(), hash.to_string());
            }
            self.facts.push(fact);
        }
    }

    fn tell(&mut self, round: &Round<'_>, item: &Item, action: FactAction, details: impl FnOnce(&mut Fact)) {
        let mut fact = Fact::derived(round.poll, action, (item.kind, ids::item_id(item.no)));
        details(&mut fact);
        self.facts.push(fact);
    }
}

/// The creation as the item itself tells it.
fn creation(poll: Poll, item: &Item, path: &str) -> Fact {
    let subject = (item.kind, ids::item_id(item.no));
    let mut fact = Fact::reported(poll, FactAction::Created, subject, item.created_at);
    fact.actor = item.created_by.as_deref().and_then(actor);
    fact.application = item.created_by.as_deref().and_then(|by| program(by, None));
    fact.path = Some(path.to_owned());
    fact
}

/// The topmost folder that took an item along out of the folder; `None` when it left by itself.
fn carrier(
    world: &World,
    item: &Item,
    gone: &BTreeSet<ItemNo>,
    known: &BTreeMap<ItemNo, Known>,
) -> Option<ItemNo> {
    let mut at = item;
    let mut top = None;
    while let Some(parent) = at.parent.filter(|parent| {
        gone.contains(parent) && known.get(&at.no).is_some_and(|before| before.parent == *parent)
    }) {
        top = Some(parent);
        at = world.item(parent)?;
    }
    top
}

fn actor(actor: &Actor) -> Option<FactActor> {
    let name = Some(actor.name.clone());
    let (id, email) = (Some(ids::actor_id(&actor.email)), Some(actor.email.clone()));
    match actor.identity() {
        Identity::Account => account(actor),
        Identity::Service => Some(FactActor {
            name: Some(SERVICE.to_owned()),
            ..FactActor::default()
        }),
        Identity::AddressOnly => Some(FactActor {
            email,
            ..FactActor::default()
        }),
        // A number on one site says nothing; the login name does.
        Identity::SiteUser => Some(FactActor {
            id: Some(login_name(&actor.email)),
            email,
            name,
        }),
        Identity::Group | Identity::Device => Some(FactActor {
            id,
            email: None,
            name,
        }),
    }
}

fn account(actor: &Actor) -> Option<FactActor> {
    let name = Some(actor.name.clone());
    match actor.standing() {
        Standing::Person => Some(FactActor {
            id: Some(ids::actor_id(&actor.email)),
            email: Some(actor.email.clone()),
            name,
        }),
        Standing::Removed => Some(FactActor {
            name,
            ..FactActor::default()
        }),
        Standing::Program => None,
    }
}

/// The program that wrote: by itself, or for a person.
fn program(actor: &Actor, acting: Option<&str>) -> Option<FactApplication> {
    let itself = (actor.standing() == Standing::Program).then_some(&*actor.name);
    acting.or(itself).map(application)
}

fn application(name: &str) -> FactApplication {
    FactApplication {
        id: Some(ids::application_id(name)),
        name: Some(name.to_owned()),
    }
}

#[cfg(test)]
mod tests;
