//! Signing with a key in AWS KMS: the real program against a service with the documented limits and errors.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    collections::BTreeMap,
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::Command,
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use revtrail_archive::FsArchive;
use revtrail_e2e::{Bench, FOLDER, FakeKms, Inside, Outcome, Place, Trouble, revtrail, round_end, rounds};
use revtrail_ledger::FileSigner;
use revtrail_simulator::{Options, Provider};
use rstest::rstest;
use serde_json::{Value, json};

/// Stands in no output of the program.
const SECRET: &str = "wJalrXUtnFEMI-this-is-secret";

struct Scene {
    bench: Bench,
    kms: FakeKms,
    arn: String,
}

impl Scene {
    /// A bench whose configuration signs with a key in KMS; there is no log yet.
    fn new() -> Self {
        let place = Place {
            name: "handbook",
            provider: Provider::Dropbox,
            path: FOLDER,
        };
        let bench = Bench::new(rounds("Handbook", 1, 3), Options::default(), &[place]);
        bench.advance(round_end(0));
        let kms = FakeKms::start();
        let arn = kms.make(1);
        let scene = Self { bench, kms, arn };
        scene.sign_with(&format!(
            "kms_key = \"{}\"\npublic_key_file = \"kms.pub.pem\"",
            scene.arn
        ));
        let pem = scene.call(&["key", "show", "--kms", &scene.arn]).exits(0).stdout;
        scene.bench.write("kms.pub.pem", &pem);
        scene
    }

    fn with_log() -> Self {
        let scene = Self::new();
        let _created = scene.call(&["init", "--ledger", "main"]).exits(0);
        scene
    }

    /// Replaces the keys of the configuration.
    fn sign_with(&self, lines: &str) {
        let config = self.bench.config();
        let (before, rest) = config.split_once("[signing]\n").unwrap();
        let (_keys, after) = rest.split_once("[accounts.").unwrap();
        let endpoint = self.kms.endpoint();
        let text = format!("{before}[signing]\nkms_endpoint = \"{endpoint}\"\n{lines}\n[accounts.{after}");
        self.bench.write("revtrail.toml", &text);
    }

    fn command(&self) -> Command {
        let mut command = revtrail(self.bench.dir());
        command
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", "absent")
            .env("AWS_SHARED_CREDENTIALS_FILE", "absent")
            .env_remove("AWS_ACCESS_KEY_ID")
            .env_remove("AWS_SECRET_ACCESS_KEY")
            .env_remove("AWS_PROFILE");
        command
    }

    /// Runs the program with credentials.
    fn call(&self, args: &[&str]) -> Outcome {
        let mut command = self.command();
        command
            .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .args(args);
        let outcome: Outcome = command.output().unwrap().into();
        assert!(!format!("{outcome:?}").contains(SECRET), "{outcome:?}");
        outcome
    }

    /// Files of the archive and their bytes.
    fn archive(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(&self.bench.dir().join("archive"), &mut files);
        files
    }

    fn doctor(&self, code: i32) -> (String, String, String) {
        let report = self.call(&["doctor", "--output", "json"]).exits(code).json();
        let checks = report["checks"].as_array().unwrap();
        let check = checks
            .iter()
            .find(|check| check["check"] == "signing key")
            .unwrap();
        let text = |member: &str| check[member].as_str().unwrap_or_default().to_owned();
        (text("result"), text("found"), text("hint"))
    }
}

fn collect(dir: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.insert(path.display().to_string(), fs::read(&path).unwrap());
        }
    }
}

fn error(operation: &'static str, status: u16, code: &'static str, times: u32) -> Trouble {
    Trouble::Error {
        operation,
        status,
        code,
        times,
    }
}

#[test]
fn a_log_that_kms_signed_is_like_any_other() {
    let scene = Scene::with_log();
    assert_eq!(
        scene.kms.calls(),
        ["DescribeKey", "GetPublicKey", "GetPublicKey", "Sign"]
    );
    let _harvested = scene.call(&["harvest"]).exits(0);
    assert_eq!(scene.kms.calls(), ["GetPublicKey", "Sign"]);
    let pem = fs::read_to_string(scene.bench.dir().join("kms.pub.pem")).unwrap();
    assert_eq!(pem, scene.kms.public_key(&scene.arn).to_pem().unwrap());
    let shown = scene.call(&["key", "show", "--output", "json"]).exits(0).json();
    let verifier = shown["keys"][0]["verifier_key"].as_str().unwrap().to_owned();
    assert!(verifier.starts_with("evidence.example/main/"), "{verifier}");
    // Whoever reads needs neither credentials nor the service.
    scene.sign_with("public_key_file = \"kms.pub.pem\"");
    scene.bench.verify();
    let proof = scene.bench.call(&["prove", "1", "--ledger", "main"]).exits(0);
    assert!(!proof.stdout.is_empty());
    assert_eq!(scene.bench.events().len(), 3);
    assert_eq!(scene.kms.calls(), Vec::<String>::new());
}

#[rstest]
#[case::over_other_bytes(Trouble::WrongSignature, "the configured public key refuses the signature")]
#[case::of_another_key(Trouble::OtherKey, "the configured public key refuses the signature")]
#[case::cut_short(Trouble::ShortSignature, "it has 63 bytes, not 64")]
fn a_wrong_signature_commits_nothing(#[case] trouble: Trouble, #[case] said: &str) {
    let scene = Scene::with_log();
    let before = scene.archive();
    scene.kms.trouble(&[trouble]);
    let refused = scene.call(&["harvest"]).exits(1);
    assert!(
        refused.stderr.contains("checkpoint could not be signed"),
        "{refused:?}"
    );
    assert!(refused.stderr.contains(said), "{refused:?}");
    assert!(
        refused.stderr.contains("hint: nothing was committed"),
        "{refused:?}"
    );
    assert_eq!(scene.archive(), before);
    scene.kms.trouble(&[]);
    let _harvested = scene.call(&["harvest"]).exits(0);
    scene.bench.verify();
}

#[rstest]
#[case::no_right_to_sign(
    error("Sign", 400, "AccessDeniedException", 9),
    2,
    "access denied",
    "allow kms:Sign"
)]
#[case::no_right_to_look(
    error("GetPublicKey", 400, "AccessDeniedException", 9),
    2,
    "access denied",
    "kms:GetPublicKey"
)]
#[case::expired(
    error("Sign", 400, "ExpiredTokenException", 9),
    2,
    "access denied",
    "check the credentials"
)]
#[case::refused(
    error("Sign", 400, "ValidationException", 9),
    1,
    "ValidationException: told to fail",
    "revtrail doctor"
)]
#[case::throttled(
    error("Sign", 400, "ThrottlingException", 99),
    1,
    "too many requests",
    "request quota"
)]
fn an_answer_of_no_ends_the_run_with_a_remedy(
    #[case] trouble: Trouble,
    #[case] code: i32,
    #[case] said: &str,
    #[case] hint: &str,
) {
    let scene = Scene::with_log();
    let before = scene.archive();
    scene.kms.trouble(&[trouble]);
    let refused = scene.call(&["harvest"]).exits(code);
    assert!(refused.stderr.contains(said), "{refused:?}");
    assert!(
        refused
            .stderr
            .contains("request id 11111111-2222-3333-4444-555555555555"),
        "{refused:?}"
    );
    let told = refused
        .stderr
        .lines()
        .find(|line| line.starts_with("hint: "))
        .unwrap();
    assert!(told.contains(hint), "{told}");
    assert_eq!(scene.archive(), before);
}

#[rstest]
#[case::throttled(error("Sign", 400, "ThrottlingException", 1))]
#[case::broken(error("Sign", 500, "KMSInternalException", 1))]
#[case::busy(error("GetPublicKey", 503, "DependencyTimeoutException", 1))]
fn what_may_pass_is_tried_again(#[case] trouble: Trouble) {
    let scene = Scene::with_log();
    scene.kms.trouble(&[trouble]);
    let _harvested = scene.call(&["harvest"]).exits(0);
    scene.bench.verify();
}

#[test]
fn a_key_that_cannot_sign_is_named() {
    let scene = Scene::with_log();
    let before = scene.archive();
    let (result, found, _) = scene.doctor(0);
    assert_eq!(result, "pass");
    assert!(found.contains("accepts a test signature"), "{found}");
    let cases: [(&str, &str, &str, &str); 5] = [
        ("state", "Disabled", "the key is disabled", "aws kms enable-key"),
        (
            "state",
            "PendingDeletion",
            "key state is PendingDeletion",
            "cancel-key-deletion",
        ),
        (
            "state",
            "PendingImport",
            "key state is PendingImport",
            "the key's state",
        ),
        (
            "spec",
            "ECC_NIST_P256",
            "key spec is ECC_NIST_P256",
            "ECC_NIST_EDWARDS25519",
        ),
        (
            "usage",
            "KEY_AGREEMENT",
            "key usage is KEY_AGREEMENT",
            "SIGN_VERIFY",
        ),
    ];
    for (member, value, said, remedy) in cases {
        let arn = scene.arn.clone();
        let set = |value: &str| {
            scene.kms.change(&arn, |facts| match member {
                "state" => facts.state = value.into(),
                "spec" => facts.spec = value.into(),
                _ => facts.usage = value.into(),
            });
        };
        set(value);
        let (result, found, hint) = scene.doctor(2);
        assert_eq!(result, "fail", "{value}");
        assert!(found.contains(said) && hint.contains(remedy), "{found} / {hint}");
        let _refused = scene.call(&["harvest"]).exits(2);
        set(match member {
            "state" => "Enabled",
            "spec" => "ECC_NIST_EDWARDS25519",
            _ => "SIGN_VERIFY",
        });
    }
    assert_eq!(scene.archive(), before);
    let _harvested = scene.call(&["harvest"]).exits(0);
}

#[test]
fn a_public_key_of_another_key_is_refused_before_anything_is_made() {
    let scene = Scene::new();
    let other = scene.kms.make(2);
    let pem = scene.kms.public_key(&other).to_pem().unwrap();
    scene.bench.write("kms.pub.pem", &pem);
    let refused = scene.call(&["init", "--ledger", "main"]).exits(2);
    assert!(
        refused
            .stderr
            .contains("its public key is not the configured one"),
        "{refused:?}"
    );
    assert!(
        refused
            .stderr
            .contains("hint: compare `revtrail key show --kms ARN`"),
        "{refused:?}"
    );
    assert_eq!(scene.archive(), BTreeMap::new());
    let (result, found, _) = scene.doctor(2);
    assert_eq!(result, "fail");
    assert!(
        found.contains(&scene.kms.public_key(&scene.arn).to_string()),
        "{found}"
    );
}

#[test]
fn a_key_or_credentials_that_are_not_there() {
    let scene = Scene::with_log();
    let absent = scene.arn.replace("00000001", "0000000f");
    scene.sign_with(&format!(
        "kms_key = \"{absent}\"\npublic_key_file = \"kms.pub.pem\""
    ));
    let refused = scene.call(&["harvest"]).exits(2);
    assert!(refused.stderr.contains("no such key"), "{refused:?}");
    assert!(
        refused.stderr.contains("hint: check account, region and key id"),
        "{refused:?}"
    );
    let shown = scene.call(&["key", "show", "--kms", &absent]).exits(2);
    assert!(
        shown.stderr.contains(&format!("Key '{absent}' does not exist")),
        "{shown:?}"
    );
    let bare: Outcome = scene.command().arg("harvest").output().unwrap().into();
    let bare = bare.exits(2);
    assert!(
        bare.stderr
            .contains("hint: correct the [signing] section, or the AWS credentials"),
        "{bare:?}"
    );
}

#[rstest]
#[case::two_keys(
    "key_file = \"key.pem\"\nkms_key = \"ARN\"\npublic_key_file = \"kms.pub.pem\"",
    "signing.kms_key: cannot stand beside key_file"
)]
#[case::no_public_key(
    "kms_key = \"ARN\"",
    "signing.kms_key: needs public_key_file, which `revtrail key show --kms ARN` prints"
)]
#[case::alias(
    "kms_key = \"arn:aws:kms:eu-central-1:111122223333:alias/a\"\npublic_key_file = \"kms.pub.pem\"",
    "an alias can be moved"
)]
#[case::next_without_public_key(
    "key_file = \"key.pem\"\nnext_kms_key = \"ARN\"\nnext_from = 9000",
    "signing.next_kms_key: needs next_public_key_file"
)]
#[case::next_without_year(
    "key_file = \"key.pem\"\nnext_kms_key = \"ARN\"\nnext_public_key_file = \"a\"",
    "signing.next_from: must be written"
)]
fn the_configuration_says_what_is_missing(#[case] lines: &str, #[case] said: &str) {
    let scene = Scene::new();
    scene.sign_with(&lines.replace("ARN", &scene.arn));
    let refused = scene.call(&["config", "check"]).exits(2);
    assert!(
        refused.stderr.contains(&said.replace("ARN", &scene.arn)),
        "{refused:?}"
    );
}

#[test]
fn an_endpoint_with_a_password_is_not_printed() {
    let scene = Scene::new();
    let config = scene.bench.config();
    let text = config.replace(
        "kms_endpoint = \"http://",
        "kms_endpoint = \"http://user:hunter2@",
    );
    scene.bench.write("revtrail.toml", &text);
    let refused = scene.call(&["init", "--ledger", "main"]).exits(2);
    assert!(refused.stderr.contains("kms_endpoint must be"), "{refused:?}");
    assert!(!refused.stderr.contains("hunter2"), "{refused:?}");
}

#[test]
fn keys_in_kms_change_at_the_turn_of_the_year() {
    let scene = Scene::new();
    let next = scene.kms.make(2);
    let shown = scene.call(&["key", "show", "--output", "json"]).exits(0).json();
    let origin = shown["keys"][0]["origin"].as_str().unwrap().to_owned();
    let present: i16 = origin.rsplit_once('/').unwrap().1.parse().unwrap();
    // What to write is said by the program.
    let coming = present + 1;
    let told = scene
        .call(&["key", "rotate", "next.pub.pem", "--kms", &next])
        .exits(0);
    for line in [
        format!("next_kms_key = \"{next}\""),
        "next_public_key_file = \"next.pub.pem\"".into(),
        format!("next_from = {coming}"),
    ] {
        assert!(told.stderr.contains(&line), "{told:?}");
    }
    let again = scene
        .call(&["key", "rotate", "next.pub.pem", "--kms", &next])
        .exits(2);
    assert!(
        again.stderr.contains("next.pub.pem could not be created"),
        "{again:?}"
    );
    // A log of last year, which the first key signed: a key in a file with the same secret made it, for the program's clock
    // cannot be turned back.
    fs::create_dir(scene.bench.dir().join("archive")).unwrap();
    let archive = Arc::new(FsArchive::open(scene.bench.dir().join("archive")).unwrap());
    scene.sign_with("key_file = \"key.pem\"");
    let then = format!("{}-12-31T20:00:00Z", present - 1).parse().unwrap();
    let mut plan = Inside::new(&scene.bench).plan(archive, then);
    let old = FileSigner::generate([1; 32]).unwrap();
    let key = scene.kms.public_key(&scene.arn);
    plan.signer = Arc::new(old);
    plan.verifier = Arc::new(move |origin: &str| {
        let name = origin.parse().unwrap();
        Ok(revtrail_ledger::VerifierKey::new(
            name,
            revtrail_ledger::Algorithm::Ed25519,
            key,
        ))
    });
    let _made = scene.bench.block_on(revtrail_harvest::init(&plan)).unwrap();
    // The year turns: the first key closes the log and announces the second, which opens the new one.
    let keys = format!(
        "kms_key = \"{}\"\npublic_key_file = \"kms.pub.pem\"\nnext_kms_key = \"{next}\"\n\
         next_public_key_file = \"next.pub.pem\"\nnext_from = {present}",
        scene.arn
    );
    scene.sign_with(&keys);
    let _harvested = scene.call(&["harvest"]).exits(0);
    scene.bench.verify();
    // The second key is the present one now.
    scene.sign_with(&format!(
        "kms_key = \"{next}\"\npublic_key_file = \"next.pub.pem\"\n[[signing.earlier]]\nuntil = {}\npublic_key_file = \"kms.pub.pem\"",
        present - 1
    ));
    let _harvested = scene.call(&["harvest"]).exits(0);
    scene.bench.verify();
    // The first one signs nothing of this year any more.
    scene.sign_with(&format!(
        "kms_key = \"{}\"\npublic_key_file = \"kms.pub.pem\"",
        scene.arn
    ));
    let refused = scene.call(&["harvest"]).exits(3);
    assert!(refused.stderr.contains("is bound to the key"), "{refused:?}");
}

/// What a request bears to show who sends it.
const SIGNED: &str = "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/eu-central-1/kms/aws4_request, SignedHeaders=host, Signature=00\r\n";

/// A request as any client could send it, with a header of its own.
fn post(endpoint: &str, operation: &str, body: &Value, authorization: &str) -> (u16, Value) {
    let host = endpoint.trim_start_matches("http://");
    let body = body.to_string();
    let mut stream = TcpStream::connect(host).unwrap();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/x-amz-json-1.1\r\nX-Amz-Target: TrentService.{operation}\r\n{authorization}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap())
}

/// The service of these tests keeps the limits that the real one documents.
#[test]
fn the_fake_has_the_documented_limits() {
    let kms = FakeKms::start();
    let arn = kms.make(1);
    let sign = |bytes: usize, algorithm: &str, kind: &str| {
        let message = STANDARD.encode(vec![7; bytes]);
        let body =
            json!({"KeyId": arn, "Message": message, "MessageType": kind, "SigningAlgorithm": algorithm});
        let (status, answer) = post(kms.endpoint(), "Sign", &body, SIGNED);
        (status, answer["__type"].as_str().unwrap_or("signed").to_owned())
    };
    let refused = |code: &str| (400, code.to_owned());
    assert_eq!(sign(4096, "ED25519_SHA_512", "RAW"), (200, "signed".to_owned()));
    assert_eq!(
        sign(4097, "ED25519_SHA_512", "RAW"),
        refused("ValidationException")
    );
    assert_eq!(sign(0, "ED25519_SHA_512", "RAW"), refused("ValidationException"));
    assert_eq!(
        sign(64, "ED25519_SHA_512", "DIGEST"),
        refused("ValidationException")
    );
    assert_eq!(
        sign(64, "ECDSA_SHA_256", "RAW"),
        refused("InvalidKeyUsageException")
    );
    let (status, answer) = post(kms.endpoint(), "DescribeKey", &json!({"KeyId": arn}), "");
    assert_eq!(
        (status, &answer["__type"]),
        (400, &json!("MissingAuthenticationTokenException"))
    );
    let (_, answer) = post(
        kms.endpoint(),
        "ScheduleKeyDeletion",
        &json!({"KeyId": arn}),
        SIGNED,
    );
    assert_eq!(answer["__type"], "UnknownOperationException");
    kms.change(&arn, |facts| facts.state = "PendingDeletion".into());
    assert_eq!(
        sign(64, "ED25519_SHA_512", "RAW"),
        refused("KMSInvalidStateException")
    );
    let (status, _) = post(kms.endpoint(), "DescribeKey", &json!({"KeyId": arn}), SIGNED);
    assert_eq!(status, 200);
}

/// What is too long for the service is not sent to it.
#[test]
fn a_message_that_is_too_long_is_not_sent() {
    let kms = FakeKms::start();
    let arn = kms.make(1);
    let key = revtrail_kms::KmsKey::open(revtrail_kms::KmsSettings {
        key: arn.parse().unwrap(),
        endpoint: Some(kms.endpoint().to_owned()),
    });
    let error = key.unwrap().sign(&[0; 4097]).unwrap_err();
    assert_eq!(error.kind(), revtrail_kms::KmsErrorKind::TooLong);
    assert!(error.hint().contains("4,096"));
    assert_eq!(kms.calls(), Vec::<String>::new());
}
