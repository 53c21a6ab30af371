//! What is no longer shown to us, and where the designated folder itself goes.

use super::*;

/// The account may not look for a while: a gap, no deletions, and nothing is lost afterwards.
#[rstest]
#[case::onedrive(Provider::OneDrive)]
#[case::dropbox(Provider::Dropbox)]
fn a_lost_share_is_a_gap_and_no_deletion(#[case] provider: Provider) {
    let stage = Stage::new(provider);
    stage.look_well(polls()[0]);
    let events = stage.bench.events().len();
    stage.plan(FaultPlan {
        times: u64::MAX,
        ..FaultPlan::once(Fault::AccessLost)
    });
    stage.bench.advance(polls()[1]);
    let run = stage.bench.call(&["harvest", "--output", "json"]);
    assert_ne!(run.code, Some(0));
    let row = run.json()["folders"][0].clone();
    assert_eq!(row["state"], "failed", "{row}");
    let reason = match provider {
        Provider::Dropbox => "folder_unavailable",
        _ => "feed_failed",
    };
    assert_eq!(row["gaps"], json!([reason]), "{row}");
    assert_eq!(stage.bench.events().len(), events);
    stage.bench.sim().clear_faults();
    stage.look_well(polls()[2]);
    stage.assert_told(&[polls()[0], polls()[2]]);
}

/// Google Drive says "removed" of what is deleted for good and of what is no longer shared alike: neither is claimed.
#[test]
fn removed_items_are_access_lost_and_come_back_as_restored() {
    let stage = Stage::new(Provider::GoogleDrive);
    stage.look_well(polls()[0]);
    stage.plan(FaultPlan::once(Fault::AccessLost).on("changes"));
    stage.look_well(polls()[1]);
    let lost = stage.actions("access_lost");
    // Three known files are in the log; the fourth was never seen.
    assert_eq!(lost.len(), 3, "{lost:?}");
    for event in &lost {
        assert_eq!(event["actor_kind"], "unknown");
        assert_eq!(event["occurred_not_before"], json!(polls()[0]));
    }
    assert_eq!(stage.actions("deleted"), Vec::<Value>::new());
    stage.look_well(polls()[2]);
    stage.bench.verify();
}

fn with(edits: [Edit; 2]) -> Vec<Edit> {
    let mut all = vec![
        Edit::created(at(1, 1), "Handbook/a.txt", 1),
        Edit::created(at(1, 2), "Handbook/sub/b.txt", 2),
        Edit::created(at(1, 3), "Elsewhere/c.txt", 3),
    ];
    all.extend(edits);
    all
}

/// The folder is pinned by id, so a new name or place of it is one fact about the folder and changes nothing about what is in it. A feed
/// by place ends there, which is a gap.
#[rstest]
fn a_renamed_or_moved_folder_is_followed_by_its_id(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
    #[values("Manual", "Elsewhere/Handbook")] to: &str,
) {
    let edits = with([
        Edit::renamed(at(3, 1), "Handbook", to),
        Edit::modified(at(3, 2), &format!("{to}/a.txt"), 7),
    ]);
    let stage = Stage::of(provider, edits, Options::default());
    stage.look_well(polls()[0]);
    if provider == Provider::Dropbox {
        let row = stage.look(polls()[1], 4);
        assert_eq!(row["gaps"], json!(["cursor_lost"]), "{row}");
        assert_eq!(row["state"], "partial");
    } else {
        stage.look_well(polls()[1]);
    }
    stage.look_well(polls()[2]);
    let (name, action, other) = match to {
        "Manual" => ("Manual", "renamed", "moved"),
        _ => ("Handbook", "moved", "renamed"),
    };
    let of_folder = stage.actions(action);
    assert_eq!(of_folder.len(), 1, "{of_folder:?}");
    assert_eq!(of_folder[0]["name"], name);
    assert_eq!(of_folder[0]["path"], Value::Null);
    assert_eq!(of_folder[0]["item_kind"], "folder");
    assert_eq!(of_folder[0]["occurred_not_before"], json!(polls()[0]));
    let modified = stage.actions("modified");
    assert_eq!(modified.len(), 1, "{modified:?}");
    assert_eq!(modified[0]["path"], "a.txt");
    for action in [
        other,
        "moved_in",
        "moved_out",
        "deleted",
        "trashed",
        "access_lost",
    ] {
        assert_eq!(stage.actions(action), Vec::<Value>::new(), "{action}");
    }
    stage.bench.verify();
}

/// Another folder under the old name is not the folder that was designated: nothing of it is read, and the gap says so.
#[rstest]
fn a_replaced_folder_is_a_gap_and_not_read(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
) {
    let edits = with([
        Edit::deleted(at(3, 1), "Handbook"),
        Edit::created(at(3, 2), "Handbook/other.txt", 9),
    ]);
    let stage = Stage::of(provider, edits, Options::default());
    stage.look_well(polls()[0]);
    let code = if provider == Provider::Dropbox { 2 } else { 4 };
    for poll in [polls()[1], polls()[2]] {
        let row = stage.look(poll, code);
        assert_eq!(row["gaps"], json!(["folder_replaced"]), "{row}");
    }
    let events = stage.bench.events();
    assert!(
        !events.iter().any(|event| event["path"] == "other.txt"),
        "{events:?}"
    );
    stage.bench.verify();
}

/// A feed that goes on although the folder is gone must not look as if nothing had happened.
#[rstest]
fn a_deleted_folder_is_a_gap_until_it_is_back(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
) {
    let edits = with([
        Edit::deleted(at(3, 1), "Handbook"),
        Edit::restored(at(7, 1), "Handbook"),
    ]);
    let stage = Stage::of(provider, edits, Options::default());
    stage.look_well(polls()[0]);
    // Where nothing at all can be read, somebody has to act; where the drive's feed goes on, it is recorded.
    let code = if provider == Provider::Dropbox { 2 } else { 4 };
    // Not only at the look that sees it go.
    for poll in [polls()[1], polls()[2]] {
        let row = stage.look(poll, code);
        assert_ne!(row["state"], "complete", "{row}");
        assert_eq!(row["gaps"], json!(["folder_unavailable"]), "{row}");
    }
    stage.look_well(at(8, 0));
    stage.bench.verify();
}
