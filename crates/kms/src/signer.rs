//! The signer of the ledger over a key in KMS.

use revtrail_ledger::{PublicKey, SignError, Signature, Signer};

use crate::{
    KmsKey,
    error::{KmsError, KmsErrorKind},
};

/// Signs with a key in KMS, and checks each signature with the configured public key before anybody sees it.
#[derive(Debug)]
pub struct KmsSigner {
    key: KmsKey,
    public_key: PublicKey,
}

impl KmsSigner {
    /// The key, and the public half that verifiers were given. Sends nothing.
    pub const fn new(key: KmsKey, public_key: PublicKey) -> Self {
        Self { key, public_key }
    }

    /// The key.
    pub const fn key(&self) -> &KmsKey {
        &self.key
    }

    /// Checks that the key's public half is the configured one.
    pub fn check_pair(&self) -> Result<(), KmsError> {
        let found = self.key.public_key()?;
        if found == self.public_key {
            return Ok(());
        }
        let error = KmsError::new(KmsErrorKind::OtherPublicKey, "GetPublicKey", self.key.arn());
        Err(error.because(format!("it is {found}, configured is {}", self.public_key)))
    }

    /// A checked signature.
    pub fn sign_checked(&self, message: &[u8]) -> Result<Signature, KmsError> {
        let signature = self.key.sign(message)?;
        if self.public_key.is_signature(message, &signature) {
            return Ok(signature);
        }
        let error = KmsError::new(KmsErrorKind::WrongSignature, "Sign", self.key.arn());
        Err(error.because(format!("configured is {}", self.public_key)))
    }
}

impl Signer for KmsSigner {
    fn public_key(&self) -> PublicKey {
        self.public_key
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        self.sign_checked(message).map_err(|error| SignError {
            key: self.key.arn().to_string(),
            source: Box::new(error),
        })
    }
}
