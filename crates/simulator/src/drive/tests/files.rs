use super::*;
use crate::fault::Fault;
use crate::sim::GoogleCorpus;

fn library() -> Arc<Sim> {
    let sim = sim_of(
        vec![
            Edit::created(at(1), "F/a.txt", 10),
            Edit::created(at(2), "F/it's.md", 10),
            Edit::created(at(3), "F/d/deep.txt", 10),
            Edit::created(at(4), "F/gone.txt", 10),
            Edit::deleted(at(5), "F/gone.txt"),
            Edit::created(at(6), "F/gone.txt", 11),
            Edit::deleted(at(7), "F/d"),
        ],
        None,
    );
    sim.advance(at(10)).unwrap();
    sim
}

/// Names by alphabet: what is not in a named folder is listed in no order.
fn find(sim: &Sim, query: &str) -> Vec<String> {
    let mut names = texts(&search(sim, query).unwrap(), "files", "name");
    names.sort();
    names
}

fn search(sim: &Sim, query: &str) -> Result<Value, Problem> {
    let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
    ask(sim, &format!("files?q={query}"))
}

#[test]
fn queries_find_children_by_parent_trash_type_and_name() {
    let sim = library();
    let folder = id(&sim, "F");
    let parent = format!("'{folder}' in parents");
    assert_eq!(
        find(&sim, &format!("{parent} and trashed=false")),
        ["a.txt", "gone.txt", "it's.md"]
    );
    assert_eq!(
        find(&sim, &format!("{parent} and trashed = true")),
        ["d", "gone.txt"]
    );
    assert_eq!(
        find(&sim, &format!("trashed=true and ({parent})")),
        ["d", "gone.txt"]
    );
    assert_eq!(find(&sim, "trashed != false"), ["d", "deep.txt", "gone.txt"]);
    assert_eq!(find(&sim, r"name = 'it\'s.md'"), ["it's.md"]);
    let folders = "mimeType = 'application/vnd.google-apps.folder'";
    assert_eq!(find(&sim, folders), ["F", "d"]);
    assert_eq!(
        find(&sim, &format!("not {folders} and not trashed = true")),
        ["a.txt", "gone.txt", "it's.md"]
    );
    assert_eq!(find(&sim, "'root' in parents"), ["F"]);
    assert_eq!(
        find(
            &sim,
            &format!("('root' in parents or {parent}) and name != 'a.txt' and trashed=false")
        ),
        ["F", "gone.txt", "it's.md"]
    );
    assert_eq!(
        find(&sim, "modifiedTime > '2026-01-01T00:00:05' and trashed=false"),
        ["gone.txt"]
    );
    assert_eq!(find(&sim, "name contains 'GO' and trashed=false"), ["gone.txt"]);
    assert_eq!(
        find(&sim, ""),
        ["F", "a.txt", "d", "deep.txt", "gone.txt", "gone.txt", "it's.md"]
    );
}

#[test]
fn bad_queries_are_refused() {
    let sim = library();
    for query in [
        "name",
        "name = a",
        "name = 'a",
        "trashed",
        "trashed=maybe",
        "(trashed=true",
        "size > 1",
        "trashed=true and",
        r"name='\x'",
        "name='a' name='b'",
        "'x' in owners",
    ] {
        let problem = search(&sim, query).unwrap_err();
        let error = &problem.body()["error"]["errors"][0];
        assert_eq!(
            (&error["reason"], &error["location"]),
            (&json!("invalid"), &json!("q")),
            "{query}"
        );
    }
    let deep = format!("{}trashed=true{}", "(".repeat(10_000), ")".repeat(10_000));
    assert_eq!(search(&sim, &deep).unwrap_err().reason, "invalid");
    assert_eq!(
        search(&sim, "'nowhere' in parents").unwrap_err().status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(ask(&sim, "files?pageSize=0").unwrap_err().reason, "invalid");
    assert_eq!(ask(&sim, "files?orderBy=name").unwrap_err().reason, "badRequest");
    assert_eq!(
        ask(&sim, "files?fields=files(nme)").unwrap_err().reason,
        "invalidParameter"
    );
}

#[test]
fn page_tokens_belong_to_their_query() {
    let edits = (0..5)
        .map(|n| Edit::created(at(n), &format!("F/{n}"), 1))
        .collect();
    let sim = sim_of(edits, Some(2));
    sim.advance(at(10)).unwrap();
    let query = format!("q='{}'+in+parents", id(&sim, "F"));
    sim.plan_faults(vec![FaultPlan {
        first: 2,
        ..FaultPlan::once(Fault::EmptyPage).on("files")
    }]);
    let mut found = Vec::new();
    let mut tokens = vec![String::new()];
    while let Some(token) = tokens.last().filter(|_| tokens.len() < 9) {
        let answer = get(&sim, &format!("files?{query}&pageToken={token}"));
        found.push(texts(&answer, "files", "name"));
        match answer["nextPageToken"].as_str() {
            Some(next) => tokens.push(next.to_owned()),
            None => break,
        }
    }
    let expected: [&[&str]; 4] = [&["0", "1"], &[], &["2", "3"], &["4"]];
    assert_eq!(found, expected);
    let foreign = ask(&sim, &format!("files?q=trashed=false&pageToken={}", tokens[1])).unwrap_err();
    assert_eq!(foreign.body()["error"]["errors"][0]["location"], "pageToken");
    let bogus = ask(&sim, "files?pageToken=bogus").unwrap_err();
    assert_eq!(bogus.reason, "invalid");
}

/// Names of each page of a listing, from `target` on.
fn pages(sim: &Sim, target: &str) -> Vec<Vec<String>> {
    let (mut found, mut token) = (Vec::new(), String::new());
    loop {
        let answer = get(sim, &format!("{target}&pageToken={token}"));
        found.push(texts(&answer, "files", "name"));
        assert!(found.len() < 50, "the listing does not end");
        match answer["nextPageToken"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => return found,
        }
    }
}

/// A shared drive of ten folders with a file each, one of them in the bin.
fn shared() -> Arc<Sim> {
    let mut edits: Vec<Edit> = (0..10)
        .map(|n| Edit::created(at(n), &format!("d{n}/f{n}"), 1))
        .collect();
    edits.push(Edit::deleted(at(20), "d3"));
    let options = Options {
        google_corpus: GoogleCorpus::SharedDrive,
        page_size: Some(3),
        ..Options::default()
    };
    let sim = sim_with(edits, options);
    sim.advance(at(30)).unwrap();
    sim
}

fn on_drive(sim: &Sim, more: &str) -> String {
    let drive = wire::shared_drive(sim).unwrap();
    format!("files?corpora=drive&driveId={drive}&supportsAllDrives=true&includeItemsFromAllDrives=true{more}")
}

#[test]
fn a_shared_drive_is_listed_whole_in_no_order() {
    let sim = shared();
    let listed = pages(&sim, &on_drive(&sim, ""));
    assert_eq!(listed.len(), 7, "{listed:?}");
    let listed = listed.concat();
    let mut names = listed.clone();
    names.sort();
    let expected: Vec<String> = ["d", "f"]
        .iter()
        .flat_map(|kind| (0..10).map(move |n| format!("{kind}{n}")))
        .collect();
    assert_eq!(names, expected);
    let place = |name: String| listed.iter().position(|listed| *listed == name).unwrap();
    let early = (0..10)
        .filter(|n| place(format!("f{n}")) < place(format!("d{n}")))
        .count();
    assert!((1..10).contains(&early), "{listed:?}");
    let parents = format!("&fields=files(parents)&q={}", "name='d0'");
    assert_eq!(
        get(&sim, &on_drive(&sim, &parents))["files"],
        json!([{ "parents": [wire::shared_drive(&sim)] }])
    );
    // The bin is part of it unless a query says otherwise.
    let live = pages(&sim, &on_drive(&sim, "&q=trashed=false")).concat();
    let gone: Vec<&String> = names.iter().filter(|name| !live.contains(name)).collect();
    assert_eq!(gone, ["d3", "f3"]);
}

#[test]
fn a_whole_listing_has_the_faults_of_any_other() {
    let sim = shared();
    let whole = on_drive(&sim, "");
    let plain = pages(&sim, &whole).concat();
    sim.plan_faults(vec![
        FaultPlan {
            first: 2,
            ..FaultPlan::once(Fault::EmptyPage).on("files")
        },
        FaultPlan {
            first: 2,
            ..FaultPlan::once(Fault::DuplicateItems).on("files")
        },
    ]);
    let odd = pages(&sim, &whole);
    assert_eq!((odd[1].len(), odd[2].len()), (0, 6));
    let mut once = odd.concat();
    let mut seen = std::collections::HashSet::new();
    once.retain(|name| seen.insert(name.clone()));
    assert_eq!(once, plain);
    sim.clear_faults();
    sim.plan_faults(vec![FaultPlan::once(Fault::IncompleteSearch).on("files")]);
    let short = get(&sim, &on_drive(&sim, "&fields=incompleteSearch,files(name)"));
    assert_eq!(short["incompleteSearch"], true);
    assert_eq!(texts(&short, "files", "name"), plain[..1]);
}

#[test]
fn one_file_in_full() {
    let sim = sim_of(
        vec![
            Edit::created(at(1), "F/a.txt", 10).by("owner@handbook.example"),
            Edit::renamed(at(2), "F/a.txt", "F/b"),
        ],
        None,
    );
    sim.advance(at(10)).unwrap();
    let file = get(&sim, &format!("files/{}?fields=*", id(&sim, "F/b")));
    assert_eq!(file["name"], "b");
    assert_eq!(
        (&file["mimeType"], &file["originalFilename"]),
        (&json!("text/plain"), &json!("a.txt"))
    );
    assert_eq!(
        (&file["size"], &file["createdTime"]),
        (&json!("10"), &json!("2026-01-01T00:00:01.000Z"))
    );
    let user = &file["lastModifyingUser"];
    assert_eq!(
        (&user["me"], &user["permissionId"]),
        (&json!(true), &json!(ids::permission("owner@handbook.example")))
    );
    for (member, length) in [
        ("md5Checksum", 32),
        ("sha1Checksum", 40),
        ("sha256Checksum", 64),
        ("headRevisionId", 50),
    ] {
        assert_eq!(file[member].as_str().unwrap().len(), length, "{member}");
    }
    assert_eq!(file["capabilities"]["canReadRevisions"], true);
    assert_eq!(file["trashed"], false);
    let root = get(&sim, "files/root?fields=id,name,parents,trashed");
    assert_eq!(
        root,
        json!({ "id": ids::root("owner@handbook.example"), "name": "My Drive", "trashed": false })
    );
    assert_eq!(
        get(&sim, &format!("files/{}?fields=parents", id(&sim, "F")))["parents"],
        json!([root["id"]])
    );
    let problem = ask(&sim, "files/1Nowhere").unwrap_err();
    assert_eq!(problem.body()["error"]["errors"][0]["reason"], "notFound");
}

#[test]
fn small_routes_answer() {
    let sim = library();
    assert_eq!(ask(&sim, "about").unwrap_err().reason, "required");
    let about = get(&sim, "about?fields=user(emailAddress,me)");
    assert_eq!(
        about,
        json!({ "user": { "emailAddress": "owner@handbook.example", "me": true } })
    );
    assert_eq!(
        get(&sim, "drives"),
        json!({ "kind": "drive#driveList", "drives": [] })
    );
    assert_eq!(ask(&sim, "drives/0AX").unwrap_err().status, StatusCode::NOT_FOUND);
    assert_eq!(
        ask(&sim, "permissions").unwrap_err().status,
        StatusCode::NOT_FOUND
    );
}

#[test]
fn a_token_of_a_page_can_run_out_and_the_listing_begins_again() {
    let sim = library();
    let first = get(&sim, "files?pageSize=2&fields=nextPageToken,files(name)");
    let token = first["nextPageToken"].as_str().unwrap();
    let second = format!("files?pageSize=2&fields=files(name)&pageToken={token}");
    sim.plan_faults(vec![FaultPlan::once(Fault::ExpiredPageToken).on("files")]);
    let refused = ask(&sim, &second).unwrap_err().body();
    let error = &refused["error"]["errors"][0];
    assert_eq!(
        (&error["reason"], &error["location"]),
        (&json!("invalid"), &json!("pageToken"))
    );
    // Only a request with a token can meet it.
    sim.plan_faults(vec![FaultPlan::once(Fault::ExpiredPageToken).on("files")]);
    assert_eq!(
        get(&sim, "files?pageSize=2&fields=files(name)")["files"],
        first["files"]
    );
    assert_eq!(sim.faults_fired().values().sum::<u64>(), 1);
}

#[test]
fn what_is_in_a_folder_nobody_shows_us_has_no_parent() {
    let sim = sim_of(
        vec![
            Edit::created(at(1), "F/a.txt", 10),
            Edit::created(at(2), "Private.unseen/b.txt", 10),
            Edit::renamed(at(3), "F/a.txt", "Private.unseen/a.txt"),
        ],
        None,
    );
    sim.advance(at(2)).unwrap();
    let token = start(&sim);
    sim.advance(at(10)).unwrap();
    let folder = id(&sim, "Private.unseen");
    let file = id(&sim, "Private.unseen/a.txt");
    let fields = "fields=id,name,parents";
    assert_eq!(
        get(&sim, &format!("files/{file}?{fields}")),
        json!({ "id": file, "name": "a.txt" })
    );
    for hidden in [
        format!("files/{folder}"),
        format!("files?q='{folder}'+in+parents"),
    ] {
        assert_eq!(ask(&sim, &hidden).unwrap_err().status, StatusCode::NOT_FOUND);
    }
    assert_eq!(find(&sim, ""), ["F", "a.txt", "b.txt"]);
    let entries = format!("changes?pageToken={token}&fields=changes(fileId,file(name,parents))");
    assert_eq!(
        get(&sim, &entries)["changes"],
        json!([{ "fileId": file, "file": { "name": "a.txt" } }])
    );
}

#[test]
fn shortcuts_point_elsewhere_and_some_content_is_withheld() {
    let sim = sim_of(
        vec![
            Edit::created(at(1), "F/link.shortcut", 10),
            Edit::created(at(2), "F/invoice.malware", 10),
        ],
        None,
    );
    sim.advance(at(10)).unwrap();
    let link = id(&sim, "F/link.shortcut");
    let fields =
        "fields=mimeType,size,md5Checksum,headRevisionId,shortcutDetails,capabilities(canReadRevisions)";
    let shown = get(&sim, &format!("files/{link}?{fields}"));
    assert_eq!(shown["mimeType"], "application/vnd.google-apps.shortcut");
    assert_eq!(shown["shortcutDetails"]["targetMimeType"], "application/pdf");
    assert_eq!(shown["capabilities"], json!({ "canReadRevisions": false }));
    assert_eq!(shown.as_object().unwrap().len(), 3, "{shown}");
    let malware = id(&sim, "F/invoice.malware");
    for (target, reason) in [
        (format!("files/{link}/revisions"), "revisionsNotSupported"),
        (format!("files/{link}?alt=media"), "fileNotDownloadable"),
        (format!("files/{malware}?alt=media"), "cannotDownloadAbusiveFile"),
    ] {
        let refused = ask(&sim, &target).unwrap_err();
        assert_eq!((refused.status, refused.reason), (StatusCode::FORBIDDEN, reason));
    }
    assert_eq!(
        get(&sim, &format!("files/{malware}/revisions"))["revisions"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}
