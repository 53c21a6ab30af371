//! One thing happens at a time.

use revtrail_simulator::Edit;

use super::world::{created, deleted, modified, renamed, restored};

/// Edits of the 3rd (before the second look, on the 4th) and of the 5th (before the third, on the 6th).
pub(crate) fn scenario(name: &str) -> Vec<Edit> {
    match name {
        "nothing" => vec![],
        "edit" => vec![modified(3, 1, "Handbook/z.txt", "z2")],
        "five edits" => (1..=5)
            .map(|minute| modified(3, minute, "Handbook/z.txt", &format!("z{minute}")))
            .collect(),
        "new file and folder" => vec![
            created(3, 1, "Handbook/n/new.txt", "n"),
            modified(5, 1, "Handbook/n/new.txt", "n2"),
        ],
        "rename" => vec![
            renamed(3, 1, "Handbook/z.txt", "Handbook/y.txt"),
            modified(5, 1, "Handbook/y.txt", "y2"),
        ],
        "move within" => vec![renamed(3, 1, "Handbook/z.txt", "Handbook/a/z2.txt")],
        "move out" => vec![
            renamed(3, 1, "Handbook/z.txt", "Elsewhere/z.txt"),
            modified(5, 1, "Elsewhere/z.txt", "z2"),
        ],
        "edit and move out" => vec![
            modified(3, 1, "Handbook/z.txt", "z2"),
            renamed(3, 2, "Handbook/z.txt", "Elsewhere/z.txt"),
        ],
        "move in" => vec![
            renamed(3, 1, "Elsewhere/o.txt", "Handbook/o.txt"),
            modified(5, 1, "Handbook/o.txt", "o2"),
        ],
        "move out and back" => vec![
            renamed(3, 1, "Handbook/z.txt", "Elsewhere/z.txt"),
            renamed(5, 1, "Elsewhere/z.txt", "Handbook/z.txt"),
        ],
        other => folders_and_ends(other),
    }
}

/// More of them: what happens to folders, and how items end and begin.
pub(crate) fn folders_and_ends(name: &str) -> Vec<Edit> {
    match name {
        "folder rename" => vec![
            renamed(3, 1, "Handbook/a", "Handbook/d"),
            modified(3, 2, "Handbook/d/x.txt", "x3"),
        ],
        "folder move within" => vec![renamed(3, 1, "Handbook/a/b", "Handbook/c/b")],
        "folder move out" => vec![renamed(3, 1, "Handbook/a", "Elsewhere/a")],
        "folder move in" => vec![
            renamed(3, 1, "Elsewhere/dir", "Handbook/dir"),
            modified(5, 1, "Handbook/dir/p.txt", "p2"),
        ],
        "delete" => vec![
            modified(3, 1, "Handbook/z.txt", "z2"),
            deleted(3, 2, "Handbook/z.txt"),
        ],
        "folder delete" => vec![deleted(3, 1, "Handbook/a")],
        "restore" => vec![deleted(3, 1, "Handbook/z.txt"), restored(5, 1, "Handbook/z.txt")],
        "folder restore" => vec![deleted(3, 1, "Handbook/a"), restored(5, 1, "Handbook/a")],
        "come and gone" => vec![
            created(3, 1, "Handbook/t.txt", "t"),
            modified(3, 2, "Handbook/t.txt", "t2"),
            deleted(3, 3, "Handbook/t.txt"),
        ],
        "delete and recreate" => vec![
            deleted(3, 1, "Handbook/z.txt"),
            created(3, 2, "Handbook/z.txt", "new"),
            modified(5, 1, "Handbook/z.txt", "new2"),
        ],
        "outside only" => vec![
            modified(3, 1, "Elsewhere/o.txt", "o2"),
            created(3, 2, "Elsewhere/new.txt", "n"),
            deleted(5, 1, "Elsewhere/dir"),
        ],
        other => panic!("no scenario {other}"),
    }
}
