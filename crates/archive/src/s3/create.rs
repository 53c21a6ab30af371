//! Create-only writes, read back.

mod parts;

use std::time::Duration;

use aws_sdk_s3::{
    primitives::{ByteStream, SdkBody},
    types::ChecksumAlgorithm,
};
use bytes::Bytes;
use revtrail_model::sha256;

use super::{
    S3Archive, convert,
    failure::{Call, failure},
    observe::Attempts,
};
use crate::{ArchiveError, ArchiveErrorKind, ObjectKey, Retention};

/// Larger objects are uploaded in parts of this size (S3 allows 10,000 parts); the store keeps no digest of their bytes.
pub const PART_BYTES: usize = 64 << 20;
/// How often a create is repeated that met another one in progress.
const CONFLICTS: u32 = 5;
const CONFLICT_WAIT: Duration = Duration::from_millis(50);

/// What is to be stored.
struct Upload<'a> {
    key: &'a ObjectKey,
    bytes: Bytes,
    /// In whole seconds.
    lock: Option<Retention>,
}

/// What the store said.
enum Outcome {
    Stored { version: Option<String> },
    Taken(TakenBy),
}

/// Who may have taken the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TakenBy {
    /// The first attempt was answered 412.
    Another,
    /// An earlier attempt of ours may have been stored without an answer.
    PerhapsUs,
}

impl TakenBy {
    fn after(attempts: &Attempts) -> Self {
        if attempts.retried() {
            Self::PerhapsUs
        } else {
            Self::Another
        }
    }
}

impl Upload<'_> {
    fn error(&self, kind: ArchiveErrorKind) -> ArchiveError {
        ArchiveError::new(kind, "create", self.key)
    }

    /// After a retry an earlier attempt may have been stored, whatever the last answer says.
    fn error_after(&self, attempts: &Attempts, error: ArchiveError) -> ArchiveError {
        if attempts.retried() {
            self.error(ArchiveErrorKind::Unknown).because(error)
        } else {
            error
        }
    }
}

impl S3Archive {
    pub(super) async fn create_verified(
        &self,
        key: &ObjectKey,
        bytes: Bytes,
        retention: Option<Retention>,
    ) -> Result<(), ArchiveError> {
        let upload = Upload {
            key,
            bytes,
            lock: retention.map(|lock| Retention {
                until: convert::whole_seconds(lock.until),
                ..lock
            }),
        };
        let (outcome, checksum) = if upload.bytes.len() > PART_BYTES {
            self.put_in_parts(&upload).await?
        } else {
            let checksum = convert::checksum(sha256(&upload.bytes));
            (self.put_whole(&upload, &checksum).await?, checksum)
        };
        if let Outcome::Taken(TakenBy::Another) = outcome {
            return Err(upload.error(ArchiveErrorKind::AlreadyExists));
        }
        // Line of no return: the object is stored. What follows only tells whether it is right.
        self.read_back(&upload, &outcome, &checksum).await
    }

    async fn put_whole(&self, upload: &Upload<'_>, checksum: &str) -> Result<Outcome, ArchiveError> {
        let attempts = Attempts::default();
        for conflict in 0..CONFLICTS {
            let answer = self
                .client
                .put_object()
                .bucket(&self.bucket)
                .key(self.name(upload.key))
                .if_none_match("*")
                .checksum_algorithm(ChecksumAlgorithm::Sha256)
                .checksum_sha256(checksum)
                .set_object_lock_mode(upload.lock.map(|lock| convert::lock_mode(lock.mode)))
                .set_object_lock_retain_until_date(upload.lock.map(|lock| convert::date(lock.until)))
                .body(ByteStream::new(SdkBody::from(upload.bytes.clone())))
                .customize()
                .interceptor(attempts.clone())
                .send()
                .await;
            let error = match answer {
                Ok(stored) => {
                    return Ok(Outcome::Stored {
                        version: stored.version_id,
                    });
                }
                Err(error) => error,
            };
            // S3 answers 409 while another conditional write to the key is in progress.
            if error.raw_response().map(|raw| raw.status().as_u16()) == Some(409) {
                tokio::time::sleep(CONFLICT_WAIT * 2_u32.pow(conflict)).await;
                continue;
            }
            let error = failure(error, "create", upload.key, Call::Write);
            if error.kind() == ArchiveErrorKind::AlreadyExists {
                return Ok(Outcome::Taken(TakenBy::after(&attempts)));
            }
            return Err(upload.error_after(&attempts, error));
        }
        Err(upload
            .error(ArchiveErrorKind::Unknown)
            .because("other writers of this key were in progress at every try"))
    }

    /// Compares what the store now shows with what was asked for.
    async fn read_back(
        &self,
        upload: &Upload<'_>,
        outcome: &Outcome,
        checksum: &str,
    ) -> Result<(), ArchiveError> {
        let refused = |why: String| upload.error(ArchiveErrorKind::Refused).because(why);
        let stored = match self.head_for("create", upload.key, None).await {
            Ok(Some(stored)) => stored,
            Ok(None) => return Err(refused("the object just stored is not there".to_owned())),
            Err(error) => return Err(upload.error(ArchiveErrorKind::Unknown).because(error)),
        };
        let same_bytes = stored.head.size_bytes == upload.bytes.len() as u64
            && stored.checksum.as_deref() == Some(checksum);
        match outcome {
            Outcome::Taken(_) if !same_bytes => {
                return Err(upload.error(ArchiveErrorKind::AlreadyExists));
            }
            Outcome::Stored { version } if *version != stored.version => {
                return Err(refused(format!(
                    "stored version {version:?} but the key now shows {:?}: the store let another writer in",
                    stored.version
                )));
            }
            _ => {}
        }
        if !same_bytes {
            return Err(refused(format!(
                "sent {} bytes with sha256 {checksum}, the store shows {} bytes with {:?}",
                upload.bytes.len(),
                stored.head.size_bytes,
                stored.checksum
            )));
        }
        if upload.lock.is_some() && upload.lock != stored.head.retention {
            return Err(refused(format!(
                "asked for the lock {:?}, the store shows {:?}",
                upload.lock, stored.head.retention
            )));
        }
        Ok(())
    }
}
