use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use revtrail_model::time::{self, FixedClock};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::*;

const KEY_FILE: &str = include_str!("../../tests/data/service_account_key_made_for_tests.json");

fn account(key_file: &NamedTempFile, subject: Option<&str>) -> ServiceAccount {
    ServiceAccount {
        key_file: key_file.path().to_owned(),
        bearer: Bearer {
            scope: crate::api::SCOPE,
            subject: subject.map(str::to_owned),
            audience: "https://token.example/t".into(),
            clock: Arc::new(FixedClock(time::parse("2026-01-02T03:04:05.9Z").unwrap())),
        },
    }
}

fn file(text: &str) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn states_who_asks_for_whom_and_for_how_long() {
    let assertion = account(&file(KEY_FILE), Some("ana@acme.example"))
        .sign()
        .await
        .unwrap();
    let parts: Vec<&str> = assertion.split('.').collect();
    assert_eq!(
        decoded(parts[0]),
        json!({"alg": "RS256", "typ": "JWT", "kid": "kid-1"})
    );
    assert_eq!(
        decoded(parts[1]),
        json!({
            "iss": "reader@none.iam.gserviceaccount.com",
            "sub": "ana@acme.example",
            "scope": "https://www.googleapis.com/auth/drive.metadata.readonly",
            "aud": "https://token.example/t",
            "iat": 1_767_323_045,
            "exp": 1_767_326_645,
        })
    );
    assert_eq!(parts.len(), 3);
}

#[tokio::test]
async fn the_signature_opens_with_the_public_key() {
    let assertion = account(&file(KEY_FILE), None).sign().await.unwrap();
    let (statement, signature) = assertion.rsplit_once('.').unwrap();
    let key: KeyFile = serde_json::from_str(KEY_FILE).unwrap();
    let body: String = key
        .private_key
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let key = ring::rsa::KeyPair::from_pkcs8(&STANDARD.decode(body).unwrap()).unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public().as_ref());
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    public.verify(statement.as_bytes(), &signature).unwrap();
    assert!(public.verify(b"another statement", &signature).is_err());
}

#[tokio::test]
async fn without_a_subject_the_service_account_asks_for_itself() {
    let assertion = account(&file(KEY_FILE), None).sign().await.unwrap();
    let claims = decoded(assertion.split('.').nth(1).unwrap());
    assert_eq!(claims.get("sub"), None);
}

#[rstest]
#[case::no_json("-----BEGIN PRIVATE KEY-----", "is no service account key file")]
#[case::another_kind_of_credential(
    r#"{"type":"authorized_user","refresh_token":"s3cret"}"#,
    "is no service account key file"
)]
#[case::no_key(r#"{"client_email":"a@b","private_key":"s3cret"}"#, "is no RSA key")]
#[case::older_form(
    r#"{"client_email":"a@b","private_key":"-----BEGIN RSA PRIVATE KEY-----\ns3cret\n-----END RSA PRIVATE KEY-----"}"#,
    "is no RSA key"
)]
#[case::cut_off(
    r#"{"client_email":"a@b","private_key":"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----"}"#,
    "is no RSA key"
)]
#[tokio::test]
async fn a_bad_key_file_is_named_but_not_quoted(#[case] text: &str, #[case] message: &str) {
    let file = file(text);
    let error = account(&file, None).assertion().await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(error.kind, ErrorKind::Config);
    assert!(
        source.contains(message) && source.contains(file.path().to_str().unwrap()),
        "{source}"
    );
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
}

#[tokio::test]
async fn a_missing_key_file_is_named() {
    let mut account = account(&file(KEY_FILE), None);
    account.key_file = "/nonexistent/key.json".into();
    let error = account.sign().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read service account key file /nonexistent/key.json"
    );
}
