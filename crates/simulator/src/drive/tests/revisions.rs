use super::*;
use crate::content::{Algorithm, content};
use crate::fault::Fault;

fn history() -> (Arc<Sim>, String) {
    let sim = sim_of(
        vec![
            Edit::created(at(1), "F/a.txt", 10)
                .by("ann@example.com")
                .with_content("k1"),
            Edit::modified(at(2), "F/a.txt", 20)
                .by("bob@example.com")
                .with_content("k2"),
            Edit::modified(at(3), "F/a.txt", 30)
                .by("ann@example.com")
                .with_content("k3"),
        ],
        None,
    );
    sim.advance(at(10)).unwrap();
    let file = id(&sim, "F/a.txt");
    (sim, file)
}

fn sizes(answer: &Value) -> Vec<String> {
    texts(answer, "revisions", "size")
}

#[test]
fn every_save_is_listed_with_author_time_and_digest() {
    let (sim, file) = history();
    let list = get(&sim, &format!("files/{file}/revisions?fields=*"));
    assert_eq!(
        (&list["kind"], list.get("nextPageToken")),
        (&json!("drive#revisionList"), None)
    );
    assert_eq!(sizes(&list), ["10", "20", "30"]);
    assert_eq!(
        texts(&list, "revisions", "lastModifyingUser/displayName"),
        ["ann", "bob", "ann"]
    );
    let second = &list["revisions"][1];
    assert_eq!(second["modifiedTime"], "2026-01-01T00:00:02.000Z");
    assert_eq!(second["md5Checksum"], Algorithm::Md5.digest(&content("k2", 20)));
    assert_eq!(
        second["lastModifyingUser"]["permissionId"],
        ids::permission("bob@example.com")
    );
    let head = get(&sim, &format!("files/{file}?fields=headRevisionId,md5Checksum"));
    assert_eq!(list["revisions"][2]["id"], head["headRevisionId"]);
    assert_eq!(list["revisions"][2]["md5Checksum"], head["md5Checksum"]);
    let stub = get(&sim, &format!("files/{file}/revisions"));
    assert_eq!(stub["revisions"][0].as_object().unwrap().len(), 4);
    let one = get(
        &sim,
        &format!(
            "files/{file}/revisions/{}?fields=size,id",
            second["id"].as_str().unwrap()
        ),
    );
    assert_eq!(one, json!({ "size": "20", "id": second["id"] }));
}

#[test]
fn only_the_head_can_be_downloaded() {
    let (sim, file) = history();
    let list = get(&sim, &format!("files/{file}/revisions"));
    let revision = |place: usize| list["revisions"][place]["id"].as_str().unwrap().to_owned();
    let params = oauth::form(b"alt=media");
    let call = sim.begin(Provider::GoogleDrive, "content");
    let media = |path: String| {
        let ask = Ask {
            sim: &sim,
            call: &call,
            params: &params,
        };
        answer(&ask, &format!("{API}{path}"))
    };
    let head = media(format!("files/{file}")).unwrap();
    assert_eq!((head.kind.as_str(), head.body), ("text/plain", content("k3", 30)));
    assert_eq!(
        media(format!("files/{file}/revisions/{}", revision(2)))
            .unwrap()
            .body,
        content("k3", 30)
    );
    let old = media(format!("files/{file}/revisions/{}", revision(0))).unwrap_err();
    assert_eq!(
        (old.status, old.reason),
        (StatusCode::FORBIDDEN, "download_restricted_for_revision")
    );
    let folder = media(format!("files/{}", id(&sim, "F"))).unwrap_err();
    assert_eq!(folder.reason, "fileNotDownloadable");
}

#[test]
fn folders_and_strangers_have_none() {
    let (sim, file) = history();
    let folder = id(&sim, "F");
    assert_eq!(
        ask(&sim, &format!("files/{folder}/revisions"))
            .unwrap_err()
            .reason,
        "revisionsNotSupported"
    );
    assert_eq!(ask(&sim, "files/1x/revisions").unwrap_err().reason, "notFound");
    // The folder's own creation is an operation, and no revision of the file.
    for seq in [1, 99] {
        let target = format!("files/{file}/revisions/{}", ids::revision(seq));
        assert_eq!(ask(&sim, &target).unwrap_err().status, StatusCode::NOT_FOUND);
    }
}

#[test]
fn faults_hide_the_oldest_and_an_author() {
    let (sim, file) = history();
    sim.plan_faults(vec![
        FaultPlan::once(Fault::VanishedRevision),
        FaultPlan::once(Fault::MissingActor).on("revisions"),
    ]);
    let list = get(&sim, &format!("files/{file}/revisions?fields=*"));
    assert_eq!(sizes(&list), ["20", "30"]);
    let author = |place: usize| list["revisions"][place].pointer("/lastModifyingUser/emailAddress");
    assert_eq!(author(0), Some(&json!("bob@example.com")));
    assert_eq!(list["revisions"][1].get("lastModifyingUser"), None);
    assert_eq!(
        sizes(&get(&sim, &format!("files/{file}/revisions?fields=*"))),
        ["10", "20", "30"]
    );
}

#[test]
fn lists_have_pages() {
    let (sim, file) = history();
    let first = get(&sim, &format!("files/{file}/revisions?pageSize=2&fields=*"));
    assert_eq!(sizes(&first), ["10", "20"]);
    let token = first["nextPageToken"].as_str().unwrap();
    let second = get(
        &sim,
        &format!("files/{file}/revisions?pageSize=2&fields=*&pageToken={token}"),
    );
    assert_eq!(
        (sizes(&second), second.get("nextPageToken")),
        (vec!["30".to_owned()], None)
    );
}

#[test]
fn a_long_log_is_served_in_pages_of_a_thousand() {
    let mut edits: Vec<Edit> = (0..20_000)
        .map(|n| Edit::created(at(n), &format!("F/{}/{n}.txt", n % 100), 10))
        .collect();
    edits.extend((0..20_000).map(|n| Edit::modified(at(20_000 + n), &format!("F/{}/{n}.txt", n % 100), 11)));
    let sim = sim_of(edits, None);
    sim.advance(at(50_000)).unwrap();
    let (mut token, mut pages, mut found) = ("1".to_owned(), 0, 0);
    loop {
        let answer = get(&sim, &format!("changes?pageToken={token}&pageSize=5000"));
        pages += 1;
        found += answer["changes"].as_array().unwrap().len();
        match answer["nextPageToken"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    assert_eq!((pages, found), (21, 20_101));
}

#[test]
fn the_editors_merge_and_their_ids_jump() {
    let edits = vec![
        Edit::created(at(1), "minutes.gdoc", 1),
        Edit::modified(at(2), "minutes.gdoc", 2),
        Edit::modified(at(50), "minutes.gdoc", 3),
        Edit::modified(at(700), "minutes.gdoc", 4),
        Edit::created(at(701), "a.txt", 1),
        Edit::modified(at(702), "a.txt", 2),
    ];
    let options = Options {
        merging: Some(jiff::SignedDuration::from_mins(10)),
        ..Options::default()
    };
    let sim = Sim::new(WorldSource::from_edits(edits), options);
    let mut listed = Vec::new();
    for second in [10, 60, 800] {
        sim.advance(at(second)).unwrap();
        let list = get(
            &sim,
            &format!("files/{}/revisions?fields=*", id(&sim, "minutes.gdoc")),
        );
        listed.push(texts(&list, "revisions", "id"));
    }
    assert_eq!(listed, [vec!["2"], vec!["3"], vec!["3", "4"]]);
    let uploads = get(&sim, &format!("files/{}/revisions?fields=*", id(&sim, "a.txt")));
    assert_eq!(sizes(&uploads), ["1", "2"]);
}

#[test]
fn what_is_pinned_outlives_the_limits() {
    let mut edits = vec![Edit::created(at(1), "a.txt", 1)];
    edits.extend((2..=210).map(|n| Edit::modified(at(n), "a.txt", n.unsigned_abs())));
    let options = Options {
        keep: crate::keep::Keep::GOOGLE_DRIVE,
        ..Options::default()
    };
    let sim = Sim::new(WorldSource::from_edits(edits), options);
    sim.advance(at(1000)).unwrap();
    assert!(sim.pin("a.txt", 4));
    assert!(!sim.pin("a.txt", 4) && !sim.pin("a.txt", 999) && !sim.pin("b.txt", 0));
    let file = id(&sim, "a.txt");
    let list = get(&sim, &format!("files/{file}/revisions?fields=*"));
    assert_eq!(sizes(&list).len(), 101);
    let pinned = &list["revisions"][0];
    assert_eq!(
        (&pinned["size"], &pinned["keepForever"]),
        (&json!("5"), &json!(true))
    );
    assert_eq!(list["revisions"][1]["keepForever"], false);
    assert_eq!((100..400).filter(|place| sim.pin("a.txt", *place)).count(), 110);
    assert_eq!(
        (0..100).filter(|place| sim.pin("a.txt", *place)).count(),
        89,
        "two hundred in all"
    );
}

#[test]
fn lists_can_lag_be_refused_and_lack_what_somebody_deleted() {
    let (sim, file) = history();
    let list = format!("files/{file}/revisions?fields=revisions(id,size)");
    let all = get(&sim, &list);
    sim.plan_faults(vec![FaultPlan::once(Fault::LaggingRevisions)]);
    assert_eq!(sizes(&get(&sim, &list)), ["10", "20"]);
    sim.plan_faults(vec![FaultPlan::once(Fault::RevisionsRefused)]);
    let refused = ask(&sim, &list).unwrap_err();
    assert_eq!(
        (refused.status, refused.reason),
        (StatusCode::FORBIDDEN, "insufficientFilePermissions")
    );
    assert!(sim.purge("F/a.txt", 1));
    assert_eq!(sizes(&get(&sim, &list)), ["10", "30"]);
    let gone = all["revisions"][1]["id"].as_str().unwrap();
    let gone = ask(&sim, &format!("files/{file}/revisions/{gone}")).unwrap_err();
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
}
