//! Items that are neither plain files nor plain folders, and items whose folder we cannot see.

use super::*;

/// What an event says of its item, in short.
fn brief(event: &Value) -> (String, String, String) {
    let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    (text("action"), text("item_kind"), text("path"))
}

fn told(stage: &Stage, from: usize) -> Vec<(String, String, String)> {
    let mut told: Vec<_> = stage.bench.events()[from..].iter().map(brief).collect();
    told.sort();
    told
}

fn rows(expected: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    let owned = |(a, b, c): &(&str, &str, &str)| ((*a).to_owned(), (*b).to_owned(), (*c).to_owned());
    let mut rows: Vec<_> = expected.iter().map(owned).collect();
    rows.sort();
    rows
}

/// A notebook holds its sections as a folder holds files: what moves it moves them, though the feed lists the notebook alone.
#[test]
fn a_notebook_takes_its_sections_along() {
    let edits = vec![
        Edit::created(at(1, 1), "Handbook/a.txt", 1),
        Edit::created(at(1, 2), "Elsewhere/Minutes.notebook/March.one", 2),
        Edit::modified(at(1, 3), "Elsewhere/Minutes.notebook/March.one", 3),
        Edit::renamed(
            at(3, 1),
            "Elsewhere/Minutes.notebook",
            "Handbook/Minutes.notebook",
        ),
        Edit::modified(at(5, 1), "Handbook/Minutes.notebook/March.one", 4),
        Edit::created(at(5, 2), "Handbook/Minutes.notebook/April.one", 5),
        Edit::deleted(at(7, 1), "Handbook/Minutes.notebook"),
    ];
    let stage = Stage::of(Provider::OneDrive, edits, Options::default());
    stage.look_well(polls()[0]);
    let mut known = stage.bench.events().len();
    let [notebook, march, april] = [
        "Minutes.notebook",
        "Minutes.notebook/March.one",
        "Minutes.notebook/April.one",
    ];
    let looks = [
        (
            polls()[1],
            vec![
                ("moved_in", "folder", notebook),
                ("moved_in", "file", march),
                ("created", "file", march),
                ("modified", "file", march),
            ],
        ),
        (
            polls()[2],
            vec![("modified", "file", march), ("created", "file", april)],
        ),
        (
            at(8, 0),
            vec![
                ("deleted", "folder", notebook),
                ("deleted", "file", march),
                ("deleted", "file", april),
            ],
        ),
    ];
    for (poll, expected) in looks {
        stage.look_well(poll);
        assert_eq!(told(&stage, known), rows(&expected), "{poll}");
        known = stage.bench.events().len();
    }
    // Sections have no digests, and none are made up.
    let events = stage.bench.events();
    let is_section = |event: &&Value| event["path"].to_string().ends_with(".one\"");
    let sections: Vec<&Value> = events.iter().filter(is_section).collect();
    assert!(!sections.is_empty());
    assert!(sections.iter().all(|event| event["hashes"].is_null()));
    stage.bench.verify();
}

/// A shortcut is an item of its own; what it leads to is somewhere else, and nobody asks for revisions of it.
#[rstest]
#[case::onedrive(Provider::OneDrive, "deleted")]
#[case::google_drive(Provider::GoogleDrive, "trashed")]
fn a_shortcut_is_recorded_and_not_followed(#[case] provider: Provider, #[case] gone: &str) {
    let edits = vec![
        Edit::created(at(1, 1), "Handbook/a.txt", 1),
        Edit::created(at(3, 1), "Handbook/Partner.shortcut", 2).by("ada@acme.example"),
        Edit::renamed(
            at(5, 1),
            "Handbook/Partner.shortcut",
            "Handbook/Old partner.shortcut",
        ),
        Edit::deleted(at(7, 1), "Handbook/Old partner.shortcut"),
    ];
    let stage = Stage::of(provider, edits, Options::default());
    stage.look_well(polls()[0]);
    let known = stage.bench.events().len();
    stage.bench.sim().reset_counts();
    for poll in [polls()[1], polls()[2], at(8, 0)] {
        stage.look_well(poll);
    }
    let counts = stage.bench.sim().counts().remove(&provider).unwrap();
    for operation in ["versions", "revisions", "children", "files", "content"] {
        assert_eq!(counts.get(operation), None, "{counts:?}");
    }
    let expected = [
        ("created", "other", "Partner.shortcut"),
        ("renamed", "other", "Old partner.shortcut"),
        (gone, "other", "Old partner.shortcut"),
    ];
    assert_eq!(told(&stage, known), rows(&expected));
    stage.bench.verify();
}

/// Of a file whose content was found to do harm everything is recorded but its bytes, which nobody is given.
#[rstest]
fn malware_is_recorded_without_its_bytes(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
) {
    let edits = vec![
        Edit::created(at(1, 1), "Handbook/invoice.malware", 1),
        Edit::created(at(1, 2), "Handbook/a.txt", 2),
        Edit::modified(at(3, 1), "Handbook/invoice.malware", 3),
    ];
    let stage = Stage::of(provider, edits, Options::default());
    let everything = format!(
        "{}capture = \"all\"\ncapture_max_bytes = 1000\n",
        stage.bench.config()
    );
    stage.bench.write("revtrail.toml", &everything);
    for poll in [polls()[0], polls()[1]] {
        let row = stage.look(poll, 4);
        assert_eq!(row["gaps"], json!(["contents_unavailable"]), "{row}");
    }
    stage.assert_told(&polls()[..2]);
    for event in stage.bench.events() {
        let withheld = event["path"] == "invoice.malware";
        let is_file = event["item_kind"] == "file";
        assert_eq!(
            event["content_sha256"].is_string(),
            is_file && !withheld,
            "{event}"
        );
        assert_eq!(
            event["content_missing"].is_string(),
            is_file && withheld,
            "{event}"
        );
    }
    let expected: Vec<_> = [(None, polls()[0]), (Some(polls()[0]), polls()[1])]
        .map(|(from, to)| ("contents_unavailable".to_owned(), from, to))
        .into();
    assert_eq!(stage.gaps(), expected);
}

/// A document of Dropbox's own editor has revisions without digests and no bytes: that is how it is, and no gap.
#[test]
fn a_cloud_document_has_revisions_and_no_bytes() {
    let edits = vec![
        Edit::created(at(1, 1), "Handbook/Minutes.paper", 1).by("ada@acme.example"),
        Edit::modified(at(3, 1), "Handbook/Minutes.paper", 2).by("bo@acme.example"),
    ];
    let stage = Stage::of(Provider::Dropbox, edits, Options::default());
    let everything = format!(
        "{}capture = \"all\"\ncapture_max_bytes = 1000\n",
        stage.bench.config()
    );
    stage.bench.write("revtrail.toml", &everything);
    for poll in polls() {
        stage.look_well(poll);
    }
    assert_eq!(saves(&stage.facts()), saves(&stage.truth(&polls())));
    let events = stage.bench.events();
    assert_eq!(events.len(), 2, "{events:?}");
    for event in &events {
        assert_eq!(event["hashes"], Value::Null, "{event}");
        assert_eq!(event["content_sha256"], Value::Null, "{event}");
    }
    stage.bench.verify();
}

/// An item that was deleted and made anew while the feed was read leaves no tombstone: the feed cannot tell, a full listing does.
#[test]
fn an_item_made_anew_without_a_tombstone_is_found_by_a_walk() {
    let edits = vec![
        Edit::created(at(1, 1), "Handbook/z.txt", 1),
        Edit::created(at(1, 2), "Handbook/a.txt", 2),
        Edit::deleted(at(3, 1), "Handbook/z.txt"),
        Edit::created(at(3, 2), "Handbook/z.txt", 3),
    ];
    let stage = Stage::of(Provider::OneDrive, edits, Options::default());
    stage.plan(FaultPlan::always(
        revtrail_simulator::Oddity::RecreatedWithoutTombstone,
    ));
    stage.look_well(polls()[0]);
    let known = stage.bench.events().len();
    stage.look_well(polls()[1]);
    assert_eq!(told(&stage, known), rows(&[("created", "file", "z.txt")]));
    stage.bench.advance(polls()[2]);
    let run = stage
        .bench
        .call(&["harvest", "--reconcile", "--output", "json"])
        .exits(4)
        .json();
    let row = &run["folders"][0];
    assert_eq!(row["gaps"], json!(["feed_incomplete"]), "{row}");
    let [created, lost] = &stage.bench.events()[known..] else {
        panic!("{:?}", stage.bench.events());
    };
    assert_eq!(brief(lost), rows(&[("access_lost", "file", "z.txt")])[0]);
    assert_ne!(lost["item_id"], created["item_id"]);
    assert_eq!(
        (&lost["derived_from"], &lost["reconciled"]),
        (&json!("full_listing"), &json!(true))
    );
    assert_eq!(lost["occurred_not_before"], json!(polls()[0]));
    assert_eq!(
        stage.gaps(),
        [("feed_incomplete".to_owned(), Some(polls()[0]), polls()[2])]
    );
    stage.bench.verify();
}

/// What lies in a folder that nobody shows us names no parent: it has left, and comes back when its parent can be seen again.
#[test]
fn an_item_without_a_parent_is_outside() {
    let edits = vec![
        Edit::created(at(1, 1), "Handbook/a.txt", 1).by("ada@acme.example"),
        Edit::created(at(1, 2), "Elsewhere/p.unseen/b.txt", 2).by("ada@acme.example"),
        Edit::renamed(at(3, 1), "Handbook/a.txt", "Elsewhere/p.unseen/a.txt").by("bo@acme.example"),
        Edit::modified(at(3, 2), "Elsewhere/p.unseen/b.txt", 3).by("bo@acme.example"),
        Edit::renamed(at(5, 1), "Elsewhere/p.unseen/a.txt", "Handbook/a.txt").by("bo@acme.example"),
        Edit::renamed(at(5, 2), "Elsewhere/p.unseen/b.txt", "Handbook/b.txt").by("bo@acme.example"),
    ];
    let stage = Stage::of(Provider::GoogleDrive, edits, Options::default());
    for poll in polls() {
        stage.look_well(poll);
    }
    stage.assert_told(&polls());
    for (action, paths) in [("moved_out", vec!["a.txt"]), ("moved_in", vec!["a.txt", "b.txt"])] {
        let mut found: Vec<String> = stage.actions(action).iter().map(|event| brief(event).2).collect();
        found.sort();
        assert_eq!(found, paths, "{action}");
    }
    assert_eq!(stage.actions("access_lost"), Vec::<Value>::new());
}
