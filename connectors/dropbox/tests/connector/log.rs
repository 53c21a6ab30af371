//! The team's log, over HTTP.

use revtrail_connector::{ActivityPoint, Connector, ErrorKind, Next};
use revtrail_model::event::ActorSource;
use serde_json::{Value, json};

use crate::{
    fake::{Fake, HOME, World},
    root,
};

fn deletion(id: &str, person: &str) -> Value {
    json!({"timestamp": "2026-03-04T12:00:00Z", "event_type": {".tag": "file_delete", "description": "x"},
        "actor": {".tag": "user", "user": {".tag": "team_member", "account_id": person}},
        "assets": [{".tag": "file", "file_id": id, "path": {"namespace_relative": {"ns_id": HOME, "relative_path": "/Handbook/a"}}}]})
}

/// Who deleted which item, in the order told, and where to resume.
async fn drain(connector: &dyn Connector, mut at: ActivityPoint) -> (Vec<(String, String)>, String) {
    let mut told = Vec::new();
    loop {
        let page = connector.activity(&[root()], at).await.unwrap();
        assert_eq!(page.answered_at.unwrap().to_string(), "2026-03-05T00:00:00Z");
        told.extend(page.activities.into_iter().map(|activity| {
            let actor = activity.actor.unwrap().details.id.unwrap();
            (activity.targets[0].item.as_ref().unwrap().to_string(), actor)
        }));
        match page.next {
            Next::Page(token) => at = ActivityPoint::Page(token),
            Next::CaughtUp(cursor) => return (told, cursor.to_string()),
        }
    }
}

fn start() -> ActivityPoint {
    ActivityPoint::From("2026-03-01T00:00:00.75Z".parse().unwrap())
}

#[tokio::test]
async fn the_log_is_read_to_its_end_past_empty_pages_and_events_that_explain_nothing() {
    let preview =
        json!({"timestamp": "2026-03-04T12:00:00Z", "event_type": {".tag": "file_preview"}, "assets": []});
    let fake = Fake::start(World {
        log: vec![
            deletion("id:1", "dbid:alice"),
            preview.clone(),
            preview,
            deletion("id:2", "dbid:bob"),
            deletion("id:3", "dbid:bob"),
        ],
        ..World::default()
    })
    .await;
    let connector = fake.team_connector();
    let audit = connector.audit().unwrap();
    assert_eq!(
        (audit.source, audit.lateness.as_secs(), audit.reach),
        (ActorSource::AuditLog, 259_200, None)
    );
    let (told, cursor) = drain(connector.as_ref(), start()).await;
    let expected = [("id:1", "dbid:alice"), ("id:2", "dbid:bob"), ("id:3", "dbid:bob")];
    assert_eq!(
        told,
        expected.map(|(item, who)| (item.to_owned(), who.to_owned()))
    );
    assert_eq!(cursor, "log:5");
    let first = &fake.seen("/2/team_log/get_events")[0];
    assert_eq!(
        first.argument,
        json!({"limit": 1000, "category": {".tag": "file_operations"}, "time": {"start_time": "2026-03-01T00:00:00Z"}})
    );
    assert_eq!((first.acts_as.as_ref(), first.path_root.as_ref()), (None, None));
    let (told, cursor) = drain(connector.as_ref(), ActivityPoint::After(cursor.into())).await;
    assert_eq!((told, cursor.as_str()), (vec![], "log:5"));
    // The plan is asked once for a reading from a moment, not for one from a cursor.
    assert_eq!(fake.seen("/2/team/features/get_values").len(), 1);
}

#[tokio::test]
async fn a_plan_without_file_events_is_no_empty_log() {
    let fake = Fake::start(World {
        is_small_plan: true,
        ..World::default()
    })
    .await;
    let error = fake
        .team_connector()
        .activity(&[root()], start())
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotSupported);
    assert_eq!(
        error.to_string(),
        "dropbox get_features: not supported (the team's plan records no file events)"
    );
    assert_eq!(fake.seen("/2/team_log/get_events").len(), 0);
}

#[tokio::test]
async fn a_reset_log_loses_its_cursor() {
    for error in [
        json!({".tag": "reset", "reset": "2026-03-02T00:00:00Z"}),
        json!({".tag": "bad_cursor"}),
    ] {
        let fake = Fake::start(World {
            log_error: Some(error),
            ..World::default()
        })
        .await;
        let at = ActivityPoint::After("log:5".into());
        let error = fake.team_connector().activity(&[root()], at).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::CursorExpired);
    }
}

#[tokio::test]
async fn without_the_setting_no_log_is_read() {
    let fake = Fake::start(World::default()).await;
    assert_eq!(fake.connector().audit(), None);
}
