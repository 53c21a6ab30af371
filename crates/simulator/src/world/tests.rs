use super::*;
use crate::error::EditProblem;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + second).unwrap()
}

fn world(edits: Vec<Edit>) -> World {
    let mut world = World::new(WorldSource::from_edits(edits));
    world.advance(at(1000)).unwrap();
    world
}

fn problem(edits: Vec<Edit>) -> (usize, EditProblem) {
    match World::new(WorldSource::from_edits(edits)).advance(at(1000)) {
        Err(SimulatorError::Edit { line, source, .. }) => (line, source),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_moved_folder_takes_its_files_along() {
    let world = world(vec![
        Edit::created(at(1), "a/b/f.txt", 5),
        Edit::renamed(at(2), "a/b", "c/d"),
        Edit::modified(at(3), "c/d/f.txt", 6),
    ]);
    let file = world.find("/c/d/f.txt").unwrap();
    assert_eq!(
        file.saves.iter().map(|save| save.size).collect::<Vec<_>>(),
        [5, 6]
    );
    let moved = world
        .ops()
        .iter()
        .find(|op| matches!(op.what, What::Moved { .. }))
        .unwrap();
    assert_eq!(&*moved.path, "c/d");
    assert_eq!(moved.affected.len(), 1);
    assert_eq!(&*moved.affected[0].path, "c/d/f.txt");
    assert_eq!(file.ops, [3, moved.seq, world.seq()]);
    assert!(world.find("a/b").is_none());
}

#[test]
fn a_deleted_folder_hides_and_a_restored_one_shows_its_files() {
    let edits = vec![
        Edit::created(at(1), "a/f.txt", 5),
        Edit::deleted(at(2), "a"),
        Edit::restored(at(3), "a"),
    ];
    let mut world = World::new(WorldSource::from_edits(edits));
    world.advance(at(2)).unwrap();
    let deleted = world.ops().last().unwrap().clone();
    let file = deleted.affected[0].item;
    assert_eq!(&*deleted.affected[0].path, "a/f.txt");
    assert_eq!(world.gone_through(file), Some(deleted.item));
    assert_eq!(world.item(file).unwrap().state, ItemState::Live);
    let own: Vec<Slot> = world.changed_after(Reach::Own, Slot::end_of(2)).collect();
    let tree: Vec<Slot> = world.changed_after(Reach::Tree, Slot::end_of(2)).collect();
    assert_eq!((own.len(), tree.len()), (1, 2));
    world.advance(at(3)).unwrap();
    assert!(world.is_visible(file));
    assert_eq!(world.path_of(file), "a/f.txt");
    assert_eq!(world.deleted_at("a"), []);
}

#[test]
fn an_item_has_one_slot_at_its_newest_operation() {
    let world = world(vec![
        Edit::created(at(1), "f", 1),
        Edit::created(at(2), "g", 1),
        Edit::modified(at(3), "f", 2),
        Edit::renamed(at(4), "f", "h"),
    ]);
    let slots: Vec<(u64, u32)> = world
        .changed_after(Reach::Own, Slot::end_of(0))
        .map(|slot| (slot.seq, slot.item.0))
        .collect();
    assert_eq!(slots, [(2, 2), (4, 1)]);
}

#[test]
fn a_new_file_at_a_deleted_place_is_another_item() {
    let world = world(vec![
        Edit::created(at(1), "f", 1),
        Edit::deleted(at(2), "f"),
        Edit::created(at(3), "f", 1),
    ]);
    assert_eq!(world.find("f").unwrap().no, ItemNo(2));
    assert_eq!(
        world
            .deleted_children(ItemNo::ROOT)
            .map(|item| item.no)
            .collect::<Vec<_>>(),
        [ItemNo(1)]
    );
}

#[test]
fn impossible_edits_name_their_line() {
    assert_eq!(
        problem(vec![Edit::modified(at(1), "f", 1)]),
        (1, EditProblem::Nothing)
    );
    let twice = vec![Edit::created(at(1), "f", 1), Edit::created(at(2), "f", 1)];
    assert_eq!(problem(twice), (2, EditProblem::Taken));
    let below_file = vec![Edit::created(at(1), "f", 1), Edit::created(at(2), "f/g", 1)];
    assert_eq!(problem(below_file), (2, EditProblem::NotAFolder));
    let inside = vec![Edit::created(at(1), "a/f", 1), Edit::renamed(at(2), "a", "a/b")];
    assert_eq!(problem(inside), (2, EditProblem::IntoItself));
    assert_eq!(
        problem(vec![Edit::restored(at(1), "f")]),
        (1, EditProblem::NothingDeleted)
    );
    assert_eq!(
        problem(vec![Edit::created(at(1), "/f", 1)]),
        (1, EditProblem::BadPath)
    );
}

#[test]
fn time_moves_forward_and_whole_moments_apply() {
    let edits = vec![
        Edit::created(at(1), "f", 1),
        Edit::created(at(1), "g", 1),
        Edit::created(at(5), "h", 1),
    ];
    let mut world = World::new(WorldSource::from_edits(edits));
    assert_eq!(world.now(), at(0));
    assert_eq!(world.advance_edits(1).unwrap(), 2);
    assert_eq!((world.now(), world.edits_left()), (at(1), 1));
    assert!(matches!(
        world.advance(at(0)),
        Err(SimulatorError::BackInTime { .. })
    ));
    assert_eq!(world.advance_edits(9).unwrap(), 1);
    assert_eq!(world.advance_edits(9).unwrap(), 0);
}
