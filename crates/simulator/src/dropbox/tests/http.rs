use axum::body::{Body, to_bytes};
use axum::http::Request;
use tower::ServiceExt as _;

use super::*;
use crate::fault::Fault;

async fn post(sim: &Arc<Sim>, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
    let mut request = Request::post(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let call = sim.begin(Provider::Dropbox, "other");
    let router = router(Arc::clone(sim)).layer(Extension(call));
    router
        .oneshot(request.body(Body::from(body.to_owned())).unwrap())
        .await
        .unwrap()
}

async fn read(answer: Response) -> (u16, String, String) {
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    let status = answer.status().as_u16();
    let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    (status, kind, String::from_utf8(bytes.to_vec()).unwrap())
}

fn sim() -> Arc<Sim> {
    let edits = vec![
        Edit::created(at(1), "F/é.txt", 20).by("ann@example.com"),
        Edit::modified(at(2), "F/é.txt", 30),
    ];
    face_of(edits, None).sim
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn tokens_come_as_javascript_and_expire_as_json() {
    let sim = sim();
    let form =
        "grant_type=refresh_token&refresh_token=sim-refresh&client_id=revtrail-sim&client_secret=sim-secret";
    let (status, kind, body) = read(post(&sim, TOKEN, &[], form).await).await;
    assert_eq!((status, kind.as_str()), (200, "text/javascript"));
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (&body["token_type"], &body["expires_in"]),
        (&json!("bearer"), &json!(14_400))
    );
    let token = body["access_token"].as_str().unwrap();
    let bearer = format!("Bearer {token}");
    let path = "/2/users/get_current_account";
    let headers = [JSON, ("authorization", bearer.as_str())];
    let (status, kind, body) = read(post(&sim, path, &headers, "null").await).await;
    assert_eq!((status, kind.as_str()), (200, "application/json"));
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["root_info"]["root_namespace_id"], ids::NAMESPACE.to_string());
    sim.expire_token(token);
    let answer = post(&sim, path, &headers, "null").await;
    assert_eq!(
        answer.headers()["www-authenticate"],
        "Bearer realm=\"Dropbox-API\""
    );
    let (status, _, body) = read(answer).await;
    assert_eq!(status, 401);
    assert!(body.contains(r#"{".tag":"expired_access_token"}"#), "{body}");
    let wrong = form.replace("sim-refresh", "revoked");
    let (status, _, body) = read(post(&sim, TOKEN, &[], &wrong).await).await;
    assert_eq!(status, 400);
    assert!(body.contains("\"invalid_grant\""), "{body}");
}

#[tokio::test]
async fn wrong_requests_are_told_as_text() {
    let sim = sim();
    let bearer = format!("Bearer {}", sim.issue_token(Provider::Dropbox));
    let headers = [JSON, ("authorization", bearer.as_str())];
    let path = "/2/files/list_folder/continue";
    let body = r#"{"cursor": "x", "path": "/x"}"#;
    assert_eq!(
        read(post(&sim, path, &headers, body).await).await,
        (
            400,
            "text/plain; charset=utf-8".to_owned(),
            "Error in call to API function \"files/list_folder/continue\": request body: unknown field 'path'"
                .to_owned()
        )
    );
    let path = "/2/files/list_revisions";
    let (status, _, body) = read(post(&sim, path, &headers, r#"{"path": "/nowhere"}"#).await).await;
    assert_eq!(status, 409);
    assert!(body.contains("\"error_summary\":\"path/not_found/"), "{body}");
    let text = [("content-type", "text/plain"), headers[1]];
    assert_eq!(post(&sim, path, &text, "{}").await.status(), 400);
    assert_eq!(post(&sim, "/2/files/nothing", &headers, "{}").await.status(), 404);
    let root = r#"{".tag": "namespace_id", "namespace_id": "1"}"#;
    let rooted = [JSON, headers[1], ("dropbox-api-path-root", root)];
    assert_eq!(post(&sim, path, &rooted, "{}").await.status(), 422);
}

#[tokio::test]
async fn any_revision_can_be_downloaded() {
    let sim = sim();
    let bearer = format!("Bearer {}", sim.issue_token(Provider::Dropbox));
    let face = Face::new(Arc::clone(&sim));
    let listed = revisions(&face, &json!({ "path": "/F/é.txt" }));
    let oldest = &listed["entries"][1];
    let rev = oldest["rev"].as_str().unwrap();
    let argument = format!(r#"{{"path": "rev:{rev}"}}"#);
    let mut headers = vec![("authorization", bearer.as_str()), ("dropbox-api-arg", &argument)];
    let answer = post(&sim, DOWNLOAD, &headers, "").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["etag"], format!("W/\"{rev}\""));
    let told = answer.headers()["dropbox-api-result"].to_str().unwrap();
    assert_eq!(&serde_json::from_str::<Value>(told).unwrap(), oldest);
    let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    assert_eq!(bytes.len(), 20);
    assert_eq!(
        crate::content::Algorithm::Dropbox.digest(&bytes),
        oldest["content_hash"].as_str().unwrap()
    );
    headers.push(("range", "bytes=2-4"));
    let part = post(&sim, DOWNLOAD, &headers, "").await;
    assert_eq!(part.headers()["content-range"], "bytes 2-4/20");
    let part = to_bytes(part.into_body(), usize::MAX).await.unwrap();
    assert_eq!(part, bytes.slice(2..5));
}

#[tokio::test]
async fn throttling_comes_in_three_shapes() {
    let sim = sim();
    let fault = Fault::Throttle429 {
        retry_after: Some("2.5".to_owned()),
    };
    let mut shapes = std::collections::BTreeSet::new();
    for _ in 0..40 {
        let call = sim.begin(Provider::Dropbox, "list_folder");
        let (status, kind, body) = read(refusal(&fault, &call)).await;
        assert_eq!(status, 429);
        shapes.insert((kind, body.contains("\"retry_after\":3")));
    }
    let json = "application/json".to_owned();
    let text = "text/plain; charset=utf-8".to_owned();
    let all = [(json.clone(), false), (json, true), (text, false)];
    assert_eq!(shapes.into_iter().collect::<Vec<_>>(), all);
}

#[test]
fn accounts_are_looked_up_all_or_none() {
    let face = Face::new(sim());
    let ann = ids::account_id("ann@example.com");
    let nobody = ids::account_id("nobody@example.com");
    let batch = |ids: Vec<&str>| ask(&face, Route::AccountBatch, &json!({ "account_ids": ids }));
    let found = batch(vec![&ann]).unwrap();
    assert_eq!(found[0]["email"], "ann@example.com");
    assert_eq!(found[0]["is_teammate"], false);
    let unknown = json!({ ".tag": "no_account", "no_account": nobody });
    assert_eq!(batch(vec![&ann, &nobody]), Err(Problem::Route(unknown)));
    assert!(matches!(batch(vec![&ann, &ann]), Err(Problem::Bad(_))));
    let many: Vec<&str> = vec![&ann; 301];
    assert!(matches!(batch(many), Err(Problem::Bad(_))));
    let owner = face.sim.options().owner.email.clone();
    let one = ask(
        &face,
        Route::Account,
        &json!({ "account_id": ids::account_id(&owner) }),
    )
    .unwrap();
    assert_eq!(one["is_teammate"], true);
}
