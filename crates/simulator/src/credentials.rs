//! What the token endpoints accept beside client id and secret, and what they have to remember for it.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::ids;

/// Credentials of the accounts; the default knows client id, client secret and refresh token only.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// Whether clients have a secret.
    pub client: ClientKind,
    /// Certificates at the app registration (OneDrive), DER.
    pub certificates: Vec<Vec<u8>>,
    /// The service account (Google Drive).
    pub service_account: Option<ServiceAccount>,
    /// Whether OneDrive replaces refresh tokens at each use.
    pub refresh_tokens: RefreshTokens,
    /// The team the Dropbox link belongs to; absent for one of a single account.
    pub team: Option<Team>,
}

/// Whether a client can keep a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientKind {
    /// It has one and must show it.
    #[default]
    Confidential,
    /// It has none (PKCE, device code); one that is sent is refused.
    Public,
}

/// What becomes of a refresh token that was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RefreshTokens {
    /// It goes on.
    #[default]
    Kept,
    /// A new one is given with each answer; older ones go on until revoked.
    Replaced,
}

/// A Google service account.
#[derive(Debug, Clone)]
pub struct ServiceAccount {
    /// Its address.
    pub email: String,
    /// Certificate of its key, DER.
    pub certificate: Vec<u8>,
    /// Users it may act for.
    pub subjects: Vec<String>,
    /// Scopes an administrator gave it for that.
    pub scopes: Vec<String>,
}

/// A Dropbox team whose token needs a select header.
#[derive(Debug, Clone)]
pub struct Team {
    /// `dbtid:`
    pub id: String,
    /// A member, `dbmid:`.
    pub member: String,
    /// An administrator, `dbmid:`.
    pub admin: String,
}

/// What is remembered between token requests.
#[derive(Debug, Default)]
pub(crate) struct Vault {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    federated: Option<String>,
    used: HashSet<String>,
    refresh_tokens: Vec<String>,
    revoked: HashSet<String>,
    cloud_tokens: HashSet<String>,
    signed: HashSet<String>,
}

impl Vault {
    /// The only federated token that is accepted from now on.
    pub(crate) fn set_federated(&self, token: &str) {
        self.lock().federated = Some(token.to_owned());
    }

    pub(crate) fn is_federated(&self, token: &str) -> bool {
        self.lock().federated.as_deref() == Some(token)
    }

    /// Notes the id of a statement; false when it was used before.
    pub(crate) fn first_use(&self, id: &str) -> bool {
        self.lock().used.insert(id.to_owned())
    }

    /// A refresh token in place of others.
    pub(crate) fn next_refresh_token(&self, seed: u64) -> String {
        let mut inner = self.lock();
        let text = format!("{seed}-{}", inner.refresh_tokens.len());
        let token = format!("sim-refresh-{}", ids::hex(&ids::derive("refresh", &text)));
        inner.refresh_tokens.push(token.clone());
        token
    }

    pub(crate) fn is_refresh_token(&self, token: &str) -> bool {
        self.lock().refresh_tokens.iter().any(|known| known == token)
    }

    pub(crate) fn refresh_tokens(&self) -> Vec<String> {
        self.lock().refresh_tokens.clone()
    }

    pub(crate) fn revoke(&self, token: &str) {
        self.lock().revoked.insert(token.to_owned());
    }

    pub(crate) fn is_revoked(&self, token: &str) -> bool {
        self.lock().revoked.contains(token)
    }

    /// A token of the machine for Google Cloud, which Drive does not accept.
    pub(crate) fn cloud_token(&self, seed: u64) -> String {
        let mut inner = self.lock();
        let text = format!("{seed}-{}", inner.cloud_tokens.len());
        let token = format!("sim-cloud-{}", ids::hex(&ids::derive("cloud", &text)));
        inner.cloud_tokens.insert(token.clone());
        token
    }

    pub(crate) fn is_cloud_token(&self, token: &str) -> bool {
        self.lock().cloud_tokens.contains(token)
    }

    /// A statement as the IAM service signs it: nobody but this simulator can have made it, and it remembers.
    pub(crate) fn sign(&self, payload: &str) -> String {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","typ":"JWT","kid":"iam"}"#);
        let text = format!("{header}.{}", URL_SAFE_NO_PAD.encode(payload));
        let signature = URL_SAFE_NO_PAD.encode(ids::derive("iam", &text));
        let statement = format!("{text}.{signature}");
        self.lock().signed.insert(statement.clone());
        statement
    }

    pub(crate) fn has_signed(&self, statement: &str) -> bool {
        self.lock().signed.contains(statement)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A JSON Web Token, taken apart but not believed.
pub(crate) struct Statement<'a> {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Statement<'a> {
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let part = |part: &str| -> Option<Value> {
            let value: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()?;
            value.is_object().then_some(value)
        };
        Some(Self {
            header: part(header)?,
            claims: part(claims)?,
            signed,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    pub(crate) fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim)?.as_str()
    }

    pub(crate) fn second(&self, claim: &str) -> Option<i64> {
        self.claims.get(claim)?.as_i64()
    }

    /// Whether the key of the certificate signed it, with one of these algorithms.
    pub(crate) fn is_signed_by(&self, certificate: &[u8], algorithms: &[&str]) -> bool {
        let algorithm = match self.header.get("alg").and_then(Value::as_str) {
            Some(name) if !algorithms.contains(&name) => return false,
            Some("RS256") => webpki::ring::RSA_PKCS1_2048_8192_SHA256,
            Some("PS256") => webpki::ring::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
            _ => return false,
        };
        let der = certificate.into();
        webpki::EndEntityCert::try_from(&der).is_ok_and(|key| {
            key.verify_signature(algorithm, self.signed.as_bytes(), &self.signature)
                .is_ok()
        })
    }
}

/// `x5t#S256` of a certificate (RFC 7515 section 4.1.8).
pub(crate) fn thumbprint(certificate: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(certificate))
}
