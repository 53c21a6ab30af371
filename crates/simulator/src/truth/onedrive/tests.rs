use super::*;
use crate::truth::Basis;
use crate::world::Edit;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + second).unwrap()
}

/// Facts about folder `F`, polled at these seconds.
fn tell(edits: Vec<Edit>, polls: &[i64]) -> Vec<Fact> {
    let polls: Vec<Timestamp> = polls.iter().copied().map(at).collect();
    could_tell(&WorldSource::from_edits(edits), "/F", &polls).unwrap()
}

/// `poll action path time version`; a fact known by bounds has `..` for its time.
fn brief(facts: &[Fact]) -> Vec<String> {
    let line = |fact: &Fact| {
        let action = format!("{:?}", fact.action).to_lowercase();
        let from = fact.previous_path.as_deref().map(|path| format!("{path}>"));
        let path = fact.path.as_deref().unwrap_or("-");
        let when = fact.occurred_at.map_or("..".to_owned(), |when| {
            (when.as_second() - at(0).as_second()).to_string()
        });
        let version = fact.revision_id.as_deref().unwrap_or_default();
        let line = format!(
            "{} {action} {}{path} {when} {version}",
            fact.poll,
            from.unwrap_or_default()
        );
        line.trim_end().to_owned()
    };
    facts.iter().map(line).collect()
}

fn one(facts: &[Fact], action: FactAction, path: &str) -> Fact {
    let same = |fact: &&Fact| fact.action == action && fact.path.as_deref() == Some(path);
    let found: Vec<&Fact> = facts.iter().filter(same).collect();
    assert_eq!(found.len(), 1, "{action:?} {path}");
    found[0].clone()
}

#[test]
fn five_edits_between_polls_are_five_versions() {
    let mut edits = vec![Edit::created(at(1), "F/a.txt", 10).by("ann@example.com")];
    edits.extend(
        (11..16).map(|second| {
            Edit::modified(at(second), "F/a.txt", second.cast_unsigned()).by("bob@example.com")
        }),
    );
    edits[5].application = Some("Word".into());
    let facts = tell(edits, &[5, 20]);
    let expected = [
        "0 created a.txt 1 1.0",
        "1 modified a.txt 11 2.0",
        "1 modified a.txt 12 3.0",
        "1 modified a.txt 13 4.0",
        "1 modified a.txt 14 5.0",
        "1 modified a.txt 15 6.0",
    ];
    assert_eq!(brief(&facts), expected);
    let (first, fifth, last) = (&facts[0], &facts[4], &facts[5]);
    assert_eq!(
        (first.basis, first.baseline, first.size),
        (Basis::Reported, true, Some(10))
    );
    assert_eq!(
        (first.previous_revision_id.as_deref(), first.hashes.len()),
        (None, 1)
    );
    assert_eq!((fifth.hashes.len(), fifth.application.as_ref()), (0, None));
    assert_eq!(last.previous_revision_id.as_deref(), Some("5.0"));
    assert_eq!(
        last.actor.as_ref().unwrap().email.as_deref(),
        Some("bob@example.com")
    );
    assert_eq!(last.application.as_ref().unwrap().name.as_deref(), Some("Word"));
    assert_eq!((last.not_before, last.not_after), (None, None));
    assert_eq!((last.hashes.len(), last.baseline), (1, false));
}

#[test]
fn renames_and_moves_inside_are_told_by_bounds_and_without_descendants() {
    let facts = tell(
        vec![
            Edit::created(at(1), "F/a", 10),
            Edit::created(at(1), "F/D/b", 10),
            Edit::folder_created(at(1), "F/E"),
            Edit::renamed(at(11), "F/a", "F/a2"),
            Edit::renamed(at(12), "F/D", "F/E/D2"),
            Edit::renamed(at(13), "F/a2", "F/a3"),
        ],
        &[5, 20],
    );
    assert_eq!(brief(&facts[4..]), ["1 renamed a>a3 ..", "1 moved D>E/D2 .."]);
    let renamed = &facts[4];
    assert_eq!((renamed.basis, &renamed.actor), (Basis::Derived, &None));
    assert_eq!(
        (renamed.not_before, renamed.not_after),
        (Some(at(5)), Some(at(20)))
    );
    let folder = one(&facts, FactAction::Created, "D");
    assert_eq!(
        (folder.item_kind, folder.occurred_at, folder.size),
        (ItemKind::Folder, Some(at(1)), None)
    );
}

#[test]
fn folders_moved_in_and_out_take_their_files_along() {
    let facts = tell(
        vec![
            Edit::created(at(1), "X/D/a", 10),
            Edit::folder_created(at(1), "F"),
            Edit::renamed(at(11), "X/D", "F/D"),
            Edit::created(at(12), "F/D/new", 10),
            Edit::modified(at(21), "F/D/a", 11),
            Edit::renamed(at(22), "F/D", "X/D"),
            Edit::modified(at(23), "X/D/a", 12),
        ],
        &[5, 15, 30],
    );
    let mut lines = brief(&facts);
    lines.sort();
    let expected = [
        "1 created D/a 1 1.0",
        "1 created D/new 12 1.0",
        "1 movedin D ..",
        "1 movedin D/a ..",
        "2 movedout D ..",
        "2 movedout D/a ..",
        "2 movedout D/new ..",
    ];
    assert_eq!(lines, expected);
    let folder = one(&facts, FactAction::MovedIn, "D");
    assert_eq!(folder.derived_from, None);
    for (action, path) in [(FactAction::MovedIn, "D/a"), (FactAction::MovedOut, "D/new")] {
        assert_eq!(
            one(&facts, action, path).derived_from,
            Some(folder.item_id.clone())
        );
    }
}

#[test]
fn a_file_that_left_by_itself_gets_a_last_look() {
    let facts = tell(
        vec![
            Edit::created(at(1), "F/a", 10),
            Edit::modified(at(11), "F/a", 11),
            Edit::renamed(at(12), "F/a", "X/a"),
            Edit::modified(at(21), "X/a", 12),
            Edit::renamed(at(31), "X/a", "F/b"),
        ],
        &[5, 15, 25, 35],
    );
    let expected = [
        "0 created a 1 1.0",
        "1 movedout a ..",
        "1 modified a 11 2.0",
        "3 movedin b ..",
        "3 modified b 21 3.0",
    ];
    assert_eq!(brief(&facts), expected);
}

#[test]
fn deleted_folders_and_lone_tombstones_and_what_comes_back() {
    let facts = tell(
        vec![
            Edit::created(at(1), "F/D/a", 10),
            Edit::created(at(11), "F/brief", 10),
            Edit::created(at(12), "F/D/late", 10),
            Edit::created(at(12), "X/elsewhere", 10),
            Edit::deleted(at(13), "F/brief"),
            Edit::deleted(at(13), "X/elsewhere"),
            Edit::deleted(at(14), "F/D"),
            Edit::restored(at(21), "F/D"),
            Edit::modified(at(22), "F/D/a", 11),
        ],
        &[5, 15, 25],
    );
    let mut lines = brief(&facts);
    lines.sort();
    let expected = [
        "0 created D 1",
        "0 created D/a 1 1.0",
        "1 deleted - ..",
        "1 deleted - ..",
        "1 deleted D ..",
        "1 deleted D/a ..",
        "2 created D/late 12 1.0",
        "2 modified D/a 22 2.0",
        "2 restored D ..",
        "2 restored D/a ..",
        "2 restored D/late ..",
    ];
    assert_eq!(lines, expected);
    let deleted = one(&facts, FactAction::Deleted, "D/a");
    assert_eq!(
        (deleted.derived_from, deleted.actor, deleted.occurred_at),
        (None, None, None)
    );
}

#[test]
fn a_missing_folder_tells_nothing_and_a_moved_one_is_followed() {
    assert_eq!(tell(vec![Edit::created(at(1), "X/a", 1)], &[5]), Vec::new());
    let facts = tell(
        vec![
            Edit::created(at(1), "F/a", 10),
            Edit::renamed(at(11), "F", "G"),
            Edit::modified(at(12), "G/a", 11),
            Edit::deleted(at(21), "G"),
        ],
        &[5, 15, 25],
    );
    assert_eq!(
        brief(&facts),
        ["0 created a 1 1.0", "1 modified a 12 2.0", "2 deleted a .."]
    );
}

#[test]
fn a_version_that_took_more_is_told_again() {
    let edits = vec![
        Edit::created(at(1), "F/a", 1).by("ann@example.com"),
        Edit::modified(at(20), "F/a", 2).by("bob@example.com"),
        Edit::modified(at(700), "F/a", 3).by("ann@example.com"),
    ];
    let source = WorldSource::from_edits(edits);
    let polls = [at(10), at(30), at(800)];
    let facts = could_tell_merged(&source, "/F", &polls, Some(SignedDuration::from_mins(10))).unwrap();
    let brief: Vec<String> = facts
        .iter()
        .map(|fact| {
            let who = fact.actor.as_ref().and_then(|actor| actor.name.as_deref());
            let id = fact.revision_id.as_deref().unwrap_or_default();
            format!("{} {:?} {id} {}", fact.poll, fact.action, who.unwrap_or_default())
        })
        .collect();
    assert_eq!(
        brief,
        ["0 Created 1.0 ann", "1 Modified 1.0 bob", "2 Modified 2.0 ann"]
    );
    assert!(
        facts.iter().all(|fact| fact.hashes.len() == 1),
        "each was the newest when told"
    );
}
