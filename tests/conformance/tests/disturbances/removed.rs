//! Revisions that somebody deletes for good, or that the provider no longer keeps.

use revtrail_simulator::Keep;

use super::*;

fn file(saves: &[(u32, u32)]) -> Vec<Edit> {
    let edit = |(n, (day, minute)): (usize, &(u32, u32))| {
        let size = n as u64 + 1;
        match n {
            0 => Edit::created(at(*day, *minute), "Handbook/a.txt", size),
            _ => Edit::modified(at(*day, *minute), "Handbook/a.txt", size),
        }
    };
    saves.iter().enumerate().map(edit).collect()
}

/// The second look, by a clock that tells whole seconds.
fn second_look() -> Timestamp {
    Timestamp::from_second(polls()[1].as_second() + 1).unwrap()
}

/// Sizes of the saves told, oldest first: the number of each save.
fn told(stage: &Stage) -> Vec<u64> {
    let mut sizes: Vec<u64> = stage
        .bench
        .events()
        .iter()
        .filter(|event| event["action"] == "created" || event["action"] == "modified")
        .filter(|event| event["item_kind"] == "file" && event["revision_id"].is_string())
        .map(|event| event["size_bytes"].to_string().trim_matches('"').parse().unwrap())
        .collect();
    sizes.sort_unstable();
    sizes
}

/// Somebody deletes a revision that was recorded: it is said to have vanished, once, between the two looks, by nobody knows whom.
/// (Dropbox deletes files for good, and no revisions.)
#[rstest]
#[case::onedrive(Provider::OneDrive)]
#[case::google_drive(Provider::GoogleDrive)]
fn a_recorded_revision_deleted_for_good_has_vanished(#[case] provider: Provider) {
    let edits = file(&[(1, 1), (1, 2), (1, 3), (3, 1), (5, 1)]);
    let stage = Stage::of(provider, edits, Options::default());
    stage.look_well(polls()[0]);
    let second = stage.actions("modified")[0].clone();
    assert!(stage.bench.sim().purge("Handbook/a.txt", 1));
    stage.look_well(polls()[1]);
    stage.look_well(polls()[2]);
    let vanished = stage.actions("revision_vanished");
    assert_eq!(vanished.len(), 1, "{vanished:?}");
    let gone = &vanished[0];
    assert_eq!(gone["revision_id"], second["revision_id"]);
    assert_eq!(gone["actor_kind"], "unknown");
    assert_eq!(gone["occurred_not_before"], json!(polls()[0]));
    assert_eq!(gone["occurred_not_after"], json!(second_look()));
    // What was recorded stays.
    assert_eq!(told(&stage), [1, 2, 3, 4, 5]);
    stage.bench.verify();
}

/// Saved and deleted for good between two looks: OneDrive numbers versions, so that one is missing shows; elsewhere nothing remains.
#[rstest]
#[case::onedrive(Provider::OneDrive)]
#[case::google_drive(Provider::GoogleDrive)]
fn a_revision_deleted_before_it_was_seen(#[case] provider: Provider) {
    let edits = file(&[(1, 1), (3, 1), (3, 2), (3, 3)]);
    let stage = Stage::of(provider, edits, Options::default());
    stage.look_well(polls()[0]);
    stage.bench.advance(at(3, 30));
    assert!(stage.bench.sim().purge("Handbook/a.txt", 2));
    if provider == Provider::OneDrive {
        let row = stage.look(polls()[1], 4);
        assert_eq!(row["gaps"], json!(["revisions_truncated"]), "{row}");
        let gap = ("revisions_truncated".to_owned(), Some(at(3, 1)), at(3, 3));
        assert_eq!(stage.gaps(), [gap]);
    } else {
        stage.look_well(polls()[1]);
    }
    stage.look_well(polls()[2]);
    assert_eq!(told(&stage), [1, 2, 4]);
    assert_eq!(stage.actions("revision_vanished"), Vec::<Value>::new());
    stage.bench.verify();
}

/// The provider keeps three: what was recorded and is gone has vanished within bounds; what nobody saw lies within the same bounds.
#[rstest]
fn pruned_revisions_have_bounds(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
) {
    let edits = file(&[(1, 1), (1, 2), (3, 1), (3, 2), (3, 3), (3, 4), (3, 5)]);
    let options = Options {
        keep: Keep {
            newest: Some(3),
            ..Keep::default()
        },
        ..Options::default()
    };
    let stage = Stage::of(provider, edits, options);
    stage.look_well(polls()[0]);
    let row = stage.look(polls()[1], 0);
    assert_eq!(row["gaps"], json!([]), "{row}");
    assert_eq!(told(&stage), [1, 2, 5, 6, 7]);
    let vanished = stage.actions("revision_vanished");
    assert_eq!(vanished.len(), 2, "{vanished:?}");
    for event in &vanished {
        assert_eq!(event["occurred_not_before"], json!(polls()[0]));
        assert_eq!(event["occurred_not_after"], json!(second_look()));
    }
    stage.look_well(polls()[2]);
    assert_eq!(stage.actions("revision_vanished").len(), 2, "told once");
    stage.bench.verify();
}

/// A first look at a file whose beginning is no longer kept: what is there is told, and its creation where the provider tells it.
#[rstest]
fn a_first_look_after_pruning_tells_what_is_left(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
) {
    let edits = file(&[(1, 1), (1, 12), (1, 23), (1, 34), (1, 45)]);
    let options = Options {
        keep: Keep {
            newest: Some(2),
            ..Keep::default()
        },
        ..Options::default()
    };
    let stage = Stage::of(provider, edits, options);
    stage.look_well(polls()[0]);
    assert_eq!(told(&stage), [4, 5]);
    let created = stage.actions("created");
    let of_file: Vec<&Value> = created
        .iter()
        .filter(|event| event["item_kind"] == "file")
        .collect();
    assert_eq!(of_file.len(), 1, "{of_file:?}");
    if provider == Provider::Dropbox {
        assert_eq!(of_file[0]["derived_from"], "oldest_listed_revision");
    } else {
        let created_at: Timestamp = of_file[0]["occurred_at"].as_str().unwrap().parse().unwrap();
        assert_eq!(created_at, at(1, 1));
        assert_eq!(of_file[0]["revision_id"], Value::Null);
    }
    stage.bench.verify();
}
