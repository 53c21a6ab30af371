use serde_json::{Value, json};

use super::super::tests::{at, id, sim_with};
use super::super::{Ask, Problem, wire};
use super::*;
use crate::audit::{Applications, Audit, AuditAccess, Lag};
use crate::fault::{Fault, FaultPlan};
use crate::oauth;
use crate::sim::{GoogleCorpus, Options};
use crate::truth::FactAction as A;
use crate::truth::audit::FactActorKind::{Anonymous, Service, User};
use crate::truth::audit::{FactActorKind, told};
use crate::world::Edit;

const OWNER: &str = "owner@handbook.example";

fn at_once() -> Audit {
    Audit {
        lag: Lag::NONE,
        ..Audit::default()
    }
}

fn sim_of(edits: Vec<Edit>, audit: Audit, page: Option<usize>) -> std::sync::Arc<Sim> {
    let sim = sim_with(
        edits,
        Options {
            audit,
            page_size: page,
            ..Options::default()
        },
    );
    sim.advance(at(1000)).unwrap();
    sim
}

fn reports(sim: &Sim, target: &str) -> Result<Value, Problem> {
    let (user, query) = target.split_once('?').unwrap_or((target, ""));
    let params = oauth::form(query.as_bytes());
    let call = sim.begin(Provider::GoogleDrive, "reports");
    let ask = Ask {
        sim,
        call: &call,
        params: &params,
    };
    list(&ask, user, "drive").map(|answer| serde_json::from_slice(&answer.body).unwrap())
}

fn activity(sim: &Sim, request: &Value) -> Result<Value, Problem> {
    let params = oauth::form(b"");
    let call = sim.begin(Provider::GoogleDrive, "activity");
    let ask = Ask {
        sim,
        call: &call,
        params: &params,
    };
    query(&ask, request.to_string().as_bytes()).map(|answer| serde_json::from_slice(&answer.body).unwrap())
}

fn rows<'a>(answer: &'a Value, list: &str) -> &'a [Value] {
    answer
        .get(list)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// `name+name title` of each record's events.
fn brief(answer: &Value) -> Vec<String> {
    let text = |record: &Value| {
        let events = record["events"].as_array().unwrap();
        let names: Vec<&str> = events
            .iter()
            .map(|event| event["name"].as_str().unwrap())
            .collect();
        format!(
            "{} {}",
            names.join("+"),
            parameter(&events[0], "doc_title")["value"].as_str().unwrap()
        )
    };
    rows(answer, "items").iter().map(text).collect()
}

fn parameter<'a>(event: &'a Value, name: &str) -> &'a Value {
    let all = event["parameters"].as_array().unwrap();
    all.iter().find(|one| one["name"] == name).unwrap_or(&Value::Null)
}

fn history() -> Vec<Edit> {
    vec![
        Edit::created(at(1), "F/d/a.txt", 3),
        Edit::modified(at(2), "F/d/a.txt", 4),
        Edit::renamed(at(3), "F/d/a.txt", "F/d/b.txt"),
        Edit::renamed(at(4), "F/d/b.txt", "F/c.txt"),
        Edit::deleted(at(5), "F/c.txt"),
        Edit::restored(at(6), "F/c.txt"),
    ]
}

#[test]
fn the_log_tells_acts_newest_first_with_what_comes_along() {
    let sim = sim_of(history(), at_once(), None);
    let answer = reports(&sim, "all").unwrap();
    assert_eq!(
        brief(&answer),
        [
            "untrash c.txt",
            "trash c.txt",
            "move+rename c.txt",
            "rename b.txt",
            "edit a.txt",
            "upload+add_to_folder a.txt",
            "create+add_to_folder d",
            "create+add_to_folder F",
        ]
    );
    let moved = &rows(&answer, "items")[2];
    assert_eq!(moved["id"]["time"], "2026-01-01T00:00:04.000Z");
    assert_eq!(moved["id"]["applicationName"], "drive");
    let [event, along] = moved["events"].as_array().unwrap().as_slice() else {
        panic!("two events")
    };
    assert_eq!(parameter(event, "doc_id")["value"], id(&sim, "F/c.txt"));
    assert_eq!(parameter(event, "primary_event")["boolValue"], true);
    assert_eq!(parameter(along, "primary_event")["boolValue"], false);
    assert_eq!(
        parameter(event, "source_folder_id")["multiValue"],
        json!([id(&sim, "F/d")])
    );
    assert_eq!(
        parameter(event, "destination_folder_id")["multiValue"],
        json!([id(&sim, "F")])
    );
    assert_eq!(parameter(along, "old_value")["multiValue"], json!(["b.txt"]));
    let facts = told(&sim, Provider::GoogleDrive, "F");
    let actions: Vec<A> = facts.iter().map(|fact| fact.action).collect();
    assert_eq!(
        actions,
        [
            A::Created,
            A::Created,
            A::Modified,
            A::Renamed,
            A::Moved,
            A::Trashed,
            A::Restored
        ]
    );
}

#[test]
fn the_log_is_filtered_paged_and_strict() {
    let sim = sim_of(history(), at_once(), Some(3));
    let names = |target: &str| brief(&reports(&sim, target).unwrap());
    assert_eq!(
        names("all?eventName=rename"),
        ["move+rename c.txt", "rename b.txt"]
    );
    assert_eq!(
        names(&format!("all?filters=doc_id=={}", id(&sim, "F/d"))),
        ["create+add_to_folder d"]
    );
    let window = "all?startTime=2026-01-01T00:00:02Z&endTime=2026-01-01T00:00:04Z";
    assert_eq!(names(window), ["rename b.txt", "edit a.txt"]);
    assert_eq!(names("nobody@example.com"), Vec::<String>::new());
    assert_eq!(names("someone@example.com?eventName=edit"), ["edit a.txt"]);
    let (mut found, mut pages, mut token) = (Vec::new(), 0, String::new());
    loop {
        let answer = reports(&sim, &format!("all?pageToken={token}")).unwrap();
        found.extend(brief(&answer));
        pages += 1;
        match answer["nextPageToken"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    assert_eq!((found.len(), pages), (8, 3));
    for (wrong, parameter) in [
        ("all?maxResults=1001", "maxResults"),
        ("all?pageToken=x", "pageToken"),
        ("all?filters=doc_title==a", "filters"),
        (
            "all?startTime=2026-01-01T00:00:02Z&endTime=2026-01-01T00:00:01Z",
            "startTime",
        ),
        ("all?applicationInfoFilter=name", "applicationInfoFilter"),
    ] {
        assert_eq!(reports(&sim, wrong), Err(Problem::invalid(parameter)), "{wrong}");
    }
    let closed = |access| sim_of(history(), Audit { access, ..at_once() }, None);
    let refused = |access| reports(&closed(access), "all");
    assert_eq!(refused(AuditAccess::NotGranted), Err(Problem::read_only()));
    assert_eq!(refused(AuditAccess::NotInPlan), Err(Problem::no_reports()));
    let alone = activity(&closed(AuditAccess::NotInPlan), &json!({})).unwrap();
    assert_eq!(
        rows(&alone, "activities").len(),
        8,
        "accounts without an administrator have activity"
    );
}

/// One file by each kind of hand.
fn hands() -> Vec<Edit> {
    let by = |second, name: &str, who: &str| Edit::created(at(second), name, 1).by(who);
    let mut edits = vec![
        by(1, "a", OWNER),
        by(2, "b", OWNER),
        by(3, "c", OWNER),
        by(4, "d", "ann@elsewhere.example"),
        by(5, "e", "x@anonymous.invalid"),
        by(6, "f", "x@automation.invalid"),
        by(7, "g", "x@removed.invalid"),
        by(8, "h", "admin@handbook.example"),
    ];
    edits[1].application = Some("Sorter".into());
    edits[2].application = Some("Claude Cowork".into());
    edits
}

#[test]
fn programs_and_people_are_told_apart_where_the_log_can() {
    let sim = sim_of(hands(), at_once(), None);
    let answer = reports(&sim, "all").unwrap();
    let mut records = rows(&answer, "items").to_vec();
    records.reverse();
    assert_eq!(
        records[0]["actor"],
        json!({ "callerType": "USER", "email": OWNER, "profileId": profile(&sim, OWNER) })
    );
    assert_eq!(
        records[1]["actor"]["applicationInfo"]["applicationName"],
        "Sorter"
    );
    assert_eq!(records[1]["isAgenticAction"], false);
    let client = records[1]["actor"]["applicationInfo"]["oauthClientId"]
        .as_str()
        .unwrap();
    let number = parameter(&records[1]["events"][0], "originating_app_id")["value"]
        .as_str()
        .unwrap();
    assert!(client.starts_with(number), "{client} {number}");
    let of_client = format!("all?applicationInfoFilter=oAuthClientId%3D%22{client}%22");
    assert_eq!(
        brief(&reports(&sim, &of_client).unwrap()),
        ["upload+add_to_folder b"]
    );
    assert_eq!(records[2]["isAgenticAction"], true);
    assert_eq!(
        records[2]["actor"]["agentAttributionInfo"]["agentOwner"]["email"],
        OWNER
    );
    assert_eq!(records[3]["actor"]["callerType"], "EXTERNAL_USER");
    assert!(records[3].get("ipAddress").is_none());
    assert_eq!(
        records[4]["actor"],
        json!({ "callerType": "EXTERNAL_USER", "profileId": STRANGER })
    );
    assert_eq!(records[5]["actor"]["callerType"], "KEY");
    let kinds: Vec<FactActorKind> = told(&sim, Provider::GoogleDrive, "")
        .iter()
        .map(|fact| fact.actor_kind)
        .collect();
    assert_eq!(kinds, [User, User, User, User, Anonymous, Service, User, User]);
}

#[test]
fn activity_names_people_only() {
    let sim = sim_of(hands(), at_once(), None);
    let answer = activity(&sim, &json!({})).unwrap();
    let mut acts = rows(&answer, "activities").to_vec();
    acts.reverse();
    let owner = json!({ "personName": format!("people/{}", profile(&sim, OWNER)), "isCurrentUser": true });
    for act in &acts[..3] {
        assert_eq!(
            act["actors"],
            json!([{ "user": { "knownUser": owner } }]),
            "no application is named"
        );
    }
    assert_eq!(acts[4]["actors"], json!([{ "anonymous": {} }]));
    assert_eq!(acts[5]["actors"][0]["system"]["type"], "TRASH_AUTO_PURGE");
    assert_eq!(acts[6]["actors"], json!([{ "user": { "deletedUser": {} } }]));
    assert_eq!(acts[7]["actors"][1], json!({ "administrator": {} }));
}

#[test]
fn an_application_may_stay_unnamed() {
    let hidden = Audit {
        applications: Applications::Hidden,
        ..at_once()
    };
    let sim = sim_of(hands(), hidden, None);
    let answer = reports(&sim, "all?eventName=upload").unwrap();
    assert!(
        rows(&answer, "items")
            .iter()
            .all(|record| record["actor"].get("applicationInfo").is_none())
    );
}

#[test]
fn activity_is_asked_by_folder_and_filter() {
    let sim = sim_of(history(), at_once(), Some(2));
    let ask = |request: Value| activity(&sim, &request);
    let below = |path: &str| format!("items/{}", id(&sim, path));
    let mut found = Vec::new();
    let mut request =
        json!({ "ancestorName": below("F"), "filter": "detail.action_detail_case:(MOVE RENAME DELETE)" });
    loop {
        let answer = ask(request.clone()).unwrap();
        found.extend(rows(&answer, "activities").to_vec());
        match answer.get("nextPageToken") {
            Some(token) => request["pageToken"] = token.clone(),
            None => break,
        }
    }
    assert_eq!(found.len(), 3);
    assert_eq!(
        found[0]["primaryActionDetail"],
        json!({ "delete": { "type": "TRASH" } })
    );
    assert_eq!(found[0]["timestamp"], "2026-01-01T00:00:05.000Z");
    let moved = &found[1];
    assert_eq!(moved["actions"].as_array().unwrap().len(), 2);
    let removed = &moved["primaryActionDetail"]["move"]["removedParents"][0]["driveItem"];
    assert_eq!(removed["name"], below("F/d"));
    assert_eq!(moved["actions"][1]["detail"]["rename"]["oldTitle"], "b.txt");
    assert_eq!(moved["targets"][0]["driveItem"]["title"], "c.txt");
    assert_eq!(found[2]["primaryActionDetail"]["rename"]["newTitle"], "b.txt");
    // What left a folder is still told of it.
    let left =
        ask(json!({ "ancestorName": below("F/d"), "filter": "detail.action_detail_case:MOVE" })).unwrap();
    assert_eq!(rows(&left, "activities").len(), 1);
    let argument = |text: &str| Err(Problem::argument(text));
    assert_eq!(
        ask(json!({ "itemName": below("F"), "ancestorName": below("F") })),
        argument("Only one of itemName and ancestorName may be given.")
    );
    assert_eq!(
        ask(json!({ "filter": "title:x" })),
        argument("The filter is not valid.")
    );
    assert_eq!(
        ask(json!({ "pageToken": "x" })),
        argument("The page token is not valid.")
    );
    assert_eq!(
        ask(json!({ "folder": "x" })),
        argument("Invalid JSON payload received. Unknown name \"folder\": Cannot find field.")
    );
    assert_eq!(
        ask(json!({ "itemName": "items/none" })),
        Err(Problem::no_file("none"))
    );
}

#[test]
fn work_on_a_document_is_a_stretch_of_time_and_shared_drives_name_themselves() {
    let edits = vec![
        Edit::created(at(1), "a.gdoc", 1),
        Edit::modified(at(500), "a.gdoc", 2),
    ];
    let sim = sim_with(
        edits,
        Options {
            audit: at_once(),
            google_corpus: GoogleCorpus::SharedDrive,
            ..Options::default()
        },
    );
    sim.advance(at(1000)).unwrap();
    let answer = activity(&sim, &json!({})).unwrap();
    assert_eq!(
        rows(&answer, "activities")[0]["timeRange"],
        json!({ "startTime": "2026-01-01T00:06:20.000Z", "endTime": "2026-01-01T00:08:20.000Z" })
    );
    let drive = wire::shared_drive(&sim).unwrap();
    let answer = reports(&sim, &format!("all?filters=shared_drive_id=={drive}")).unwrap();
    assert_eq!(brief(&answer), ["edit a.gdoc", "create+add_to_folder a.gdoc"]);
    let event = &rows(&answer, "items")[0]["events"][0];
    assert_eq!(parameter(event, "shared_drive_id")["value"], drive);
    assert_eq!(parameter(event, "owner_is_shared_drive")["boolValue"], true);
}

#[test]
fn records_lag_and_faults_spoil_them() {
    let sim = sim_of(history(), Audit::default(), None);
    sim.advance(at(2000)).unwrap();
    assert!(rows(&reports(&sim, "all").unwrap(), "items").len() < 9);
    sim.advance(at(12 * 3600 + 10)).unwrap();
    assert_eq!(rows(&reports(&sim, "all").unwrap(), "items").len(), 8);
    let plan = |fault| sim.plan_faults(vec![FaultPlan::once(fault)]);
    plan(Fault::EmptyPage);
    let empty = reports(&sim, "all").unwrap();
    assert!(empty.get("items").is_none());
    let token = empty["nextPageToken"].as_str().unwrap();
    assert_eq!(
        rows(
            &reports(&sim, &format!("all?pageToken={token}")).unwrap(),
            "items"
        )
        .len(),
        8
    );
    plan(Fault::LostCursor);
    assert_eq!(
        reports(&sim, &format!("all?pageToken={token}")),
        Err(Problem::invalid("pageToken"))
    );
    plan(Fault::DuplicateItems);
    plan(Fault::MissingActor);
    plan(Fault::UnknownKind);
    let spoiled = reports(&sim, "all").unwrap();
    assert_eq!(rows(&spoiled, "items").len(), 16);
    assert_eq!(rows(&spoiled, "items")[0]["actor"], json!({}));
    assert_eq!(rows(&spoiled, "items")[0]["events"][0]["name"], "beam");
    plan(Fault::AuditLate { minutes: 30 });
    assert_eq!(rows(&activity(&sim, &json!({})).unwrap(), "activities").len(), 7);
    assert_eq!(
        rows(&reports(&sim, "all").unwrap(), "items").len(),
        8,
        "a record that is late in one log is not in the other"
    );
    let call = sim.begin(Provider::GoogleDrive, "activity");
    let refused = super::super::refusal(&Fault::Throttle429 { retry_after: None }, &call);
    assert_eq!(refused.status(), 429);
    let call = sim.begin(Provider::GoogleDrive, "reports");
    let refused = super::super::refusal(&Fault::Throttle429 { retry_after: None }, &call);
    assert_eq!(refused.status(), 503);
}
