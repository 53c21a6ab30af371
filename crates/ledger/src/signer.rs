//! Making signatures: one small trait, and its implementation over a key held in memory.

use std::fmt;

use ed25519_dalek::{
    Signer as _, SigningKey,
    pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes, spki::der::pem::LineEnding},
};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{
    error::{LedgerError, SignError},
    key::{PublicKey, Signature},
};

/// Holds an Ed25519 key and signs with it. A key service implements this without ever showing the key.
pub trait Signer: Send + Sync {
    /// Public half of the key that [`Signer::sign`] uses.
    fn public_key(&self) -> PublicKey;

    /// Pure Ed25519 signature (RFC 8032 §5.1.6) over `message`.
    fn sign(&self, message: &[u8]) -> Result<Signature, SignError>;
}

/// Signs with a key loaded from a file's bytes. The secret is wiped on drop and never printed.
pub struct FileSigner {
    key: SigningKey,
    public_key: PublicKey,
}

impl FileSigner {
    /// Key from 32 secret random bytes, the private key of RFC 8032 §5.1.5. The copy made here is wiped; the
    /// caller wipes its own.
    pub fn generate(mut seed: [u8; 32]) -> Result<Self, LedgerError> {
        let key = SigningKey::from_bytes(&seed);
        seed.zeroize();
        Self::new(key)
    }

    /// Reads `-----BEGIN PRIVATE KEY-----`, as `openssl genpkey -algorithm ed25519` writes it. Encrypted keys
    /// are refused.
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self, LedgerError> {
        Self::new(SigningKey::from_pkcs8_pem(pem).map_err(|_| LedgerError::PrivateKey)?)
    }

    /// Reads the same key in DER (RFC 8410 §7, with or without the public key).
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, LedgerError> {
        Self::new(SigningKey::from_pkcs8_der(der).map_err(|_| LedgerError::PrivateKey)?)
    }

    /// The key as `-----BEGIN PRIVATE KEY-----`. Written without the optional public key, because OpenSSL
    /// refuses the second version of PKCS#8 that would carry it.
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, LedgerError> {
        let pair = KeypairBytes {
            secret_key: self.key.to_bytes(),
            public_key: None,
        };
        pair.to_pkcs8_pem(LineEnding::LF)
            .map_err(|_| LedgerError::PrivateKey)
    }

    fn new(key: SigningKey) -> Result<Self, LedgerError> {
        let public_key = PublicKey::check(key.verifying_key())?;
        Ok(Self { key, public_key })
    }
}

impl Signer for FileSigner {
    fn public_key(&self) -> PublicKey {
        self.public_key
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        let signature = self.key.try_sign(message).map_err(|source| SignError {
            key: self.public_key.to_string(),
            source: Box::new(source),
        })?;
        Ok(Signature::from_bytes(signature.to_bytes()))
    }
}

impl fmt::Debug for FileSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileSigner")
            .field("public_key", &self.public_key)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    // Made with `openssl genpkey -algorithm ed25519` and `openssl pkey -pubout` (OpenSSL 3), for this test only.
    const OPENSSL_KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIIM9kEEjzn/ejsVXne3R3LLDMoNKcPnpzOjM+rONDT8T\n-----END PRIVATE KEY-----\n";
    const OPENSSL_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA/mZNlAWN7QtPdu7m9h/sCG+ZcCEbQkWI78HK1ynLGDo=\n-----END PUBLIC KEY-----\n";

    #[test]
    fn loads_an_openssl_key_and_writes_it_back_the_same() {
        let signer = FileSigner::from_pkcs8_pem(OPENSSL_KEY).unwrap();
        assert_eq!(signer.public_key(), PublicKey::from_pem(OPENSSL_PUBLIC).unwrap());
        assert_eq!(*signer.to_pkcs8_pem().unwrap(), OPENSSL_KEY);
        assert_eq!(signer.public_key().to_pem().unwrap(), OPENSSL_PUBLIC);
        let der = signer.public_key().to_der().unwrap();
        assert_eq!(der.len(), 44);
        assert_eq!(PublicKey::from_der(&der).unwrap(), signer.public_key());
        let short = PublicKey::from_der(&der[..43]);
        assert!(matches!(short, Err(LedgerError::PublicKey(what)) if what.contains("DER")));
    }

    #[test]
    fn loads_the_same_key_from_der() {
        let pem = FileSigner::from_pkcs8_pem(OPENSSL_KEY).unwrap();
        // With and without the public key: both versions of PKCS#8.
        let with_public = pem.key.to_pkcs8_der().unwrap();
        let pair = KeypairBytes {
            secret_key: pem.key.to_bytes(),
            public_key: None,
        };
        for der in [with_public, pair.to_pkcs8_der().unwrap()] {
            let signer = FileSigner::from_pkcs8_der(der.as_bytes()).unwrap();
            assert_eq!(signer.public_key(), pem.public_key());
        }
    }

    #[test]
    fn makes_the_first_signature_of_rfc_8032() {
        let seed = read("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        let signer = FileSigner::generate(seed).unwrap();
        assert_eq!(
            signer.public_key().to_string(),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        );
        let signature = signer.sign(b"").unwrap();
        assert_eq!(
            format!("{signature:?}"),
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0\
             595bbe24655141438e7a100b"
        );
        assert!(signer.public_key().is_signature(b"", &signature));
        assert!(!signer.public_key().is_signature(b"x", &signature));
    }

    #[test]
    fn debug_shows_the_public_key_only() {
        let signer = FileSigner::generate([7; 32]).unwrap();
        let shown = format!("{signer:?}");
        assert_eq!(
            shown,
            format!("FileSigner {{ public_key: {}, .. }}", signer.public_key())
        );
        assert!(!shown.contains("0707"));
    }

    #[rstest]
    #[case::empty("")]
    #[case::public_key(OPENSSL_PUBLIC)]
    #[case::cut(OPENSSL_KEY.trim_end().trim_end_matches('-'))]
    #[case::encrypted("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n")]
    fn refuses_other_private_keys(#[case] pem: &str) {
        let error = FileSigner::from_pkcs8_pem(pem).unwrap_err();
        assert!(matches!(error, LedgerError::PrivateKey));
        assert!(error.hint().unwrap().contains("openssl genpkey"));
    }

    #[rstest]
    #[case::neutral_point("0100000000000000000000000000000000000000000000000000000000000000")]
    #[case::order_four("0000000000000000000000000000000000000000000000000000000000000000")]
    #[case::not_reduced("f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    #[case::not_a_point("0200000000000000000000000000000000000000000000000000000000000000")]
    fn refuses_public_keys_that_prove_nothing(#[case] hex: &str) {
        assert!(matches!(
            PublicKey::from_bytes(&read(hex)),
            Err(LedgerError::PublicKey(_))
        ));
    }

    fn read(hex: &str) -> [u8; 32] {
        crate::hash::read_hex(hex).unwrap()
    }
}
