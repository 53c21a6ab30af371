use jiff::SignedDuration;

use super::super::tests::{ask, at};
use super::super::{Face, Route, ids};
use super::*;
use crate::audit::{Applications, Audit, Lag};
use crate::credentials::{Credentials, Team};
use crate::fault::{Fault, FaultPlan};
use crate::sim::Options;
use crate::source::WorldSource;
use crate::truth::FactAction as A;
use crate::truth::audit::FactActorKind::{Anonymous, Application, Service, User};
use crate::truth::audit::{FactActorKind, told};
use crate::world::Edit;

const OWNER: &str = "owner@handbook.example";

fn face_with(edits: Vec<Edit>, audit: Audit, page: Option<usize>) -> Face {
    let team = Team {
        id: "dbtid:AA".to_owned(),
        member: "dbmid:member".to_owned(),
        admin: "dbmid:admin".to_owned(),
    };
    let options = Options {
        page_size: page,
        audit,
        credentials: Credentials {
            team: Some(team),
            ..Credentials::default()
        },
        ..Options::default()
    };
    let face = Face::new(Sim::new(WorldSource::from_edits(edits), options));
    face.sim.advance(at(1000)).unwrap();
    face
}

fn at_once() -> Audit {
    Audit {
        lag: Lag::NONE,
        ..Audit::default()
    }
}

fn face_of(edits: Vec<Edit>) -> Face {
    face_with(edits, at_once(), None)
}

fn log(face: &Face, argument: &Value) -> Result<Value, Problem> {
    ask(face, Route::TeamEvents, argument)
}

fn next_page(face: &Face, answer: &Value) -> Result<Value, Problem> {
    ask(
        face,
        Route::TeamEventsContinue,
        &json!({ "cursor": answer["cursor"] }),
    )
}

fn events(answer: &Value) -> &Vec<Value> {
    answer["events"].as_array().unwrap()
}

/// `type path` of each event's first asset.
fn brief(answer: &Value) -> Vec<String> {
    let text = |event: &Value| {
        let path = event["assets"][0]["path"]["contextual"]
            .as_str()
            .unwrap()
            .to_owned();
        format!("{} {path}", event["event_type"][".tag"].as_str().unwrap())
    };
    events(answer).iter().map(text).collect()
}

#[test]
fn what_is_done_to_files_is_logged_and_what_the_service_does_not_log_is_not() {
    let mut edits = vec![
        Edit::created(at(1), "F/d/a", 3),
        Edit::modified(at(2), "F/d/a", 4),
        Edit::renamed(at(3), "F/d/a", "F/d/b"),
        Edit::renamed(at(4), "F/d/b", "F/c"),
        Edit::created(at(5), "F/d/x", 1),
        Edit::deleted(at(6), "F/d"),
        Edit::restored(at(7), "F/d"),
        Edit::folder_created(at(8), "F/new"),
        Edit::modified(at(9), "F/c", 5),
    ];
    edits[8].application = Some(CO_AUTHORING.into());
    let face = face_of(edits);
    let answer = log(&face, &json!({})).unwrap();
    assert_eq!(
        brief(&answer),
        [
            "file_add /F/d/a",
            "file_edit /F/d/a",
            "file_rename /F/d/a",
            "file_move /F/d/b",
            "file_add /F/d/x",
            "file_delete /F/d",
            "file_restore /F/d",
        ]
    );
    let moved = &events(&answer)[3];
    assert_eq!(
        moved["details"],
        json!({
            ".tag": "file_move_details",
            "relocate_action_details": [{ "src_asset_index": 0, "dest_asset_index": 1 }],
        })
    );
    assert_eq!(moved["assets"][1]["path"]["contextual"], "/F/c");
    assert_eq!(moved["assets"][0]["file_id"], moved["assets"][1]["file_id"]);
    assert_eq!(moved["timestamp"], "2026-01-01T00:00:04Z");
    let deleted = &events(&answer)[5];
    assert_eq!(deleted["assets"].as_array().unwrap().len(), 1);
    assert_eq!(deleted["assets"][0][".tag"], "folder");
    let facts = told(&face.sim, Provider::Dropbox, "/F");
    let actions: Vec<_> = facts.iter().map(|fact| (fact.action, &*fact.path)).collect();
    assert_eq!(
        actions,
        [
            (A::Created, "F/d/a"),
            (A::Modified, "F/d/a"),
            (A::Renamed, "F/d/b"),
            (A::Moved, "F/c"),
            (A::Created, "F/d/x"),
            (A::Deleted, "F/d"),
            (A::Restored, "F/d"),
        ]
    );
    assert_eq!(facts[0].item_id, moved["assets"][0]["file_id"].as_str().unwrap());
}

#[test]
fn one_event_lists_what_one_hand_did_at_one_moment() {
    let face = face_of(vec![
        Edit::created(at(1), "F/a", 1),
        Edit::created(at(1), "F/b", 2),
        Edit::created(at(1), "F/c", 3).by("ann@example.com"),
        Edit::renamed(at(2), "F/a", "G/a"),
        Edit::renamed(at(2), "F/b", "G/b"),
    ]);
    let answer = log(&face, &json!({})).unwrap();
    let counts: Vec<usize> = events(&answer)
        .iter()
        .map(|event| event["assets"].as_array().unwrap().len())
        .collect();
    assert_eq!(counts, [2, 1, 4]);
    let pairs = &events(&answer)[2]["details"]["relocate_action_details"];
    assert_eq!(pairs[1], json!({ "src_asset_index": 2, "dest_asset_index": 3 }));
    assert_eq!(told(&face.sim, Provider::Dropbox, "F").len(), 5);
}

/// One file by each kind of hand.
fn hands() -> Vec<Edit> {
    let by = |second, name: &str, who: &str| Edit::created(at(second), name, 1).by(who);
    let mut edits = vec![
        by(1, "a", OWNER),
        by(2, "b", "ann@example.com"),
        by(3, "c", OWNER),
        by(4, "d", "bot@x.iam.gserviceaccount.com"),
        by(5, "e", "admin@handbook.example"),
        by(6, "f", "x@anonymous.invalid"),
        by(7, "g", "x@automation.invalid"),
        by(8, "h", "left@removed.invalid"),
    ];
    edits[2].application = Some("Sorter".into());
    edits
}

#[test]
fn every_hand_has_its_form() {
    let face = face_of(hands());
    let answer = log(&face, &json!({})).unwrap();
    let actor = |place: usize| &events(&answer)[place]["actor"];
    let owner = json!({
        ".tag": "team_member",
        "account_id": ids::account_id(OWNER),
        "display_name": "owner",
        "email": OWNER,
        "team_member_id": "dbmid:member",
    });
    assert_eq!(*actor(0), json!({ ".tag": "user", "user": owner }));
    assert_eq!(actor(1)["user"][".tag"], "non_team_member");
    assert_eq!(events(&answer)[1]["involve_non_team_member"], true);
    assert_eq!(actor(2)["app"][".tag"], "user_linked_app");
    assert_eq!(actor(2)["app"]["display_name"], "Sorter");
    assert_eq!(events(&answer)[2]["context"], owner);
    assert_eq!(events(&answer)[2]["origin"]["access_method"][".tag"], "api");
    assert_eq!(actor(3)["app"][".tag"], "team_linked_app");
    assert_eq!(actor(4)[".tag"], "admin");
    assert_eq!(
        events(&answer)[4]["origin"]["access_method"][".tag"],
        "sign_in_as"
    );
    assert_eq!(events(&answer)[4]["context"]["email"], OWNER);
    assert_eq!(*actor(5), json!({ ".tag": "anonymous" }));
    assert_eq!(*actor(6), json!({ ".tag": "dropbox" }));
    assert_eq!(
        events(&answer)[6]["event_type"][".tag"],
        "file_add_from_automation"
    );
    assert!(events(&answer)[6].get("origin").is_none());
    let left = json!({ ".tag": "team_member", "account_id": ids::account_id("left@removed.invalid") });
    assert_eq!(*actor(7), json!({ ".tag": "user", "user": left }));
    let kinds: Vec<FactActorKind> = told(&face.sim, Provider::Dropbox, "")
        .iter()
        .map(|fact| fact.actor_kind)
        .collect();
    assert_eq!(
        kinds,
        [
            User,
            User,
            Application,
            Application,
            User,
            Anonymous,
            Service,
            User
        ]
    );
}

#[test]
fn an_application_may_stay_unnamed() {
    let hidden = Audit {
        applications: Applications::Hidden,
        ..at_once()
    };
    let face = face_with(hands(), hidden, None);
    let answer = log(&face, &json!({})).unwrap();
    assert_eq!(events(&answer)[2]["actor"][".tag"], "user");
    assert_eq!(events(&answer)[2]["origin"]["access_method"][".tag"], "api");
}

#[test]
fn arguments_are_checked_as_the_specification_says() {
    let face = face_of(vec![
        Edit::created(at(1), "F/a", 1).by("ann@example.com"),
        Edit::modified(at(5), "F/a", 2).by("bob@example.com"),
    ]);
    let ask = |argument: Value| log(&face, &argument);
    let both = json!({ "category": "file_operations", "event_type": "file_edit" });
    assert_eq!(ask(both), Err(Problem::tag("invalid_filters")));
    let time = |start: &str, end: &str| json!({ "time": { "start_time": start, "end_time": end } });
    let backwards = time("2026-01-01T00:00:05Z", "2026-01-01T00:00:01Z");
    assert_eq!(ask(backwards), Err(Problem::tag("invalid_time_range")));
    let unknown = json!({ "account_id": ids::account_id("nobody@example.com") });
    assert_eq!(ask(unknown), Err(Problem::tag("account_id_not_found")));
    for wrong in [
        json!({ "limit": 0 }),
        json!({ "limit": 1001 }),
        json!({ "category": "files" }),
        json!({ "account_id": "dbid:short" }),
        json!({ "time": { "start_time": "2026-01-01T00:00:05.5Z" } }),
        json!({ "time": { "from": "2026-01-01T00:00:05Z" } }),
        json!({ "cursor": "x" }),
    ] {
        assert!(matches!(ask(wrong.clone()), Err(Problem::Bad(_))), "{wrong}");
    }
    let edits = |argument: Value| brief(&ask(argument).unwrap());
    assert_eq!(
        edits(json!({ "category": { ".tag": "groups" } })),
        Vec::<String>::new()
    );
    assert_eq!(edits(json!({ "event_type": "file_edit" })), ["file_edit /F/a"]);
    // The start belongs to the range, the end does not.
    let range = time("2026-01-01T00:00:01Z", "2026-01-01T00:00:05Z");
    assert_eq!(edits(range), ["file_add /F/a"]);
    let bob = json!({ "account_id": ids::account_id("bob@example.com") });
    assert_eq!(edits(bob), ["file_edit /F/a"]);
}

#[test]
fn pages_lead_on_and_late_events_come_in_another_order() {
    let edits: Vec<Edit> = (0..40)
        .map(|place| Edit::created(at(place), &format!("F/{place}"), 1))
        .collect();
    let face = face_with(edits, Audit::default(), Some(7));
    let mut answer = log(&face, &json!({ "category": "file_operations" })).unwrap();
    let mut seen = Vec::new();
    let drain = |answer: &mut Value, seen: &mut Vec<String>| {
        loop {
            seen.extend(brief(answer));
            let more = answer["has_more"] == true;
            if !more {
                break;
            }
            let next = next_page(&face, answer).unwrap();
            assert_ne!(next["cursor"], answer["cursor"]);
            *answer = next;
        }
    };
    drain(&mut answer, &mut seen);
    assert!(seen.len() < 40, "not all are visible after {}", face.sim.now());
    face.sim.advance(at(39 + 24 * 3600)).unwrap();
    answer = next_page(&face, &answer).unwrap();
    drain(&mut answer, &mut seen);
    let mut sorted = seen.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!((seen.len(), sorted.len()), (40, 40));
    let moments: Vec<usize> = seen
        .iter()
        .map(|brief| brief.rsplit('/').next().unwrap().parse().unwrap())
        .collect();
    assert!(!moments.is_sorted(), "{moments:?}");
    let facts = told(&face.sim, Provider::Dropbox, "F");
    let told: Vec<String> = facts
        .iter()
        .map(|fact| format!("file_add /{}", fact.path))
        .collect();
    assert_eq!(told, seen, "the truth has the order of the log");
}

#[test]
fn cursors_are_reset_and_refused() {
    let face = face_of(vec![Edit::created(at(9), "F/a", 1)]);
    let answer = log(&face, &json!({})).unwrap();
    assert_eq!(answer["has_more"], false);
    let again = next_page(&face, &answer).unwrap();
    assert_eq!(*events(&again), Vec::<Value>::new());
    let garbage = json!({ "cursor": "garbage" });
    assert_eq!(next_page(&face, &garbage), Err(Problem::tag("bad_cursor")));
    let reset = || {
        Err(Problem::Route(
            json!({ ".tag": "reset", "reset": "2026-01-01T00:00:09Z" }),
        ))
    };
    face.sim.plan_faults(vec![
        FaultPlan::once(Fault::BadCursor),
        FaultPlan::once(Fault::LostCursor),
    ]);
    assert_eq!(next_page(&face, &again), Err(Problem::tag("bad_cursor")));
    assert_eq!(next_page(&face, &again), reset());
    assert!(next_page(&face, &again).is_ok());
    let later = face.sim.now() + CURSOR_LIFE + SignedDuration::from_secs(1);
    face.sim.advance(later).unwrap();
    assert_eq!(next_page(&face, &again), reset());
}

#[test]
fn faults_empty_repeat_and_spoil_pages() {
    let face = face_of(vec![
        Edit::created(at(1), "F/a", 1),
        Edit::modified(at(2), "F/a", 1),
    ]);
    let plan = |fault| face.sim.plan_faults(vec![FaultPlan::once(fault)]);
    plan(Fault::EmptyPage);
    let empty = log(&face, &json!({})).unwrap();
    assert_eq!((&empty["events"], &empty["has_more"]), (&json!([]), &json!(true)));
    assert_eq!(
        brief(&next_page(&face, &empty).unwrap()),
        ["file_add /F/a", "file_edit /F/a"]
    );
    plan(Fault::DuplicateItems);
    assert_eq!(events(&log(&face, &json!({})).unwrap()).len(), 4);
    plan(Fault::MissingActor);
    plan(Fault::UnknownKind);
    plan(Fault::UnnamedItem);
    let spoiled = log(&face, &json!({})).unwrap();
    assert!(events(&spoiled)[0].get("actor").is_none());
    assert_eq!(events(&spoiled)[0]["event_type"][".tag"], "file_beam");
    assert!(events(&spoiled)[0]["assets"][0].get("file_id").is_none());
    assert!(events(&spoiled)[1]["actor"].is_object());
    plan(Fault::AuditLate { minutes: 60 });
    let late = log(&face, &json!({})).unwrap();
    assert_eq!(brief(&late), ["file_edit /F/a"]);
    face.sim.advance(at(1000 + 3600)).unwrap();
    assert_eq!(brief(&next_page(&face, &late).unwrap()), ["file_add /F/a"]);
}

#[test]
fn plan_and_scope_decide_whether_there_is_a_log() {
    let edits = || vec![Edit::created(at(1), "F/a", 1)];
    let with = |access| face_with(edits(), Audit { access, ..at_once() }, None);
    let asked = json!({ "features": [{ ".tag": "has_team_file_events" }] });
    let features = |face: &Face| ask(face, Route::TeamFeatures, &asked);
    let says = |holds: bool| {
        let value = json!({ ".tag": "enabled", "enabled": holds });
        json!({ "values": [{ ".tag": "has_team_file_events", "has_team_file_events": value }] })
    };
    let face = with(AuditAccess::Granted);
    assert_eq!(features(&face), Ok(says(true)));
    let face = with(AuditAccess::NotInPlan);
    assert_eq!(features(&face), Ok(says(false)));
    let feature = json!({ ".tag": "invalid_account_type", "invalid_account_type": { ".tag": "feature" } });
    let files = json!({ "category": "file_operations" });
    assert_eq!(log(&face, &files), Err(Problem::Access(feature)));
    assert_eq!(*events(&log(&face, &json!({})).unwrap()), Vec::<Value>::new());
    assert_eq!(told(&face.sim, Provider::Dropbox, ""), []);
    let face = with(AuditAccess::NotGranted);
    assert_eq!(log(&face, &files), Err(Problem::Scope("events.read")));
    assert_eq!(features(&face), Err(Problem::Scope("team_info.read")));
}
