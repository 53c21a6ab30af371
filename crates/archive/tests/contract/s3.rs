//! The contract against a real server, when `REVTRAIL_TEST_S3_ENDPOINT` names one and the AWS
//! environment holds credentials for it. `tests/s3-server.sh` starts one and prints both.

use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::Client;
use aws_smithy_http_client::tls;
use revtrail_archive::{
    Addressing, Archive, ArchiveErrorKind, ArchiveUrl, ObjectLockState, Retention, RetentionMode, S3Archive,
    S3Options, S3Settings, Versioning, open,
};
use revtrail_model::{sha256, time};

use crate::suite::{self, key};

/// Whether a test bucket gets Object Lock.
#[derive(Clone, Copy, PartialEq)]
enum Lock {
    On,
    Off,
}

/// A fresh bucket, or `None` (after saying so) without a server.
async fn settings(lock: Lock) -> Option<S3Settings> {
    let Ok(endpoint) = std::env::var("REVTRAIL_TEST_S3_ENDPOINT") else {
        eprintln!("skipped: REVTRAIL_TEST_S3_ENDPOINT is not set");
        return None;
    };
    let mut random = [0_u8; 8];
    getrandom::fill(&mut random).unwrap();
    let bucket = format!("revtrail-test-{:016x}", u64::from_be_bytes(random));
    client(&endpoint)
        .await
        .create_bucket()
        .bucket(&bucket)
        .object_lock_enabled_for_bucket(lock == Lock::On)
        .send()
        .await
        .unwrap();
    Some(S3Settings {
        bucket,
        prefix: None,
        options: S3Options {
            region: Some("us-east-1".to_owned()),
            endpoint: Some(endpoint),
            addressing: Addressing::Path,
            lock_mode: (lock == Lock::On).then_some(RetentionMode::Governance),
        },
    })
}

async fn client(endpoint: &str) -> Client {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build_https();
    let shared = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .load()
        .await;
    let config = aws_sdk_s3::config::Builder::from(&shared).force_path_style(true);
    Client::from_conf(config.build())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the server runs on this machine, and its clock is compared with ours"
)]
fn now() -> time::Timestamp {
    time::Timestamp::now()
}

#[tokio::test]
async fn a_locked_bucket_keeps_the_contract() {
    let Some(settings) = settings(Lock::On).await else {
        return;
    };
    let archive = S3Archive::connect(settings).await.unwrap();
    suite::check_with_pages(&archive).await;
    let clock = archive.clock().await.unwrap();
    let apart = time::millis_between(clock, now()).abs();
    assert!(apart < 60_000, "{clock} is {apart} ms away");
    assert_eq!(clock.subsec_nanosecond(), 0);
}

#[tokio::test]
async fn a_bucket_without_locks_keeps_the_contract() {
    let Some(settings) = settings(Lock::Off).await else {
        return;
    };
    suite::check(&S3Archive::connect(settings).await.unwrap()).await;
}

#[tokio::test]
async fn a_prefix_is_an_archive_of_its_own() {
    let Some(settings) = settings(Lock::On).await else {
        return;
    };
    let url = |path: &str| {
        format!("s3://{}{path}", settings.bucket)
            .parse::<ArchiveUrl>()
            .unwrap()
    };
    let whole = open(&url(""), settings.options.clone()).await.unwrap();
    let below = open(&url("/audit/eu"), settings.options.clone()).await.unwrap();
    whole
        .create(&key("audit/eu2/x"), "beside".into(), None)
        .await
        .unwrap();
    suite::check(&below).await;
    assert_eq!(whole.read(&key("audit/eu/back/empty")).await.unwrap(), "");
    suite::two_handles(
        &below,
        &open(&url("/audit/eu"), settings.options.clone()).await.unwrap(),
    )
    .await;
}

#[tokio::test]
async fn an_object_in_parts_is_stored_locked_and_created_once() {
    let Some(settings) = settings(Lock::On).await else {
        return;
    };
    let archive = S3Archive::connect(settings).await.unwrap();
    let bytes: Vec<u8> = (0..(64 << 20) + 1000).map(|n: u32| (n % 251) as u8).collect();
    let retention = Retention {
        mode: RetentionMode::Governance,
        until: time::parse("2099-01-02T03:04:05Z").unwrap(),
    };
    let large = key("contents/large");
    archive
        .create(&large, bytes.clone().into(), Some(retention))
        .await
        .unwrap();
    let head = archive.head(&large).await.unwrap().unwrap();
    assert_eq!(head.size_bytes, bytes.len() as u64);
    assert_eq!((head.sha256, head.retention), (None, Some(retention)));
    assert_eq!(sha256(&archive.read(&large).await.unwrap()), sha256(&bytes));
    let error = archive.create(&large, bytes.into(), None).await.unwrap_err();
    assert_eq!(error.kind(), ArchiveErrorKind::AlreadyExists);
}

#[tokio::test]
async fn the_probe_tells_a_fit_bucket_from_one_without_locks() {
    let Some(settings) = settings(Lock::On).await else {
        return;
    };
    let report = S3Archive::connect(settings).await.unwrap().probe().await.unwrap();
    assert_eq!(report.versioning, Versioning::Enabled);
    assert_eq!(
        report.object_lock,
        ObjectLockState::Enabled { default_mode: None }
    );
    assert_eq!(report.conditional_creates.winners_per_round, [1, 1, 1]);
    assert_eq!(
        report.problems(Some(RetentionMode::Compliance)),
        Vec::<&str>::new()
    );

    let Some(settings) = self::settings(Lock::Off).await else {
        return;
    };
    let report = S3Archive::connect(settings).await.unwrap().probe().await.unwrap();
    assert_eq!(
        (report.versioning, report.object_lock),
        (Versioning::Off, ObjectLockState::Off)
    );
    assert_eq!(report.problems(Some(RetentionMode::Compliance)).len(), 2);
    assert_eq!(report.problems(None), Vec::<&str>::new());
}

#[tokio::test]
async fn a_missing_bucket_is_a_wrong_setting() {
    let Some(mut settings) = settings(Lock::On).await else {
        return;
    };
    settings.bucket.push_str("-absent");
    let archive = S3Archive::connect(settings).await.unwrap();
    for error in [
        archive.list("", None).await.unwrap_err(),
        archive.create(&key("a"), "x".into(), None).await.unwrap_err(),
        archive.probe().await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ArchiveErrorKind::Config, "{error:?}");
    }
}
