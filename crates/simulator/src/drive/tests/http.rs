use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::fault::Fault;
use crate::quota::Quota;
use crate::server::{Ports, Running};

/// Head and body of the answer to a request with these header lines.
async fn send(running: &Running, line: &str, headers: &str, body: &str) -> (String, String) {
    let address = running.url(Provider::GoogleDrive).trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

async fn signed_in() -> (Running, String) {
    signed_in_to(sim_of(vec![Edit::created(at(1), "F/a.txt", 10)], None)).await
}

async fn signed_in_to(sim: Arc<Sim>) -> (Running, String) {
    sim.advance(at(10)).unwrap();
    let running = crate::server::serve(sim, Ports::default()).await.unwrap();
    let form =
        "grant_type=refresh_token&client_id=revtrail-sim&client_secret=sim-secret&refresh_token=sim-refresh";
    let (head, body) = send(&running, "POST /token", "", form).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (&body["expires_in"], &body["token_type"]),
        (&json!(3599), &json!("Bearer"))
    );
    let bearer = format!(
        "Authorization: Bearer {}\r\n",
        body["access_token"].as_str().unwrap()
    );
    (running, bearer)
}

#[tokio::test]
async fn a_token_opens_the_api_until_it_expires() {
    let (running, bearer) = signed_in().await;
    let (head, body) = send(&running, "GET /drive/v3/files/root", &bearer, "").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(
        head.contains("content-type: application/json; charset=UTF-8"),
        "{head}"
    );
    assert!(body.contains("My Drive"), "{body}");
    let (head, body) = send(&running, "GET /drive/v3/files/root", "", "").await;
    assert!(
        head.starts_with("HTTP/1.1 401") && body.contains("authError"),
        "{head} {body}"
    );
    let (head, _) = send(&running, "PATCH /drive/v3/files/root", &bearer, "{}").await;
    assert!(head.starts_with("HTTP/1.1 403"), "{head}");
    running
        .sim()
        .plan_faults(vec![FaultPlan::once(Fault::ExpiredToken)]);
    for _ in 0..2 {
        let (head, _) = send(&running, "GET /drive/v3/files/root", &bearer, "").await;
        assert!(head.starts_with("HTTP/1.1 401"), "{head}");
    }
    let (head, body) = send(&running, "POST /token", "", "grant_type=client_credentials").await;
    assert!(
        head.starts_with("HTTP/1.1 400") && body.contains("unsupported_grant_type"),
        "{body}"
    );
}

#[tokio::test]
async fn a_long_request_may_come_as_a_form() {
    let (running, bearer) = signed_in().await;
    let headers = format!("{bearer}X-HTTP-Method-Override: GET\r\n");
    let (_, body) = send(
        &running,
        "POST /drive/v3/files",
        &headers,
        "q=name+%3D+'a.txt'&fields=files(name)",
    )
    .await;
    assert_eq!(body, r#"{"files":[{"name":"a.txt"}]}"#);
}

#[tokio::test]
async fn refusals_have_the_providers_form() {
    let (running, bearer) = signed_in().await;
    running.sim().plan_faults(vec![FaultPlan {
        times: 6,
        ..FaultPlan::once(Fault::DriveRateLimit403)
    }]);
    for _ in 0..6 {
        let (head, body) = send(&running, "GET /drive/v3/about", &bearer, "").await;
        assert!(head.starts_with("HTTP/1.1 403"), "{head}");
        let body: Value = serde_json::from_str(&body).unwrap();
        let error = &body["error"]["errors"][0];
        assert_eq!(error["domain"], "usageLimits");
        let reason = error["reason"].as_str().unwrap().to_lowercase();
        assert!(reason.ends_with("ratelimitexceeded"), "{reason}");
    }
    running
        .sim()
        .plan_faults(vec![FaultPlan::once(Fault::Throttle429 {
            retry_after: Some("0".to_owned()),
        })]);
    let (head, body) = send(&running, "GET /drive/v3/about", &bearer, "").await;
    assert!(
        head.starts_with("HTTP/1.1 429") && head.contains("retry-after: 0"),
        "{head}"
    );
    assert!(body.contains("rateLimitExceeded"), "{body}");
}

#[tokio::test]
async fn failures_of_the_service_are_told_by_status_and_reason() {
    let (running, bearer) = signed_in().await;
    for (fault, status, reason) in [
        (Fault::Internal500, 500, "internalError"),
        (Fault::Timeout504, 504, "backendError"),
        (Fault::Unavailable503 { retry_after: None }, 503, "backendError"),
    ] {
        running.sim().plan_faults(vec![FaultPlan::once(fault)]);
        let (head, body) = send(&running, "GET /drive/v3/about", &bearer, "").await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{head}");
        assert!(body.contains(reason), "{body}");
    }
}

#[tokio::test]
async fn compression_is_for_those_who_ask_for_it_twice() {
    let (running, bearer) = signed_in().await;
    let line = "GET /drive/v3/files/root";
    let once = format!("{bearer}Accept-Encoding: gzip\r\nUser-Agent: reader/1\r\n");
    let (head, body) = send(&running, line, &once, "").await;
    assert!(
        !head.contains("content-encoding") && body.contains("My Drive"),
        "{head}"
    );
}

fn batch_of(targets: &[&str]) -> String {
    let part = |(place, target)| {
        format!(
            "--mark\r\nContent-Type: application/http\r\nContent-ID: <part-{place}>\r\n\r\nGET {target} HTTP/1.1\r\n\r\n\r\n"
        )
    };
    let body: Vec<String> = targets.iter().enumerate().map(part).collect();
    body.concat() + "--mark--\r\n"
}

/// Status of each part by its `Content-ID`.
fn statuses(body: &str) -> Vec<(String, u16)> {
    let mut found: Vec<(String, u16)> = body
        .split("--batch_")
        .filter(|part| part.contains("HTTP/1.1 "))
        .map(|part| {
            let after = |mark: &str| part.split_once(mark).unwrap().1;
            let id = after("Content-ID: ").lines().next().unwrap().to_owned();
            let status = after("HTTP/1.1 ").split(' ').next().unwrap();
            (id, status.parse().unwrap())
        })
        .collect();
    found.sort();
    found
}

#[tokio::test]
async fn a_batch_answers_each_part_under_its_content_id() {
    let (running, bearer) = signed_in().await;
    let file = id(running.sim(), "F/a.txt");
    let headers = format!("{bearer}Content-Type: multipart/mixed; boundary=\"mark\"\r\n");
    let revisions = format!("/drive/v3/files/{file}/revisions?fields=revisions(size)");
    let targets = [
        revisions.as_str(),
        "/drive/v3/files/1x",
        "/drive/v3/about",
        "/drive/v3/files/root?alt=media",
    ];
    let (head, body) = send(&running, "POST /batch/drive/v3", &headers, &batch_of(&targets)).await;
    assert!(
        head.starts_with("HTTP/1.1 200") && head.contains("multipart/mixed; boundary=batch_"),
        "{head}"
    );
    let expected: Vec<(String, u16)> = [200, 404, 400, 400]
        .into_iter()
        .enumerate()
        .map(|(place, status)| (format!("<response-part-{place}>"), status))
        .collect();
    assert_eq!(statuses(&body), expected);
    assert!(body.contains(r#"{"revisions":[{"size":"10"}]}"#), "{body}");
    let counts = running.sim().counts();
    let counts = &counts[&Provider::GoogleDrive];
    assert_eq!((counts["batch"], counts["revisions"]), (1, 1));
    running
        .sim()
        .plan_faults(vec![FaultPlan::once(Fault::BatchInner429).on("revisions")]);
    let (_, body) = send(&running, "POST /batch/drive/v3", &headers, &batch_of(&targets)).await;
    let throttled = statuses(&body)[0].1;
    assert!([403, 429].contains(&throttled), "{body}");
    assert!(body.contains("usageLimits"), "{body}");
}

#[tokio::test]
async fn a_batch_of_many_is_shuffled_and_of_too_many_refused() {
    let (running, bearer) = signed_in().await;
    let headers = format!("{bearer}Content-Type: multipart/mixed; boundary=mark\r\n");
    let hundred = vec!["/drive/v3/files/root"; 100];
    let (_, body) = send(&running, "POST /batch/drive/v3", &headers, &batch_of(&hundred)).await;
    let ids: Vec<&str> = body
        .lines()
        .filter(|line| line.starts_with("Content-ID"))
        .collect();
    assert_eq!(ids.len(), 100);
    let mut sorted: Vec<(usize, &str)> = ids.iter().map(|id| (id.len(), *id)).collect();
    sorted.sort_unstable();
    assert!(sorted.iter().map(|(_, id)| *id).ne(ids.iter().copied()));
    let more = vec!["/drive/v3/files/root"; 101];
    let (head, _) = send(&running, "POST /batch/drive/v3", &headers, &batch_of(&more)).await;
    assert!(head.starts_with("HTTP/1.1 400"), "{head}");
    let bad = headers.replace("Bearer ", "Bearer x");
    let (head, _) = send(&running, "POST /batch/drive/v3", &bad, &batch_of(&hundred)).await;
    assert!(head.starts_with("HTTP/1.1 401"), "{head}");
}

#[tokio::test]
async fn parts_beyond_the_quota_are_refused_one_by_one() {
    let options = Options {
        quota: Some(Quota {
            google_drive_per_minute: 12,
            ..Quota::PUBLISHED
        }),
        ..Options::default()
    };
    let edits = WorldSource::from_edits(vec![Edit::created(at(1), "F/a.txt", 10)]);
    let (running, bearer) = signed_in_to(Sim::new(edits, options)).await;
    let headers = format!("{bearer}Content-Type: multipart/mixed; boundary=mark\r\n");
    let three = vec!["/drive/v3/files/root"; 3];
    let (head, body) = send(&running, "POST /batch/drive/v3", &headers, &batch_of(&three)).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let mut found: Vec<u16> = statuses(&body).iter().map(|(_, status)| *status).collect();
    found.sort_unstable();
    assert_eq!(&found[..2], [200, 200]);
    assert!([403, 429].contains(&found[2]), "{body}");
    let used = running.sim().used()[&Provider::GoogleDrive];
    assert_eq!((used.units, used.refused), (15, 1));
    // The token and the batch.
    assert_eq!(used.requests, 2);
}
