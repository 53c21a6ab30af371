//! Every reason for a gap: what brings it about, from when to when it reaches, and what closes it.

use revtrail_simulator::OneDriveAccount;

use super::*;

fn gap(reason: &str, from: Timestamp, to: Timestamp) -> (String, Option<Timestamp>, Timestamp) {
    (reason.to_owned(), Some(from), to)
}

/// A file, and two saves of it between the first two looks.
fn saved_twice() -> Vec<Edit> {
    vec![
        Edit::created(at(1, 1), "Handbook/a.txt", 1),
        Edit::modified(at(3, 1), "Handbook/a.txt", 2),
        Edit::modified(at(3, 2), "Handbook/a.txt", 3),
    ]
}

/// The provider refuses the list of one file: its revisions are told as soon as it is given.
#[rstest]
#[case::onedrive(Provider::OneDrive, "versions")]
#[case::google_drive(Provider::GoogleDrive, "revisions")]
#[case::dropbox(Provider::Dropbox, "list_revisions")]
fn a_refused_list_is_a_gap_until_it_is_given(#[case] provider: Provider, #[case] operation: &str) {
    let stage = Stage::of(provider, saved_twice(), Options::default());
    stage.look_well(polls()[0]);
    stage.plan(FaultPlan::once(Fault::RevisionsRefused).on(operation));
    let row = stage.look(polls()[1], 4);
    assert_eq!(
        (&row["state"], &row["gaps"]),
        (&json!("partial"), &json!(["revisions_unavailable"])),
        "{row}"
    );
    assert_eq!(
        stage.gaps(),
        [gap("revisions_unavailable", polls()[0], polls()[1])]
    );
    stage.look_well(polls()[2]);
    assert_eq!(stage.gaps(), []);
    assert_eq!(saves(&stage.facts()), saves(&stage.truth(&polls())));
    stage.bench.verify();
}

/// A list that has not caught up with the file itself: Google Drive and Dropbox name the newest revision, and OneDrive's list of a file
/// that had versions is empty.
#[rstest]
#[case::onedrive(Provider::OneDrive, "versions")]
#[case::google_drive(Provider::GoogleDrive, "revisions")]
#[case::dropbox(Provider::Dropbox, "list_revisions")]
fn a_list_that_lags_is_a_gap_until_it_catches_up(#[case] provider: Provider, #[case] operation: &str) {
    let stage = Stage::of(provider, saved_twice(), Options::default());
    stage.look_well(polls()[0]);
    stage.plan(FaultPlan::once(Fault::LaggingRevisions).on(operation));
    let row = stage.look(polls()[1], 4);
    assert_eq!(row["gaps"], json!(["head_missing"]), "{row}");
    assert_eq!(stage.gaps(), [gap("head_missing", polls()[0], polls()[1])]);
    assert_eq!(stage.actions("revision_vanished"), Vec::<Value>::new());
    stage.look_well(polls()[2]);
    assert_eq!(stage.gaps(), []);
    assert_eq!(saves(&stage.facts()), saves(&stage.truth(&polls())));
    stage.bench.verify();
}

/// An answer that is good JSON and cannot be understood: nothing is guessed, and the next look reads the same again.
#[rstest]
#[case::onedrive(Provider::OneDrive, "delta")]
#[case::google_drive(Provider::GoogleDrive, "changes")]
#[case::dropbox(Provider::Dropbox, "list_folder_continue")]
fn an_answer_that_cannot_be_understood_is_a_gap(#[case] provider: Provider, #[case] operation: &str) {
    let stage = Stage::new(provider);
    stage.look_well(polls()[0]);
    let known = stage.bench.events().len();
    stage.plan(FaultPlan {
        times: u64::MAX,
        ..FaultPlan::once(Fault::OtherShape).on(operation)
    });
    let row = stage.look(polls()[1], 4);
    assert_eq!(row["gaps"], json!(["malformed"]), "{row}");
    assert_eq!(stage.gaps(), [gap("malformed", polls()[0], polls()[1])]);
    assert_eq!(stage.bench.events().len(), known);
    stage.bench.sim().clear_faults();
    stage.look_well(polls()[2]);
    assert_eq!(stage.gaps(), []);
    stage.assert_told(&[polls()[0], polls()[2]]);
}

/// A first look committed in parts: each part says that revisions are still to come, the last one that none are.
#[rstest]
fn a_look_in_parts_says_so_until_its_last(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
) {
    let edits: Vec<Edit> = (0..900)
        .map(|n| {
            let second = Timestamp::from_second(at(1, 0).as_second() + i64::from(n)).unwrap();
            Edit::created(
                second,
                &format!("Handbook/d/f{n:03}.txt"),
                1 + u64::try_from(n).unwrap(),
            )
        })
        .collect();
    let stage = Stage::of(provider, edits, Options::default());
    stage.bench.snapshot_every(100);
    stage.look_well(polls()[0]);
    let windows = windows(&stage);
    assert!(windows.len() > 2, "{windows:?}");
    let told: Vec<(String, Vec<&Value>)> = windows
        .iter()
        .map(|window| {
            let gaps = window["gaps"].as_array().into_iter().flatten();
            (
                window["state"].to_string(),
                gaps.map(|gap| &gap["reason"]).collect(),
            )
        })
        .collect();
    let pending = told.iter().take_while(|(_, gaps)| *gaps == ["revisions_pending"]);
    let pending: Vec<&String> = pending.map(|(state, _)| state).collect();
    assert!(
        !pending.is_empty() && pending.iter().all(|state| *state == "\"partial\""),
        "{told:?}"
    );
    let rest = &told[pending.len()..];
    let whole = ("\"complete\"".to_owned(), Vec::new());
    assert!(
        !rest.is_empty() && rest.iter().all(|window| *window == whole),
        "{told:?}"
    );
    assert_eq!(stage.gaps(), []);
    stage.assert_told(&polls()[..1]);
}

/// The windows of the record, as stored.
fn windows(stage: &Stage) -> Vec<Value> {
    let mut windows = Vec::new();
    for segment in segments(&stage.bench.dir().join("archive")) {
        let text = zstd::decode_all(std::fs::File::open(segment).unwrap()).unwrap();
        let leaves = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let leaves = leaves.map(|line| serde_json::from_slice::<Value>(line).unwrap());
        windows.extend(leaves.filter(|leaf| leaf["type"] == "window"));
    }
    windows
}

/// Segments, in the order they were committed.
fn segments(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(segments(&path));
        } else if path.parent().is_some_and(|parent| parent.ends_with("segments")) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The gap of a lost cursor reaches from the last look to this one by the provider's clock, however far ours is from it.
#[rstest]
fn a_lost_cursor_has_bounds_by_the_providers_clock(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
    #[values(2019, 2061)] year: i32,
) {
    let shift =
        |at: Timestamp| -> Timestamp { at.to_string().replace("2026", &year.to_string()).parse().unwrap() };
    let edits = world().into_iter().map(|edit| Edit {
        at: shift(edit.at),
        ..edit
    });
    let stage = Stage::of(provider, edits.collect(), Options::default());
    let looks = polls().map(shift);
    stage.look_well(looks[0]);
    stage.plan(FaultPlan::once(Fault::LostCursor));
    let row = stage.look(looks[1], 4);
    assert_eq!(row["gaps"], json!(["cursor_lost"]), "{row}");
    assert_eq!(stage.gaps(), [gap("cursor_lost", looks[0], looks[1])]);
    stage.look_well(looks[2]);
    // It cannot be closed.
    assert_eq!(stage.gaps(), [gap("cursor_lost", looks[0], looks[1])]);
    stage.bench.verify();
}

/// Where there is no feed from a moment, a full listing is all there is, and does not tell what became of what it lacks.
#[rstest]
#[case::refused_too(OneDriveAccount::Business, 2)]
#[case::personal(OneDriveAccount::Personal, 1)]
fn a_lost_cursor_without_a_feed_from_a_moment(#[case] onedrive_account: OneDriveAccount, #[case] times: u64) {
    let options = Options {
        onedrive_account,
        ..Options::default()
    };
    let stage = Stage::of(Provider::OneDrive, world(), options);
    stage.look_well(polls()[0]);
    stage.plan(FaultPlan {
        times,
        ..FaultPlan::once(Fault::LostCursor)
    });
    let row = stage.look(polls()[1], 4);
    assert_eq!(row["gaps"], json!(["cursor_lost"]), "{row}");
    assert_eq!(stage.bench.sim().faults_fired()[&FaultKind::LostCursor], times);
    stage.look_well(polls()[2]);
    stage.bench.verify();
    let lost = stage.actions("access_lost");
    let told: Vec<_> = lost
        .iter()
        .map(|event| (&event["path"], &event["derived_from"]))
        .collect();
    assert_eq!(told, [(&json!("d1/f3.txt"), &json!("full_listing"))]);
}

/// A feed from a moment is not taken at its word: the full listing beside it shows what it left out.
#[test]
fn what_a_feed_from_a_moment_leaves_out_is_found() {
    let stage = Stage::new(Provider::OneDrive);
    stage.look_well(polls()[0]);
    stage.plan(FaultPlan::once(Fault::LostCursor));
    stage.plan(FaultPlan::once(Fault::OmittedChange {
        name: Some("new.txt".to_owned()),
    }));
    let row = stage.look(polls()[1], 4);
    assert_eq!(row["gaps"], json!(["cursor_lost", "feed_incomplete"]), "{row}");
    let reconciled: Vec<Value> = stage
        .bench
        .events()
        .iter()
        .filter(|event| event["reconciled"] == true)
        .map(|event| event["path"].clone())
        .collect();
    assert_eq!(reconciled, [json!("new.txt")]);
    stage.look_well(polls()[2]);
    let facts = stage.facts();
    assert_eq!(saves(&facts), saves(&stage.truth(&polls())));
    stage.bench.verify();
}

/// Where nothing of the folder can be reached, the gap reaches from the last look to this one, and the next one closes it.
#[rstest]
fn an_unreachable_folder_is_a_gap_with_bounds(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
) {
    let edits = vec![
        Edit::created(at(1, 1), "Handbook/a.txt", 1),
        Edit::deleted(at(3, 1), "Handbook"),
        Edit::restored(at(5, 1), "Handbook"),
    ];
    let stage = Stage::of(provider, edits, Options::default());
    stage.look_well(polls()[0]);
    let code = if provider == Provider::Dropbox { 2 } else { 4 };
    let row = stage.look(polls()[1], code);
    assert_eq!(row["gaps"], json!(["folder_unavailable"]), "{row}");
    assert_eq!(stage.gaps(), [gap("folder_unavailable", polls()[0], polls()[1])]);
    stage.look_well(polls()[2]);
    assert_eq!(stage.gaps(), []);
    stage.bench.verify();
}
