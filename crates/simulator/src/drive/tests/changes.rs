use super::*;
use crate::fault::{Fault, Oddity};

const ALL: &str = "fields=*";

fn since(sim: &Sim, token: &str) -> Value {
    get(sim, &format!("changes?pageToken={token}&{ALL}"))
}

fn names(answer: &Value) -> Vec<String> {
    texts(answer, "changes", "file/name")
}

#[test]
fn five_saves_and_a_rename_are_one_entry_that_shows_the_present() {
    let mut edits = vec![Edit::created(at(1), "F/a", 10), Edit::created(at(2), "F/b", 10)];
    edits.extend(
        (11..16).map(|second| Edit::modified(at(second), "F/a", second.unsigned_abs()).by("bob@example.com")),
    );
    edits.push(Edit::renamed(at(20), "F/a", "F/c"));
    let sim = sim_of(edits, None);
    sim.advance(at(5)).unwrap();
    let token = start(&sim);
    sim.advance(at(30)).unwrap();
    let answer = since(&sim, &token);
    assert_eq!(names(&answer), ["c"]);
    let change = &answer["changes"][0];
    assert_eq!(change["time"], "2026-01-01T00:00:20.000Z");
    assert_eq!(change["removed"], false);
    assert_eq!(change["fileId"], id(&sim, "F/c"));
    let file = &change["file"];
    assert_eq!(
        (&file["size"], &file["modifiedTime"]),
        (&json!("15"), &json!("2026-01-01T00:00:15.000Z"))
    );
    assert_eq!(file["lastModifyingUser"]["emailAddress"], "bob@example.com");
    assert_eq!(file["lastModifyingUser"]["kind"], "drive#user");
    assert_eq!(file["parents"], json!([id(&sim, "F")]));
    let next = answer["newStartPageToken"].as_str().unwrap();
    assert_eq!(next, start(&sim));
    let idle = since(&sim, next);
    assert_eq!(
        idle,
        json!({ "kind": "drive#changeList", "changes": [], "newStartPageToken": next })
    );
}

#[test]
fn trashing_a_folder_touches_its_own_slot_only() {
    let sim = sim_of(
        vec![
            Edit::created(at(1), "F/d/a", 10),
            Edit::deleted(at(11), "F/d"),
            Edit::restored(at(21), "F/d"),
        ],
        None,
    );
    sim.advance(at(5)).unwrap();
    let (token, file) = (start(&sim), id(&sim, "F/d/a"));
    let version = get(&sim, &format!("files/{file}?fields=version"))["version"].clone();
    let folder = id(&sim, "F/d");
    sim.advance(at(12)).unwrap();
    let answer = since(&sim, &token);
    assert_eq!(texts(&answer, "changes", "fileId"), [folder.as_str()]);
    let entry = &answer["changes"][0];
    assert_eq!(
        (&entry["removed"], &entry["file"]["trashed"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(entry["file"]["explicitlyTrashed"], true);
    let below = get(
        &sim,
        &format!("files/{file}?fields=trashed,explicitlyTrashed,version,parents"),
    );
    assert_eq!(
        below,
        json!({ "trashed": true, "explicitlyTrashed": false, "version": version, "parents": [folder] })
    );
    let token = answer["newStartPageToken"].as_str().unwrap().to_owned();
    sim.advance(at(30)).unwrap();
    let answer = since(&sim, &token);
    assert_eq!(texts(&answer, "changes", "file/trashed"), ["false"]);
    assert_eq!(texts(&answer, "changes", "fileId"), [folder.as_str()]);
    assert_eq!(
        get(&sim, &format!("files/{file}?fields=trashed"))["trashed"],
        false
    );
}

#[test]
fn moving_a_folder_touches_its_own_slot_only_and_created_then_trashed_is_one_entry() {
    let sim = sim_of(
        vec![
            Edit::created(at(1), "F/d/a", 10),
            Edit::folder_created(at(2), "G"),
            Edit::renamed(at(11), "F/d", "G/d"),
            Edit::created(at(12), "F/x", 1),
            Edit::deleted(at(13), "F/x"),
        ],
        None,
    );
    sim.advance(at(5)).unwrap();
    let token = start(&sim);
    sim.advance(at(20)).unwrap();
    let answer = since(&sim, &token);
    assert_eq!(names(&answer), ["d", "x"]);
    assert_eq!(answer["changes"][0]["file"]["parents"], json!([id(&sim, "G")]));
    assert_eq!(
        texts(&answer, "changes", "file/explicitlyTrashed"),
        ["false", "true"]
    );
    // From the very first token on, everything is there once.
    assert_eq!(names(&since(&sim, "1")), ["F", "a", "G", "d", "x"]);
}

#[test]
fn pages_go_on_to_the_new_start_token() {
    let edits = (1..6).map(|n| Edit::created(at(n), &format!("{n}"), 1)).collect();
    let sim = sim_of(edits, Some(2));
    sim.advance(at(10)).unwrap();
    let first = since(&sim, "1");
    assert_eq!(
        (names(&first), &first["nextPageToken"]),
        (vec!["1".to_owned(), "2".to_owned()], &json!("3"))
    );
    assert_eq!(first.get("newStartPageToken"), None);
    let second = since(&sim, "3");
    let third = since(&sim, second["nextPageToken"].as_str().unwrap());
    assert_eq!(names(&third), ["5"]);
    assert_eq!(
        (third.get("nextPageToken"), &third["newStartPageToken"]),
        (None, &json!("6"))
    );
    for target in ["changes", "changes?pageToken="] {
        assert_eq!(ask(&sim, target).unwrap_err().reason, "required");
    }
    for token in ["7", "0", "x", "+1", "-1"] {
        let token = token.replace('+', "%2B");
        let problem = ask(&sim, &format!("changes?pageToken={token}")).unwrap_err();
        assert_eq!(
            problem.body()["error"]["errors"][0]["location"],
            "pageToken",
            "{token}"
        );
    }
    let problem = ask(&sim, "changes?pageToken=1&driveId=0AX").unwrap_err();
    assert_eq!(problem.status, StatusCode::NOT_FOUND);
}

#[test]
fn faults_empty_a_page_double_it_or_lose_the_token() {
    let edits = (1..3).map(|n| Edit::created(at(n), &format!("{n}"), 1)).collect();
    let sim = sim_of(edits, None);
    sim.advance(at(10)).unwrap();
    sim.plan_faults(vec![FaultPlan {
        times: 2,
        ..FaultPlan::once(Fault::EmptyPage).on("changes")
    }]);
    let (first, second) = (since(&sim, "1"), since(&sim, "01"));
    assert_eq!(
        (&first["changes"], &first["nextPageToken"]),
        (&json!([]), &json!("01"))
    );
    assert_eq!(second["nextPageToken"], "001");
    assert_eq!(names(&since(&sim, "001")), ["1", "2"]);
    sim.plan_faults(vec![
        FaultPlan::once(Fault::DuplicateItems).on("changes"),
        FaultPlan {
            first: 2,
            ..FaultPlan::once(Fault::LostCursor)
        },
    ]);
    assert_eq!(names(&since(&sim, "1")), ["1", "2", "1", "2"]);
    let problem = ask(&sim, "changes?pageToken=1").unwrap_err();
    assert_eq!(
        (problem.status, problem.reason),
        (StatusCode::BAD_REQUEST, "invalid")
    );
    assert_eq!(names(&since(&sim, "1")), ["1", "2"]);
}

#[test]
fn without_a_mask_entries_are_stubs() {
    let sim = sim_of(vec![Edit::created(at(1), "a.txt", 1)], None);
    sim.advance(at(10)).unwrap();
    let answer = get(&sim, "changes?pageToken=1");
    assert_eq!(
        answer["changes"][0]["file"],
        json!({ "kind": "drive#file", "id": id(&sim, "a.txt"), "name": "a.txt", "mimeType": "text/plain" })
    );
    let masked = get(
        &sim,
        "changes?pageToken=1&fields=changes(file/owners(me),removed)",
    );
    assert_eq!(
        masked,
        json!({ "changes": [{ "file": { "owners": [{ "me": true }] }, "removed": false }] })
    );
}

#[test]
fn removals_are_told_as_the_client_wishes() {
    let sim = sim_of(vec![Edit::created(at(1), "a.txt", 1)], None);
    sim.advance(at(10)).unwrap();
    let lose = || sim.plan_faults(vec![FaultPlan::once(Fault::AccessLost)]);
    lose();
    let bare = since(&sim, "1");
    assert_eq!(bare["changes"][0]["removed"], true);
    assert_eq!(bare["changes"][0].get("file"), None);
    lose();
    let hidden = since(&sim, "1&includeRemoved=false");
    assert_eq!(hidden["changes"], json!([]));
    lose();
    let readable = since(&sim, "1&includeCorpusRemovals=true");
    assert_eq!(
        (
            &readable["changes"][0]["removed"],
            &readable["changes"][0]["file"]["name"]
        ),
        (&json!(true), &json!("a.txt"))
    );
    assert_eq!(names(&since(&sim, "1&restrictToMyDrive=true")), ["a.txt"]);
}

#[test]
fn noise_raises_the_version_and_nothing_else() {
    let sim = sim_of(vec![Edit::created(at(1), "a.txt", 1)], None);
    sim.advance(at(10)).unwrap();
    let before = get(&sim, &format!("files/{}?{ALL}", id(&sim, "a.txt")));
    let token = start(&sim);
    sim.plan_faults(vec![FaultPlan::once(Fault::Oddity {
        which: Oddity::UnchangedEntries,
    })]);
    let mut file = since(&sim, &token)["changes"][0]["file"].take();
    assert_eq!(
        (&before["version"], &file["version"]),
        (&json!("1"), &json!("91"))
    );
    file["version"] = before["version"].clone();
    assert_eq!(file, before);
    assert_eq!(since(&sim, &token)["changes"], json!([]));
}

#[test]
fn an_entry_may_lack_its_file_and_be_no_removal() {
    let sim = sim_of(vec![Edit::created(at(1), "a.txt", 1)], None);
    sim.advance(at(10)).unwrap();
    sim.plan_faults(vec![FaultPlan::always(Oddity::FileAbsent)]);
    let entry = since(&sim, "1")["changes"][0].take();
    assert_eq!((&entry["removed"], entry.get("file")), (&json!(false), None));
    assert_eq!(entry["fileId"], id(&sim, "a.txt"));
}
