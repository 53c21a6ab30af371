use super::*;
use crate::dropbox::ids::{account_id, item_id};
use crate::truth::{Basis, FactAction};
use crate::world::{Edit, ItemKind, ItemNo};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + second).unwrap()
}

/// Facts about folder `F`, polled at these seconds.
fn tell(edits: Vec<Edit>, polls: &[i64]) -> Vec<Fact> {
    let polls: Vec<Timestamp> = polls.iter().copied().map(at).collect();
    could_tell(&WorldSource::from_edits(edits), "/F", &polls).unwrap()
}

/// `poll action path time`; of a fact known by bounds, the time is `..`.
fn brief(facts: &[Fact]) -> Vec<String> {
    let mut found: Vec<String> = facts
        .iter()
        .map(|fact| {
            let action = format!("{:?}", fact.action).to_lowercase();
            let path = fact.path.as_deref().unwrap_or("-");
            let from = fact.previous_path.as_deref().map(|path| format!("{path}>"));
            let when = fact.occurred_at.map_or("..".to_owned(), |when| {
                (when.as_second() - at(0).as_second()).to_string()
            });
            format!("{} {action} {}{path} {when}", fact.poll, from.unwrap_or_default())
        })
        .collect();
    found.sort();
    found
}

fn one(facts: &[Fact], action: FactAction) -> &Fact {
    let found: Vec<&Fact> = facts.iter().filter(|fact| fact.action == action).collect();
    assert_eq!(found.len(), 1, "{action:?}");
    found[0]
}

#[test]
fn saves_between_polls_are_told_one_by_one() {
    let facts = tell(
        vec![
            Edit::created(at(1), "F/a", 10).by("ann@example.com"),
            Edit::modified(at(11), "F/a", 11).by("bob@example.com"),
            Edit::modified(at(12), "F/a", 12).by("bob@example.com"),
        ],
        &[5, 20],
    );
    assert_eq!(
        brief(&facts),
        ["0 created a 1", "1 modified a 11", "1 modified a 12"]
    );
    let created = &facts[0];
    assert_eq!((created.basis, created.baseline), (Basis::Derived, true));
    assert_eq!(created.derived_from.as_deref(), Some("oldest_listed_revision"));
    let saved = &facts[2];
    assert_eq!((saved.basis, saved.baseline), (Basis::Reported, false));
    assert_eq!(saved.previous_revision_id, facts[1].revision_id);
    assert_eq!(facts[1].previous_revision_id, created.revision_id);
    assert_eq!(saved.size, Some(12));
    assert_eq!(saved.hashes["dropbox"].len(), 64);
    assert_eq!(
        saved.actor.as_ref().unwrap().id,
        Some(account_id("bob@example.com"))
    );
    // F is item 1.
    assert_eq!(saved.item_id, item_id(ItemNo(2)));
}

#[test]
fn moves_are_revisions_and_exact() {
    let facts = tell(
        vec![
            Edit::created(at(1), "F/a", 10),
            Edit::created(at(1), "F/d/keep", 10),
            Edit::created(at(1), "O/in", 20),
            Edit::modified(at(2), "O/in", 21),
            Edit::renamed(at(11), "F/a", "F/b"),
            Edit::renamed(at(12), "F/b", "F/d/b"),
            Edit::renamed(at(13), "O/in", "F/in"),
            Edit::renamed(at(21), "F/d/b", "O/b"),
            Edit::modified(at(22), "O/b", 11),
            Edit::renamed(at(31), "O/b", "F/b"),
        ],
        &[5, 20, 30, 40],
    );
    assert_eq!(
        brief(&facts),
        [
            "0 created a 1",
            "0 created d/keep 1",
            "1 created - 1",
            "1 modified - 2",
            "1 moved b>d/b 12",
            "1 movedin in 13",
            "1 renamed a>b 11",
            "2 movedout d/b 21",
            "3 movedin b 31",
        ]
    );
}

#[test]
fn a_file_gone_between_polls_is_told_from_its_place() {
    let facts = tell(
        vec![
            Edit::created(at(1), "F/old", 10),
            Edit::created(at(11), "F/brief", 10),
            Edit::modified(at(12), "F/brief", 11),
            Edit::deleted(at(13), "F/brief"),
            Edit::deleted(at(14), "F/old"),
        ],
        &[5, 20, 30],
    );
    assert_eq!(
        brief(&facts),
        [
            "0 created old 1",
            "1 created brief 11",
            "1 deleted brief 13",
            "1 deleted old 14",
            "1 modified brief 12",
        ]
    );
    let gone = facts
        .iter()
        .find(|fact| fact.action == FactAction::Deleted)
        .unwrap();
    assert_eq!((gone.basis, gone.actor.clone()), (Basis::Reported, None));
}

#[test]
fn the_first_poll_tells_of_what_was_deleted_before_it() {
    let facts = tell(
        vec![
            Edit::created(at(1), "F/d/x", 10),
            Edit::deleted(at(2), "F/d"),
            Edit::created(at(3), "F/y", 10),
            Edit::renamed(at(4), "F/y", "O/y"),
        ],
        &[5],
    );
    assert_eq!(
        brief(&facts),
        [
            "0 created d/x 1",
            "0 created y 3",
            "0 deleted d/x 2",
            "0 movedout y 4"
        ]
    );
}

#[test]
fn of_a_place_taken_again_the_deletion_is_known_by_bounds() {
    let facts = tell(
        vec![
            Edit::created(at(1), "F/a", 10),
            Edit::modified(at(11), "F/a", 11),
            Edit::deleted(at(12), "F/a"),
            Edit::created(at(13), "F/a", 12),
        ],
        &[5, 20],
    );
    assert_eq!(
        brief(&facts),
        [
            "0 created a 1",
            "1 created a 13",
            "1 deleted a ..",
            "1 modified a 11"
        ]
    );
    let gone = one(&facts, FactAction::Deleted);
    assert_eq!((gone.not_before, gone.not_after), (Some(at(5)), Some(at(20))));
    assert_eq!(
        (gone.basis, gone.item_id.clone()),
        (Basis::Derived, item_id(ItemNo(2)))
    );
}

#[test]
fn a_deleted_folder_takes_its_known_files_along() {
    let facts = tell(
        vec![
            Edit::created(at(1), "F/d/e/x", 10),
            Edit::created(at(11), "F/d/unseen", 10),
            Edit::modified(at(12), "F/d/e/x", 11),
            Edit::deleted(at(13), "F/d"),
            Edit::restored(at(21), "F/d"),
        ],
        &[5, 20, 30],
    );
    assert_eq!(
        brief(&facts),
        [
            "0 created d/e/x 1",
            "1 deleted d ..",
            "1 deleted d/e ..",
            "1 deleted d/e/x 13",
            "1 modified d/e/x 12",
            "2 created d/unseen 11",
            "2 modified d/unseen 21",
            "2 restored d ..",
            "2 restored d/e ..",
            "2 restored d/e/x 21",
        ]
    );
    let folder = item_id(ItemNo(2));
    for gone in facts.iter().filter(|fact| fact.action == FactAction::Deleted) {
        let is_folder_itself = gone.path.as_deref() == Some("d");
        assert_eq!(gone.derived_from.is_none(), is_folder_itself);
        assert!(is_folder_itself || gone.derived_from.as_ref() == Some(&folder));
        assert_eq!(gone.basis, Basis::Derived);
    }
}

#[test]
fn folders_are_told_by_bounds_and_their_files_exactly() {
    let facts = tell(
        vec![
            Edit::created(at(1), "F/d/e/x", 10),
            Edit::created(at(11), "F/new/y", 10),
            Edit::renamed(at(12), "F/d", "F/new/d2"),
            Edit::renamed(at(21), "F/new", "F/newer"),
            Edit::renamed(at(31), "F/newer/d2", "O/d2"),
        ],
        &[5, 20, 30, 40],
    );
    assert_eq!(
        brief(&facts),
        [
            "0 created d/e/x 1",
            "1 created new ..",
            "1 created new/y 11",
            "1 moved d/e/x>new/d2/e/x 12",
            "1 moved d>new/d2 ..",
            "2 moved new/d2/e/x>newer/d2/e/x 21",
            "2 moved new/y>newer/y 21",
            "2 renamed new>newer ..",
            "3 movedout newer/d2 ..",
            "3 movedout newer/d2/e ..",
            "3 movedout newer/d2/e/x 31",
        ]
    );
    assert!(
        facts
            .iter()
            .all(|fact| fact.item_kind == ItemKind::File || fact.actor.is_none())
    );
}

#[test]
fn a_restored_file_is_told_exactly_once() {
    let facts = tell(
        vec![
            Edit::created(at(1), "F/a", 10),
            Edit::deleted(at(11), "F/a"),
            Edit::restored(at(21), "F/a"),
            Edit::deleted(at(31), "F/a"),
            Edit::restored(at(32), "F/a"),
            Edit::deleted(at(33), "F/a"),
        ],
        &[5, 15, 25, 40],
    );
    assert_eq!(
        brief(&facts),
        [
            "0 created a 1",
            "1 deleted a 11",
            "2 restored a 21",
            "3 deleted a 33",
            "3 modified a 32",
        ]
    );
    assert_eq!(facts[2].previous_revision_id, facts[0].revision_id);
}

#[test]
fn more_than_a_hundred_revisions_are_read_from_places() {
    let mut edits = vec![Edit::created(at(0), "F/a", 1)];
    edits.extend((1..150).map(|save| Edit::modified(at(save), "F/a", 7)));
    edits.push(Edit::renamed(at(150), "F/a", "F/b"));
    edits.extend((151..300).map(|save| Edit::modified(at(save), "F/b", 7)));
    // Read at once, the newest hundred are all at the second place, but the first is a tombstone of the same listing.
    assert_eq!(tell(edits.clone(), &[400]).len(), 300);
    let two_places: Vec<Edit> = edits
        .into_iter()
        .map(|edit| Edit {
            path: edit.path.replace("F/a", "O/a").into(),
            from: edit.from.map(|from| from.replace("F/a", "O/a").into()),
            ..edit
        })
        .collect();
    // What lies at a place no answer names stays unknown, and the oldest listed revision passes for the creation.
    let facts = tell(two_places, &[400]);
    assert_eq!(facts.len(), 150);
    assert_eq!(one(&facts, FactAction::Created).occurred_at, Some(at(150)));
}

#[test]
fn another_spelling_is_no_fact() {
    let facts = tell(
        vec![
            Edit::created(at(1), "F/Notes/a", 1),
            Edit::renamed(at(11), "F/Notes", "F/notes"),
            Edit::modified(at(21), "F/notes/a", 2),
        ],
        &[5, 15, 25],
    );
    assert_eq!(brief(&facts), ["0 created Notes/a 1", "2 modified notes/a 21"]);
}

#[test]
fn a_missing_folder_tells_nothing_until_it_is_there() {
    let facts = tell(
        vec![Edit::created(at(1), "O/a", 1), Edit::created(at(11), "F/a", 1)],
        &[5, 20],
    );
    assert_eq!(brief(&facts), ["1 created a 11"]);
    assert!(facts[0].baseline);
}
