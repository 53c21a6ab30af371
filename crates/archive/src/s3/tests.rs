//! Against a scripted server: what is sent, and what is made of odd answers. The contract itself
//! is checked against a real server in `tests/contract`.

mod script;
mod versions;

use aws_config::retry::RetryConfig;
use aws_sdk_s3::config::Credentials;
use revtrail_model::{sha256, time};
use rstest::rstest;

use self::script::{Answer, Script};
use super::*;

const BYTES: &str = "signed bytes";
const UNTIL: &str = "2033-05-06T07:08:09Z";

async fn archive(script: &Script) -> S3Archive {
    let settings = S3Settings {
        bucket: "records".to_owned(),
        prefix: Some("audit/eu".parse().unwrap()),
        options: S3Options {
            region: Some("eu-central-1".to_owned()),
            endpoint: Some(script.endpoint()),
            addressing: Addressing::Path,
            lock_mode: Some(RetentionMode::Compliance),
        },
    };
    let retry = RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(std::time::Duration::from_millis(1));
    let loader = connect::loader(&settings)
        .unwrap()
        .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
        .retry_config(retry);
    S3Archive::with_loader(settings, loader).await.unwrap()
}

fn key() -> ObjectKey {
    "main/2026/checkpoints/1".parse().unwrap()
}

fn lock() -> Retention {
    Retention {
        mode: RetentionMode::Compliance,
        until: time::parse(UNTIL).unwrap(),
    }
}

async fn create(script: &Script) -> Result<(), ArchiveError> {
    archive(script)
        .await
        .create(&key(), BYTES.into(), Some(lock()))
        .await
}

fn stored() -> Answer {
    Answer::ok().header("x-amz-version-id", "v1")
}

/// A head as an honest store answers it after `stored()`.
fn honest_head() -> Answer {
    head_of(BYTES).header("x-amz-object-lock-retain-until-date", UNTIL)
}

fn head_of(bytes: &str) -> Answer {
    Answer::ok()
        .header("content-length", &bytes.len().to_string())
        .header(
            "x-amz-checksum-sha256",
            &convert::checksum(sha256(bytes.as_bytes())),
        )
        .header("x-amz-version-id", "v1")
        .header("x-amz-object-lock-mode", "COMPLIANCE")
}

fn error(status: u16, code: &str) -> Answer {
    Answer::status(status).body(&format!("<Error><Code>{code}</Code><Message>m</Message></Error>"))
}

#[tokio::test]
async fn a_create_is_conditional_checked_and_locked() {
    let script = Script::new(vec![stored(), honest_head()]).await;
    create(&script).await.unwrap();
    let requests = script.requests();
    assert_eq!(requests.len(), 2);
    let put = &requests[0];
    assert_eq!(
        put.line,
        "PUT /records/audit/eu/main/2026/checkpoints/1?x-id=PutObject HTTP/1.1"
    );
    assert_eq!(put.body, BYTES.as_bytes());
    let checksum = convert::checksum(sha256(BYTES.as_bytes()));
    for (name, value) in [
        ("if-none-match", "*"),
        ("x-amz-checksum-sha256", checksum.as_str()),
        ("x-amz-object-lock-mode", "COMPLIANCE"),
        ("x-amz-object-lock-retain-until-date", UNTIL),
        ("content-length", "12"),
    ] {
        assert_eq!(put.header(name), Some(value), "{name}");
    }
    for absent in [
        "expect",
        "content-encoding",
        "x-amz-trailer",
        "x-amz-checksum-crc32",
    ] {
        assert_eq!(put.header(absent), None, "{absent}");
    }
    assert!(
        requests[1]
            .line
            .starts_with("HEAD /records/audit/eu/main/2026/checkpoints/1")
    );
    assert_eq!(requests[1].header("x-amz-checksum-mode"), Some("ENABLED"));
}

#[rstest]
#[case::the_lock_is_missing(
    Answer::ok()
        .header("content-length", "12")
        .header("x-amz-checksum-sha256", &convert::checksum(sha256(BYTES.as_bytes())))
        .header("x-amz-version-id", "v1"),
    ArchiveErrorKind::Refused
)]
#[case::the_lock_ends_early(
    head_of(BYTES).header("x-amz-object-lock-retain-until-date", "2033-05-06T07:08:08Z"),
    ArchiveErrorKind::Refused
)]
#[case::other_bytes_of_the_same_length(
    head_of("SIGNED BYTES").header("x-amz-object-lock-retain-until-date", UNTIL),
    ArchiveErrorKind::Refused
)]
#[case::no_checksum(
    Answer::ok()
        .header("content-length", "12")
        .header("x-amz-version-id", "v1")
        .header("x-amz-object-lock-mode", "COMPLIANCE")
        .header("x-amz-object-lock-retain-until-date", UNTIL),
    ArchiveErrorKind::Refused
)]
#[case::the_object_is_gone(Answer::status(404), ArchiveErrorKind::Refused)]
#[case::nobody_may_look(Answer::status(403), ArchiveErrorKind::Unknown)]
#[tokio::test]
async fn what_is_read_back_must_be_what_was_asked(#[case] head: Answer, #[case] expected: ArchiveErrorKind) {
    let script = Script::new(vec![stored(), head]).await;
    assert_eq!(create(&script).await.unwrap_err().kind(), expected);
}

#[tokio::test]
async fn another_version_on_top_is_refused() {
    let script = Script::new(vec![Answer::ok().header("x-amz-version-id", "v0"), honest_head()]).await;
    assert_eq!(
        create(&script).await.unwrap_err().kind(),
        ArchiveErrorKind::Refused
    );
}

#[tokio::test]
async fn a_first_412_is_another_writer() {
    let script = Script::new(vec![error(412, "PreconditionFailed")]).await;
    assert_eq!(
        create(&script).await.unwrap_err().kind(),
        ArchiveErrorKind::AlreadyExists
    );
    assert_eq!(script.requests().len(), 1);
}

#[rstest]
#[case::the_connection_broke(Answer::hang_up())]
#[case::the_server_failed(error(500, "InternalError"))]
#[tokio::test]
async fn a_412_after_a_lost_answer_is_our_own_object(#[case] lost: Answer) {
    let script = Script::new(vec![lost, error(412, "PreconditionFailed"), honest_head()]).await;
    create(&script).await.unwrap();
    assert_eq!(script.requests().len(), 3);
}

#[tokio::test]
async fn a_412_after_a_lost_answer_may_be_another_writer() {
    let other = head_of("other bytes!").header("x-amz-object-lock-retain-until-date", UNTIL);
    let script = Script::new(vec![Answer::hang_up(), error(412, "PreconditionFailed"), other]).await;
    assert_eq!(
        create(&script).await.unwrap_err().kind(),
        ArchiveErrorKind::AlreadyExists
    );
}

#[tokio::test]
async fn a_conflict_in_progress_is_tried_again() {
    let conflict = error(409, "ConditionalRequestConflict");
    let script = Script::new(vec![conflict, stored(), honest_head()]).await;
    create(&script).await.unwrap();
    assert_eq!(script.requests().len(), 3);
}

#[rstest]
#[case::no_answer(vec![Answer::hang_up(), Answer::hang_up(), Answer::hang_up()])]
#[case::server_errors(vec![error(503, "SlowDown"), error(503, "SlowDown"), error(500, "InternalError")])]
#[case::a_lost_answer_then_no_rights(vec![Answer::hang_up(), error(403, "AccessDenied")])]
#[tokio::test]
async fn a_write_without_a_clear_answer_is_unknown(#[case] answers: Vec<Answer>) {
    let count = answers.len();
    let script = Script::new(answers).await;
    assert_eq!(
        create(&script).await.unwrap_err().kind(),
        ArchiveErrorKind::Unknown
    );
    assert_eq!(script.requests().len(), count);
}

#[tokio::test]
async fn missing_credentials_are_a_wrong_setting() {
    let script = Script::new(vec![]).await;
    let mut archive = archive(&script).await;
    let http = aws_smithy_http_client::Builder::new().build_http();
    let provider = aws_config::provider_config::ProviderConfig::without_region().with_http_client(http);
    let absent = aws_config::profile::ProfileFileCredentialsProvider::builder()
        .configure(&provider)
        .profile_name("revtrail-no-such-profile")
        .build();
    let config = archive.client.config().to_builder().credentials_provider(absent);
    archive.client = Client::from_conf(config.build());
    let error = archive.create(&key(), BYTES.into(), None).await.unwrap_err();
    assert_eq!(error.kind(), ArchiveErrorKind::Config, "{error:?}");
}

#[tokio::test]
async fn a_refusal_names_code_and_request() {
    use std::error::Error as _;
    let answer = error(403, "AccessDenied").header("x-amz-request-id", "R4Q1");
    let script = Script::new(vec![answer]).await;
    let error = create(&script).await.unwrap_err();
    assert_eq!(error.kind(), ArchiveErrorKind::PermissionDenied);
    assert_eq!(
        error.source().unwrap().to_string(),
        "HTTP 403 AccessDenied: m, request id R4Q1"
    );
}

#[tokio::test]
async fn bytes_that_differ_from_their_checksum_are_corrupt() {
    let checksum = convert::checksum(sha256(b"other"));
    let damaged = Answer::ok()
        .header("x-amz-checksum-sha256", &checksum)
        .body(BYTES);
    let cut = Answer::ok().header("content-length", "50");
    let script = Script::new(vec![damaged, cut]).await;
    let archive = archive(&script).await;
    let error = archive.read(&key()).await.unwrap_err();
    assert_eq!(error.kind(), ArchiveErrorKind::Corrupt);
    let error = archive.read(&key()).await.unwrap_err();
    assert_eq!(error.kind(), ArchiveErrorKind::Unreachable);
}

#[tokio::test]
async fn the_clock_is_the_date_of_the_last_answer() {
    let date = "Sat, 21 Nov 2026 09:08:07 GMT";
    let script = Script::new(vec![Answer::status(404).header("date", date)]).await;
    let archive = archive(&script).await;
    assert_eq!(archive.clock().await, None);
    assert_eq!(archive.head(&key()).await.unwrap(), None);
    assert_eq!(
        archive.clock().await,
        Some(time::parse("2026-11-21T09:08:07Z").unwrap())
    );
}

#[tokio::test]
async fn a_page_of_foreign_names_is_passed_over_and_reported() {
    let page = |truncated: bool, names: &[&str]| {
        let contents: Vec<_> = names
            .iter()
            .map(|name| format!("<Contents><Key>{name}</Key><Size>3</Size></Contents>"))
            .collect();
        let contents = contents.concat();
        Answer::ok().body(&format!(
            "<ListBucketResult><IsTruncated>{truncated}</IsTruncated>{contents}</ListBucketResult>"
        ))
    };
    let script = Script::new(vec![
        page(true, &["audit/eu/a b", "audit/eu/a//c"]),
        page(false, &["audit/eu/main/x"]),
    ])
    .await;
    let listing = archive(&script)
        .await
        .list("", Some(&"a".parse().unwrap()))
        .await
        .unwrap();
    assert_eq!(
        (listing.keys, listing.more),
        (vec!["main/x".parse().unwrap()], false)
    );
    assert_eq!(listing.foreign, ["audit/eu/a b", "audit/eu/a//c"]);
    let requests = script.requests();
    for (request, expected) in [
        (&requests[0], "&prefix=audit%2Feu%2F&start-after=audit%2Feu%2Fa "),
        (&requests[1], "&start-after=audit%2Feu%2Fa%2F%2Fc "),
    ] {
        assert!(request.line.contains(expected), "{}", request.line);
    }
}

#[tokio::test]
async fn an_empty_page_that_promises_more_does_not_loop() {
    let body = "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>";
    let script = Script::new(vec![Answer::ok().body(body)]).await;
    let error = archive(&script).await.list("", None).await.unwrap_err();
    assert_eq!(error.kind(), ArchiveErrorKind::Corrupt);
}

#[rstest]
#[case("localhost:4566")]
#[case("ftp://store")]
#[case("http://user:secret@store")]
#[tokio::test]
async fn an_endpoint_must_be_a_plain_http_address(#[case] endpoint: &str) {
    let settings = S3Settings {
        bucket: "records".to_owned(),
        prefix: None,
        options: S3Options {
            endpoint: Some(endpoint.to_owned()),
            ..S3Options::default()
        },
    };
    let error = S3Archive::connect(settings).await.unwrap_err();
    assert_eq!(error.kind(), ArchiveErrorKind::Config);
    assert!(!error.to_string().contains("secret"));
}
