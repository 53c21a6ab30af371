use super::*;
use crate::content::content;
use crate::quota::Quota;

fn versioned() -> Vec<Edit> {
    let mut edits = vec![
        Edit::created(at(1), "F/a b#.txt", 10)
            .by("ann@example.com")
            .with_content("k0"),
    ];
    edits.extend((2..6).map(|second| {
        Edit::modified(at(second), "F/a b#.txt", 10 + second.cast_unsigned())
            .with_content(&format!("k{second}"))
    }));
    edits[4].application = Some("Word".into());
    edits
}

fn ids_of(entries: &[Value]) -> Vec<&str> {
    entries
        .iter()
        .map(|entry| entry["id"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn versions_come_newest_first_and_in_pages() {
    let client = Client::over(versioned(), 10, Some(2));
    let (entries, pages, _) = client.all("/root:/F/a%20b%23.txt:/versions").await;
    assert_eq!(
        (ids_of(&entries), pages),
        (vec!["5.0", "4.0", "3.0", "2.0", "1.0"], 3)
    );
    let newest = &entries[0];
    assert_eq!(
        (&newest["size"], &newest["lastModifiedDateTime"]),
        (&json!(15), &json!(at(5).to_string()))
    );
    assert_eq!(newest["lastModifiedBy"]["application"]["displayName"], "Word");
    assert_eq!(
        entries[4]["lastModifiedBy"]["user"],
        json!({
            "id": ids::actor_id("ann@example.com"), "email": "ann@example.com", "displayName": "ann",
        })
    );
    let item = format!("/items/{}", client.id("F/a b#.txt"));
    assert_eq!(&client.get(&format!("{item}/versions/current")).await.1, newest);
    assert_eq!(client.get(&format!("{item}/versions/9.0")).await.0, 404);
    assert_eq!(client.get("/root:/F:/versions").await.0, 400);
    client.plan(Fault::VanishedRevision, "versions");
    client.plan(Fault::MissingActor, "versions");
    let (entries, ..) = client.all(&format!("{item}/versions")).await;
    assert_eq!(ids_of(&entries), ["5.0", "4.0", "2.0", "1.0"]);
    let with_author = entries
        .iter()
        .filter(|entry| entry.get("lastModifiedBy").is_some());
    assert_eq!(with_author.count(), 3);
}

#[tokio::test]
async fn bytes_come_by_redirect_and_never_for_the_newest_version() {
    let client = Client::over(versioned(), 10, None);
    let item = format!("/items/{}", client.id("F/a b#.txt"));
    let (status, body) = client.get(&format!("{item}/versions/5.0/content")).await;
    assert_eq!((status, code(&body)), (400, "invalidRequest"));
    for (path, key, size) in [("versions/2.0/content", "k2", 12), ("content", "k5", 15)] {
        let answer = client.fetch(&format!("{item}/{path}")).await;
        assert_eq!(answer.status(), 302);
        let link = answer.headers()["location"].to_str().unwrap().to_owned();
        let bytes = client.send("GET", &link, String::new(), None).await;
        assert_eq!(bytes.status(), 200);
        let bytes = to_bytes(bytes.into_body(), usize::MAX).await.unwrap();
        assert_eq!(bytes, content(key, size));
        assert_eq!(client.fetch(&link).await.status(), 401, "shown a token");
        let forged = link.replace("until=", "until=9");
        assert_eq!(
            client.send("GET", &forged, String::new(), None).await.status(),
            401
        );
    }
    let answer = client.fetch(&format!("{item}/content")).await;
    let link = answer.headers()["location"].to_str().unwrap().to_owned();
    client.sim.advance(at(1000)).unwrap();
    assert_eq!(
        client.send("GET", &link, String::new(), None).await.status(),
        401,
        "lapsed"
    );
}

#[tokio::test]
async fn items_are_found_by_id_and_path_and_children_are_paged() {
    let mut edits = versioned();
    edits.extend(["F/D/x", "F/b", "F/c"].map(|path| Edit::created(at(6), path, 1)));
    edits.push(Edit::renamed(at(11), "F/b", "F/é"));
    let client = Client::over(edits, 10, Some(2));
    let (_, item) = client.get("/root:/f/A%20B%23.TXT").await;
    let id = client.id("F/a b#.txt");
    assert_eq!((&item["id"], &item["name"]), (&json!(id), &json!("a b#.txt")));
    assert_eq!(client.get(&format!("/items/{id}")).await.1, item);
    let path = format!("/drives/{}/root:/F", drive_id(client.sim.options()));
    assert_eq!(item["parentReference"]["path"], path);
    assert!(
        item["cTag"].as_str().unwrap().ends_with("},5\""),
        "{}",
        item["cTag"]
    );
    let (entries, pages, _) = client.all("/root:/F:/children").await;
    assert_eq!((names(&entries), pages), (vec!["D", "a b#.txt", "b", "c"], 2));
    let before = &entries[2];
    client.sim.advance(at(20)).unwrap();
    let (_, after) = client.get("/root:/F/%C3%A9").await;
    assert_eq!((&after["id"], &after["cTag"]), (&before["id"], &before["cTag"]));
    assert_ne!(after["eTag"], before["eTag"]);
    assert_eq!(after["lastModifiedDateTime"], before["lastModifiedDateTime"]);
    assert_eq!(client.get("/root/children").await.1["value"][0]["name"], "F");
    let (_, drive) = client.get("").await;
    assert_eq!(
        (&drive["driveType"], &drive["id"]),
        (&json!("business"), &json!(drive_id(client.sim.options())))
    );
    let (status, body) = client.get("/root:/F/nothing").await;
    assert_eq!((status, code(&body)), (404, "itemNotFound"));
    assert!(body["error"]["innerError"]["request-id"].is_string());
    let (status, body) = client.get("/root/contents").await;
    assert_eq!((status, code(&body)), (400, "BadRequest"));
}

#[tokio::test]
async fn a_batch_answers_each_part_by_itself_in_some_order() {
    let client = Client::over(versioned(), 10, None);
    let drive = drive_id(client.sim.options());
    let part = |id: usize, url: &str| json!({ "id": id.to_string(), "method": "GET", "url": url });
    let good = format!(
        "/drives/{drive}/items/{}/versions?$top=2",
        client.id("F/a b#.txt")
    );
    let mut parts: Vec<Value> = (1..=18).map(|id| part(id, &good)).collect();
    parts.push(part(19, &format!("drives/{drive}/items/01NOTHING/versions")));
    let mut last = part(20, &good);
    last["dependsOn"] = json!(["19"]);
    parts.push(last);
    let throttle = FaultPlan {
        first: 3,
        ..FaultPlan::once(Fault::BatchInner429).on("versions")
    };
    client.sim.plan_faults(vec![throttle]);
    let body = json!({ "requests": parts }).to_string();
    let answer = client
        .send("POST", "/v1.0/$batch", body, Some(&client.token))
        .await;
    assert_eq!(answer.status(), 200);
    let answer = body_of(answer).await;
    let responses = answer["responses"].as_array().unwrap();
    let order: Vec<usize> = ids_of(responses).iter().map(|id| id.parse().unwrap()).collect();
    assert_ne!(order, (1..=20).collect::<Vec<_>>());
    let of = |id: &str| responses.iter().find(|part| part["id"] == id).unwrap();
    assert_eq!(of("1")["body"]["value"][0]["id"], "5.0");
    assert!(of("1")["body"]["@odata.nextLink"].is_string());
    assert_eq!(
        (&of("3")["status"], &of("3")["headers"]["Retry-After"]),
        (&json!(429), &json!("1"))
    );
    assert_eq!(
        (&of("19")["status"], &of("20")["status"]),
        (&json!(404), &json!(424))
    );
    assert_eq!(client.sim.counts()[&Provider::OneDrive]["versions"], 19);
    parts.push(part(21, &good));
    for bad in [parts, vec![part(1, &good), part(1, &good)]] {
        let body = json!({ "requests": bad }).to_string();
        let answer = client
            .send("POST", "/v1.0/$batch", body, Some(&client.token))
            .await;
        assert_eq!(answer.status(), 400);
    }
}

#[tokio::test]
async fn parts_of_a_batch_are_charged_one_by_one() {
    let mut client = Client::over(versioned(), 10, None);
    let options = Options {
        quota: Some(Quota {
            onedrive_per_minute: 4,
            ..Quota::PUBLISHED
        }),
        ..Options::default()
    };
    client.sim = Sim::new(client.sim.source().clone(), options);
    client.sim.advance(at(10)).unwrap();
    client.routes = router(Arc::clone(&client.sim));
    client.token = client.sim.issue_token(Provider::OneDrive);
    let (drive, item) = (drive_id(client.sim.options()), client.id("F/a b#.txt"));
    let url = format!("/drives/{drive}/items/{item}/versions");
    let part = |id: usize| json!({ "id": id.to_string(), "method": "GET", "url": url });
    let body = json!({ "requests": [part(1), part(2), part(3)] }).to_string();
    let answer = client
        .send("POST", "/v1.0/$batch", body, Some(&client.token))
        .await;
    assert_eq!(answer.status(), 200);
    let answer = body_of(answer).await;
    let refused = answer["responses"].as_array().unwrap().iter();
    let refused: Vec<&Value> = refused.filter(|part| part["status"] == 429).collect();
    let [refused] = refused.as_slice() else {
        panic!("{answer}")
    };
    assert_eq!(refused["id"], "3");
    let wait: u64 = refused["headers"]["Retry-After"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((50..=60).contains(&wait), "{wait}");
    let used = client.sim.used()[&Provider::OneDrive];
    assert_eq!((used.units, used.refused), (6, 1));
}

#[tokio::test]
async fn tokens_are_given_and_asked_for() {
    let client = Client::over(versioned(), 10, None);
    let url = "/contoso/oauth2/v2.0/token";
    let form = "grant_type=client_credentials&client_id=revtrail-sim&client_secret=sim-secret\
                &scope=https%3A%2F%2Fgraph.microsoft.com%2F.default";
    let body = body_of(client.send("POST", url, form.to_owned(), None).await).await;
    assert_eq!(
        (&body["token_type"], &body["expires_in"]),
        (&json!("Bearer"), &json!(3599))
    );
    let token = body["access_token"].as_str().unwrap();
    let drive = format!("/v1.0/drives/{}", drive_id(client.sim.options()));
    assert_eq!(
        client
            .send("GET", &drive, String::new(), Some(token))
            .await
            .status(),
        200
    );
    client.sim.expire_token(token);
    for bearer in [Some(token), Some("unknown"), None] {
        let answer = client.send("GET", &drive, String::new(), bearer).await;
        assert_eq!(answer.status(), 401);
        assert_eq!(code(&body_of(answer).await), "InvalidAuthenticationToken");
    }
    for (from, to, error) in [
        ("sim-secret", "wrong", "invalid_client"),
        (".default", "x", "invalid_scope"),
    ] {
        let answer = client.send("POST", url, form.replace(from, to), None).await;
        assert!(answer.status().is_client_error());
        assert_eq!(body_of(answer).await["error"], error);
    }
    assert_eq!(
        client
            .send("POST", &drive, String::new(), Some(token))
            .await
            .status(),
        405
    );
    let foreign = "/v1.0/drives/b!other/root";
    assert_eq!(
        client
            .send("GET", foreign, String::new(), Some(&client.token))
            .await
            .status(),
        404
    );
}

#[tokio::test]
async fn refusals_nest_their_codes() {
    let client = Client::over(versioned(), 10, None);
    let throttle = Fault::Throttle429 { retry_after: None };
    let call = client.sim.begin(Provider::OneDrive, "delta");
    let answer = refusal(&throttle, &call);
    assert_eq!(answer.status(), 429);
    let body = body_of(answer).await;
    assert_eq!(code(&body), "activityLimitReached");
    assert_eq!(body["error"]["innerError"]["innerError"]["code"], "quota");
    let busy = Fault::Unavailable503 { retry_after: None };
    let answer = refusal(&busy, &client.sim.begin(Provider::OneDrive, "token"));
    assert_eq!(answer.status(), 503);
    assert_eq!(body_of(answer).await["error"], "temporarily_unavailable");
}

#[tokio::test]
async fn saves_of_one_sitting_share_a_version_with_one_author() {
    let edits = vec![
        Edit::created(at(1), "a.docx", 1).by("ann@example.com"),
        Edit::modified(at(2), "a.docx", 2).by("bob@example.com"),
        Edit::modified(at(50), "a.docx", 3).by("cyd@example.com"),
        Edit::modified(at(700), "a.docx", 4).by("ann@example.com"),
    ];
    let options = Options {
        merging: Some(jiff::SignedDuration::from_mins(10)),
        ..Options::default()
    };
    let mut client = Client::over(edits.clone(), 0, None);
    client.sim = Sim::new(WorldSource::from_edits(edits), options);
    client.routes = router(Arc::clone(&client.sim));
    client.token = client.sim.issue_token(Provider::OneDrive);
    let mut told = Vec::new();
    for second in [10, 60, 800] {
        client.sim.advance(at(second)).unwrap();
        let (entries, ..) = client
            .all(&format!("/items/{}/versions", client.id("a.docx")))
            .await;
        let brief = entries.iter().map(|entry| {
            let author = entry["lastModifiedBy"]["user"]["displayName"].as_str().unwrap();
            format!("{} {} {author}", entry["id"].as_str().unwrap(), entry["size"])
        });
        told.push(brief.collect::<Vec<_>>());
    }
    assert_eq!(
        told,
        [
            vec!["1.0 2 bob"],
            vec!["1.0 3 cyd"],
            vec!["2.0 4 ann", "1.0 3 cyd"]
        ]
    );
}

#[tokio::test]
async fn whoever_is_no_account_has_the_member_of_their_kind() {
    let who = [
        ("x@service.invalid", "/user/displayName", "SharePoint App"),
        ("x@address-only.invalid", "/user/email", "x@address-only.invalid"),
        (
            "x@site-user.invalid",
            "/siteUser/loginName",
            "i:0#.f|membership|x@site-user.invalid",
        ),
        ("x@group.invalid", "/group/displayName", "x"),
        ("x@device.invalid", "/device/displayName", "x"),
    ];
    for (address, pointer, expected) in who {
        let client = Client::over(vec![Edit::created(at(1), "a", 1).by(address)], 10, None);
        let (entries, ..) = client.all(&format!("/items/{}/versions", client.id("a"))).await;
        let set = &entries[0]["lastModifiedBy"];
        assert_eq!(set.pointer(pointer), Some(&json!(expected)), "{set}");
        assert_eq!(set.as_object().unwrap().len(), 1, "{set}");
    }
}

/// What restores a version puts its content on top as a new one; what only touches metadata does the same with the newest.
#[tokio::test]
async fn restored_and_metadata_only_versions_repeat_a_content() {
    let edits = vec![
        Edit::created(at(1), "a", 1)
            .with_content("one")
            .by("ann@example.com"),
        Edit::modified(at(2), "a", 2)
            .with_content("two")
            .by("bob@example.com"),
        Edit::modified(at(3), "a", 1)
            .with_content("one")
            .by("cyd@example.com"),
        Edit::modified(at(4), "a", 1)
            .with_content("one")
            .by("cyd@example.com"),
    ];
    let client = Client::over(edits, 10, None);
    let (entries, ..) = client.all(&format!("/items/{}/versions", client.id("a"))).await;
    assert_eq!(ids_of(&entries), ["4.0", "3.0", "2.0", "1.0"]);
    assert_eq!(entries[1]["lastModifiedBy"]["user"]["displayName"], "cyd");
    let sizes: Vec<&Value> = entries.iter().map(|entry| &entry["size"]).collect();
    assert_eq!(sizes, [&json!(1), &json!(1), &json!(2), &json!(1)]);
}
