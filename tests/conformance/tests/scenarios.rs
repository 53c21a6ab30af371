//! What can happen to items between two looks, played to every provider: the record must hold exactly what its API could tell.
#![allow(clippy::unwrap_used, reason = "tests")]

use revtrail_e2e::{Bench, FOLDER, Place, assert_same, events_as_facts, told};
use revtrail_simulator::{Edit, Options, Provider, Timestamp, WorldSource};
use rstest::rstest;

fn at(day: u32, minute: u32) -> Timestamp {
    format!("2026-10-{day:02}T08:{minute:02}:00Z").parse().unwrap()
}

fn saved(edit: Edit, key: &str) -> Edit {
    edit.by("ada@acme.example").with_content(key)
}

/// What is there at the first look, on the 2nd: files in and beside the designated folder.
fn world() -> Vec<Edit> {
    let made = |minute, path: &str| saved(Edit::created(at(1, minute), path, 100 + u64::from(minute)), path);
    vec![
        made(1, "Handbook/z.txt"),
        made(2, "Handbook/a/x.txt"),
        made(3, "Handbook/a/b/y.txt"),
        made(4, "Handbook/c/w.txt"),
        made(5, "Elsewhere/o.txt"),
        made(6, "Elsewhere/dir/p.txt"),
        made(7, "Elsewhere/dir/sub/q.txt"),
        saved(Edit::modified(at(1, 8), "Handbook/a/x.txt", 222), "x2"),
    ]
}

fn modified(day: u32, minute: u32, path: &str, key: &str) -> Edit {
    saved(
        Edit::modified(at(day, minute), path, 300 + u64::from(minute)),
        key,
    )
}

fn renamed(day: u32, minute: u32, from: &str, to: &str) -> Edit {
    Edit::renamed(at(day, minute), from, to).by("bo@acme.example")
}

fn deleted(day: u32, minute: u32, path: &str) -> Edit {
    Edit::deleted(at(day, minute), path).by("bo@acme.example")
}

fn restored(day: u32, minute: u32, path: &str) -> Edit {
    Edit::restored(at(day, minute), path).by("bo@acme.example")
}

fn created(day: u32, minute: u32, path: &str, key: &str) -> Edit {
    saved(Edit::created(at(day, minute), path, 400 + u64::from(minute)), key)
}

/// Edits of the 3rd (before the second look, on the 4th) and of the 5th (before the third, on the 6th).
fn scenario(name: &str) -> Vec<Edit> {
    match name {
        "nothing" => vec![],
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
fn folders_and_ends(name: &str) -> Vec<Edit> {
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

#[rstest]
fn the_record_holds_exactly_what_the_api_could_tell(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
    #[values(
        "nothing",
        "five edits",
        "new file and folder",
        "rename",
        "move within",
        "move out",
        "edit and move out",
        "move in",
        "move out and back",
        "folder rename",
        "folder move within",
        "folder move out",
        "folder move in",
        "delete",
        "folder delete",
        "restore",
        "folder restore",
        "come and gone",
        "delete and recreate",
        "outside only"
    )]
    name: &str,
) {
    let mut edits = world();
    edits.extend(scenario(name));
    let source = WorldSource::from_edits(edits);
    let polls = [at(2, 0), at(4, 0), at(6, 0)];
    let bench = Bench::new(
        source.clone(),
        Options::default(),
        &[Place {
            name: "handbook",
            provider,
            path: FOLDER,
        }],
    );
    bench.init();
    for poll in polls {
        bench.advance(poll);
        let _harvested = bench.call(&["harvest"]).exits(0);
    }
    assert_same(
        &events_as_facts(&bench.events()),
        &told(provider, &source, FOLDER, &polls),
    );
    bench.verify();
}
