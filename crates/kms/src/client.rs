//! The three calls, and nothing else of the service.

use std::{future::Future, pin::Pin, sync::mpsc, time::Duration};

use aws_config::{BehaviorVersion, ConfigLoader, Region, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_kms::{
    Client,
    config::Builder,
    primitives::Blob,
    types::{KeySpec, KeyState, KeyUsageType, MessageType, SigningAlgorithmSpec},
};
use aws_smithy_http_client::tls;
use revtrail_ledger::{PublicKey, Signature};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use url::Url;

use crate::{
    KeyArn,
    error::{KmsError, KmsErrorKind, failure},
};

/// The longest message that KMS signs as it is (`MessageType` `RAW`; AWS KMS API reference, `Sign`).
pub const MAX_MESSAGE_BYTES: usize = 4_096;

const CONNECT: Duration = Duration::from_secs(5);
const ATTEMPT: Duration = Duration::from_secs(10);
const OPERATION: Duration = Duration::from_mins(1);
const ATTEMPTS: u32 = 4;

/// Where a key is and how to get there. Credentials come from the usual AWS chain: environment, profile, web identity,
/// container, instance metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsSettings {
    /// The key.
    pub key: KeyArn,
    /// `http://` or `https://` address of another service than AWS's own of the key's region.
    pub endpoint: Option<String>,
}

/// One key in KMS. Its calls wait for the answer; they may be made from any thread, in a runtime or not.
#[derive(Debug)]
pub struct KmsKey {
    key: KeyArn,
    work: UnboundedSender<Work>,
}

/// A call as the thread runs it.
type Work = Box<dyn FnOnce(Client) -> Pin<Box<dyn Future<Output = ()>>> + Send>;

impl KmsKey {
    /// Prepares to use the key; nothing is sent yet.
    pub fn open(settings: KmsSettings) -> Result<Self, KmsError> {
        let loader = loader(&settings)?;
        let key = settings.key;
        let failed =
            |cause: std::io::Error| KmsError::new(KmsErrorKind::Config, "start", &key).because(cause);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let (work, mut jobs) = unbounded_channel::<Work>();
        // A thread of its own: signing is a plain function in the ledger, and waiting for the network inside a task of the
        // caller's runtime is not allowed. It ends when the key is dropped.
        std::thread::Builder::new()
            .name("kms".into())
            .spawn(move || {
                runtime.block_on(async move {
                    let shared = loader.load().await;
                    let client = Client::from_conf(Builder::from(&shared).build());
                    while let Some(job) = jobs.recv().await {
                        job(client.clone()).await;
                    }
                });
            })
            .map_err(failed)?;
        Ok(Self { key, work })
    }

    /// The key.
    pub const fn arn(&self) -> &KeyArn {
        &self.key
    }

    /// Checks that the key can sign as the record needs it: Ed25519, for signing, enabled (`DescribeKey`).
    pub fn check(&self) -> Result<(), KmsError> {
        self.call("DescribeKey", |client, key| async move {
            let answer = client.describe_key().key_id(key.as_str()).send().await;
            let answer = answer.map_err(|error| failure(error, "DescribeKey", &key))?;
            let wrong = |kind, what: String| Err(KmsError::new(kind, "DescribeKey", &key).because(what));
            let Some(found) = answer.key_metadata else {
                return wrong(KmsErrorKind::Refused, "the answer describes no key".into());
            };
            let (spec, usage, state) = (found.key_spec, found.key_usage, found.key_state);
            if spec != Some(KeySpec::EccNistEdwards25519) {
                return wrong(
                    KmsErrorKind::WrongKey,
                    format!("key spec is {}", or_none(spec.as_ref())),
                );
            }
            if usage != Some(KeyUsageType::SignVerify) {
                return wrong(
                    KmsErrorKind::WrongKey,
                    format!("key usage is {}", or_none(usage.as_ref())),
                );
            }
            match state {
                Some(KeyState::Enabled) => Ok(()),
                Some(KeyState::Disabled) => wrong(KmsErrorKind::Disabled, "key state is Disabled".into()),
                state => wrong(
                    KmsErrorKind::InvalidState,
                    format!("key state is {}", or_none(state.as_ref())),
                ),
            }
        })
    }

    /// The key's public half (`GetPublicKey`), which the service gives as a `SubjectPublicKeyInfo` in DER.
    pub fn public_key(&self) -> Result<PublicKey, KmsError> {
        self.call("GetPublicKey", |client, key| async move {
            let answer = client.get_public_key().key_id(key.as_str()).send().await;
            let answer = answer.map_err(|error| failure(error, "GetPublicKey", &key))?;
            let wrong = |kind, what: String| KmsError::new(kind, "GetPublicKey", &key).because(what);
            if answer.key_spec != Some(KeySpec::EccNistEdwards25519) {
                let what = format!("key spec is {}", or_none(answer.key_spec.as_ref()));
                return Err(wrong(KmsErrorKind::WrongKey, what));
            }
            let der = answer.public_key.unwrap_or_else(|| Blob::new(Vec::new()));
            PublicKey::from_der(der.as_ref()).map_err(|error| wrong(KmsErrorKind::Refused, error.to_string()))
        })
    }

    /// A signature over the message as it is (`Sign`), not yet checked against a public key.
    pub fn sign(&self, message: &[u8]) -> Result<Signature, KmsError> {
        if message.len() > MAX_MESSAGE_BYTES {
            return Err(KmsError::too_long(&self.key, message.len()));
        }
        let message = Blob::new(message);
        self.call("Sign", |client, key| async move {
            let answer = client
                .sign()
                .key_id(key.as_str())
                .message(message)
                .message_type(MessageType::Raw)
                .signing_algorithm(SigningAlgorithmSpec::Ed25519Sha512)
                .send()
                .await
                .map_err(|error| failure(error, "Sign", &key))?;
            let bytes = answer
                .signature
                .unwrap_or_else(|| Blob::new(Vec::new()))
                .into_inner();
            let length = bytes.len();
            let signature: Result<[u8; 64], _> = bytes.try_into();
            signature.map(Signature::from_bytes).map_err(|_| {
                KmsError::new(KmsErrorKind::WrongSignature, "Sign", &key)
                    .because(format!("it has {length} bytes, not 64"))
            })
        })
    }

    /// Runs a call on the thread of this key and waits for it.
    fn call<T, F, C>(&self, operation: &'static str, call: C) -> Result<T, KmsError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, KmsError>> + 'static,
        C: FnOnce(Client, KeyArn) -> F + Send + 'static,
    {
        let (answer, answered) = mpsc::sync_channel(1);
        let key = self.key.clone();
        let job: Work = Box::new(move |client| {
            Box::pin(async move {
                // Nobody waits any more when the caller has gone.
                let _gone = answer.send(call(client, key).await);
            })
        });
        let gone =
            || KmsError::new(KmsErrorKind::Unavailable, operation, &self.key).because("its thread has ended");
        self.work.send(job).map_err(|_| gone())?;
        answered.recv().map_err(|_| gone())?
    }
}

fn or_none<T: ToString>(value: Option<&T>) -> String {
    value.map_or_else(|| "not given".into(), T::to_string)
}

fn loader(settings: &KmsSettings) -> Result<ConfigLoader, KmsError> {
    let loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(
            aws_smithy_http_client::Builder::new()
                .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
                .build_https(),
        )
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT)
                .operation_attempt_timeout(ATTEMPT)
                .operation_timeout(OPERATION)
                .build(),
        )
        .region(Region::new(settings.key.region().to_owned()));
    let Some(endpoint) = &settings.endpoint else {
        return Ok(loader);
    };
    let usable = Url::parse(endpoint).is_ok_and(|url| {
        ["http", "https"].contains(&url.scheme()) && url.has_host() && url.username().is_empty()
    });
    if !usable {
        let error = KmsError::new(KmsErrorKind::Config, "connect", &settings.key);
        return Err(error.because("kms_endpoint must be an http:// or https:// address without a user"));
    }
    Ok(loader.endpoint_url(endpoint))
}
