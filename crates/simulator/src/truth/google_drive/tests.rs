use super::*;
use crate::drive::ids;
use crate::truth::{Basis, FactAction};
use crate::world::{Edit, ItemNo, World};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + second).unwrap()
}

/// Facts about folder `F`, polled at these seconds.
fn tell(edits: Vec<Edit>, polls: &[i64]) -> Vec<Fact> {
    let polls: Vec<Timestamp> = polls.iter().copied().map(at).collect();
    could_tell(&WorldSource::from_edits(edits), "/F", &polls).unwrap()
}

/// `poll action path time`, sorted; of a fact known by bounds the time is `..`, and a `<` marks what follows from a folder.
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
            let along = if fact.derived_from.is_some() { " <" } else { "" };
            format!(
                "{} {action} {}{path} {when}{along}",
                fact.poll,
                from.unwrap_or_default()
            )
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

fn item(edits: &[Edit], path: &str, second: i64) -> ItemNo {
    let mut world = World::new(WorldSource::from_edits(edits.to_vec()));
    world.advance(at(second)).unwrap();
    world.find(path).unwrap().no
}

#[test]
fn a_creation_and_five_saves_are_told_one_by_one() {
    let mut edits = vec![Edit::created(at(1), "F/a", 10).by("ann@example.com")];
    edits.extend(
        (11..16).map(|second| Edit::modified(at(second), "F/a", second.unsigned_abs()).by("bob@example.com")),
    );
    let facts = tell(edits, &[5, 20]);
    assert_eq!(
        brief(&facts),
        [
            "0 created a 1",
            "1 modified a 11",
            "1 modified a 12",
            "1 modified a 13",
            "1 modified a 14",
            "1 modified a 15"
        ]
    );
    let (created, last) = (&facts[0], &facts[5]);
    assert_eq!((created.basis, created.baseline), (Basis::Reported, true));
    assert_eq!(
        (created.size, created.previous_revision_id.as_deref()),
        (Some(10), None)
    );
    assert_eq!(
        created.hashes.keys().collect::<Vec<_>>(),
        ["md5", "sha1", "sha256"]
    );
    let actor = last.actor.as_ref().unwrap();
    assert_eq!(
        (&actor.id, actor.email.as_deref()),
        (&Some(ids::permission("bob@example.com")), Some("bob@example.com"))
    );
    assert_eq!(
        (last.baseline, &last.previous_revision_id),
        (false, &facts[4].revision_id)
    );
    assert_eq!(facts[1].previous_revision_id, created.revision_id);
    assert_eq!(facts[4].hashes.keys().collect::<Vec<_>>(), ["md5"]);
    assert_eq!(last.hashes.len(), 3);
    assert_eq!((created.not_after, &created.application), (None, &None));
}

#[test]
fn names_and_places_are_known_by_bounds() {
    let facts = tell(
        vec![
            Edit::created(at(1), "F/d/a", 10),
            Edit::created(at(2), "F/b", 10),
            Edit::folder_created(at(3), "F/e"),
            Edit::renamed(at(11), "F/b", "F/c"),
            Edit::renamed(at(12), "F/d/a", "F/e/z"),
            Edit::renamed(at(21), "F/e", "F/d/e"),
            Edit::renamed(at(22), "F/c", "F/x"),
            Edit::renamed(at(23), "F/x", "F/c"),
        ],
        &[5, 20, 30],
    );
    assert_eq!(
        brief(&facts),
        [
            "0 created b 2",
            "0 created d 1",
            "0 created d/a 1",
            "0 created e 3",
            "1 moved d/a>e/z ..",
            "1 renamed b>c ..",
            "2 moved e>d/e .."
        ]
    );
    let renamed = one(&facts, FactAction::Renamed);
    assert_eq!(
        (renamed.not_before, renamed.not_after),
        (Some(at(5)), Some(at(20)))
    );
    assert_eq!(
        (renamed.basis, &renamed.actor, &renamed.revision_id),
        (Basis::Derived, &None, &None)
    );
    let folder = facts
        .iter()
        .find(|fact| fact.path.as_deref() == Some("d"))
        .unwrap();
    assert_eq!(
        (folder.basis, &folder.actor, folder.size),
        (Basis::Reported, &None, None)
    );
}

#[test]
fn a_folder_that_comes_in_brings_its_past() {
    let edits = vec![
        Edit::created(at(1), "F/a", 10),
        Edit::created(at(2), "G/d/x", 10),
        Edit::modified(at(3), "G/d/x", 11),
        Edit::created(at(4), "G/y", 12),
        Edit::renamed(at(11), "G/d", "F/d"),
        Edit::renamed(at(12), "G/y", "F/y"),
        Edit::created(at(13), "G/new", 1),
        Edit::renamed(at(14), "G/new", "F/new"),
    ];
    let facts = tell(edits.clone(), &[5, 20]);
    assert_eq!(
        brief(&facts),
        [
            "0 created a 1",
            "1 created d/x 2",
            "1 created new 13",
            "1 created y 4",
            "1 modified d/x 3",
            "1 movedin d ..",
            "1 movedin d/x .. <",
            "1 movedin y .."
        ]
    );
    let along = facts.iter().find(|fact| fact.derived_from.is_some()).unwrap();
    assert_eq!(along.derived_from, Some(ids::file(item(&edits, "F/d", 20))));
    assert_eq!(along.item_id, ids::file(item(&edits, "F/d/x", 20)));
}

#[test]
fn a_folder_that_leaves_takes_everything_along_and_one_last_look_is_taken() {
    let edits = vec![
        Edit::created(at(1), "F/d/e/x", 10),
        Edit::created(at(2), "F/y", 10),
        Edit::folder_created(at(3), "G"),
        Edit::modified(at(11), "F/d/e/x", 11),
        Edit::renamed(at(12), "F/d", "G/d"),
        Edit::modified(at(13), "F/y", 12),
        Edit::renamed(at(14), "F/y", "G/y2"),
        Edit::modified(at(21), "G/y2", 13),
        Edit::renamed(at(31), "G/d/e", "F/e"),
    ];
    let facts = tell(edits.clone(), &[5, 20, 30, 40]);
    let later: Vec<String> = brief(&facts)
        .into_iter()
        .filter(|fact| !fact.starts_with('0'))
        .collect();
    assert_eq!(
        later,
        [
            "1 modified y 13",
            "1 movedout d ..",
            "1 movedout d/e .. <",
            "1 movedout d/e/x .. <",
            "1 movedout y ..",
            "3 modified e/x 11",
            "3 movedin e ..",
            "3 movedin e/x .. <"
        ]
    );
    let along = facts.iter().find(|fact| fact.derived_from.is_some()).unwrap();
    assert_eq!(along.derived_from, Some(ids::file(item(&edits, "G/d", 20))));
}

#[test]
fn trash_and_restoration_of_a_folder_carry_what_is_known_below() {
    let edits = vec![
        Edit::created(at(1), "F/d/a", 10),
        Edit::created(at(2), "F/d/own", 10),
        Edit::deleted(at(3), "F/d/own"),
        Edit::modified(at(11), "F/d/a", 11),
        Edit::created(at(12), "F/d/late", 1),
        Edit::deleted(at(13), "F/d"),
        Edit::restored(at(21), "F/d"),
        Edit::restored(at(31), "F/d/own"),
    ];
    let facts = tell(edits.clone(), &[5, 20, 30, 40]);
    assert_eq!(
        brief(&facts),
        [
            "0 created d 1",
            "0 created d/a 1",
            "0 created d/own 2",
            "0 trashed d/own ..",
            "1 modified d/a 11",
            "1 trashed d ..",
            "1 trashed d/a .. <",
            "2 created d/late 12",
            "2 movedin d/late ..",
            "2 restored d ..",
            "2 restored d/a .. <",
            "3 restored d/own .."
        ]
    );
    let first = facts
        .iter()
        .find(|fact| fact.action == FactAction::Trashed)
        .unwrap();
    assert_eq!(
        (first.not_before, first.not_after, first.baseline),
        (None, Some(at(5)), true)
    );
    let folder = ids::file(item(&edits, "F/d", 30));
    let along: Vec<&Fact> = facts.iter().filter(|fact| fact.derived_from.is_some()).collect();
    assert!(
        along
            .iter()
            .all(|fact| fact.derived_from.as_ref() == Some(&folder))
    );
}

#[test]
fn made_and_trashed_between_polls_is_told_unless_a_folder_took_it() {
    let facts = tell(
        vec![
            Edit::folder_created(at(1), "F"),
            Edit::created(at(11), "F/a", 1),
            Edit::modified(at(12), "F/a", 2),
            Edit::deleted(at(13), "F/a"),
            Edit::created(at(14), "F/d/b", 3),
            Edit::deleted(at(15), "F/d"),
            Edit::restored(at(21), "F/a"),
            Edit::deleted(at(22), "F/a"),
        ],
        &[5, 20, 30],
    );
    assert_eq!(
        brief(&facts),
        [
            "1 created a 11",
            "1 created d 14",
            "1 modified a 12",
            "1 trashed a ..",
            "1 trashed d .."
        ]
    );
}

#[test]
fn the_baseline_walks_into_trashed_folders() {
    let facts = tell(
        vec![Edit::created(at(1), "F/d/a", 10), Edit::deleted(at(2), "F/d")],
        &[5],
    );
    assert_eq!(
        brief(&facts),
        [
            "0 created d 1",
            "0 created d/a 1",
            "0 trashed d ..",
            "0 trashed d/a .. <"
        ]
    );
    assert!(facts.iter().all(|fact| fact.baseline));
}

#[test]
fn a_missing_folder_tells_nothing_until_it_is_there() {
    let edits = vec![
        Edit::created(at(1), "G/a", 10),
        Edit::renamed(at(11), "G", "F"),
        Edit::deleted(at(21), "F"),
        Edit::restored(at(31), "F"),
        Edit::modified(at(32), "F/a", 11),
    ];
    let facts = tell(edits, &[5, 20, 30, 40]);
    assert_eq!(brief(&facts), ["1 created a 1", "3 modified a 32"]);
    assert!(facts[0].baseline);
    assert!(!facts[1].baseline);
}

#[test]
fn a_shared_drive_tells_who_trashed_an_item_and_when() {
    let edits = vec![
        Edit::created(at(1), "F/a", 10),
        Edit::created(at(2), "F/d/b", 10),
        Edit::deleted(at(12), "F/a").by("bob@example.com"),
        Edit::deleted(at(13), "F/d").by("ann@example.com"),
    ];
    let polls = [at(5), at(20)];
    let facts = could_tell_on_shared_drive(&WorldSource::from_edits(edits.clone()), "/", &polls).unwrap();
    let trashed: Vec<&Fact> = facts
        .iter()
        .filter(|fact| fact.action == FactAction::Trashed)
        .collect();
    let told: Vec<_> = trashed
        .iter()
        .map(|fact| {
            let by = fact.actor.as_ref().and_then(|actor| actor.email.as_deref());
            (fact.path.as_deref().unwrap(), fact.occurred_at, by, fact.basis)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("F/a", Some(at(12)), Some("bob@example.com"), Basis::Reported),
            ("F/d", Some(at(13)), Some("ann@example.com"), Basis::Reported),
            ("F/d/b", None, None, Basis::Derived),
        ]
    );
    assert_eq!((trashed[0].not_before, trashed[0].not_after), (None, None));
    assert_eq!(trashed[2].derived_from, Some(ids::file(item(&edits, "F/d", 5))));
    // In My Drive neither.
    let derived = tell(edits, &[5, 20]);
    assert!(
        derived
            .iter()
            .filter(|fact| fact.action == FactAction::Trashed)
            .all(|fact| fact.basis == Basis::Derived && fact.actor.is_none())
    );
}
