use axum::body::{Body, to_bytes};
use axum::http::StatusCode;
use tower::ServiceExt as _;

use super::*;
use crate::fault::{Fault, FaultKind};
use crate::sim::{Options, Provider};
use crate::source::WorldSource;
use crate::world::Edit;

fn at(text: &str) -> Timestamp {
    format!("2026-01-05T{text}Z").parse().unwrap()
}

fn sim() -> Arc<Sim> {
    let edits = vec![
        Edit::created(at("09:00:00"), "Team/a.txt", 10),
        Edit::created(at("10:00:00"), "Other/b.txt", 20),
        Edit::renamed(at("11:00:00"), "Other/b.txt", "Team/b.txt"),
        Edit::modified(at("12:00:00"), "Team/a.txt", 30),
        Edit::deleted(at("13:00:00"), "Team"),
    ];
    Sim::new(WorldSource::from_edits(edits), Options::default())
}

async fn ask(sim: &Arc<Sim>, method: &str, path: &str, body: &str) -> (StatusCode, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .body(Body::from(body.to_owned()))
        .unwrap();
    let answer = router(Arc::clone(sim)).oneshot(request).await.unwrap();
    let date = answer.headers()[header::DATE].to_str().unwrap();
    assert_eq!(date, http_date(sim));
    let status = answer.status();
    let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap())
}

async fn refused(method: &str, path: &str, body: &str) -> (u16, String) {
    let (status, body) = ask(&sim(), method, path, body).await;
    assert!(!body["hint"].as_str().unwrap().is_empty());
    (status.as_u16(), body["error"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn the_world_moves_on_by_moment_and_by_edits() {
    let sim = sim();
    let (_, before) = ask(&sim, "GET", "/status", "").await;
    assert_eq!(before["now"], "2026-01-05T08:59:59Z");
    assert_eq!((&before["seq"], &before["edits_left"]), (&json!(0), &json!(5)));
    let (status, moved) = ask(&sim, "POST", "/advance", r#"{"to":"2026-01-05T10:30:00Z"}"#).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&moved["applied"], &moved["seq"]), (&json!(2), &json!(4)));
    let (_, moved) = ask(&sim, "POST", "/advance", r#"{"edits":2}"#).await;
    assert_eq!(moved["now"], "2026-01-05T12:00:00Z");
    assert_eq!(
        (&moved["edits_applied"], &moved["edits_left"]),
        (&json!(4), &json!(1))
    );
}

#[tokio::test]
async fn faults_and_counters_come_and_go() {
    let sim = sim();
    let plan = r#"[{"fault":{"kind":"empty_page"},"provider":"dropbox","times":2}]"#;
    let (_, planned) = ask(&sim, "POST", "/faults", plan).await;
    assert_eq!(planned, json!({"planned": 1}));
    let call = sim.begin(Provider::Dropbox, "list_folder");
    assert_eq!(sim.fires(&call, FaultKind::EmptyPage), Some(Fault::EmptyPage));
    let (_, status) = ask(&sim, "GET", "/status", "").await;
    assert_eq!(status["requests"], json!({"dropbox": {"list_folder": 1}}));
    assert_eq!(status["faults_fired"], json!({"empty_page": 1}));
    ask(&sim, "DELETE", "/faults", "").await;
    ask(&sim, "POST", "/reset-counters", "").await;
    assert_eq!(sim.fires(&call, FaultKind::EmptyPage), None);
    let (_, status) = ask(&sim, "GET", "/status", "").await;
    assert_eq!(
        (&status["requests"], &status["faults_fired"]),
        (&json!({}), &json!({}))
    );
}

#[tokio::test]
async fn a_quota_set_later_holds_from_then_on() {
    let sim = sim();
    let call = sim.begin(Provider::Dropbox, "list_folder");
    let spend = || (0..501).filter(|_| sim.charge(&call, "").is_some()).count();
    assert_eq!(spend(), 0);
    let (_, set) = ask(&sim, "POST", "/quota", r#"{"times":1}"#).await;
    assert_eq!(set, json!({"times": 1}));
    assert_eq!(spend(), 1);
    let (status, _) = ask(&sim, "POST", "/quota", r#"{"time":1}"#).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_truth_of_a_provider_is_told_without_moving_the_world() {
    let sim = sim();
    let polls = "2026-01-05T09:30:00Z,2026-01-05T12:30:00Z";
    let path = format!("/truth/could-tell?provider=dropbox&folder=/Team&polls={polls}");
    let (status, told) = ask(&sim, "GET", &path, "").await;
    assert_eq!(status, StatusCode::OK);
    let facts = told["facts"].as_array().unwrap();
    let saves: Vec<_> = facts
        .iter()
        .filter(|fact| fact["path"] == "a.txt")
        .map(|fact| (&fact["poll"], &fact["action"], &fact["size"]))
        .collect();
    assert_eq!(
        saves,
        [
            (&json!(0), &json!("created"), &json!(10)),
            (&json!(1), &json!("modified"), &json!(30)),
        ]
    );
    assert_eq!(sim.world().edits_applied(), 0);
}

#[tokio::test]
async fn what_happened_in_a_folder_includes_arrivals_and_its_own_end() {
    let sim = sim();
    sim.advance(at("12:30:00")).unwrap();
    let count = async |path: &str| {
        let (_, told) = ask(&sim, "GET", path, "").await;
        told["facts"].as_array().unwrap().len()
    };
    assert_eq!(count("/truth/happened?folder=/Team").await, 3);
    let later = "/truth/happened?folder=Team&until=2026-01-05T13:00:00Z";
    assert_eq!(count(later).await, 4);
    assert_eq!(
        count("/truth/happened?folder=/&until=2026-01-05T10:00:00Z").await,
        2
    );
    assert_eq!(count("/truth/happened?folder=Tea").await, 0);
    let (_, told) = ask(&sim, "GET", "/truth/happened?folder=Other", "").await;
    assert_eq!(told["facts"][1]["from"], "Other/b.txt");
}

#[tokio::test]
async fn refusals_say_what_is_wrong() {
    let both = r#"{"to":"2026-01-05T10:00:00Z","edits":1}"#;
    let (status, error) = refused("POST", "/advance", both).await;
    assert_eq!(status, 400);
    assert!(error.ends_with(r#"give either "to" or "edits""#), "{error}");
    let (status, error) = refused("POST", "/advance", r#"{"until":1}"#).await;
    assert_eq!(status, 400);
    assert!(error.contains("unknown field `until`"), "{error}");
    let (status, error) = refused("POST", "/advance", r#"{"to":"2020-01-01T00:00:00Z"}"#).await;
    assert_eq!(status, 400);
    assert!(error.starts_with("cannot go back"), "{error}");
    let (status, error) = refused("POST", "/faults", r#"[{"fault":{"kind":"rain"}}]"#).await;
    assert_eq!(status, 400);
    assert!(error.contains("unknown variant `rain`"), "{error}");
    let (status, error) = refused("GET", "/truth/could-tell?provider=onedrive&folder=Team", "").await;
    assert_eq!(status, 400);
    assert!(error.contains("missing field `polls`"), "{error}");
    let base = "/truth/could-tell?provider=dropbox";
    let unsorted = format!("{base}&folder=Team&polls=2026-01-05T12:00:00Z,2026-01-05T09:00:00Z");
    let (status, error) = refused("GET", &unsorted, "").await;
    assert_eq!(status, 400);
    assert!(error.contains("not in ascending order"), "{error}");
    let missing = format!("{base}&folder=Nowhere&polls=2026-01-05T12:00:00Z");
    let (status, error) = refused("GET", &missing, "").await;
    assert_eq!((status, &*error), (400, "no folder \"Nowhere\" in the world"));
    assert_eq!(refused("GET", "/truth", "").await.0, 404);
    assert_eq!(refused("GET", "/advance", "").await.0, 405);
}

#[tokio::test]
async fn an_impossible_edit_is_the_journals_fault() {
    let edits = vec![Edit::modified(at("09:00:00"), "nothing", 1)];
    let sim = Sim::new(WorldSource::from_edits(edits), Options::default());
    let (status, body) = ask(&sim, "POST", "/advance", r#"{"edits":1}"#).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(
        body["error"],
        "edit 1 (modified of \"nothing\" at 2026-01-05T09:00:00Z) is impossible: nothing is there"
    );
}
