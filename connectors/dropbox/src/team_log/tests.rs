use rstest::rstest;
use serde_json::{Value, json};

use super::*;

fn roots() -> Vec<FolderRoot> {
    vec![FolderRoot {
        drive: "3344556677".into(),
        item: "id:root".into(),
        place: Some("/evidence".into()),
        name: None,
        parent: None,
        former: Vec::new(),
    }]
}

fn read(event: &Value) -> Option<Activity> {
    let raw = RawValue::from_string(event.to_string()).unwrap();
    let origin = Origin {
        operation: "get_events",
        request_id: Some("4e1e".into()),
    };
    activity(&roots(), &raw, &origin).unwrap()
}

fn asset(tag: &str, (ns, path): (&str, &str), id: Option<&str>) -> Value {
    json!({".tag": tag, "file_id": id, "display_name": "x", "path": {"contextual": "/else/where",
        "namespace_relative": {"ns_id": ns, "relative_path": path, "is_shared_namespace": false}}})
}

fn bob() -> Value {
    json!({".tag": "team_member", "account_id": "dbid:bob", "display_name": "Bob Okafor", "email": "bob@northwind.example"})
}

fn event(kind: &str, actor: &Value, assets: &[Value]) -> Value {
    json!({"timestamp": "2026-09-06T18:22:10Z", "event_category": {".tag": "file_operations"}, "actor": actor,
        "event_type": {".tag": kind, "description": "x"}, "assets": assets,
        "origin": {"geo_location": {"ip_address": "198.51.100.23", "city": "Lisbon"},
            "access_method": {".tag": "end_user", "end_user": {".tag": "mobile", "session_id": "dbdsid:7"}}}})
}

#[test]
fn a_deletion_names_item_place_person_and_client() {
    let file = asset("file", ("3344556677", "Evidence/2026/TMP.txt"), Some("id:tmp"));
    let found = read(&event(
        "file_delete",
        &json!({".tag": "user", "user": bob()}),
        &[file],
    ))
    .unwrap();
    assert_eq!(found.at.to_string(), "2026-09-06T18:22:10Z");
    assert_eq!(found.explains, [Action::Deleted, Action::AccessLost]);
    assert_eq!(
        found.targets,
        [Target {
            drive: Some("3344556677".into()),
            item: Some("id:tmp".into()),
            place: Some("/evidence/2026/tmp.txt".into()),
            revision: None,
            extent: Extent::Itself,
        }]
    );
    let actor = found.actor.unwrap();
    assert_eq!((actor.kind, actor.application), (ActorKind::User, None));
    assert_eq!(
        actor.details,
        ActorDetails {
            email: Some("bob@northwind.example".into()),
            id: Some("dbid:bob".into()),
            name: Some("Bob Okafor".into()),
            on_behalf_of: None,
        }
    );
    assert_eq!(
        found.client,
        Some(ClientDetails {
            address: Some("198.51.100.23".into()),
            method: Some("mobile".into()),
            user_agent: None,
        })
    );
    assert_eq!(
        (found.raw.operation, found.raw.request_id.as_deref()),
        ("get_events", Some("4e1e"))
    );
}

#[test]
fn a_folder_stands_for_its_contents_and_a_foreign_namespace_leaves_the_id_alone() {
    let assets = [
        asset("folder", ("3344556677", "/"), None),
        asset("file", ("999", "/x"), Some("id:x")),
        asset("file", ("999", "/y"), None),
        asset("paper_document", ("3344556677", "/z"), Some("id:z")),
    ];
    let targets = read(&event("file_move", &json!({".tag": "dropbox"}), &assets))
        .unwrap()
        .targets;
    let told: Vec<_> = targets
        .iter()
        .map(|target| {
            (
                target.drive.as_ref(),
                target.item.as_ref(),
                target.place.as_ref(),
                target.extent,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                Some(&"3344556677".into()),
                None,
                Some(&"".into()),
                Extent::WithContents
            ),
            (None, Some(&"id:x".into()), None, Extent::Itself),
        ]
    );
}

/// Kind, id, address and program.
type Told = (
    ActorKind,
    Option<&'static str>,
    Option<&'static str>,
    Option<&'static str>,
);

#[rstest]
#[case::admin_in_a_members_space(
    json!({".tag": "admin", "admin": {".tag": "team_member", "account_id": "dbid:eve", "email": "eve@northwind.example"}}),
    Some((ActorKind::User, Some("dbid:eve"), Some("bob@northwind.example"), None))
)]
#[case::app_for_a_member(
    json!({".tag": "app", "app": {".tag": "user_linked_app", "app_id": "dbaid:1", "display_name": "Tidy"}}),
    Some((ActorKind::Application, None, Some("bob@northwind.example"), Some("dbaid:1")))
)]
#[case::the_member(
    json!({".tag": "user", "user": bob()}),
    Some((ActorKind::User, Some("dbid:bob"), None, None))
)]
#[case::dropbox(json!({".tag": "dropbox"}), Some((ActorKind::Service, None, Some("bob@northwind.example"), None)))]
#[case::anonymous(json!({".tag": "anonymous"}), Some((ActorKind::Anonymous, None, Some("bob@northwind.example"), None)))]
#[case::of_a_later_version(json!({".tag": "robot"}), None)]
fn actors_are_told_apart(#[case] actor: Value, #[case] expected: Option<Told>) {
    let file = asset("file", ("3344556677", "/evidence/a"), Some("id:a"));
    let mut event = event("file_delete", &actor, &[file]);
    event["context"] = bob();
    let found = read(&event).unwrap().actor;
    let told = found.as_ref().map(|actor| {
        let details = &actor.details;
        (
            actor.kind,
            details.id.as_deref(),
            details.on_behalf_of.as_deref(),
            actor.application.as_ref().and_then(|app| app.id.as_deref()),
        )
    });
    assert_eq!(told, expected);
}

#[test]
fn what_explains_nothing_is_left_out() {
    let file = asset("file", ("3344556677", "/evidence/a"), Some("id:a"));
    let actor = json!({".tag": "user", "user": bob()});
    for kind in ["file_preview", "file_download", "of_a_later_version"] {
        assert_eq!(
            read(&event(kind, &actor, std::slice::from_ref(&file))),
            None,
            "{kind}"
        );
    }
    assert_eq!(read(&event("file_delete", &actor, &[])), None);
    let bare =
        json!({"timestamp": "2026-09-06T18:22:10Z", "event_type": {".tag": "file_delete"}, "assets": [file]});
    let found = read(&bare).unwrap();
    assert_eq!((found.actor, found.client), (None, None));
}

#[test]
fn the_order_of_members_does_not_make_another_record() {
    let one = r#"{"timestamp":"2026-09-06T18:22:10Z","event_type":{".tag":"file_delete"},"assets":[{".tag":"file","file_id":"id:a"}]}"#;
    let two = r#"{"assets":[{"file_id":"id:a",".tag":"file"}],"event_type":{".tag":"file_delete"},"timestamp":"2026-09-06T18:22:10Z"}"#;
    let id = |text: &str| {
        let origin = Origin {
            operation: "get_events",
            request_id: None,
        };
        let raw = RawValue::from_string(text.to_owned()).unwrap();
        activity(&[], &raw, &origin).unwrap().unwrap().id
    };
    assert_eq!(id(one), id(two));
    assert_ne!(id(one), id(&two.replace("id:a", "id:b")));
}

#[test]
fn only_a_plain_no_closes_the_plan_gate() {
    let lacks = |text: &str| serde_json::from_str::<Features>(text).unwrap().lack_file_events();
    let feature =
        r#"{"values":[{".tag":"has_team_file_events","has_team_file_events":{".tag":"enabled","enabled":"#;
    assert!(lacks(&format!("{feature}false}}}}]}}")));
    assert!(!lacks(&format!("{feature}true}}}}]}}")));
    assert!(!lacks(r#"{"values":[{".tag":"other"}]}"#));
}
