//! AWS KMS as far as a signer meets it, on a local port: `DescribeKey`, `GetPublicKey` and `Sign` in the service's own protocol
//! (AWS JSON 1.1), with its documented limits and errors, and real Ed25519 keys inside.
//!
//! Requests must be signed (Signature Version 4) for the service and the key's region; the signature itself is not recomputed.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use revtrail_ledger::{FileSigner, PublicKey, Signer as _};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

const REGION: &str = "eu-central-1";
const ALGORITHM: &str = "ED25519_SHA_512";

/// A running service.
#[derive(Debug)]
pub struct FakeKms {
    // Dropped first: the server ends with it.
    _runtime: Runtime,
    endpoint: String,
    service: Shared,
}

type Shared = Arc<Mutex<Service>>;

#[derive(Debug, Default)]
struct Service {
    keys: BTreeMap<String, Key>,
    troubles: Vec<Trouble>,
    calls: Vec<String>,
}

#[derive(Debug)]
struct Key {
    signer: FileSigner,
    facts: KeyFacts,
}

/// What the service says of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFacts {
    /// `KeySpec`.
    pub spec: String,
    /// `KeyUsage`.
    pub usage: String,
    /// `KeyState`.
    pub state: String,
}

impl Default for KeyFacts {
    fn default() -> Self {
        Self {
            spec: "ECC_NIST_EDWARDS25519".into(),
            usage: "SIGN_VERIFY".into(),
            state: "Enabled".into(),
        }
    }
}

/// Something that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The operation answers this error so many times.
    Error {
        /// The operation.
        operation: &'static str,
        /// HTTP status.
        status: u16,
        /// Error code.
        code: &'static str,
        /// How often.
        times: u32,
    },
    /// Signatures are over something else than asked.
    WrongSignature,
    /// Signatures are cut short.
    ShortSignature,
    /// Signatures are another key's.
    OtherKey,
}

impl FakeKms {
    /// Starts a service without keys.
    ///
    /// # Panics
    /// When there is no port to be had.
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap_or_else(|error| panic!("runtime: {error}"));
        let service = Shared::default();
        let app = Router::new()
            .route("/", post(answer))
            .with_state(Arc::clone(&service));
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .unwrap_or_else(|error| panic!("port: {error}"));
        let address = listener
            .local_addr()
            .unwrap_or_else(|error| panic!("port: {error}"));
        runtime.spawn(async move {
            let _ended = axum::serve(listener, app).await;
        });
        Self {
            _runtime: runtime,
            endpoint: format!("http://{address}"),
            service,
        }
    }

    /// Where it listens.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Makes a key from a seed and gives its ARN.
    ///
    /// # Panics
    /// Never; every seed makes a key.
    pub fn make(&self, seed: u8) -> String {
        let arn = format!("arn:aws:kms:{REGION}:111122223333:key/{seed:08x}-12ab-34cd-56ef-1234567890ab");
        let signer = FileSigner::generate([seed; 32]).unwrap_or_else(|error| panic!("key: {error}"));
        let facts = KeyFacts::default();
        self.lock().keys.insert(arn.clone(), Key { signer, facts });
        arn
    }

    /// Changes what the service says of a key.
    ///
    /// # Panics
    /// When there is no such key.
    pub fn change(&self, arn: &str, change: impl FnOnce(&mut KeyFacts)) {
        match self.lock().keys.get_mut(arn) {
            Some(key) => change(&mut key.facts),
            None => panic!("no key {arn}"),
        }
    }

    /// The key's public half.
    ///
    /// # Panics
    /// When there is no such key.
    pub fn public_key(&self, arn: &str) -> PublicKey {
        match self.lock().keys.get(arn) {
            Some(key) => key.signer.public_key(),
            None => panic!("no key {arn}"),
        }
    }

    /// From now on, this goes wrong, and nothing else.
    pub fn trouble(&self, troubles: &[Trouble]) {
        self.lock().troubles = troubles.to_vec();
    }

    /// Operations called since the last time somebody asked, refused ones included.
    pub fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().calls)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Service> {
        self.service.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An error of the service: status, code, message.
type Refusal = (u16, &'static str, String);

async fn answer(State(service): State<Shared>, headers: HeaderMap, body: String) -> Response {
    let mut service = service.lock().unwrap_or_else(PoisonError::into_inner);
    let (status, body) = match service.answer(&headers, &body) {
        Ok(body) => (200, body),
        Err((status, code, message)) => (status, json!({"__type": code, "message": message})),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = [
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amzn-requestid", "11111111-2222-3333-4444-555555555555"),
    ];
    (status, headers, body.to_string()).into_response()
}

impl Service {
    fn answer(&mut self, headers: &HeaderMap, body: &str) -> Result<Value, Refusal> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let operation = header("x-amz-target").and_then(|target| target.strip_prefix("TrentService."));
        let operation = operation.unwrap_or_default().to_owned();
        self.calls.push(operation.clone());
        is_signed(header(AUTHORIZATION.as_str()))?;
        if header("content-type") != Some("application/x-amz-json-1.1") {
            return Err((400, "SerializationException", "not AWS JSON 1.1".into()));
        }
        self.fail_as_told(&operation)?;
        let request: Value =
            serde_json::from_str(body).map_err(|error| (400, "SerializationException", error.to_string()))?;
        let arn = request["KeyId"].as_str().unwrap_or_default();
        let key = self.keys.get(arn);
        let key = key.ok_or_else(|| (400, "NotFoundException", format!("Key '{arn}' does not exist")))?;
        match operation.as_str() {
            "DescribeKey" => Ok(key.describe(arn)),
            "GetPublicKey" => key.show(arn),
            "Sign" => self.sign(key, arn, &request),
            _ => Err((400, "UnknownOperationException", String::new())),
        }
    }

    fn fail_as_told(&mut self, called: &str) -> Result<(), Refusal> {
        for trouble in &mut self.troubles {
            if let Trouble::Error {
                operation,
                status,
                code,
                times,
            } = trouble
                && *operation == called
                && *times > 0
            {
                *times -= 1;
                let message = match *code {
                    "ThrottlingException" => "Rate exceeded",
                    "AccessDeniedException" => {
                        "User is not authorized to perform this action on this resource"
                    }
                    _ => "told to fail",
                };
                return Err((*status, *code, message.into()));
            }
        }
        Ok(())
    }

    /// `Sign`, after the API reference: limits first, then the key.
    fn sign(&self, key: &Key, arn: &str, request: &Value) -> Result<Value, Refusal> {
        let invalid = |what: &str| {
            (
                400,
                "ValidationException",
                format!("1 validation error detected: {what}"),
            )
        };
        let message = request["Message"]
            .as_str()
            .and_then(|text| STANDARD.decode(text).ok());
        let message = message.ok_or_else(|| invalid("Value null at 'message' must not be null"))?;
        if !(1..=4096).contains(&message.len()) {
            return Err(invalid(
                "Value at 'message' failed to satisfy constraint: Member must have length between 1 and 4096",
            ));
        }
        key.is_usable(arn)?;
        if request["SigningAlgorithm"] != ALGORITHM || key.facts.usage != "SIGN_VERIFY" {
            let what = format!("{arn} does not sign with {}", request["SigningAlgorithm"]);
            return Err((400, "InvalidKeyUsageException", what));
        }
        if request["MessageType"].as_str().unwrap_or("RAW") != "RAW" {
            return Err(invalid("ED25519_SHA_512 needs MessageType RAW"));
        }
        let is_told = |trouble: &Trouble| self.troubles.contains(trouble);
        let signed = if is_told(&Trouble::WrongSignature) {
            b"another message"
        } else {
            message.as_slice()
        };
        let other = FileSigner::generate([99; 32])
            .map_err(|error| (500, "KMSInternalException", error.to_string()))?;
        let pair = if is_told(&Trouble::OtherKey) {
            &other
        } else {
            &key.signer
        };
        let signature = pair
            .sign(signed)
            .map_err(|error| (500, "KMSInternalException", error.to_string()))?;
        let length = if is_told(&Trouble::ShortSignature) { 63 } else { 64 };
        let signature = STANDARD.encode(&signature.as_bytes()[..length]);
        Ok(json!({"KeyId": arn, "Signature": signature, "SigningAlgorithm": ALGORITHM}))
    }
}

/// Whether the request bears a signature for this service in the keys' region.
fn is_signed(authorization: Option<&str>) -> Result<(), Refusal> {
    let parts: Vec<&str> = authorization.unwrap_or_default().split([' ', ',']).collect();
    let has = |start: &str, end: &str| {
        parts
            .iter()
            .any(|part| part.starts_with(start) && part.ends_with(end))
    };
    let scope = format!("/{REGION}/kms/aws4_request");
    if has("AWS4-HMAC-SHA256", "") && has("Credential=", &scope) && has("Signature=", "") {
        return Ok(());
    }
    Err((
        400,
        "MissingAuthenticationTokenException",
        "Missing Authentication Token".into(),
    ))
}

impl Key {
    fn describe(&self, arn: &str) -> Value {
        json!({"KeyMetadata": {
            "AWSAccountId": "111122223333",
            "Arn": arn,
            "CreationDate": 1_767_225_600.0,
            "Enabled": self.facts.state == "Enabled",
            "KeyId": arn.rsplit('/').next(),
            "KeyManager": "CUSTOMER",
            "KeySpec": self.facts.spec,
            "KeyState": self.facts.state,
            "KeyUsage": self.facts.usage,
            "Origin": "AWS_KMS",
            "SigningAlgorithms": [ALGORITHM, "ED25519_PH_SHA_512"],
        }})
    }

    fn show(&self, arn: &str) -> Result<Value, Refusal> {
        self.is_usable(arn)?;
        let der = self.signer.public_key().to_der();
        let der = der.map_err(|error| (500, "KMSInternalException", error.to_string()))?;
        Ok(json!({
            "KeyId": arn,
            "KeySpec": self.facts.spec,
            "KeyUsage": self.facts.usage,
            "PublicKey": STANDARD.encode(der),
            "SigningAlgorithms": [ALGORITHM, "ED25519_PH_SHA_512"],
        }))
    }

    fn is_usable(&self, arn: &str) -> Result<(), Refusal> {
        match self.facts.state.as_str() {
            "Enabled" => Ok(()),
            "Disabled" => Err((400, "DisabledException", format!("{arn} is disabled."))),
            state => {
                let what = format!("{arn} is in state {state}, which is not valid for this request.");
                Err((400, "KMSInvalidStateException", what))
            }
        }
    }
}
