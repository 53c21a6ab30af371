//! What can happen to items between two looks, played to every provider: the record must hold exactly what its API could tell.
#![allow(clippy::unwrap_used, reason = "tests")]

mod large;
mod mixed;
mod plain;
mod world;

use revtrail_e2e::{Bench, FOLDER, Place, assert_same, events_as_facts, rows, told};
use revtrail_simulator::{
    Edit, GoogleCorpus, Options, Provider, Timestamp, WorldSource,
    truth::google_drive::could_tell_on_shared_drive,
};
use rstest::rstest;
use serde_json::json;
use world::{at, world};

/// Whose folder is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    OneDrive,
    GoogleDrive,
    /// The whole of a shared drive, which is listed whole.
    SharedDrive,
    Dropbox,
}

impl Of {
    fn provider(self) -> Provider {
        match self {
            Self::OneDrive => Provider::OneDrive,
            Self::GoogleDrive | Self::SharedDrive => Provider::GoogleDrive,
            Self::Dropbox => Provider::Dropbox,
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::SharedDrive => "/",
            _ => FOLDER,
        }
    }

    fn bench(self, source: &WorldSource, page_size: Option<usize>) -> Bench {
        let options = Options {
            page_size,
            google_corpus: match self {
                Self::SharedDrive => GoogleCorpus::SharedDrive,
                _ => GoogleCorpus::MyDrive,
            },
            ..Options::default()
        };
        let place = Place {
            name: "handbook",
            provider: self.provider(),
            path: self.path(),
        };
        let bench = Bench::new(source.clone(), options, &[place]);
        if self == Self::SharedDrive {
            let on_drive = format!("path = \"/\"\ndrive = \"{}\"", bench.sim().google_shared_drive());
            let config = bench.config().replace("path = \"/\"", &on_drive);
            bench.write("revtrail.toml", &config);
        }
        bench.init();
        bench
    }

    /// A look. Of a shared drive with a full listing beside the log, which must find nothing else.
    fn look(self, bench: &Bench, poll: Timestamp) {
        bench.advance(poll);
        let mut args = vec!["harvest", "--output", "json"];
        args.extend((self == Self::SharedDrive).then_some("--reconcile"));
        let row = bench.call(&args).exits(0).json()["folders"][0].clone();
        // Nothing went wrong, so nothing may be said to be missing.
        assert_eq!(
            (&row["state"], &row["gaps"]),
            (&json!("complete"), &json!([])),
            "{row}"
        );
        assert_eq!(row["reconciled"], 0, "{row}");
    }
}

fn play(of: Of, page_size: Option<usize>, edits: Vec<Edit>) {
    let source = WorldSource::from_edits(edits);
    let bench = of.bench(&source, page_size);
    let polls = [at(2, 0), at(4, 0), at(6, 0)];
    for poll in polls {
        of.look(&bench, poll);
    }
    let truth = match of {
        Of::SharedDrive => rows(&could_tell_on_shared_drive(&source, of.path(), &polls).unwrap()),
        _ => told(of.provider(), &source, of.path(), &polls),
    };
    assert_same(&events_as_facts(&bench.events()), &truth);
    bench.verify();
}

fn play_scenario(of: Of, name: &str) {
    let mut edits = world();
    edits.extend(mixed::scenario(name).unwrap_or_else(|| plain::scenario(name)));
    play(of, None, edits);
}

#[rstest]
fn one_thing_happens(
    #[values(Of::OneDrive, Of::GoogleDrive, Of::SharedDrive, Of::Dropbox)] of: Of,
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
    play_scenario(of, name);
}

#[rstest]
fn several_things_happen_between_two_looks(
    #[values(Of::OneDrive, Of::GoogleDrive, Of::SharedDrive, Of::Dropbox)] of: Of,
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
    play_scenario(of, name);
}
