//! Signed statements (JSON Web Tokens, RFC 7519 and RFC 7515) with RSA keys from files.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest,
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding},
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use serde::Serialize;

/// How a statement is signed (RFC 7518 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwtAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256 (§3.3).
    Rs256,
    /// RSASSA-PSS with SHA-256 (§3.5).
    Ps256,
}

impl JwtAlgorithm {
    fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
        }
    }

    fn encoding(self) -> &'static dyn RsaEncoding {
        match self {
            Self::Rs256 => &RSA_PKCS1_SHA256,
            Self::Ps256 => &RSA_PSS_SHA256,
        }
    }
}

/// What names the key to whoever checks the signature.
#[derive(Debug, Clone, Copy)]
pub enum KeyName<'a> {
    /// Nothing: there is one key only.
    None,
    /// An id (`kid`).
    Id(&'a str),
    /// The certificate, by its digest (`x5t#S256`).
    Certificate(&'a Certificate),
}

/// An RSA private key. Nothing prints it.
pub struct SigningKey(KeyPair);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    #[serde(rename = "x5t#S256", skip_serializing_if = "Option::is_none")]
    x5t_s256: Option<String>,
}

impl SigningKey {
    /// The first private key of a PEM text, in PKCS#8 or PKCS#1 form and not encrypted; `None` for anything else.
    pub fn from_pem(pem: &[u8]) -> Option<Self> {
        match PrivateKeyDer::from_pem_slice(pem).ok()? {
            PrivateKeyDer::Pkcs8(der) => KeyPair::from_pkcs8(der.secret_pkcs8_der()).ok(),
            PrivateKeyDer::Pkcs1(der) => KeyPair::from_der(der.secret_pkcs1_der()).ok(),
            _ => None,
        }
        .map(Self)
    }

    /// Header, claims and signature, each in base64url. `None` when the claims are no JSON or no randomness can be had.
    pub fn statement(
        &self,
        algorithm: JwtAlgorithm,
        name: KeyName<'_>,
        claims: &impl Serialize,
    ) -> Option<String> {
        let header = Header {
            alg: algorithm.as_str(),
            typ: "JWT",
            kid: match name {
                KeyName::Id(id) => Some(id),
                KeyName::None | KeyName::Certificate(_) => None,
            },
            x5t_s256: match name {
                KeyName::Certificate(certificate) => Some(certificate.thumbprint()),
                KeyName::None | KeyName::Id(_) => None,
            },
        };
        let part = |json: serde_json::Result<Vec<u8>>| Some(base64url(&json.ok()?));
        let text = format!(
            "{}.{}",
            part(serde_json::to_vec(&header))?,
            part(serde_json::to_vec(claims))?
        );
        let mut signature = vec![0; self.0.public().modulus_len()];
        self.0
            .sign(
                algorithm.encoding(),
                &SystemRandom::new(),
                text.as_bytes(),
                &mut signature,
            )
            .ok()?;
        Some(format!("{text}.{}", base64url(&signature)))
    }

    /// Whether `certificate` is one of this key: it holds the key's public half (RFC 5280 §4.1.2.7), byte for byte.
    pub fn belongs_to(&self, certificate: &Certificate) -> bool {
        let public: &[u8] = self.0.public().as_ref();
        certificate.0.windows(public.len()).any(|window| window == public)
    }
}

/// An X.509 certificate, as DER.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate(Vec<u8>);

impl Certificate {
    /// The first certificate of a PEM text.
    pub fn from_pem(pem: &[u8]) -> Option<Self> {
        let der = CertificateDer::from_pem_slice(pem).ok()?;
        Some(Self(der.to_vec()))
    }

    /// SHA-256 of the DER bytes in base64url (RFC 7515 §4.1.8).
    fn thumbprint(&self) -> String {
        base64url(digest::digest(&digest::SHA256, &self.0).as_ref())
    }
}

/// A name for one statement, never used twice.
pub fn fresh_id() -> Option<String> {
    let high = getrandom::u64().ok()?;
    let low = getrandom::u64().ok()?;
    Some(format!("{high:016x}{low:016x}"))
}

/// RFC 4648 §5 without padding.
fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
