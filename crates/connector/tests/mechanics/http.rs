//! Sending, repeating and refusing.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use revtrail_connector::{
    ConnectorError, ErrorKind,
    http::{Answer, ErrorReader, Failure, HeaderMap, Hosts, Http, HttpSettings},
    oauth::TokenSource,
    pacing::Pacing,
    request::{Method, Request},
    retry::RetryPolicy,
    time::Timestamp,
};
use revtrail_model::{id::Provider, time::FixedClock};
use rstest::rstest;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use crate::server::{Reply, Server, json, status, with};

const NOW: &str = "2026-11-20T23:14:06Z";

/// Settings that never wait for long.
pub(crate) fn settings<'u>(hosts: impl IntoIterator<Item = &'u Url>) -> HttpSettings {
    HttpSettings {
        provider: Provider::OneDrive,
        hosts: Hosts::new(hosts),
        retry: RetryPolicy {
            base: Duration::from_millis(1),
            attempts: 4,
            ..RetryPolicy::default()
        },
        pacing: Pacing::UNLIMITED,
        user_agent: "revtrail/test".to_owned(),
        max_body_bytes: 1024,
        timeout: Duration::from_secs(30),
        clock: Arc::new(FixedClock(NOW.parse().unwrap())),
    }
}

/// Reads nothing but statuses.
pub(crate) struct Statuses;

impl ErrorReader for Statuses {
    fn read(&self, answer: &Answer, _operation: &'static str) -> Option<Failure> {
        let kind = match answer.status {
            // Some providers tell of a partial result with a status of its own.
            200..300 | 409 => return None,
            401 => ErrorKind::TokenExpired,
            404 => ErrorKind::NotFound,
            429 => ErrorKind::RateLimited { retry_after: None },
            _ => ErrorKind::Unavailable { retry_after: None },
        };
        Some(Failure {
            kind,
            code: Some(format!("code{}", answer.status)),
        })
    }

    fn request_id(&self, headers: &HeaderMap) -> Option<String> {
        Some(headers.get("request-id")?.to_str().ok()?.to_owned())
    }
}

/// `first` until it is refused, then `second`.
struct Tokens;

#[async_trait]
impl TokenSource for Tokens {
    async fn bearer(&self) -> Result<SecretString, ConnectorError> {
        Ok(SecretString::from("first"))
    }

    async fn renew(&self, used: &SecretString) -> Result<SecretString, ConnectorError> {
        assert_eq!(used.expose_secret(), "first");
        Ok(SecretString::from("second"))
    }
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Page {
    count: u32,
}

fn http(server: &Server) -> Http {
    Http::new(
        settings([&server.url]),
        Some(Arc::new(Tokens)),
        Arc::new(Statuses),
    )
    .unwrap()
}

fn get(url: Url) -> Request {
    Request::get("drive.changes", url)
}

async fn page(server: &Server) -> Result<Page, ConnectorError> {
    let http = http(server);
    Ok(http.send_json(&get(server.at("x"))).await?.0)
}

#[tokio::test]
async fn sends_what_it_is_given_and_tells_what_came_back() {
    let good = Reply::Whole(200, vec![("request-id", "r1".into())], br#"{"count":7}"#.to_vec());
    let server = Server::start([good]).await;
    let http = http(&server);
    let request = Request::post_json("batch", server.at("v1/$batch?x=1"), r#"{"a":1}"#.into())
        .header("prefer", "minimal")
        .units(5);
    let (page, answer): (Page, Answer) = http.send_json(&request).await.unwrap();
    assert_eq!(page, Page { count: 7 });
    assert_eq!((answer.status, answer.request_id.as_deref()), (200, Some("r1")));
    let date: Timestamp = "2026-11-20T23:14:05Z".parse().unwrap();
    assert_eq!(answer.date, Some(date));

    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].line, "POST /v1/$batch?x=1");
    assert_eq!(asked[0].body, r#"{"a":1}"#);
    assert_eq!(asked[0].header("content-type"), Some("application/json"));
    assert_eq!(asked[0].header("prefer"), Some("minimal"));
    assert_eq!(asked[0].header("user-agent"), Some("revtrail/test"));
    assert_eq!(asked[0].header("authorization"), Some("Bearer first"));

    http.count("versions", 20);
    let usage = http.usage();
    assert_eq!(usage.requests, [("batch", 1), ("versions", 20)].into());
    assert_eq!((usage.retries, usage.throttled_ms), (0, 0));
    assert_eq!(usage.last_answer, Some((date, NOW.parse().unwrap())));
}

#[rstest]
#[case::throttled(with(429, "Retry-After", "0"))]
#[case::throttled_without_a_time(status(429))]
#[case::unavailable(status(503))]
#[case::cut_off_by_length(Reply::Short(11, br#"{"coun"#.to_vec()))]
#[case::cut_off_without_length(Reply::Unmeasured(br#"{"coun"#.to_vec()))]
#[case::reset_within_the_body(Reply::Reset(4000, br#"{"coun"#.to_vec()))]
#[case::empty(json(""))]
#[tokio::test]
async fn what_may_pass_is_repeated(#[case] failure: Reply) {
    let server = Server::start([failure.clone(), failure, json(r#"{"count":7}"#)]).await;
    let http = http(&server);
    let (page, _): (Page, _) = http.send_json(&get(server.at("x"))).await.unwrap();
    assert_eq!(page, Page { count: 7 });
    assert_eq!(server.asked().len(), 3);
    let usage = http.usage();
    assert_eq!(usage.requests, [("drive.changes", 3)].into());
    assert_eq!(usage.retries, 2);
}

#[tokio::test]
async fn attempts_end_with_the_last_failure() {
    let server = Server::start([status(503)]).await;
    let error = page(&server).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable { retry_after: None });
    assert_eq!(
        (error.status, error.code.as_deref()),
        (Some(503), Some("code503"))
    );
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test]
async fn a_body_that_stays_cut_off_ends_too() {
    let server = Server::start([json(r#"{"count":"#)]).await;
    let error = page(&server).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable { retry_after: None });
    assert_eq!(server.asked().len(), 4);
}

#[rstest]
#[case::seconds("1.5", 2)]
#[case::above_our_own_maximum("3600", 3600)]
#[case::date("Sat, 21 Nov 2026 00:14:05 GMT", 3600)]
#[tokio::test]
async fn a_wait_beyond_the_budget_is_an_error_and_not_cut_short(#[case] value: &str, #[case] seconds: u64) {
    let server = Server::start([with(429, "Retry-After", value), json(r#"{"count":7}"#)]).await;
    let mut settings = settings([&server.url]);
    settings.retry.budget = Duration::from_secs(1);
    let http = Http::new(settings, None, Arc::new(Statuses)).unwrap();
    let error = http.send(&get(server.at("x"))).await.unwrap_err();
    let retry_after = Some(Duration::from_secs(seconds));
    assert_eq!(error.kind, ErrorKind::RateLimited { retry_after });
    assert_eq!(server.asked().len(), 1);
    assert_eq!(http.usage().throttled_ms, 0, "nothing was waited for");
}

#[tokio::test]
async fn a_pause_is_counted() {
    let server = Server::start([json("{}")]).await;
    let http = http(&server);
    http.pause(Duration::from_millis(2)).await;
    // Whole milliseconds, and nobody else was pausing.
    assert_eq!(http.usage().throttled_ms, 2);
}

#[tokio::test]
async fn nothing_is_sent_while_nothing_is_left() {
    let headers = vec![
        ("RateLimit-Limit", "1250".to_owned()),
        ("RateLimit-Remaining", "0".to_owned()),
        ("RateLimit-Reset", "60".to_owned()),
    ];
    let server = Server::start([Reply::Whole(200, headers, Vec::new())]).await;
    let http = http(&server);
    http.send(&get(server.at("a"))).await.unwrap();
    let second = get(server.at("b"));
    let more = tokio::time::timeout(Duration::from_millis(50), http.send(&second));
    let answered = more.await.ok().map(|answer| answer.unwrap().status);
    assert_eq!(answered, None, "it waits for the next window");
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn other_forms_of_json_are_not_asked_for_again_and_not_quoted() {
    let server = Server::start([json(r#"{"count":"Q3 forecast.xlsx"}"#)]).await;
    let error = page(&server).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Malformed);
    assert_eq!(error.status, Some(200));
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "JSON has an unknown form, at line 1 column 27");
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn statuses_the_reader_passes_are_answers() {
    let server = Server::start([with(409, "request-id", "r2")]).await;
    let answer = http(&server).send(&get(server.at("x"))).await.unwrap();
    assert_eq!((answer.status, answer.request_id.as_deref()), (409, Some("r2")));
}

#[tokio::test]
async fn what_does_not_pass_is_asked_once() {
    let server = Server::start([with(404, "request-id", "r3")]).await;
    let error = page(&server).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "onedrive drive.changes: not found (HTTP 404 code404), request id r3"
    );
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused() {
    let fits = Server::start([json(&format!("{{\"count\":7}}{}", " ".repeat(1013)))]).await;
    assert_eq!(page(&fits).await.unwrap(), Page { count: 7 });
    let server = Server::start([json(&format!("{{\"count\":7}}{}", " ".repeat(1014)))]).await;
    let error = page(&server).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Malformed);
    assert_eq!(error.code.as_deref(), Some("body exceeds 1024 bytes"));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_request_that_fresh_tokens_do_not_open_is_given_up() {
    let server = Server::start([status(401)]).await;
    let error = page(&server).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthorized);
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test]
async fn redirects_to_configured_hosts_are_followed_without_the_token() {
    let target = Server::start([json(r#"{"count":7}"#)]).await;
    let near = with(302, "Location", "/near");
    let far = with(307, "Location", target.at("far").as_str());
    let server = Server::start([near, far]).await;
    let http = Http::new(
        settings([&server.url, &target.url]),
        Some(Arc::new(Tokens)),
        Arc::new(Statuses),
    )
    .unwrap();
    let (page, _): (Page, _) = http.send_json(&get(server.at("x"))).await.unwrap();
    assert_eq!(page, Page { count: 7 });
    let asked = server.asked();
    assert_eq!(asked[1].line, "GET /near");
    assert_eq!(asked[1].header("authorization"), Some("Bearer first"));
    let far = target.asked();
    assert_eq!(far[0].line, "GET /far");
    assert_eq!(far[0].header("authorization"), None);
}

#[tokio::test]
async fn redirects_elsewhere_are_refused() {
    let foreign = Server::start([json(r#"{"count":7}"#)]).await;
    let server = Server::start([with(302, "Location", foreign.at("secret/path").as_str())]).await;
    let error = page(&server).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::ForeignHost);
    assert_eq!(
        error.code.as_deref(),
        Some(foreign.url.as_str().trim_end_matches('/'))
    );
    assert_eq!(foreign.asked().len(), 0);
    assert_eq!(server.asked().len(), 1);
}

#[rstest]
#[case::of_a_post("/other", Method::Post, "redirect of a question with a body")]
#[case::without_end("/x", Method::Get, "too many redirects")]
#[case::to_nowhere("http://[", Method::Get, "redirect to no address")]
#[tokio::test]
async fn other_redirects_are_malformed(#[case] to: &str, #[case] method: Method, #[case] code: &str) {
    let server = Server::start([with(302, "Location", to)]).await;
    let request = Request {
        method,
        ..get(server.at("x"))
    };
    let error = http(&server).send(&request).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Malformed);
    assert_eq!(error.code.as_deref(), Some(code));
    let sent = if code == "too many redirects" { 6 } else { 1 };
    assert_eq!(server.asked().len(), sent);
}

#[tokio::test]
async fn foreign_requests_and_links_go_nowhere() {
    let foreign = Server::start([json("{}")]).await;
    let server = Server::start([json("{}")]).await;
    let http = http(&server);
    let error = http.send(&get(foreign.at("x"))).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::ForeignHost);
    assert_eq!(foreign.asked().len(), 0);
    assert!(!http.origin_allowed(&foreign.url));

    let link = server.at("next?$skiptoken=a%20b");
    assert_eq!(http.check_origin("drive.changes", link.as_str()).unwrap(), link);
    let error = http
        .check_origin("drive.changes", foreign.at("private").as_str())
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::ForeignHost);
    assert!(!error.to_string().contains("private"), "{error}");
    let error = http.check_origin("drive.changes", "/relative").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Malformed);
}

#[tokio::test]
async fn nobody_there_is_unavailable_and_names_no_path() {
    let server = Server::start([json("{}")]).await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let http = Http::new(settings([&gone, &server.url]), None, Arc::new(Statuses)).unwrap();
    let request = get(gone.join("Board%20minutes.docx").unwrap());
    let error = http.send(&request).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable { retry_after: None });
    assert!(!format!("{error:?}").contains("minutes"), "{error:?}");
    assert_eq!(http.usage().retries, 3);
}

#[test]
fn a_pace_of_nothing_is_a_mistake_of_the_configuration() {
    let mut settings = settings([]);
    settings.pacing.units_per_second = 0.0;
    let error = Http::new(settings, None, Arc::new(Statuses)).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Config);
}

#[tokio::test]
async fn contents_are_fetched_without_the_token_and_up_to_a_limit() {
    let store = Server::start([Reply::Whole(200, Vec::new(), b"hello".to_vec())]).await;
    let link = store.at("d?tempauth=s");
    let server = Server::start([with(302, "Location", link.as_str())]).await;
    // The store is no origin of the API; the same server is, under another path.
    let http = Http::new(
        settings([&server.url, &store.url]),
        Some(Arc::new(Tokens)),
        Arc::new(Statuses),
    )
    .unwrap();
    let request = get(server.at("x"));
    let answer = http.download(&request, 5).await.unwrap().unwrap();
    assert_eq!(&*answer.body, b"hello");
    assert_eq!(
        http.download(&request, 4)
            .await
            .unwrap()
            .map(|answer| answer.body),
        None
    );
    assert_eq!(server.asked()[0].header("authorization"), Some("Bearer first"));
    assert!(
        store
            .asked()
            .iter()
            .all(|asked| asked.header("authorization").is_none())
    );
    assert_eq!(store.asked()[0].line, "GET /d?tempauth=s");
}

#[tokio::test]
async fn a_redirect_of_contents_within_the_host_loses_the_token_too() {
    let server = Server::start([
        with(302, "Location", "/d?tempauth=s"),
        Reply::Whole(200, Vec::new(), b"hello".to_vec()),
    ])
    .await;
    let http = http(&server);
    let answer = http.download(&get(server.at("x")), 99).await.unwrap().unwrap();
    assert_eq!(&*answer.body, b"hello");
    assert_eq!(server.asked()[1].header("authorization"), None);
}

#[tokio::test]
async fn contents_are_not_fetched_from_strangers() {
    let foreign = Server::start([Reply::Whole(200, Vec::new(), b"hello".to_vec())]).await;
    let server = Server::start([with(302, "Location", foreign.at("d").as_str())]).await;
    let error = http(&server)
        .download(&get(server.at("x")), 99)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::ForeignHost);
    assert_eq!(foreign.asked().len(), 0);
}

#[tokio::test]
async fn contents_cut_off_are_fetched_again() {
    let server = Server::start([
        Reply::Short(5, b"he".to_vec()),
        Reply::Whole(200, Vec::new(), b"hello".to_vec()),
    ])
    .await;
    let http = http(&server);
    let answer = http.download(&get(server.at("x")), 99).await.unwrap().unwrap();
    assert_eq!((&*answer.body, http.usage().retries), (&b"hello"[..], 1));
}
