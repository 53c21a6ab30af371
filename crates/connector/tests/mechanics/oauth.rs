//! Getting, keeping and renewing tokens.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use async_trait::async_trait;
use revtrail_connector::{
    ConnectorError, ErrorKind,
    http::Http,
    oauth::{
        AssertionSource, ClientProof, Grant, OAuth, RefreshTokenStore, SecretFile, SecretSource, TokenSource,
    },
    request::Request,
    time::Timestamp,
};
use revtrail_model::time::Clock;
use rstest::rstest;
use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;

use crate::{
    http::{Statuses, settings},
    server::{Reply, Server, json, status, with},
};

const TOKEN: &str = r#"{"access_token":"t1","token_type":"Bearer","expires_in":1000}"#;
const NEXT: &str = r#"{"access_token":"t2","token_type":"bearer","expires_in":1000}"#;

/// Seconds since 1970, as set.
#[derive(Default)]
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

struct Statement;

#[async_trait]
impl AssertionSource for Statement {
    async fn assertion(&self) -> Result<SecretString, ConnectorError> {
        Ok(SecretString::from("head.claims.signature+/="))
    }
}

/// Secrets in files of their own.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        files.put("client", "s3cret&=\n");
        files.put("refresh", "r1\n");
        files
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }

    fn source(&self, name: &str) -> Arc<dyn SecretSource> {
        Arc::new(SecretFile(self.0.path().join(name)))
    }

    fn client_credentials(&self) -> Grant {
        Grant::ClientCredentials {
            client_id: "app".into(),
            proof: ClientProof::Secret(self.source("client")),
            scopes: vec!["a".into(), "b".into()],
        }
    }

    fn refresh_token(&self) -> Grant {
        Grant::RefreshToken {
            client_id: "app".into(),
            client_secret: None,
            refresh_token: self.source("refresh"),
            store: None,
            scopes: Vec::new(),
        }
    }
}

fn oauth(server: &Server, grant: Grant) -> (OAuth, Arc<Hand>) {
    let clock = Arc::new(Hand::default());
    // The endpoint is not among the account's hosts: tokens are asked for there all the same, and only there.
    let mut settings = settings([]);
    settings.clock = Arc::clone(&clock) as Arc<dyn Clock>;
    (OAuth::new(settings, server.at("token"), grant).unwrap(), clock)
}

async fn bearer(oauth: &OAuth) -> String {
    oauth.bearer().await.unwrap().expose_secret().to_owned()
}

#[tokio::test]
async fn the_secret_travels_in_the_form_and_never_in_the_address() {
    let server = Server::start([json(TOKEN)]).await;
    let files = Files::new();
    let (oauth, _) = oauth(&server, files.client_credentials());
    assert_eq!(bearer(&oauth).await, "t1");
    let asked = &server.asked()[0];
    assert_eq!(asked.line, "POST /token");
    assert_eq!(
        asked.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(asked.header("authorization"), None);
    assert_eq!(asked.form("grant_type").as_deref(), Some("client_credentials"));
    assert_eq!(asked.form("client_id").as_deref(), Some("app"));
    assert_eq!(asked.form("client_secret").as_deref(), Some("s3cret&="));
    assert_eq!(asked.form("scope").as_deref(), Some("a b"));
}

#[tokio::test]
async fn a_statement_is_traded_for_a_token() {
    let server = Server::start([json(TOKEN)]).await;
    let grant = Grant::JwtBearer {
        assertion: Arc::new(Statement),
    };
    let (oauth, _) = oauth(&server, grant);
    assert_eq!(bearer(&oauth).await, "t1");
    let asked = &server.asked()[0];
    assert_eq!(
        asked.form("grant_type").as_deref(),
        Some("urn:ietf:params:oauth:grant-type:jwt-bearer")
    );
    assert_eq!(
        asked.form("assertion").as_deref(),
        Some("head.claims.signature+/=")
    );
}

#[tokio::test]
async fn json_is_read_whatever_it_is_called() {
    let reply = Reply::Whole(
        200,
        vec![("Content-Type", "text/javascript".into())],
        TOKEN.into(),
    );
    let server = Server::start([reply]).await;
    let files = Files::new();
    let (oauth, _) = oauth(&server, files.client_credentials());
    assert_eq!(bearer(&oauth).await, "t1");
}

#[tokio::test]
async fn a_token_is_kept_for_four_fifths_of_its_life() {
    let server = Server::start([json(TOKEN), json(NEXT)]).await;
    let files = Files::new();
    let (oauth, clock) = oauth(&server, files.client_credentials());
    assert_eq!(bearer(&oauth).await, "t1");
    clock.0.store(799, Ordering::SeqCst);
    assert_eq!(bearer(&oauth).await, "t1");
    clock.0.store(800, Ordering::SeqCst);
    assert_eq!(bearer(&oauth).await, "t2");
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn callers_at_the_same_time_share_one_request() {
    let token = Server::start([json(TOKEN), json(NEXT)]).await;
    let api = Server::start([json("{}")]).await;
    let files = Files::new();
    let (oauth, _) = oauth(&token, files.client_credentials());
    let http = Http::new(settings([&api.url]), Some(Arc::new(oauth)), Arc::new(Statuses)).unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (http, url) = (http.clone(), api.at("x"));
        tasks.spawn(async move { http.send(&Request::get("drive.item", url)).await.unwrap().status });
    }
    assert_eq!(tasks.join_all().await, [200; 8]);
    assert_eq!(token.asked().len(), 1);
    let used: Vec<_> = api
        .asked()
        .iter()
        .map(|asked| asked.header("authorization") == Some("Bearer t1"))
        .collect();
    assert_eq!(used, [true; 8]);
    assert_eq!(http.usage().requests, [("drive.item", 8), ("token", 1)].into());
}

#[tokio::test]
async fn a_refused_token_is_replaced_for_everyone_at_once() {
    let server = Server::start([json(TOKEN), json(NEXT)]).await;
    let files = Files::new();
    let (oauth, _) = oauth(&server, files.client_credentials());
    let used = oauth.bearer().await.unwrap();
    // Both were refused with the same token; only the first to say so makes a request.
    assert_eq!(oauth.renew(&used).await.unwrap().expose_secret(), "t2");
    assert_eq!(oauth.renew(&used).await.unwrap().expose_secret(), "t2");
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_refused_request_goes_out_again_with_the_new_token() {
    let token = Server::start([json(TOKEN), json(NEXT)]).await;
    let api = Server::start([status(401), json("{}")]).await;
    let files = Files::new();
    let (oauth, _) = oauth(&token, files.client_credentials());
    let http = Http::new(settings([&api.url]), Some(Arc::new(oauth)), Arc::new(Statuses)).unwrap();
    http.send(&Request::get("drive.item", api.at("x"))).await.unwrap();
    let asked = api.asked();
    assert_eq!(asked[0].header("authorization"), Some("Bearer t1"));
    assert_eq!(asked[1].header("authorization"), Some("Bearer t2"));
    assert_eq!(http.usage().retries, 1);
}

#[tokio::test]
async fn a_rotated_refresh_token_is_kept_until_the_file_changes() {
    let rotating = |token: &str, refresh: &str| {
        json(&format!(
            r#"{{"access_token":"{token}","token_type":"bearer","refresh_token":"{refresh}"}}"#
        ))
    };
    let server = Server::start([
        rotating("t1", "r2"),
        json(NEXT),
        rotating("t3", "r3"),
        json(TOKEN),
    ])
    .await;
    let files = Files::new();
    let (oauth, _) = oauth(&server, files.refresh_token());
    let first = oauth.bearer().await.unwrap();
    let second = oauth.renew(&first).await.unwrap();
    files.put("refresh", "renewed by the operator");
    let third = oauth.renew(&second).await.unwrap();
    oauth.renew(&third).await.unwrap();
    let sent: Vec<_> = server
        .asked()
        .iter()
        .map(|asked| asked.form("refresh_token").unwrap())
        .collect();
    assert_eq!(sent, ["r1", "r2", "renewed by the operator", "r3"]);
    assert_eq!(
        server.asked()[0].form("grant_type").as_deref(),
        Some("refresh_token")
    );
    assert_eq!(server.asked()[0].form("client_secret"), None);
}

#[rstest]
#[case::grant(
    400,
    r#"{"error":"invalid_grant"}"#,
    ErrorKind::Unauthorized,
    Some("invalid_grant")
)]
#[case::client(
    401,
    r#"{"error":"invalid_client"}"#,
    ErrorKind::Unauthorized,
    Some("invalid_client")
)]
#[case::right(
    400,
    r#"{"error":"unauthorized_client"}"#,
    ErrorKind::Unauthorized,
    Some("unauthorized_client")
)]
#[case::number(
    400,
    r#"{"error":"invalid_client","error_description":"AADSTS7000222: The keys of a@b.example expired."}"#,
    ErrorKind::Unauthorized,
    Some("invalid_client AADSTS7000222")
)]
#[case::scope(400, r#"{"error":"invalid_scope"}"#, ErrorKind::Config, Some("invalid_scope"))]
#[case::names(400, r#"{"error":"Ms. Y was here"}"#, ErrorKind::Config, None)]
#[case::page(403, "<html>", ErrorKind::PermissionDenied, None)]
#[case::address(404, "", ErrorKind::Config, None)]
#[tokio::test]
async fn refusals_are_final_and_say_what_to_mend(
    #[case] status: u16,
    #[case] body: &str,
    #[case] kind: ErrorKind,
    #[case] code: Option<&str>,
) {
    let server = Server::start([Reply::Whole(status, Vec::new(), body.into())]).await;
    let files = Files::new();
    let (oauth, _) = oauth(&server, files.client_credentials());
    let error = oauth.bearer().await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (kind, code));
    assert_eq!((error.operation, error.status), ("token", Some(status)));
    assert_eq!(server.asked().len(), 1);
}

#[rstest]
#[case::limit(with(429, "Retry-After", "0"))]
#[case::down(status(500))]
#[case::server_error(Reply::Whole(400, Vec::new(), br#"{"error":"temporarily_unavailable"}"#.to_vec()))]
#[case::cut_off(json(r#"{"access_to"#))]
#[tokio::test]
async fn failures_that_may_pass_are_repeated(#[case] failure: Reply) {
    let server = Server::start([failure, json(TOKEN)]).await;
    let files = Files::new();
    let (oauth, _) = oauth(&server, files.client_credentials());
    assert_eq!(bearer(&oauth).await, "t1");
    assert_eq!(oauth.usage().requests, [("token", 2)].into());
    assert_eq!(oauth.usage().retries, 1);
}

#[tokio::test]
async fn an_answer_without_a_token_is_malformed_and_not_quoted() {
    let server = Server::start([json(r#"{"access_token":{"hidden":"t0p"},"token_type":"bearer"}"#)]).await;
    let files = Files::new();
    let (oauth, _) = oauth(&server, files.client_credentials());
    let error = oauth.bearer().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Malformed);
    assert!(!format!("{error:?}").contains("t0p"), "{error:?}");
}

#[tokio::test]
async fn a_missing_secret_file_is_a_mistake_of_the_configuration() {
    let server = Server::start([json(TOKEN)]).await;
    let grant = Grant::ClientCredentials {
        client_id: "app".into(),
        proof: ClientProof::Secret(Arc::new(SecretFile("/nonexistent/secret".into()))),
        scopes: Vec::new(),
    };
    let (oauth, _) = oauth(&server, grant);
    let error = oauth.bearer().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Config);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "cannot read secret file /nonexistent/secret");
    assert_eq!(server.asked().len(), 0);
}

#[tokio::test]
async fn the_secret_is_not_sent_after_a_redirect() {
    let foreign = Server::start([json(TOKEN)]).await;
    let server = Server::start([with(307, "Location", foreign.at("token").as_str())]).await;
    let files = Files::new();
    let (oauth, _) = oauth(&server, files.client_credentials());
    let error = oauth.bearer().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::ForeignHost);
    assert_eq!(foreign.asked().len(), 0);
}

#[tokio::test]
async fn a_program_may_prove_itself_with_a_statement_instead_of_a_secret() {
    let server = Server::start([json(TOKEN)]).await;
    let grant = Grant::ClientCredentials {
        client_id: "app".into(),
        proof: ClientProof::Assertion(Arc::new(Statement)),
        scopes: vec!["a".into()],
    };
    let (oauth, _) = oauth(&server, grant);
    assert_eq!(bearer(&oauth).await, "t1");
    let asked = &server.asked()[0];
    assert_eq!(
        asked.form("client_assertion_type").as_deref(),
        Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
    );
    assert_eq!(
        asked.form("client_assertion").as_deref(),
        Some("head.claims.signature+/=")
    );
    assert_eq!(asked.form("client_id").as_deref(), Some("app"));
    assert_eq!(asked.form("client_secret"), None);
}

#[tokio::test]
async fn a_platform_gives_tokens_to_whoever_runs_there() {
    let server = Server::start([json(TOKEN)]).await;
    let grant = Grant::Ambient {
        headers: vec![("metadata-flavor", "Google".into())],
        query: vec![("scopes", "https://x/y".into())],
    };
    let (oauth, _) = oauth(&server, grant);
    assert_eq!(bearer(&oauth).await, "t1");
    let asked = &server.asked()[0];
    assert_eq!(asked.line, "GET /token?scopes=https%3A%2F%2Fx%2Fy");
    assert_eq!(asked.header("metadata-flavor"), Some("Google"));
    assert_eq!((asked.header("authorization"), asked.body.as_str()), (None, ""));
}

const REPLACED: &str =
    r#"{"access_token":"t1","token_type":"Bearer","expires_in":1000,"refresh_token":"r2"}"#;

fn with_store(files: &Files, store: std::path::PathBuf) -> Grant {
    Grant::RefreshToken {
        client_id: "app".into(),
        client_secret: None,
        refresh_token: files.source("refresh"),
        store: Some(RefreshTokenStore(store)),
        scopes: Vec::new(),
    }
}

#[tokio::test]
async fn a_store_is_of_one_token_and_for_its_owner_only() {
    let server = Server::start([json(REPLACED)]).await;
    let files = Files::new();
    let store = files.0.path().join("store");
    let (first, _) = oauth(&server, with_store(&files, store.clone()));
    assert_eq!(bearer(&first).await, "t1");
    let text = std::fs::read_to_string(&store).unwrap();
    // The digest of `r1`, as sha256sum tells it.
    let digest = "82f3e9c695dc6b8d1b11818d5701919e286de8d47f7c3eb3100c485f79e57828";
    assert!(
        text.contains(r#""refresh_token":"r2""#) && text.contains(digest),
        "{text}"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            std::fs::metadata(&store).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    assert_eq!(
        std::fs::read_dir(files.0.path()).unwrap().count(),
        3,
        "nothing lies about"
    );
    let (second, _) = oauth(&server, with_store(&files, store.clone()));
    bearer(&second).await;
    assert_eq!(server.asked()[1].form("refresh_token").as_deref(), Some("r2"));
    files.put("refresh", "r9\n");
    let (third, _) = oauth(&server, with_store(&files, store));
    bearer(&third).await;
    assert_eq!(server.asked()[2].form("refresh_token").as_deref(), Some("r9"));
}

#[tokio::test]
async fn a_store_that_cannot_be_written_does_not_end_the_run() {
    let server = Server::start([json(REPLACED)]).await;
    let files = Files::new();
    let (oauth, clock) = oauth(&server, with_store(&files, files.0.path().join("nothing/store")));
    assert_eq!(bearer(&oauth).await, "t1");
    clock.0.store(1000, Ordering::SeqCst);
    bearer(&oauth).await;
    // What took its place is known to this process at least.
    assert_eq!(server.asked()[1].form("refresh_token").as_deref(), Some("r2"));
}

#[tokio::test]
async fn a_file_that_is_no_store_is_told_and_not_overwritten() {
    let server = Server::start([json(REPLACED)]).await;
    let files = Files::new();
    files.put("store", "s0mething else");
    let store = files.0.path().join("store");
    let (oauth, _) = oauth(&server, with_store(&files, store.clone()));
    let error = oauth.bearer().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Config);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        cause.contains("is no refresh token store") && !format!("{error:?}").contains("s0mething"),
        "{cause}"
    );
    assert_eq!(std::fs::read_to_string(&store).unwrap(), "s0mething else");
}
