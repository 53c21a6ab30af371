use revtrail_model::event::ItemKind;

use super::*;

fn folder(parent: &str, name: &str) -> Item {
    Item {
        parent: Some(parent.into()),
        name: Some(name.into()),
        ..Item::new(ItemKind::Folder)
    }
}

fn inventory() -> Inventory {
    let mut inventory = Inventory::default();
    inventory.put("a".into(), folder("F", "a"));
    inventory.put("b".into(), folder("a", "b"));
    inventory.put("out".into(), folder("drive", "out"));
    inventory
}

#[test]
fn paths_are_relative_to_the_folder() {
    let (inventory, root) = (inventory(), ItemId::from("F"));
    let tree = Tree::new(&inventory, &root);
    assert_eq!(tree.path(&"b".into()).as_deref(), Some("a/b"));
    assert_eq!(tree.path(&"out".into()), None);
    assert!(tree.contains(&"b".into()));
    assert!(!tree.contains(&"F".into()));
}

#[test]
fn a_cycle_of_parents_ends() {
    let (mut inventory, root) = (inventory(), ItemId::from("F"));
    inventory.put("a".into(), folder("b", "a"));
    assert!(!Tree::new(&inventory, &root).contains(&"a".into()));
    assert_eq!(
        inventory.descendants(&"a".into()),
        vec![ItemId::from("a"), ItemId::from("b")]
    );
}

#[test]
fn a_place_has_the_latest_live_occupant() {
    let at = |place: &str, status| Item {
        place: Some(place.into()),
        status,
        ..Item::new(ItemKind::File)
    };
    let mut inventory = Inventory::default();
    inventory.put("1".into(), at("/f/x", Status::Inside));
    inventory.put("1".into(), at("/f/y", Status::Inside));
    assert_eq!(inventory.occupant(&"/f/x".into()), None);
    assert_eq!(
        inventory.occupants_within(&"/f".into()),
        vec![("/f/y".into(), "1".into())]
    );
    inventory.put("1".into(), at("/f/y", Status::Deleted));
    assert_eq!(inventory.occupant(&"/f/y".into()), None);
}

#[test]
fn pending_items_come_in_order_and_leave_when_done() {
    let mut inventory = Inventory::default();
    for id in ["c", "a", "b"] {
        inventory.put(
            id.into(),
            Item {
                pending: Some(Box::default()),
                ..Item::new(ItemKind::File)
            },
        );
    }
    assert_eq!(inventory.pending_after(None, 2), vec!["a".into(), "b".into()]);
    assert_eq!(inventory.pending_after(Some(&"b".into()), 2), vec!["c".into()]);
    inventory.put("a".into(), Item::new(ItemKind::File));
    assert_eq!(
        (
            inventory.pending_count(),
            inventory.take_touched().len(),
            inventory.take_touched().len()
        ),
        (2, 3, 0)
    );
}

#[test]
fn occupants_follow_the_designated_folder() {
    let (from, to): (PlaceKey, PlaceKey) = ("/f".into(), "/g/f".into());
    let mut inventory = Inventory::default();
    inventory.put(
        "x".into(),
        Item {
            place: Some("/f/x".into()),
            ..Item::new(ItemKind::File)
        },
    );
    inventory.rebase(&from, &to);
    assert_eq!(inventory.occupant(&"/f/x".into()), None);
    assert_eq!(inventory.occupant(&"/g/f/x".into()), Some(&"x".into()));
}
