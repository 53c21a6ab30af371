//! Several things happen to the same item, place or name between two looks.

use revtrail_simulator::Edit;

use super::world::{at, created, deleted, modified, renamed, restored, saved};

/// Names and places that change more than once, or with the content.
fn names(name: &str) -> Option<Vec<Edit>> {
    Some(match name {
        "rename twice" => vec![
            renamed(3, 1, "Handbook/z.txt", "Handbook/y.txt"),
            renamed(3, 2, "Handbook/y.txt", "Handbook/x.txt"),
        ],
        "rename there and back" => vec![
            renamed(3, 1, "Handbook/z.txt", "Handbook/y.txt"),
            renamed(3, 2, "Handbook/y.txt", "Handbook/z.txt"),
        ],
        "rename and edit" => vec![
            modified(3, 1, "Handbook/z.txt", "z2"),
            renamed(3, 2, "Handbook/z.txt", "Handbook/y.txt"),
            modified(3, 3, "Handbook/y.txt", "z3"),
        ],
        "two files swap names" => vec![
            renamed(3, 1, "Handbook/z.txt", "Handbook/t.txt"),
            renamed(3, 2, "Handbook/c/w.txt", "Handbook/z.txt"),
            renamed(3, 3, "Handbook/t.txt", "Handbook/c/w.txt"),
        ],
        "a name passes on" => vec![
            renamed(3, 1, "Handbook/z.txt", "Handbook/old.txt"),
            created(3, 2, "Handbook/z.txt", "successor"),
            modified(5, 1, "Handbook/old.txt", "old2"),
        ],
        "move in and edit" => vec![
            renamed(3, 1, "Elsewhere/o.txt", "Handbook/o.txt"),
            modified(3, 2, "Handbook/o.txt", "o2"),
        ],
        "move out and back at once" => vec![
            renamed(3, 1, "Handbook/z.txt", "Elsewhere/z.txt"),
            modified(3, 2, "Elsewhere/z.txt", "z2"),
            renamed(3, 3, "Elsewhere/z.txt", "Handbook/z.txt"),
        ],
        "pass through" => vec![
            renamed(3, 1, "Elsewhere/o.txt", "Handbook/o.txt"),
            renamed(5, 1, "Handbook/o.txt", "Elsewhere/o.txt"),
        ],
        "case-only rename" => vec![
            renamed(3, 1, "Handbook/z.txt", "Handbook/Z.TXT"),
            modified(5, 1, "Handbook/Z.TXT", "z2"),
        ],
        "case-only folder rename" => vec![
            renamed(3, 1, "Handbook/a", "Handbook/A"),
            modified(5, 1, "Handbook/A/x.txt", "x3"),
        ],
        "odd names" => vec![
            created(3, 1, "Handbook/Ä 50% #1 'quoted' \"twice\".txt", "n1"),
            created(3, 2, "Handbook/日本語/🦀 + & = ?.md", "n2"),
            created(3, 3, "Handbook/-rf ..txt", "n3"),
            renamed(5, 1, "Handbook/-rf ..txt", "Handbook/=cmd|' /C calc'!A0.csv"),
        ],
        _ => return None,
    })
}

/// Contents that are the same, or none.
fn contents(name: &str) -> Option<Vec<Edit>> {
    Some(match name {
        "an empty file" => vec![
            Edit::created(at(3, 1), "Handbook/empty.txt", 0).by("ada@acme.example"),
            modified(5, 1, "Handbook/empty.txt", "full"),
        ],
        "two files of one content" => vec![
            created(3, 1, "Handbook/one.txt", "same"),
            Edit::created(at(3, 2), "Handbook/two.txt", 401)
                .by("bo@acme.example")
                .with_content("same"),
        ],
        "the same content again" => vec![
            saved(Edit::modified(at(3, 1), "Handbook/z.txt", 101), "Handbook/z.txt"),
            saved(Edit::modified(at(3, 2), "Handbook/z.txt", 101), "Handbook/z.txt"),
            modified(5, 1, "Handbook/z.txt", "z2"),
        ],
        "edits by several people" => vec![
            modified(3, 1, "Handbook/z.txt", "z2").by("bo@acme.example"),
            modified(3, 2, "Handbook/z.txt", "z3").by("cy@partner.example"),
            modified(3, 3, "Handbook/z.txt", "z4").by("ada@acme.example"),
        ],
        "many edits of one file" => (0..59)
            .map(|minute| modified(3, minute, "Handbook/z.txt", &format!("z{minute}")))
            .collect(),
        _ => return None,
    })
}

/// Folders on the way, and what is in them.
fn folders(name: &str) -> Option<Vec<Edit>> {
    Some(match name {
        "an empty folder" => vec![
            Edit::folder_created(at(3, 1), "Handbook/new").by("ada@acme.example"),
            renamed(5, 1, "Handbook/new", "Handbook/newer"),
        ],
        "a deep tree" => vec![
            created(3, 1, "Handbook/1/2/3/4/5/6/7/8/9/deep.txt", "deep"),
            renamed(5, 1, "Handbook/1/2/3", "Handbook/c/3"),
        ],
        "a folder moves into a moved folder" => vec![
            renamed(3, 1, "Handbook/a", "Handbook/c/a"),
            renamed(3, 2, "Handbook/c/a/b", "Handbook/b"),
            modified(3, 3, "Handbook/b/y.txt", "y2"),
        ],
        "a folder leaves and a file of it stays" => vec![
            renamed(3, 1, "Handbook/a/x.txt", "Handbook/x.txt"),
            renamed(3, 2, "Handbook/a", "Elsewhere/a"),
        ],
        "a folder leaves and a file of it comes back" => vec![
            renamed(3, 1, "Handbook/a", "Elsewhere/a"),
            renamed(5, 1, "Elsewhere/a/x.txt", "Handbook/x.txt"),
        ],
        "a folder leaves and comes back" => vec![
            renamed(3, 1, "Handbook/a", "Elsewhere/a"),
            modified(3, 2, "Elsewhere/a/x.txt", "x3"),
            renamed(5, 1, "Elsewhere/a", "Handbook/a"),
        ],
        "a moved in folder goes on" => vec![
            renamed(3, 1, "Elsewhere/dir", "Handbook/dir"),
            created(3, 2, "Handbook/dir/sub/new.txt", "n"),
            renamed(5, 1, "Handbook/dir", "Handbook/c/dir"),
        ],
        "two folders swap names" => vec![
            renamed(3, 1, "Handbook/a", "Handbook/t"),
            renamed(3, 2, "Handbook/c", "Handbook/a"),
            renamed(3, 3, "Handbook/t", "Handbook/c"),
        ],
        _ => return None,
    })
}

/// Ends and beginnings.
fn ends(name: &str) -> Option<Vec<Edit>> {
    Some(match name {
        "trash and restore at once" => {
            vec![deleted(3, 1, "Handbook/z.txt"), restored(3, 2, "Handbook/z.txt")]
        }
        "restore and edit" => vec![
            deleted(3, 1, "Handbook/z.txt"),
            restored(5, 1, "Handbook/z.txt"),
            modified(5, 2, "Handbook/z.txt", "z2"),
        ],
        "restore and rename" => vec![
            deleted(3, 1, "Handbook/z.txt"),
            restored(5, 1, "Handbook/z.txt"),
            renamed(5, 2, "Handbook/z.txt", "Handbook/c/y.txt"),
        ],
        "rename and delete" => vec![
            renamed(3, 1, "Handbook/z.txt", "Handbook/y.txt"),
            deleted(3, 2, "Handbook/y.txt"),
        ],
        "delete a file and then its folder" => {
            vec![deleted(3, 1, "Handbook/a/x.txt"), deleted(5, 1, "Handbook/a")]
        }
        "move into a folder that is deleted" => vec![
            renamed(3, 1, "Handbook/z.txt", "Handbook/a/z.txt"),
            deleted(3, 2, "Handbook/a"),
        ],
        "restore a folder without a file of it" => vec![
            deleted(3, 1, "Handbook/a"),
            restored(5, 1, "Handbook/a"),
            deleted(5, 2, "Handbook/a/x.txt"),
        ],
        "delete from a moved folder" => vec![
            renamed(3, 1, "Handbook/a", "Handbook/d"),
            deleted(3, 2, "Handbook/d/x.txt"),
        ],
        "recreate three times" => (0..3)
            .flat_map(|round| {
                [
                    deleted(3, 1 + 2 * round, "Handbook/z.txt"),
                    created(3, 2 + 2 * round, "Handbook/z.txt", &format!("life {round}")),
                ]
            })
            .collect(),
        "folder delete and recreate" => vec![
            deleted(3, 1, "Handbook/a"),
            created(3, 2, "Handbook/a/x.txt", "another"),
        ],
        "a folder takes the name of a file" => vec![
            deleted(3, 1, "Handbook/z.txt"),
            created(3, 2, "Handbook/z.txt/inner.md", "inner"),
        ],
        "a file takes the name of a folder" => {
            vec![deleted(3, 1, "Handbook/c"), created(3, 2, "Handbook/c", "file")]
        }
        "delete everything" => vec![
            deleted(3, 1, "Handbook/a"),
            deleted(3, 2, "Handbook/c"),
            deleted(3, 3, "Handbook/z.txt"),
        ],
        _ => return None,
    })
}

pub(crate) fn scenario(name: &str) -> Option<Vec<Edit>> {
    [names, contents, folders, ends].iter().find_map(|of| of(name))
}
