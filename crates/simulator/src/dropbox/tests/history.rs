use super::*;
use crate::fault::{Fault, Oddity};

#[test]
fn id_mode_follows_a_file_and_path_mode_stays_at_a_place() {
    let face = face_of(
        vec![
            Edit::created(at(1), "F/a", 10).by("ann@example.com"),
            Edit::modified(at(2), "F/a", 11).by("bob@example.com"),
            Edit::renamed(at(3), "F/a", "F/b").by("cyd@example.com"),
            Edit::created(at(4), "F/a", 12),
        ],
        None,
    );
    let moved = ask(&face, Route::Metadata, &json!({ "path": "/F/b" })).unwrap();
    let answer = revisions(&face, &json!({ "path": moved["id"], "mode": { ".tag": "id" } }));
    assert_eq!(paths(&answer), ["/F/b", "/F/a", "/F/a"]);
    assert_eq!(
        (&answer["is_deleted"], &answer["has_more"]),
        (&json!(false), &json!(false))
    );
    let newest = &answer["entries"][0];
    assert!(newest.get(".tag").is_none());
    assert_eq!(newest["rev"], moved["rev"]);
    assert_eq!(newest["content_hash"], answer["entries"][1]["content_hash"]);
    assert_eq!(newest["client_modified"], "2026-01-01T00:00:02Z");
    assert_eq!(newest["server_modified"], "2026-01-01T00:00:03Z");
    assert_eq!(
        newest["sharing_info"]["modified_by"],
        ids::account_id("cyd@example.com")
    );
    let place = revisions(&face, &json!({ "path": "/f/A" }));
    assert_eq!(paths(&place), ["/F/a", "/F/a", "/F/a"]);
    assert_eq!(place["entries"][0]["size"], 12);
    assert_eq!(place["entries"][1]["id"], moved["id"]);
    assert_eq!(place["is_deleted"], false);
}

#[test]
fn a_deleted_place_tells_when_and_a_left_one_does_not() {
    let face = face_of(
        vec![
            Edit::created(at(1), "F/d/gone", 1),
            Edit::created(at(1), "F/left", 1),
            Edit::renamed(at(2), "F/left", "F/right"),
            Edit::deleted(at(5), "F/d"),
        ],
        None,
    );
    let gone = revisions(&face, &json!({ "path": "/F/d/gone" }));
    assert_eq!(gone["is_deleted"], true);
    assert_eq!(gone["server_deleted"], "2026-01-01T00:00:05Z");
    let left = revisions(&face, &json!({ "path": "/F/left" }));
    assert_eq!(left["is_deleted"], true);
    assert!(left.get("server_deleted").is_none());
    let by = |argument: Value| ask(&face, Route::ListRevisions, &argument);
    let id = &gone["entries"][0]["id"];
    assert_eq!(
        by(json!({ "path": id, "mode": "id" })),
        Err(Problem::path("not_found"))
    );
    assert_eq!(by(json!({ "path": "/F/d" })), Err(Problem::path("not_file")));
    assert_eq!(by(json!({ "path": "/F" })), Err(Problem::path("not_file")));
    assert_eq!(by(json!({ "path": "/F/never" })), Err(Problem::path("not_found")));
    let last = by(json!({ "path": "/F/d/gone", "mode": "id" })).unwrap();
    assert_eq!(last["server_deleted"], "2026-01-01T00:00:05Z");
}

#[test]
fn long_histories_are_paged_in_path_mode_only() {
    let mut edits = vec![Edit::created(at(0), "F/a", 1)];
    edits.extend((1..250).map(|save| Edit::modified(at(save), "F/a", save.unsigned_abs())));
    let face = face_of(edits, None);
    let by_id = revisions(&face, &json!({ "path": "/F/a", "mode": "id", "limit": 100 }));
    assert_eq!(
        (by_id["entries"].as_array().unwrap().len(), &by_id["has_more"]),
        (100, &json!(true))
    );
    let mut argument = json!({ "path": "/F/a", "limit": 100 });
    let mut sizes = Vec::new();
    loop {
        let answer = revisions(&face, &argument);
        assert_eq!(answer["is_deleted"], false);
        let entries = answer["entries"].as_array().unwrap().clone();
        sizes.extend(entries.iter().map(|entry| entry["size"].as_i64().unwrap()));
        argument["before_rev"] = entries.last().unwrap()["rev"].clone();
        if answer["has_more"] == false {
            break;
        }
    }
    let mut all: Vec<i64> = (1..250).rev().collect();
    all.push(1);
    assert_eq!(sizes, all);
    assert_eq!(revisions(&face, &argument)["entries"], json!([]));
    assert_eq!(
        revisions(&face, &json!({ "path": "/F/a" }))["entries"]
            .as_array()
            .unwrap()
            .len(),
        10
    );
    let by = |argument: Value| ask(&face, Route::ListRevisions, &argument);
    argument["before_rev"] = json!("0123456789abc");
    assert_eq!(by(argument.clone()), Err(Problem::tag("invalid_before_rev")));
    argument["mode"] = json!("id");
    assert_eq!(by(argument), Err(Problem::tag("before_rev_not_supported")));
    let much = by(json!({ "path": "/F/a", "limit": 500 }));
    assert_eq!(
        much,
        Err(Problem::field("limit", "500 is greater than maximum 100"))
    );
}

#[test]
fn a_moved_folder_gives_each_file_a_revision_of_its_own() {
    let face = face_of(
        vec![
            Edit::created(at(1), "F/d/x", 1),
            Edit::created(at(1), "F/d/y", 1),
            Edit::renamed(at(2), "F/d", "F/e").by("ann@example.com"),
            Edit::deleted(at(3), "F/e"),
            Edit::restored(at(4), "F/e"),
        ],
        None,
    );
    let x = revisions(&face, &json!({ "path": "/F/e/x", "mode": "id" }));
    let y = revisions(&face, &json!({ "path": "/F/e/y", "mode": "id" }));
    assert_eq!(paths(&x), ["/F/e/x", "/F/e/x", "/F/d/x"]);
    assert_eq!(x["entries"][0]["server_modified"], "2026-01-01T00:00:04Z");
    let mut revs: Vec<&Value> = [&x, &y]
        .into_iter()
        .flat_map(|answer| answer["entries"].as_array().unwrap())
        .map(|entry| &entry["rev"])
        .collect();
    revs.sort_by_key(|rev| rev.as_str());
    revs.dedup();
    assert_eq!(revs.len(), 6);
    assert_eq!(x["is_deleted"], false);
}

#[test]
fn an_older_page_says_whether_its_newest_revision_was_removed() {
    let face = face_of(
        vec![
            Edit::created(at(1), "F/a", 1),
            Edit::deleted(at(2), "F/a"),
            Edit::created(at(3), "F/a", 2),
        ],
        None,
    );
    let newest = revisions(&face, &json!({ "path": "/F/a", "limit": 1 }));
    let argument = json!({ "path": "/F/a", "before_rev": newest["entries"][0]["rev"] });
    let older = revisions(&face, &argument);
    assert_eq!(older["is_deleted"], true);
    assert_eq!(older["entries"][0]["size"], 1);
}

#[test]
fn faults_hide_a_revision_or_its_author() {
    let edits = vec![
        Edit::created(at(1), "F/a", 1),
        Edit::modified(at(2), "F/a", 2),
        Edit::modified(at(3), "F/a", 3),
    ];
    let face = face_of(edits, None);
    face.sim.plan_faults(vec![
        FaultPlan::once(Fault::VanishedRevision),
        FaultPlan::once(Fault::MissingActor),
    ]);
    let spoiled = revisions(&face, &json!({ "path": "/F/a" }));
    assert_eq!(spoiled["entries"].as_array().unwrap().len(), 2);
    assert_eq!(spoiled["entries"][0]["size"], 3);
    assert_eq!(spoiled["entries"][0]["sharing_info"]["modified_by"], Value::Null);
    let whole = revisions(&face, &json!({ "path": "/F/a" }));
    assert_eq!(whole["entries"].as_array().unwrap().len(), 3);
}

#[test]
fn what_is_there_already_is_not_written_again() {
    let edits = vec![
        Edit::created(at(1), "F/a", 3).with_content("one"),
        Edit::modified(at(2), "F/a", 3).with_content("one"),
        Edit::modified(at(3), "F/a", 4).with_content("two"),
        Edit::modified(at(4), "F/a", 3).with_content("one"),
        Edit::modified(at(5), "F/a", 3).with_content("one"),
        Edit::renamed(at(6), "F/a", "F/b"),
    ];
    let face = face_of(edits, None);
    let answer = revisions(&face, &json!({ "path": "/F/b", "mode": "id" }));
    let times = |member: &str| -> Vec<String> {
        let entries = answer["entries"].as_array().unwrap().iter();
        entries
            .map(|entry| entry[member].as_str().unwrap().get(17..19).unwrap().to_owned())
            .collect()
    };
    assert_eq!(times("server_modified"), ["06", "04", "03", "01"]);
    assert_eq!(times("client_modified"), ["04", "04", "03", "01"]);
}

#[test]
fn a_restored_file_has_a_new_rev_and_its_old_client_time() {
    let edits = vec![
        Edit::created(at(1), "F/a", 3),
        Edit::deleted(at(2), "F/a"),
        Edit::restored(at(9), "F/a"),
    ];
    let answer = revisions(&face_of(edits, None), &json!({ "path": "/F/a" }));
    let (new, old) = (&answer["entries"][0], &answer["entries"][1]);
    assert!(new["rev"] != old["rev"] && new["id"] == old["id"]);
    assert_eq!(new["server_modified"], "2026-01-01T00:00:09Z");
    assert_eq!(new["client_modified"], old["client_modified"]);
}

#[test]
fn revisions_of_one_second_differ_by_rev_alone() {
    let mut edits = vec![Edit::created(at(1), "F/a", 1)];
    edits.extend((2..5).map(|size| Edit::modified(at(1), "F/a", size)));
    let answer = revisions(&face_of(edits, None), &json!({ "path": "/F/a" }));
    let entries = answer["entries"].as_array().unwrap();
    let revs: std::collections::BTreeSet<&str> =
        entries.iter().map(|one| one["rev"].as_str().unwrap()).collect();
    assert_eq!(revs.len(), 4);
    assert!(
        entries
            .iter()
            .all(|one| one["server_modified"] == "2026-01-01T00:00:01Z")
    );
    let sizes: Vec<&Value> = entries.iter().map(|one| &one["size"]).collect();
    assert_eq!(sizes, [&json!(4), &json!(3), &json!(2), &json!(1)]);
}

#[test]
fn older_members_and_times_may_be_missing() {
    let edits = vec![
        Edit::created(at(1), "F/Gone", 1),
        Edit::created(at(2), "F/b", 1),
        Edit::deleted(at(3), "F/Gone"),
    ];
    let face = face_of(edits, None);
    let odd = |which| {
        face.sim
            .plan_faults(vec![FaultPlan::once(Fault::Oddity { which })]);
    };
    odd(Oddity::NoServerDeleted);
    let gone = revisions(&face, &json!({ "path": "/F/gone" }));
    assert_eq!(
        (&gone["is_deleted"], gone.get("server_deleted")),
        (&json!(true), None)
    );
    odd(Oddity::OldMembers);
    let old = revisions(&face, &json!({ "path": "/F/b" }));
    assert_eq!(
        (old["entries"][0].get("content_hash"), &old["entries"][0]["size"]),
        (None, &json!(1))
    );
    odd(Oddity::LowerCaseTombstones);
    let all = ask(
        &face,
        Route::ListFolder,
        &json!({ "path": "/F", "include_deleted": true }),
    )
    .unwrap();
    let tombstone = all["entries"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one[".tag"] == "deleted")
        .unwrap();
    assert_eq!(
        (&tombstone["path_display"], &tombstone["name"]),
        (&json!("/f/gone"), &json!("Gone"))
    );
}
