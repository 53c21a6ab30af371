use super::*;

fn odd() -> Vec<Edit> {
    vec![
        Edit::created(at(1), "F/Minutes.notebook/March.one", 10),
        Edit::created(at(2), "F/Minutes.notebook/Open Notebook.onetoc2", 20),
        Edit::created(at(3), "F/Partner.shortcut", 30),
        Edit::created(at(4), "F/invoice.malware", 40),
        Edit::modified(at(5), "F/invoice.malware", 50),
        Edit::deleted(at(11), "F/Minutes.notebook"),
        Edit::deleted(at(12), "F/Partner.shortcut"),
    ]
}

fn named<'a>(entries: &'a [Value], name: &str) -> &'a Value {
    entries.iter().find(|entry| entry["name"] == name).unwrap()
}

#[tokio::test]
async fn notebooks_shortcuts_and_malware_have_facets_of_their_own() {
    let client = Client::over(odd(), 10, None);
    let (entries, _, link) = client.all("/root/delta").await;
    let notebook = named(&entries, "Minutes.notebook");
    assert_eq!(notebook["package"], json!({ "type": "oneNote" }));
    assert_eq!((notebook.get("folder"), notebook.get("file")), (None, None));
    let section = named(&entries, "March.one");
    assert_eq!(section["file"], json!({ "mimeType": "application/msonenote" }));
    assert_eq!(section["parentReference"]["id"], notebook["id"]);
    let shortcut = named(&entries, "Partner.shortcut");
    assert_eq!((shortcut.get("folder"), shortcut.get("file")), (None, None));
    let remote = &shortcut["remoteItem"];
    assert_ne!(
        remote["parentReference"]["driveId"],
        drive_id(client.sim.options())
    );
    assert_eq!(remote["folder"]["childCount"], 3);
    let malware = named(&entries, "invoice.malware");
    assert_eq!(malware["malware"], json!({ "description": "Win32/Simulated" }));
    assert_eq!(malware["file"]["mimeType"], "application/octet-stream");
    // What they are can be asked for, and what they have not is refused.
    let notebook = format!("/items/{}/children", client.id("F/Minutes.notebook"));
    let (inside, ..) = client.all(&notebook).await;
    assert_eq!(names(&inside), ["March.one", "Open Notebook.onetoc2"]);
    let versions = format!("/items/{}/versions", client.id("F/Partner.shortcut"));
    assert_eq!(client.get(&versions).await.0, 400);
    let malware = client.id("F/invoice.malware");
    for content in ["content", "versions/1.0/content"] {
        let (status, body) = client.get(&format!("/items/{malware}/{content}")).await;
        let inner = &body["error"]["innerError"]["code"];
        assert_eq!((status, inner), (403, &json!("malwareDetected")), "{content}");
    }
    assert_eq!(client.all(&format!("/items/{malware}/versions")).await.0.len(), 2);
    // Tombstones say no more than that.
    client.sim.advance(at(20)).unwrap();
    let (entries, ..) = client.all(&link).await;
    let gone: Vec<(bool, bool, bool)> = entries
        .iter()
        .filter(|entry| entry.get("deleted").is_some())
        .map(|entry| {
            let has = |facet: &str| entry.get(facet).is_some();
            (has("package"), has("folder"), has("file"))
        })
        .collect();
    assert_eq!(gone.len(), 4);
    assert_eq!(gone.iter().filter(|facets| facets.0 && !facets.1).count(), 1);
    assert!(gone.contains(&(false, false, false)), "{gone:?}");
}

#[tokio::test]
async fn what_was_deleted_and_made_anew_may_leave_no_tombstone() {
    let mut edits = vec![
        Edit::created(at(1), "F/a.txt", 10),
        Edit::created(at(2), "F/b.txt", 20),
        Edit::created(at(3), "F/D/c.txt", 30),
    ];
    edits.extend([
        Edit::deleted(at(11), "F/a.txt"),
        Edit::created(at(12), "F/a.txt", 11),
        Edit::deleted(at(13), "F/b.txt"),
    ]);
    let client = Client::over(edits, 10, Some(2));
    let [first, second] = [client.id("F/a.txt"), client.id("F/b.txt")];
    // The enumeration goes on while this happens: the old one is on its first page, the new one on a later one.
    let (_, page) = client.get("/root/delta").await;
    assert!(
        page["value"]
            .as_array()
            .unwrap()
            .iter()
            .all(|entry| entry["id"] != second.as_str())
    );
    client.sim.advance(at(20)).unwrap();
    let (_, _, link) = client.all(page["@odata.nextLink"].as_str().unwrap()).await;
    client
        .sim
        .plan_faults(vec![FaultPlan::always(Oddity::RecreatedWithoutTombstone)]);
    let (entries, ..) = client.all(&link).await;
    let tombstones: Vec<&Value> = entries
        .iter()
        .filter(|entry| entry.get("deleted").is_some())
        .map(|entry| &entry["id"])
        .collect();
    assert_eq!(tombstones, [&json!(second)]);
    assert!(
        entries
            .iter()
            .any(|entry| entry["name"] == "a.txt" && entry["id"] != first.as_str())
    );
    client.sim.clear_faults();
    let (entries, ..) = client.all(&link).await;
    assert!(entries.iter().any(|entry| entry["id"] == first.as_str()));
}

#[tokio::test]
async fn failures_of_the_service_have_its_form() {
    let client = Client::over(odd(), 10, None);
    let call = client.sim.begin(Provider::OneDrive, "delta");
    for (fault, status, told) in [
        (Fault::Internal500, 500, "generalException"),
        (Fault::Timeout504, 504, "UnknownError"),
        (
            Fault::Unavailable503 { retry_after: None },
            503,
            "serviceNotAvailable",
        ),
    ] {
        let answer = refusal(&fault, &call);
        assert_eq!(answer.status(), status);
        assert_eq!(code(&body_of(answer).await), told);
    }
}

#[tokio::test]
async fn a_version_somebody_deleted_is_gone_for_good() {
    let client = Client::over(
        (1..=4)
            .map(|n| match n {
                1 => Edit::created(at(n), "F/a.txt", 1),
                n => Edit::modified(at(n), "F/a.txt", n.unsigned_abs()),
            })
            .collect(),
        10,
        None,
    );
    assert!(client.sim.purge("F/a.txt", 1));
    assert!(!client.sim.purge("F/a.txt", 1), "gone already");
    assert!(!client.sim.purge("F/a.txt", 3), "the newest stays");
    assert!(!client.sim.purge("F/none.txt", 0));
    let versions = format!("/items/{}/versions", client.id("F/a.txt"));
    let (entries, ..) = client.all(&versions).await;
    let told: Vec<&Value> = entries.iter().map(|entry| &entry["id"]).collect();
    assert_eq!(told, [&json!("4.0"), &json!("3.0"), &json!("1.0")]);
    for part in ["", "/content"] {
        assert_eq!(client.get(&format!("{versions}/2.0{part}")).await.0, 404);
    }
}

#[tokio::test]
async fn lists_can_lag_and_be_refused() {
    let client = Client::over(odd(), 10, None);
    let versions = format!("/items/{}/versions", client.id("F/invoice.malware"));
    client.plan(Fault::LaggingRevisions, "versions");
    assert_eq!(client.get(&versions).await, (200, json!({ "value": [] })));
    client.plan(Fault::RevisionsRefused, "versions");
    let (status, body) = client.get(&versions).await;
    assert_eq!((status, code(&body)), (403, "accessDenied"));
    assert_eq!(client.all(&versions).await.0.len(), 2);
}
