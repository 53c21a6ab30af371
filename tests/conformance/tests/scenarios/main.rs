//! What can happen to items between two looks, played to every provider: the record must hold exactly what its API could tell.
#![allow(clippy::unwrap_used, reason = "tests")]

mod large;
mod mixed;
mod plain;
mod world;

use revtrail_e2e::{Bench, FOLDER, Place, assert_same, events_as_facts, told};
use revtrail_simulator::{Options, Provider, WorldSource};
use rstest::rstest;
use serde_json::json;
use world::{at, world};

fn play(provider: Provider, name: &str) {
    let mut edits = world();
    edits.extend(mixed::scenario(name).unwrap_or_else(|| plain::scenario(name)));
    let source = WorldSource::from_edits(edits);
    let polls = [at(2, 0), at(4, 0), at(6, 0)];
    let place = Place {
        name: "handbook",
        provider,
        path: FOLDER,
    };
    let bench = Bench::new(source.clone(), Options::default(), &[place]);
    bench.init();
    for poll in polls {
        bench.advance(poll);
        let run = bench.call(&["harvest", "--output", "json"]).exits(0).json();
        // Nothing went wrong, so nothing may be said to be missing.
        assert_eq!(run["folders"][0]["state"], "complete");
        assert_eq!(run["folders"][0]["gaps"], json!([]));
    }
    assert_same(
        &events_as_facts(&bench.events()),
        &told(provider, &source, FOLDER, &polls),
    );
    bench.verify();
}

#[rstest]
fn one_thing_happens(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
    #[values(
        "nothing",
        "edit",
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
    play(provider, name);
}

#[rstest]
fn several_things_happen_between_two_looks(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
    #[values(
        "rename twice",
        "rename there and back",
        "rename and edit",
        "two files swap names",
        "a name passes on",
        "move in and edit",
        "move out and back at once",
        "pass through",
        "case-only rename",
        "case-only folder rename",
        "odd names",
        "an empty file",
        "two files of one content",
        "the same content again",
        "edits by several people",
        "many edits of one file",
        "an empty folder",
        "a deep tree",
        "a folder moves into a moved folder",
        "a folder leaves and a file of it stays",
        "a folder leaves and a file of it comes back",
        "a folder leaves and comes back",
        "a moved in folder goes on",
        "two folders swap names",
        "trash and restore at once",
        "restore and edit",
        "restore and rename",
        "rename and delete",
        "move into a folder that is deleted",
        "restore a folder without a file of it",
        "delete a file and then its folder",
        "delete from a moved folder",
        "recreate three times",
        "folder delete and recreate",
        "a folder takes the name of a file",
        "a file takes the name of a folder",
        "delete everything"
    )]
    name: &str,
) {
    play(provider, name);
}
