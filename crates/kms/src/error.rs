//! The error type of this crate, and the service's errors in its words.

use std::{error::Error as StdError, fmt};

use aws_sdk_kms::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    operation::RequestId as _,
};

use crate::{KeyArn, MAX_MESSAGE_BYTES};

/// A cause from below: an SDK error, or a sentence.
type Cause = Box<dyn StdError + Send + Sync + 'static>;

/// A KMS call that failed, and on which key.
#[derive(Debug, thiserror::Error)]
#[error("KMS {operation} with key {key}: {kind}")]
pub struct KmsError {
    kind: KmsErrorKind,
    operation: &'static str,
    key: String,
    #[source]
    source: Option<Cause>,
}

/// What went wrong, as far as a caller or an operator decides by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KmsErrorKind {
    /// The caller may not do this with the key, or its credentials are not accepted.
    AccessDenied,
    /// No such key in this account and region.
    NotFound,
    /// The key is switched off.
    Disabled,
    /// The key waits for deletion, for its material, or is otherwise in no state to sign.
    InvalidState,
    /// The key is of another kind than Ed25519, or not for signing.
    WrongKey,
    /// The key is not the one whose public half is configured.
    OtherPublicKey,
    /// The service made a signature that the configured public key refuses.
    WrongSignature,
    /// The message is longer than the service signs.
    TooLong,
    /// The account's request rate is used up, after all retries.
    Throttled,
    /// No answer, or an error on the service's side, after all retries.
    Unavailable,
    /// A setting is wrong or missing: endpoint, credentials.
    Config,
    /// The service answered no in a way that has no kind of its own (the source says how).
    Refused,
}

impl KmsErrorKind {
    /// What the operator does next.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::AccessDenied => {
                "allow kms:Sign, kms:GetPublicKey and kms:DescribeKey on this key in both the key policy and the role of the harvest, and check the credentials"
            }
            Self::NotFound => "check account, region and key id in signing.kms_key",
            Self::Disabled => {
                "find out who disabled the key and why; then `aws kms enable-key`, and run again: nothing was committed"
            }
            Self::InvalidState => {
                "look at the key's state: a key that waits for deletion can be had back with `aws kms cancel-key-deletion`, and never after it"
            }
            Self::WrongKey => {
                "use a key of spec ECC_NIST_EDWARDS25519 and usage SIGN_VERIFY; neither can be changed later"
            }
            Self::OtherPublicKey => {
                "compare `revtrail key show --kms ARN` with the configured public key file; if neither was changed here, find out who did"
            }
            Self::WrongSignature => {
                "nothing was committed; run again, and if it stays, compare `revtrail key show --kms ARN` with the configured public key file"
            }
            Self::TooLong => "shorten the ledger's origin: KMS signs at most 4,096 bytes at once",
            Self::Throttled => {
                "run again later; if it stays, ask for a higher KMS request quota of this account"
            }
            Self::Unavailable => {
                "check DNS, network policy and the KMS endpoint between here and the service, then run again"
            }
            Self::Config => "correct the [signing] section, or the AWS credentials it relies on",
            Self::Refused => "read the cause below, then run `revtrail doctor`",
        }
    }

    /// Whether the same call may work later without anybody changing anything.
    pub const fn may_pass(self) -> bool {
        matches!(
            self,
            Self::Throttled | Self::Unavailable | Self::WrongSignature | Self::Refused
        )
    }
}

impl fmt::Display for KmsErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccessDenied => "access denied",
            Self::NotFound => "no such key",
            Self::Disabled => "the key is disabled",
            Self::InvalidState => "the key's state does not allow it",
            Self::WrongKey => "not an Ed25519 signing key",
            Self::OtherPublicKey => "its public key is not the configured one",
            Self::WrongSignature => "the configured public key refuses the signature",
            Self::TooLong => "message too long",
            Self::Throttled => "too many requests",
            Self::Unavailable => "unavailable",
            Self::Config => "wrong setting",
            Self::Refused => "refused",
        })
    }
}

impl KmsError {
    /// An error without a cause from below.
    pub(crate) fn new(kind: KmsErrorKind, operation: &'static str, key: &KeyArn) -> Self {
        Self {
            kind,
            operation,
            key: key.to_string(),
            source: None,
        }
    }

    #[must_use]
    pub(crate) fn because(mut self, cause: impl Into<Cause>) -> Self {
        self.source = Some(cause.into());
        self
    }

    pub(crate) fn too_long(key: &KeyArn, bytes: usize) -> Self {
        Self::new(KmsErrorKind::TooLong, "Sign", key).because(format!(
            "{bytes} bytes, and KMS signs at most {MAX_MESSAGE_BYTES}"
        ))
    }

    /// What went wrong.
    pub const fn kind(&self) -> KmsErrorKind {
        self.kind
    }

    /// What the operator does next.
    pub const fn hint(&self) -> &'static str {
        self.kind.hint()
    }
}

/// An SDK error. The SDK has tried again what may be tried again.
pub(crate) fn failure<E>(error: SdkError<E, HttpResponse>, operation: &'static str, key: &KeyArn) -> KmsError
where
    E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
{
    let refused = |kind| KmsError::new(kind, operation, key);
    match &error {
        SdkError::ServiceError(answer) => {
            let status = answer.raw().status().as_u16();
            let code = answer.err().code();
            let sentence = format!(
                "HTTP {status} {}: {}, request id {}",
                code.unwrap_or("without an error code"),
                answer.err().message().unwrap_or("no message"),
                answer.raw().request_id().unwrap_or("none"),
            );
            refused(kind(status, code)).because(sentence)
        }
        SdkError::ConstructionFailure(_) => refused(KmsErrorKind::Config).because(error),
        // Credentials are fetched before anything is sent; the SDK reports that as "other".
        SdkError::DispatchFailure(cause)
            if cause.is_user() || cause.as_other().is_none() && cause.is_other() =>
        {
            refused(KmsErrorKind::Config).because(error)
        }
        _ => refused(KmsErrorKind::Unavailable).because(error),
    }
}

/// Kind of an answered error, after the KMS API reference, "Common errors" and the errors of the three operations.
fn kind(status: u16, code: Option<&str>) -> KmsErrorKind {
    match (status, code.unwrap_or_default()) {
        (
            _,
            "AccessDeniedException"
            | "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "IncompleteSignature"
            | "InvalidSignatureException"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "NotAuthorized"
            | "OptInRequired"
            | "ExpiredTokenException",
        ) => KmsErrorKind::AccessDenied,
        (_, "NotFoundException" | "InvalidArnException") => KmsErrorKind::NotFound,
        (_, "DisabledException") => KmsErrorKind::Disabled,
        (_, "KMSInvalidStateException") => KmsErrorKind::InvalidState,
        (_, "InvalidKeyUsageException" | "UnsupportedOperationException") => KmsErrorKind::WrongKey,
        (_, "ThrottlingException" | "RequestLimitExceeded" | "LimitExceededException") | (429, _) => {
            KmsErrorKind::Throttled
        }
        (408 | 500.., _) => KmsErrorKind::Unavailable,
        (401 | 403, _) => KmsErrorKind::AccessDenied,
        _ => KmsErrorKind::Refused,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(400, Some("AccessDeniedException"), KmsErrorKind::AccessDenied)]
    #[case(400, Some("ExpiredTokenException"), KmsErrorKind::AccessDenied)]
    #[case(403, None, KmsErrorKind::AccessDenied)]
    #[case(400, Some("NotFoundException"), KmsErrorKind::NotFound)]
    #[case(400, Some("DisabledException"), KmsErrorKind::Disabled)]
    #[case(400, Some("KMSInvalidStateException"), KmsErrorKind::InvalidState)]
    #[case(400, Some("InvalidKeyUsageException"), KmsErrorKind::WrongKey)]
    #[case(400, Some("ThrottlingException"), KmsErrorKind::Throttled)]
    #[case(500, Some("KeyUnavailableException"), KmsErrorKind::Unavailable)]
    #[case(503, Some("DependencyTimeoutException"), KmsErrorKind::Unavailable)]
    #[case(400, Some("ValidationException"), KmsErrorKind::Refused)]
    fn answers_are_told_apart(
        #[case] status: u16,
        #[case] code: Option<&str>,
        #[case] expected: KmsErrorKind,
    ) {
        assert_eq!(kind(status, code), expected);
    }

    #[test]
    fn a_message_that_is_too_long_says_how_long() {
        let key = "arn:aws:kms:eu-central-1:111122223333:key/a".parse().unwrap();
        let error = KmsError::too_long(&key, 4_097);
        assert_eq!(
            error.to_string(),
            format!("KMS Sign with key {key}: message too long")
        );
        assert_eq!(
            error.source().unwrap().to_string(),
            "4097 bytes, and KMS signs at most 4096"
        );
        assert!(!error.kind().may_pass());
    }
}
