//! The state of the reader and how a poll changes it.

use std::collections::{HashMap, HashSet};

use super::tell::{self, Told};
use super::tree::{Node, Trash, Tree};
use crate::sim::GoogleCorpus;
use crate::truth::{Fact, FactAction, Poll};
use crate::world::{ItemNo, World};

/// What the reader knows of one item.
#[derive(Debug, Clone)]
struct Known {
    /// The item as it was when last seen in scope.
    node: Node,
    /// Below the designated folder at the last poll.
    in_scope: bool,
    /// Revisions told so far.
    revisions: usize,
}

/// Where the poll before stands, and everything seen so far.
pub(super) struct Reader {
    folder: String,
    corpus: GoogleCorpus,
    previous: Option<Poll>,
    known: HashMap<ItemNo, Known>,
}

/// One poll while it is being told.
struct Round<'w> {
    world: &'w World,
    corpus: GoogleCorpus,
    poll: Poll,
    baseline: bool,
    tree: Tree,
    facts: Vec<Fact>,
    /// Items that came in at this poll, with the folder that took them along.
    moved_in: HashMap<ItemNo, ItemNo>,
}

impl Reader {
    pub(super) fn new(folder: &str, corpus: GoogleCorpus) -> Self {
        Self {
            folder: folder.to_owned(),
            corpus,
            previous: None,
            known: HashMap::new(),
        }
    }

    /// Facts this poll tells.
    pub(super) fn poll(&mut self, world: &World, poll: Poll) -> Vec<Fact> {
        let Some(folder) = world.find(&self.folder).filter(|item| item.is_folder()) else {
            return Vec::new();
        };
        let poll = Poll {
            previous: self.previous.map(|before| before.at),
            ..poll
        };
        let mut round = Round {
            world,
            corpus: self.corpus,
            poll,
            baseline: self.previous.is_none(),
            tree: Tree::below(world, folder.no),
            facts: Vec::new(),
            moved_in: HashMap::new(),
        };
        self.leave(&mut round);
        for no in std::mem::take(&mut round.tree.order) {
            self.see(&mut round, no);
        }
        self.previous = Some(poll);
        for fact in &mut round.facts {
            fact.baseline = round.baseline;
        }
        round.facts
    }

    /// Items in scope before and not now: those that moved themselves, and those a folder took along.
    fn leave(&mut self, round: &mut Round<'_>) {
        let mut gone: Vec<ItemNo> = self
            .known
            .iter()
            .filter(|(no, known)| known.in_scope && !round.tree.nodes.contains_key(no))
            .map(|(no, _)| *no)
            .collect();
        gone.sort_unstable();
        let went: HashSet<ItemNo> = gone.iter().copied().collect();
        let mut left = Vec::new();
        for no in gone {
            let Some(mover) = self.mover(round.world, no, &went) else {
                continue;
            };
            left.push((no, mover));
        }
        for (no, mover) in left {
            let Some(known) = self.known.get_mut(&no) else {
                continue;
            };
            let path = known.node.path.clone();
            if mover == no {
                // The last look: what was saved before the item was found outside.
                let saves = tell::saves(round.world, no);
                let told = Told::revisions(no, &path, known.revisions);
                round.facts.extend(told.facts(round.world, round.poll));
                known.revisions = saves;
            }
            let mut fact = round.derived(no, &known.node, FactAction::MovedOut);
            fact.path = Some(path);
            fact.derived_from = (mover != no).then(|| tell::id(mover));
            round.facts.push(fact);
            known.in_scope = false;
        }
    }

    /// The nearest of the item and the known folders above it that has another parent now.
    fn mover(&self, world: &World, no: ItemNo, went: &HashSet<ItemNo>) -> Option<ItemNo> {
        let mut at = no;
        loop {
            let before = self.known.get(&at)?.node.parent;
            if world.item(at)?.parent != Some(before) || !went.contains(&before) {
                return Some(at);
            }
            at = before;
        }
    }

    /// One item in scope now.
    fn see(&mut self, round: &mut Round<'_>, no: ItemNo) {
        let Some(node) = round.tree.nodes.remove(&no) else {
            return;
        };
        let before = self.known.get(&no).cloned();
        // Trashed with a folder before anyone looked: the log shows the folder only.
        let hidden = matches!(node.trash, Trash::Through(_)) && !round.baseline;
        if before.is_none() && hidden {
            return;
        }
        let revisions = before.as_ref().map_or(0, |known| known.revisions);
        let entered = before.as_ref().is_none_or(|known| !known.in_scope);
        if entered {
            round.enter(no, &node, revisions);
        } else {
            let told = Told::revisions(no, &node.path, revisions);
            round.facts.extend(told.facts(round.world, round.poll));
        }
        let back = node.trash == Trash::Out;
        let known_place = before.as_ref().filter(|known| known.in_scope);
        if let Some(known) = known_place.filter(|known| !back || known.node.trash == Trash::Out) {
            round.place(no, &known.node, &node);
        }
        let trash = match before {
            // What came out of the trash while it was elsewhere has just been told as moved in.
            Some(ref known) if !known.in_scope && back => Trash::Out,
            Some(ref known) => known.node.trash,
            None => Trash::Out,
        };
        let former = known_place.map(|known| known.node.path.clone());
        round.trash(no, &node, (trash, former));
        let known = Known {
            in_scope: true,
            revisions: tell::saves(round.world, no),
            node,
        };
        self.known.insert(no, known);
    }
}

impl Round<'_> {
    fn derived(&self, no: ItemNo, node: &Node, action: FactAction) -> Fact {
        let mut fact = Fact::derived(self.poll, action, (node.kind, tell::id(no)));
        fact.path = Some(node.path.clone());
        fact
    }

    /// An item not in scope before: new, or moved in.
    fn enter(&mut self, no: ItemNo, node: &Node, revisions: usize) {
        let created_at = self.world.item(no).map(|item| tell::millis(item.created_at));
        let is_new = self.poll.previous.is_none_or(|before| created_at > Some(before));
        let told = if is_new {
            Told::creation(no, &node.path, revisions)
        } else {
            Told::revisions(no, &node.path, revisions)
        };
        self.facts.extend(told.facts(self.world, self.poll));
        if is_new {
            return;
        }
        let mut fact = self.derived(no, node, FactAction::MovedIn);
        let along = self.moved_in.get(&node.parent).copied();
        fact.derived_from = along.map(tell::id);
        self.facts.push(fact);
        self.moved_in.insert(no, along.unwrap_or(no));
    }

    /// Another parent, or another name in the same one.
    fn place(&mut self, no: ItemNo, before: &Node, node: &Node) {
        let action = if before.parent != node.parent {
            FactAction::Moved
        } else if before.name != node.name {
            FactAction::Renamed
        } else {
            return;
        };
        let mut fact = self.derived(no, node, action);
        fact.previous_path = Some(before.path.clone());
        self.facts.push(fact);
    }

    /// Into the trash, or out of it; coming back to another place is one fact with both paths.
    fn trash(&mut self, no: ItemNo, node: &Node, (before, former): (Trash, Option<String>)) {
        let (action, through) = match (before, node.trash) {
            (Trash::Out, Trash::Itself) => (FactAction::Trashed, None),
            (Trash::Out, Trash::Through(folder)) => (FactAction::Trashed, Some(folder)),
            (Trash::Itself, Trash::Out) => (FactAction::Restored, None),
            (Trash::Through(folder), Trash::Out) => (FactAction::Restored, Some(folder)),
            _ => return,
        };
        let mut fact = self.derived(no, node, action);
        fact.derived_from = through.map(tell::id);
        if node.trash == Trash::Itself
            && self.corpus == GoogleCorpus::SharedDrive
            && let Some(item) = self.world.item(no)
        {
            tell::trashing(self.world, item, &mut fact);
        }
        if action == FactAction::Restored {
            fact.previous_path = former.filter(|former| *former != node.path);
        }
        self.facts.push(fact);
    }
}
