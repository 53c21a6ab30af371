//! What facts say about files that instruct agents.

use super::{Basis, Fact, FactAction};
use crate::world::ItemKind;

/// Adds, behind each fact about a file that instructs agents, the change of instructions that follows from it. Which fact it follows
/// from is told by that fact's action, since facts have no ids.
pub(super) fn with_instructions(facts: Vec<Fact>) -> Vec<Fact> {
    let mut all = Vec::with_capacity(facts.len());
    for fact in facts {
        let cause = word(fact.action).filter(|_| tells(&fact));
        let follower = cause.map(|cause| Fact {
            action: FactAction::InstructionsChanged,
            basis: Basis::Derived,
            derived_from: Some(cause.to_owned()),
            ..fact.clone()
        });
        all.push(fact);
        all.extend(follower);
    }
    all
}

/// The action's word in the event schema, for those that change what agents are told.
const fn word(action: FactAction) -> Option<&'static str> {
    match action {
        FactAction::Created => Some("created"),
        FactAction::Modified => Some("modified"),
        FactAction::Renamed => Some("renamed"),
        FactAction::Moved => Some("moved"),
        FactAction::MovedIn => Some("moved_in"),
        FactAction::MovedOut => Some("moved_out"),
        FactAction::Deleted => Some("deleted"),
        FactAction::Trashed => Some("trashed"),
        FactAction::Restored => Some("restored"),
        FactAction::AccessLost => Some("access_lost"),
        FactAction::RevisionVanished | FactAction::InstructionsChanged => None,
    }
}

fn tells(fact: &Fact) -> bool {
    let paths = fact.path.iter().chain(&fact.previous_path);
    let lower = paths.map(|path| path.to_lowercase());
    match fact.item_kind {
        ItemKind::File => lower.into_iter().any(|path| {
            let mut levels: Vec<&str> = path.split('/').collect();
            let name = levels.pop();
            matches!(name, Some("claude.md" | "agents.md" | "scheduled-tasks.md"))
                || levels.contains(&".claude")
        }),
        // Its files get no facts of their own when a folder changes its name or place.
        ItemKind::Folder => {
            matches!(fact.action, FactAction::Renamed | FactAction::Moved)
                && lower
                    .into_iter()
                    .any(|path| path.split('/').any(|level| level == ".claude"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::Poll;

    fn fact(kind: ItemKind, action: FactAction, path: &str) -> Fact {
        let at = "2026-11-20T10:00:00Z".parse().unwrap();
        let poll = Poll {
            index: 0,
            at,
            previous: None,
        };
        Fact {
            path: Some(path.to_owned()),
            ..Fact::reported(poll, action, (kind, "1".to_owned()), at)
        }
    }

    #[test]
    fn each_change_of_instructions_stands_behind_its_cause() {
        use FactAction::{Created, Modified, Renamed, RevisionVanished};
        let facts = vec![
            fact(ItemKind::File, Created, "a/Claude.md"),
            fact(ItemKind::File, Modified, "a/notes.md"),
            fact(ItemKind::File, RevisionVanished, "AGENTS.md"),
            fact(ItemKind::Folder, Created, ".claude"),
            fact(ItemKind::Folder, Renamed, ".claude"),
            fact(ItemKind::File, Modified, ".claude/x/y"),
        ];
        let told: Vec<_> = with_instructions(facts)
            .into_iter()
            .filter(|fact| fact.action == FactAction::InstructionsChanged)
            .map(|fact| (fact.path.unwrap(), fact.derived_from.unwrap(), fact.basis))
            .collect();
        let follows = |path: &str, cause: &str| (path.to_owned(), cause.to_owned(), Basis::Derived);
        assert_eq!(
            told,
            [
                follows("a/Claude.md", "created"),
                follows(".claude", "renamed"),
                follows(".claude/x/y", "modified"),
            ]
        );
    }
}
