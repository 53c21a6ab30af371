use super::*;

fn small() -> Vec<Edit> {
    vec![
        Edit::created(at(1), "F/a.txt", 10).by("ann@example.com"),
        Edit::created(at(2), "F/D/b.txt", 20),
        Edit::created(at(3), "X/c.txt", 30),
    ]
}

#[tokio::test]
async fn the_enumeration_lists_what_lives_with_folders_first() {
    let mut edits = small();
    edits.push(Edit::deleted(at(4), "X/c.txt"));
    edits.push(Edit::renamed(at(5), "F/a.txt", "Z/a.txt"));
    let client = Client::over(edits, 10, Some(2));
    let (entries, pages, link) = client.all("/root/delta").await;
    assert_eq!(
        names(&entries),
        ["root", "F", "Z", "a.txt", "D", "b.txt", "X", "Z"]
    );
    assert_eq!(pages, 4);
    assert!(link.starts_with("http://127.0.0.1/v1.0/drives/b!"), "{link}");
    let root = &entries[0];
    assert_eq!(
        (&root["root"], &root["folder"]["childCount"]),
        (&json!({}), &json!(3))
    );
    let file = &entries[3];
    assert_eq!(file["id"], client.id("Z/a.txt"));
    assert_eq!(file["parentReference"]["id"], client.id("Z"));
    assert_eq!(file["parentReference"]["driveId"], drive_id(client.sim.options()));
    assert_eq!(
        (file.get("cTag"), file["parentReference"].get("path")),
        (None, None)
    );
    assert_eq!(file["createdDateTime"], at(1).to_string());
    assert_eq!(file["createdBy"]["user"]["email"], "ann@example.com");
    assert_eq!(file["file"]["hashes"]["quickXorHash"].as_str().unwrap().len(), 28);
}

#[tokio::test]
async fn a_round_tells_latest_states_with_tombstones_first() {
    let mut edits = small();
    edits.extend([
        Edit::modified(at(11), "F/a.txt", 11),
        Edit::modified(at(12), "F/a.txt", 12),
        Edit::created(at(13), "F/D/brief", 1),
        Edit::deleted(at(14), "F/D/brief"),
        Edit::renamed(at(15), "X", "Y"),
        Edit::deleted(at(16), "F/D"),
        Edit::restored(at(21), "F/D"),
    ]);
    let client = Client::over(edits, 10, None);
    let (gone, file) = (client.id("F/D"), client.id("F/D/b.txt"));
    let (_, _, link) = client.all("/root/delta").await;
    assert_eq!(client.all(&link).await.0, Vec::<Value>::new());
    client.sim.advance(at(20)).unwrap();
    let (entries, pages, next) = client.all(&link).await;
    assert_eq!(pages, 1);
    assert_eq!(names(&entries), ["-", "-", "-", "root", "F", "a.txt", "Y"]);
    let ids: Vec<&str> = entries
        .iter()
        .map(|entry| entry["id"].as_str().unwrap())
        .collect();
    assert!(ids[..3].contains(&&*gone) && ids[..3].contains(&&*file));
    let tombstone = entries.iter().find(|entry| entry["id"] == file).unwrap();
    assert_eq!(
        (tombstone.get("name"), tombstone.get("cTag"), &tombstone["size"]),
        (None, None, &json!(0))
    );
    assert_eq!(tombstone["parentReference"]["id"], gone);
    assert_eq!(client.get(&format!("/items/{file}/versions")).await.0, 404);
    assert_eq!(client.get(&format!("/items/{file}")).await.0, 404);
    client.sim.advance(at(30)).unwrap();
    let (entries, ..) = client.all(&next).await;
    assert_eq!(names(&entries), ["root", "F", "D", "b.txt"]);
    assert_eq!(entries[3]["id"], file);
    // Small pages tell the same.
    let (again, pages, _) = client.all(&format!("{link}?$top=1")).await;
    assert_eq!(pages, 5);
    let distinct: BTreeSet<&str> = names(&again).into_iter().collect();
    assert_eq!(
        distinct,
        BTreeSet::from(["-", "root", "F", "D", "b.txt", "a.txt", "Y"])
    );
}

#[tokio::test]
async fn changes_while_paging_come_in_the_next_round() {
    let mut edits = small();
    edits.push(Edit::modified(at(11), "F/a.txt", 99));
    let client = Client::over(edits, 10, Some(2));
    let (_, first) = client.get("/root/delta").await;
    client.sim.advance(at(20)).unwrap();
    let (_, _, link) = client.all(first["@odata.nextLink"].as_str().unwrap()).await;
    let (entries, ..) = client.all(&link).await;
    assert_eq!(names(&entries), ["root", "F", "a.txt"]);
    assert_eq!(entries[2]["size"], 99);
}

#[tokio::test]
async fn tokens_come_as_argument_time_or_the_word_latest() {
    let mut edits = small();
    edits.push(Edit::modified(at(11), "F/a.txt", 99));
    let client = Client::over(edits, 20, None);
    let (_, latest) = client.get("/root/delta?token=latest").await;
    assert_eq!(latest["value"], json!([]));
    let link = latest["@odata.deltaLink"].as_str().unwrap();
    assert_eq!(client.all(link).await.0.len(), 0);
    let (entries, ..) = client.all("/root/delta(token='2026-01-01T00%3A00%3A05Z')").await;
    assert_eq!(names(&entries), ["root", "F", "a.txt"]);
    let (entries, _, link) = client
        .all("/root/delta?token=2026-01-01T00%3A00%3A05Z&$select=id,name")
        .await;
    assert_eq!(
        entries[2],
        json!({
            "@odata.type": "#microsoft.graph.driveItem", "id": client.id("F/a.txt"), "name": "a.txt",
        })
    );
    assert!(link.contains("$select=id%2Cname"), "{link}");
    assert_eq!(client.get("/root/delta?token=nonsense").await.0, 400);
    let (status, body) = client.get("/root:/F:/delta").await;
    assert_eq!((status, code(&body)), (501, "notSupported"));
    let root = format!("/items/{}/delta", ids::item_id(ItemNo::ROOT));
    assert_eq!(client.get(&root).await.0, 200);
}

#[tokio::test]
async fn large_pages_and_old_links_can_take_too_long() {
    let client = Client::over(small(), 20, None);
    let (_, _, link) = client.all("/root/delta?$top=1000").await;
    client.plan(Fault::LargePage504, "delta");
    assert_eq!(client.get("/root/delta?$top=200").await.0, 200);
    let (status, body) = client.get("/root/delta?$top=201").await;
    assert_eq!((status, code(&body)), (504, "UnknownError"));
    client.plan(Fault::StaleLink504, "delta");
    for fresh in ["", "?token=latest", "?token=2026-01-01T00%3A00%3A05Z"] {
        assert_eq!(client.get(&format!("/root/delta{fresh}")).await.0, 200);
    }
    assert_eq!(client.get(&link).await.0, 504);
    assert_eq!(client.get(&link).await.0, 200);
}

/// As since March 2025.
#[tokio::test]
async fn personal_drives_list_shortcuts_to_those_who_wish_for_them() {
    let edits = vec![
        Edit::created(at(1), "F/a.txt", 1),
        Edit::created(at(2), "F/b.shortcut", 1),
    ];
    let options = Options {
        onedrive_account: OneDriveAccount::Personal,
        ..Options::default()
    };
    let mut client = Client::with(edits, 10, options);
    let shown = |entries: &[Value]| names(entries).join(" ");
    let (entries, ..) = client.all("/root/delta").await;
    assert_eq!(shown(&entries), "root F a.txt");
    let children = format!("/items/{}/children", entries[1]["id"].as_str().unwrap());
    assert_eq!(shown(&client.all(&children).await.0), "a.txt");
    client.prefer = Some("odata.maxpagesize=7, include-feature=AddToOneDrive");
    assert_eq!(
        shown(&client.all("/root/delta").await.0),
        "root F a.txt b.shortcut"
    );
    assert_eq!(shown(&client.all(&children).await.0), "a.txt b.shortcut");
}

#[tokio::test]
async fn a_lost_cursor_answers_with_where_to_start_again() {
    let client = Client::over(small(), 10, Some(2));
    let (_, _, link) = client.all("/root/delta").await;
    client.plan(Fault::LostCursor, "delta");
    let answer = client.fetch("/root/delta").await;
    assert_eq!(answer.status(), 200, "nothing to lose without a token");
    let answer = client.fetch(&link).await;
    assert_eq!(answer.status(), 410);
    let again = answer.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(code(&body_of(answer).await), "resyncRequired");
    assert_eq!(client.all(&again).await.0.len(), 7);
}

#[tokio::test]
async fn faults_of_pages() {
    let client = Client::over(small(), 10, Some(2));
    for fault in [Fault::EmptyPage, Fault::DuplicateItems] {
        client.sim.plan_faults(vec![FaultPlan {
            first: 2,
            ..FaultPlan::once(fault).on("delta")
        }]);
    }
    let (entries, pages, _) = client.all("/root/delta").await;
    assert_eq!(pages, 5, "one of them empty");
    let listed = names(&entries);
    assert_eq!(listed.len(), 8, "one of them twice: {listed:?}");
    assert_eq!(listed.iter().collect::<BTreeSet<_>>().len(), 7);
    client.plan(Fault::ForeignNextLink, "delta");
    let (_, page) = client.get("/root/delta").await;
    let link = page["@odata.nextLink"].as_str().unwrap();
    assert!(
        link.starts_with("https://graph.attacker.example/v1.0/drives/"),
        "{link}"
    );
}

fn odd() -> Vec<Edit> {
    let mut edits = small();
    edits.push(Edit::deleted(at(11), "X/c.txt"));
    edits
}

/// The entries of the second round, in which a file is deleted, with this oddity.
async fn oddly(which: Oddity) -> Vec<Value> {
    let client = Client::over(odd(), 10, None);
    let (_, _, link) = client.all("/root/delta").await;
    client.sim.advance(at(20)).unwrap();
    client.sim.plan_faults(vec![FaultPlan::always(which)]);
    let (entries, ..) = client.all(&link).await;
    assert_eq!(client.sim.faults_fired()[&FaultKind::Oddity(which)], 1);
    entries
}

#[tokio::test]
async fn tombstones_of_the_year_one_or_without_a_facet() {
    let year_one = oddly(Oddity::YearOneTimes).await;
    assert_eq!(year_one[0]["lastModifiedDateTime"], "0001-01-01T00:00:00Z");
    let facets = |entry: &Value| ["deleted", "file"].map(|facet| entry[facet].is_object());
    assert_eq!(facets(&year_one[0]), [true, true]);
    assert!(year_one[1].get("lastModifiedDateTime") != Some(&json!("0001-01-01T00:00:00Z")));
    let plain = oddly(Oddity::TombstoneWithoutFacet).await;
    assert_eq!(facets(&plain[0]), [true, false]);
}

#[tokio::test]
async fn entries_nothing_happened_to_and_entries_of_nowhere() {
    let unchanged = oddly(Oddity::UnchangedEntries).await;
    let last = unchanged.last().unwrap();
    assert_eq!(
        (&last["name"], last["eTag"].as_str().unwrap().ends_with(",9001\"")),
        (&json!("a.txt"), true)
    );
    let orphans = oddly(Oddity::Orphans).await;
    let orphan = orphans.last().unwrap().as_object().unwrap();
    assert_eq!(orphan.keys().collect::<Vec<_>>(), ["id", "size"]);
}

#[tokio::test]
async fn a_personal_drive_has_ids_of_its_own_in_any_spelling() {
    let mut client = Client::over(odd(), 10, None);
    let options = Options {
        onedrive_account: OneDriveAccount::Personal,
        ..Options::default()
    };
    client.sim = Sim::new(WorldSource::from_edits(odd()), options);
    client.sim.advance(at(10)).unwrap();
    client.routes = router(Arc::clone(&client.sim));
    client.token = client.sim.issue_token(Provider::OneDrive);
    let drive = drive_id(client.sim.options());
    assert_eq!((drive.len(), drive.get(..1)), (16, Some("0")));
    let (entries, ..) = client.all("/root/delta").await;
    // Moments are tokens on business drives only; folders have feeds of their own on personal ones.
    let moment = "/root/delta(token='2026-01-01T00%3A00%3A10Z')";
    assert_eq!(client.get(moment).await.0, 400);
    let folder = entries.iter().find(|entry| entry["name"] == "F").unwrap()["id"]
        .as_str()
        .unwrap();
    let (within, _, link) = client.all(&format!("/items/{folder}/delta")).await;
    assert_eq!(names(&within), ["F", "a.txt", "D", "b.txt"]);
    assert!(link.contains(&format!("/items/{folder}/delta(token=")), "{link}");
    assert_eq!(client.all(&link).await.0, Vec::<Value>::new());
    let file = entries.iter().find(|entry| entry["name"] == "a.txt").unwrap();
    let id = file["id"].as_str().unwrap();
    assert!(id.starts_with(&format!("{drive}!")), "{id}");
    assert_eq!(file["parentReference"]["driveType"], "personal");
    assert_eq!(file["createdBy"]["user"]["id"].as_str().unwrap().len(), 16);
    assert_eq!(file["createdBy"]["user"].get("email"), None);
    assert_eq!(file["cTag"], "aYzp2");
    let (.., link) = client.all("/root/delta").await;
    client.sim.advance(at(20)).unwrap();
    let (gone, ..) = client.all(&link).await;
    assert_eq!((&gone[0]["name"], gone[0].get("size")), (&json!("c.txt"), None));
    client
        .sim
        .plan_faults(vec![FaultPlan::always(Oddity::MixedCaseIds)]);
    let (again, ..) = client.all("/root/delta").await;
    let respelled = again.iter().find(|entry| entry["name"] == "a.txt").unwrap();
    assert_eq!(
        respelled["id"],
        id.trim_start_matches('0').to_lowercase().as_str()
    );
    // Every spelling names the same item.
    let spelled = respelled["id"].as_str().unwrap();
    let (status, found) = client.get(&format!("/items/{spelled}")).await;
    assert_eq!((status, &found["name"]), (200, &json!("a.txt")));
}
