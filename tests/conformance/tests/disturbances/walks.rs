//! What the change feed leaves out, and a full listing finds.

use super::*;

/// What the folder's last window says.
fn reconcile(stage: &Stage, poll: Timestamp, code: i32) -> Value {
    stage.bench.advance(poll);
    let run = stage
        .bench
        .call(&["harvest", "--reconcile", "--output", "json"])
        .exits(code);
    run.json()["folders"][0].clone()
}

fn start() -> Vec<Edit> {
    (1..=4)
        .map(|n| Edit::created(at(1, n), &format!("Handbook/d/f{n}.txt"), u64::from(n)))
        .collect()
}

fn staged(provider: Provider, edits: Vec<Edit>) -> Stage {
    let mut all = start();
    all.extend(edits);
    Stage::of(provider, all, Options::default())
}

fn lose(stage: &Stage) {
    stage.plan(FaultPlan::once(Fault::OmittedChange { name: None }));
}

/// Found at the same look, the record is what it would have been, down to the bounds; only how it was found is said.
#[rstest]
fn a_walk_finds_what_the_feed_left_out(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
    #[values("saved", "renamed", "moved", "created", "deleted", "folder")] change: &str,
) {
    let edit = match change {
        "saved" => Edit::modified(at(3, 1), "Handbook/d/f1.txt", 51),
        "renamed" => Edit::renamed(at(3, 1), "Handbook/d/f1.txt", "Handbook/d/g1.txt"),
        "moved" => Edit::renamed(at(3, 1), "Handbook/d/f1.txt", "Handbook/f1.txt"),
        "created" => Edit::created(at(3, 1), "Handbook/new.txt", 52),
        "deleted" => Edit::deleted(at(3, 1), "Handbook/d/f1.txt"),
        _ => Edit::renamed(at(3, 1), "Handbook/d", "Handbook/e"),
    };
    let stage = staged(provider, vec![edit]);
    stage.look_well(polls()[0]);
    let known = stage.bench.events().len();
    lose(&stage);
    let row = reconcile(&stage, polls()[1], 4);
    assert_eq!(stage.bench.sim().faults_fired()[&FaultKind::OmittedChange], 1);
    assert_eq!(row["gaps"], json!(["feed_incomplete"]), "{row}");
    assert_eq!(row["state"], "partial");
    let events = stage.bench.events();
    let new = &events[known..];
    assert!(!new.is_empty());
    assert_eq!(row["reconciled"], json!(new.len()), "{row}");
    assert!(new.iter().all(|event| event["reconciled"] == true), "{new:?}");
    assert!(events[..known].iter().all(|event| event["reconciled"].is_null()));
    if provider == Provider::OneDrive && change == "deleted" {
        // A listing does not tell what became of what it lacks.
        assert_eq!(new[0]["action"], "access_lost");
        assert_eq!(new[0]["derived_from"], "full_listing");
        assert_eq!(new[0]["occurred_not_before"], json!(polls()[0]));
        stage.bench.verify();
    } else {
        stage.assert_told(&polls()[..2]);
    }
    // Known now, and never told again.
    let row = reconcile(&stage, polls()[2], 0);
    assert_eq!(
        (&row["events"], &row["reconciled"]),
        (&json!(0), &json!(0)),
        "{row}"
    );
    assert_eq!(row["state"], "complete");
}

/// Lost at one look, found at a later one: every save is known, with its own time; the bounds of what has none reach back to the listing
/// before.
#[rstest]
fn a_later_walk_finds_it_too(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
) {
    let edits = vec![
        Edit::modified(at(3, 1), "Handbook/d/f1.txt", 51),
        Edit::renamed(at(3, 2), "Handbook/d/f2.txt", "Handbook/d/g2.txt"),
        Edit::modified(at(5, 1), "Handbook/d/f3.txt", 53),
    ];
    let stage = staged(provider, edits);
    stage.look_well(polls()[0]);
    lose(&stage);
    stage.look_well(polls()[1]);
    assert_eq!(stage.actions("modified"), Vec::<Value>::new());
    let row = reconcile(&stage, polls()[2], 4);
    assert_eq!(row["gaps"], json!(["feed_incomplete"]));
    let (facts, truth) = (stage.facts(), stage.truth(&polls()));
    assert_eq!(saves(&facts), saves(&truth));
    // What the feed told at this look is the feed's.
    let modified = stage.actions("modified");
    let found: Vec<(Value, bool)> = modified
        .iter()
        .map(|event| (event["path"].clone(), event["reconciled"] == true))
        .collect();
    assert_eq!(found, [(json!("d/f1.txt"), true), (json!("d/f3.txt"), false)]);
    let renamed = stage.actions("renamed");
    assert_eq!(renamed.len(), 1, "{renamed:?}");
    assert_eq!(renamed[0]["previous_path"], "d/f2.txt");
    if provider != Provider::Dropbox {
        assert_eq!(renamed[0]["occurred_not_before"], json!(polls()[0]));
    }
    stage.bench.verify();
}

/// A walk that finds nothing leaves nothing but the word that it was made, and no raw records.
#[rstest]
fn a_walk_without_differences_adds_no_fact(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
) {
    let stage = Stage::new(provider);
    for poll in polls() {
        let row = reconcile(&stage, poll, 0);
        assert_eq!(
            (&row["state"], &row["reconciled"]),
            (&json!("complete"), &json!(0))
        );
    }
    stage.assert_told(&polls());
}

/// The listing cannot be read: the feed's word stands, the gap says what was not done, and the next walk makes it good.
#[rstest]
#[case::onedrive(Provider::OneDrive, 2)]
#[case::google_drive(Provider::GoogleDrive, 1)]
#[case::dropbox(Provider::Dropbox, 1)]
fn a_walk_that_fails_is_a_gap_until_one_succeeds(#[case] provider: Provider, #[case] first: u64) {
    let stage = Stage::new(provider);
    stage.look_well(polls()[0]);
    let operation = match provider {
        Provider::OneDrive => "delta",
        Provider::GoogleDrive => "files",
        Provider::Dropbox => "list_folder",
    };
    stage.plan(FaultPlan {
        first,
        times: u64::MAX,
        ..FaultPlan::once(Fault::Unavailable503 { retry_after: None }).on(operation)
    });
    let row = reconcile(&stage, polls()[1], 4);
    assert_eq!(row["gaps"], json!(["walk_failed"]), "{row}");
    stage.bench.sim().clear_faults();
    let row = reconcile(&stage, polls()[2], 0);
    assert_eq!(row["state"], "complete");
    stage.assert_told(&polls());
}

/// What happens while the listing is read is no difference: the feed tells it, and is believed.
#[rstest]
fn changes_during_a_walk_are_not_taken_for_differences(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
) {
    let second = |n: u32| Timestamp::from_second(at(3, 0).as_second() + i64::from(n)).unwrap();
    let mut edits: Vec<Edit> = (0..24)
        .map(|n| {
            let path = format!("Handbook/d{}/f{n}.txt", n % 3);
            Edit::created(at(1, n), &path, u64::from(n) + 1)
        })
        .collect();
    // Folders that move while they are listed, and files that come, change, move and go.
    for n in 0..24 {
        let path = format!("Handbook/d{}/f{n}.txt", n % 3);
        edits.push(match n % 4 {
            0 => Edit::modified(second(2 * n), &path, 90 + u64::from(n)),
            1 => Edit::renamed(second(2 * n), &path, &format!("Handbook/g{n}.txt")),
            2 => Edit::deleted(second(2 * n), &path),
            _ => Edit::created(second(2 * n), &format!("Handbook/new{n}.txt"), 5),
        });
    }
    edits.push(Edit::renamed(second(60), "Handbook/d1", "Handbook/d0/d1"));
    edits.push(Edit::renamed(second(61), "Handbook/d2", "Handbook/e2"));
    let options = Options {
        page_size: Some(3),
        latency: std::time::Duration::from_millis(8),
        ..Options::default()
    };
    let stage = Stage::of(provider, edits, options);
    stage.look_well(polls()[0]);
    let walk = stage.bench.start(&["harvest", "--reconcile", "--output", "json"]);
    for _ in 0..26 {
        std::thread::sleep(std::time::Duration::from_millis(12));
        stage.bench.sim().advance_edits(1).unwrap();
    }
    let outcome = walk.finish();
    let row = outcome.json()["folders"][0].clone();
    assert_eq!(row["reconciled"], 0, "{row}");
    assert!(
        !row["gaps"]
            .as_array()
            .unwrap()
            .contains(&json!("feed_incomplete")),
        "{row}"
    );
    // And nothing was left behind: the feed has told it all by the next look, and a walk agrees.
    let row = reconcile(&stage, polls()[1], 0);
    assert_eq!(row["reconciled"], 0, "{row}");
    let truth = saves(&stage.truth(&[polls()[0], polls()[1]]));
    let facts = saves(&stage.facts());
    let missing: Vec<&String> = truth.iter().filter(|save| !facts.contains(save)).collect();
    assert_eq!(missing, Vec::<&String>::new());
}
