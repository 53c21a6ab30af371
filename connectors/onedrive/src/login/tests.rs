use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use revtrail_model::time::{self, FixedClock};
use ring::{
    rsa::KeyPair,
    signature::{
        RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
    },
};
use rstest::rstest;
use secrecy::ExposeSecret;
use serde_json::Value;

use super::*;

/// As `openssl x509 -outform DER | openssl dgst -sha256` tells it.
const THUMBPRINT: &str = "7so9fCoi3IyV1fESl55l9rWFq-7v_n4n00F4V9lpw98";

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

fn statement(certificate: &str, key: &str, algorithm: JwtAlgorithm) -> Statement {
    Statement {
        certificate: data(certificate),
        key: data(key),
        algorithm,
        client_id: "app".into(),
        audience: "https://login.example/t/oauth2/v2.0/token".into(),
        clock: Arc::new(FixedClock(time::parse("2026-01-02T03:04:05.9Z").unwrap())),
    }
}

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The public half, read with another program's parser of PEM.
fn public_key() -> Vec<u8> {
    let text = std::fs::read_to_string(data("private-key-made-for-tests.pem")).unwrap();
    let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(body).unwrap();
    KeyPair::from_pkcs8(&der).unwrap().public().as_ref().to_vec()
}

#[rstest]
#[case::pss(JwtAlgorithm::Ps256, "private-key-made-for-tests.pem", "PS256", &RSA_PSS_2048_8192_SHA256)]
#[case::pkcs1(JwtAlgorithm::Rs256, "private-key-made-for-tests.pem", "RS256", &RSA_PKCS1_2048_8192_SHA256)]
#[case::older_key_form(
    JwtAlgorithm::Ps256,
    "private-key-made-for-tests-pkcs1.pem",
    "PS256",
    &RSA_PSS_2048_8192_SHA256
)]
#[tokio::test]
async fn a_statement_names_the_certificate_and_opens_with_its_key(
    #[case] algorithm: JwtAlgorithm,
    #[case] key: &str,
    #[case] name: &str,
    #[case] verification: &'static dyn VerificationAlgorithm,
) {
    let made = statement("certificate-made-for-tests.pem", key, algorithm);
    let first = made.assertion().await.unwrap();
    let (text, signature) = first.expose_secret().rsplit_once('.').unwrap();
    let (header, claims) = text.split_once('.').unwrap();
    assert_eq!(
        decoded(header),
        serde_json::json!({"alg": name, "typ": "JWT", "x5t#S256": THUMBPRINT})
    );
    let claims = decoded(claims);
    assert_eq!(claims["aud"], "https://login.example/t/oauth2/v2.0/token");
    assert_eq!(
        (claims["iss"].as_str(), claims["sub"].as_str()),
        (Some("app"), Some("app"))
    );
    assert_eq!(
        (
            claims["nbf"].as_i64(),
            claims["iat"].as_i64(),
            claims["exp"].as_i64()
        ),
        (Some(1_767_323_045), Some(1_767_323_045), Some(1_767_323_645))
    );
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    UnparsedPublicKey::new(verification, public_key())
        .verify(text.as_bytes(), &signature)
        .unwrap();
    let second = made.assertion().await.unwrap();
    let id = |statement: &SecretString| {
        decoded(statement.expose_secret().split('.').nth(1).unwrap())["jti"].clone()
    };
    assert_ne!(id(&first), id(&second), "no statement is sent twice");
}

#[rstest]
#[case::another_certificate(
    "certificate-of-another-key.pem",
    "private-key-made-for-tests.pem",
    "does not belong to the private key"
)]
#[case::no_certificate(
    "private-key-made-for-tests.pem",
    "private-key-made-for-tests.pem",
    "holds no certificate"
)]
#[case::no_key(
    "certificate-made-for-tests.pem",
    "certificate-made-for-tests.pem",
    "holds no RSA private key"
)]
#[case::no_file("certificate-made-for-tests.pem", "nothing.pem", "cannot read")]
#[tokio::test]
async fn what_cannot_sign_is_told_before_anything_is_sent(
    #[case] certificate: &str,
    #[case] key: &str,
    #[case] why: &str,
) {
    let error = statement(certificate, key, JwtAlgorithm::Ps256)
        .assertion()
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Config);
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains(why), "{source}");
    assert!(!format!("{error:?}").contains("BEGIN"), "{error:?}");
}
