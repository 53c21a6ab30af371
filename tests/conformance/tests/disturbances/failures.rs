//! Failures in the middle of a reading: of the service, of a part of a batch, of a page token, of a history that goes on meanwhile.

use super::*;

/// The operation that pages of the change feed are read by.
fn feed(provider: Provider) -> &'static str {
    match provider {
        Provider::OneDrive => "delta",
        Provider::GoogleDrive => "changes",
        Provider::Dropbox => "list_folder_continue",
    }
}

/// 500 and 504 on pages of a feed, again and again.
#[rstest]
fn failures_in_the_middle_of_a_feed_are_waited_out(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
    #[values(Fault::Internal500, Fault::Timeout504)] fault: Fault,
) {
    let stage = Stage::paged(provider);
    let kind = fault.kind();
    stage.plan(FaultPlan {
        first: 2,
        every: 2,
        times: 40,
        ..FaultPlan::once(fault).on(feed(provider))
    });
    for poll in polls() {
        stage.look_well(poll);
    }
    let fired = stage.bench.sim().faults_fired()[&kind];
    assert!(fired >= 3, "{fired}");
    stage.assert_told(&polls());
}

/// A feed that breaks off for good keeps nothing of its first pages, and the next look reads from where the last one ended.
#[rstest]
fn a_feed_that_breaks_off_for_good_is_read_again(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
    #[values(Fault::Internal500, Fault::Timeout504)] fault: Fault,
) {
    let stage = Stage::paged(provider);
    stage.look_well(polls()[0]);
    let known = stage.bench.events().len();
    stage.plan(FaultPlan {
        first: 2,
        times: u64::MAX,
        ..FaultPlan::once(fault).on(feed(provider))
    });
    let row = stage.look(polls()[1], 4);
    assert_eq!(
        (&row["state"], &row["gaps"]),
        (&json!("failed"), &json!(["feed_failed"])),
        "{row}"
    );
    assert_eq!(stage.bench.events().len(), known);
    let gap = ("feed_failed".to_owned(), Some(polls()[0]), polls()[1]);
    assert_eq!(stage.gaps(), [gap]);
    stage.bench.sim().clear_faults();
    stage.look_well(polls()[2]);
    assert_eq!(stage.gaps(), [], "what was missing is there");
    stage.assert_told(&[polls()[0], polls()[2]]);
}

/// 504 to a page for its size: what follows is read in small pages, and nothing is lost.
#[test]
fn a_feed_too_large_for_its_pages_is_read_in_smaller_ones() {
    let stage = Stage::new(Provider::OneDrive);
    stage.plan(FaultPlan {
        times: u64::MAX,
        ..FaultPlan::once(Fault::LargePage504).on("delta")
    });
    for poll in polls() {
        stage.look_well(poll);
    }
    assert!(stage.bench.sim().faults_fired()[&FaultKind::LargePage504] >= 1);
    stage.assert_told(&polls());
}

/// 504 to one link for ever, while the service answers: the cursor is given up, with a gap, and the next look goes on from a new one.
#[test]
fn a_link_that_is_never_answered_is_a_lost_cursor() {
    let stage = Stage::new(Provider::OneDrive);
    stage.look_well(polls()[0]);
    stage.plan(FaultPlan {
        times: u64::MAX,
        ..FaultPlan::once(Fault::StaleLink504).on("delta")
    });
    let row = stage.look(polls()[1], 4);
    assert_eq!(row["gaps"][0], "cursor_lost", "{row}");
    stage.bench.sim().clear_faults();
    stage.look_well(polls()[2]);
    stage.assert_told(&polls());
}

/// A part of a batch that failed because another one did is asked again.
#[rstest]
#[case::throttled(Fault::BatchInner429)]
#[case::failed_with_another(Fault::BatchInner424)]
fn parts_of_a_batch_that_fail_are_asked_again(#[case] fault: Fault) {
    let stage = Stage::new(Provider::OneDrive);
    let kind = fault.kind();
    stage.plan(FaultPlan {
        every: 3,
        times: 6,
        ..FaultPlan::once(fault).on("versions")
    });
    for poll in polls() {
        stage.look_well(poll);
    }
    assert!(stage.bench.sim().faults_fired()[&kind] >= 3);
    stage.assert_told(&polls());
}

/// Google's page tokens live for hours: a listing whose token ran out begins again, and nothing is lost or told twice.
#[rstest]
#[case::listings("files", 4)]
#[case::revisions("revisions", 11)]
fn a_page_token_that_ran_out_costs_nothing(#[case] operation: &str, #[case] every: u64) {
    let mut edits = world();
    let busy = (6..=15).map(|n| Edit::modified(at(1, 20 + n), "Handbook/d1/f5.txt", 60 + u64::from(n)));
    edits.splice(10..10, busy.map(|edit| edit.by("ada@acme.example")));
    let options = Options {
        page_size: Some(2),
        ..Options::default()
    };
    let stage = Stage::of(Provider::GoogleDrive, edits, options);
    stage.plan(FaultPlan {
        every,
        times: 5,
        ..FaultPlan::once(Fault::ExpiredPageToken).on(operation)
    });
    for poll in polls() {
        stage.look_well(poll);
    }
    let fired = stage.bench.sim().faults_fired()[&FaultKind::ExpiredPageToken];
    assert!(fired >= 1, "{fired}");
    stage.assert_told(&polls());
}

/// Edits that happen between the pages of a first look are told by it or by the next one, once.
#[rstest]
fn edits_between_the_pages_of_a_first_look_are_told_once(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
) {
    let stage = Stage::paged(provider);
    let operation = match provider {
        Provider::OneDrive => "delta",
        Provider::GoogleDrive => "files",
        Provider::Dropbox => "list_folder",
    };
    stage.plan(FaultPlan {
        times: 3,
        ..FaultPlan::once(Fault::Meanwhile { edits: 1 }).on(operation)
    });
    stage.look_well(polls()[0]);
    stage.bench.sim().clear_faults();
    stage.look_well(polls()[1]);
    stage.look_well(polls()[2]);
    assert_eq!(saves(&stage.facts()), saves(&stage.truth(&polls())));
    stage.assert_walk_finds_nothing();
}

/// A folder that moves in with its files while the first look lists the folder: whenever it does, its files are found, and no
/// reconciliation walk has to find them.
#[rstest]
fn a_folder_that_moves_in_during_a_first_look_brings_its_files(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
    #[values(1, 2, 3, 4, 5, 6)] after: u64,
    #[values("Elsewhere/dir", "Aside/dir")] from: &str,
) {
    let mut edits: Vec<Edit> = ["Handbook/a.txt", "Handbook/d/b.txt", "Handbook/e/c.txt"]
        .iter()
        .zip(1..)
        .map(|(path, n)| Edit::created(at(1, n), path, 7))
        .collect();
    edits.extend((1..=4).map(|n| Edit::created(at(1, 10 + n), &format!("{from}/in/{n}.txt"), u64::from(n))));
    edits.push(Edit::renamed(at(2, 10), from, "Handbook/dir"));
    let options = Options {
        page_size: Some(2),
        ..Options::default()
    };
    let stage = Stage::of(provider, edits, options);
    let operation = match provider {
        Provider::OneDrive => "delta",
        Provider::GoogleDrive => "files",
        Provider::Dropbox => "list_folder_continue",
    };
    stage.plan(FaultPlan {
        first: after,
        ..FaultPlan::once(Fault::Meanwhile { edits: 1 }).on(operation)
    });
    stage.look_well(polls()[0]);
    stage.bench.sim().clear_faults();
    stage.look_well(polls()[1]);
    let mut files: Vec<String> = stage
        .bench
        .events()
        .iter()
        .filter(|event| event["item_kind"] == "file" && event["path"].is_string())
        .map(|event| event["path"].as_str().unwrap().to_owned())
        .collect();
    files.sort();
    files.dedup();
    let moved: Vec<&String> = files.iter().filter(|path| path.starts_with("dir/")).collect();
    assert_eq!(
        moved,
        ["dir/in/1.txt", "dir/in/2.txt", "dir/in/3.txt", "dir/in/4.txt"]
    );
    stage.assert_walk_finds_nothing();
}

/// What is in a folder that moved in is listed by requests of its own. While these fail nothing of the look is kept, and the next one lists
/// the folder again; a link to another host is not followed.
#[rstest]
#[case::onedrive_down(Provider::OneDrive, Fault::Unavailable503 { retry_after: None }, "children")]
#[case::onedrive_sent_elsewhere(Provider::OneDrive, Fault::ForeignNextLink, "children")]
#[case::google_drive_down(Provider::GoogleDrive, Fault::Unavailable503 { retry_after: None }, "files")]
fn a_folder_that_moved_in_and_cannot_be_listed_is_listed_later(
    #[case] provider: Provider,
    #[case] fault: Fault,
    #[case] operation: &str,
    #[values(1, 2)] first: u64,
) {
    let mut edits: Vec<Edit> = Vec::new();
    for n in 1..=7 {
        edits.push(Edit::created(at(1, n), &format!("Elsewhere/dir/f{n}.txt"), 1));
        edits.push(Edit::created(at(1, n), &format!("Elsewhere/other/g{n}.txt"), 1));
    }
    edits.extend([
        Edit::created(at(1, 9), "Handbook/a.txt", 9),
        Edit::renamed(at(3, 1), "Elsewhere/dir", "Handbook/dir"),
        Edit::renamed(at(3, 2), "Elsewhere/other", "Handbook/other"),
        Edit::modified(at(3, 3), "Handbook/a.txt", 10),
    ]);
    let options = Options {
        page_size: Some(3),
        ..Options::default()
    };
    let stage = Stage::of(provider, edits, options);
    stage.look_well(polls()[0]);
    let known = stage.bench.events().len();
    stage.plan(FaultPlan {
        // The first folder, or the second after the first was listed.
        first: if first == 1 { 1 } else { 4 },
        times: u64::MAX,
        ..FaultPlan::once(fault).on(operation)
    });
    let row = stage.look(polls()[1], 4);
    assert_eq!(
        (&row["state"], &row["gaps"]),
        (&json!("failed"), &json!(["feed_failed"])),
        "{row}"
    );
    assert_eq!(stage.bench.events().len(), known, "nothing of it is kept");
    stage.bench.sim().clear_faults();
    stage.look_well(polls()[2]);
    stage.assert_told(&[polls()[0], polls()[2]]);
    assert_eq!(stage.actions("moved_in").len(), 16);
}
