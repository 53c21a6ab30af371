//! An archive in an S3 bucket with Object Lock.

mod connect;
mod convert;
mod create;
mod failure;
mod list;
mod observe;
mod probe;
mod versions;

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_s3::{
    Client,
    error::DisplayErrorContext,
    types::{ChecksumMode, ObjectLockLegalHold, ObjectLockLegalHoldStatus, ObjectLockRetention},
};
use bytes::Bytes;
use revtrail_model::time::Timestamp;

use self::{
    failure::{Call, failure},
    observe::ServerClock,
};
use crate::{
    Archive, ArchiveError, ArchiveErrorKind, ArchiveUrl, FsArchive, Head, LegalHold, Listing, ObjectKey,
    Protection, Retention, RetentionMode, VersionId, Versions,
};

pub use self::{
    connect::{Addressing, S3Options, S3Settings},
    create::PART_BYTES,
    probe::{ConditionalCreates, ObjectLockState, ProbeReport, Versioning},
};

/// Objects in a bucket, optionally below a prefix.
///
/// Every create is conditional (`If-None-Match: *`), carries a SHA-256 that the store checks, and
/// is read back with `HeadObject`: size, checksum, version, lock mode and lock date must be what
/// was asked for. The credentials need `s3:PutObject`, `s3:GetObject`, `s3:ListBucket`,
/// `s3:PutObjectRetention`, `s3:GetObjectRetention`, `s3:PutObjectLegalHold`,
/// `s3:GetObjectLegalHold` and `s3:AbortMultipartUpload`, for [`S3Archive::probe`]
/// `s3:GetBucketVersioning` and `s3:GetBucketObjectLockConfiguration`, and for [`Versions`]
/// `s3:ListBucketVersions` and `s3:GetObjectVersion`; no delete permission.
///
/// Requests are retried by the SDK. When a create is answered 412 after a retry, the object may be
/// our own, stored by the attempt whose answer was lost: it is read back, and if its checksum is
/// ours the create succeeded.
#[derive(Debug, Clone)]
pub struct S3Archive {
    client: Client,
    bucket: String,
    prefix: Option<ObjectKey>,
    lock_mode: Option<RetentionMode>,
    clock: ServerClock,
}

impl S3Archive {
    /// Name of the object in the bucket.
    fn name(&self, key: &ObjectKey) -> String {
        self.with_prefix(key.as_str())
    }

    fn with_prefix(&self, text: &str) -> String {
        match &self.prefix {
            Some(prefix) => format!("{prefix}/{text}"),
            None => text.to_owned(),
        }
    }

    async fn head_for(
        &self,
        operation: &'static str,
        key: &ObjectKey,
        version: Option<&VersionId>,
    ) -> Result<Option<convert::Stored>, ArchiveError> {
        let answer = self
            .client
            .head_object()
            .bucket(&self.bucket)
            .key(self.name(key))
            .set_version_id(version.map(|version| version.as_str().to_owned()))
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await;
        match answer.map_err(|error| failure(error, operation, key, Call::Read)) {
            Ok(head) => convert::stored(operation, key, &head).map(Some),
            Err(error) if error.kind() == ArchiveErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn present(
        &self,
        operation: &'static str,
        key: &ObjectKey,
        version: Option<&VersionId>,
    ) -> Result<Head, ArchiveError> {
        if self.lock_mode.is_none() {
            return Err(ArchiveError::new(ArchiveErrorKind::Unsupported, operation, key));
        }
        let stored = self.head_for(operation, key, version).await?;
        stored
            .map(|stored| stored.head)
            .ok_or_else(|| ArchiveError::new(ArchiveErrorKind::NotFound, operation, key))
    }
}

#[async_trait]
impl Archive for S3Archive {
    async fn create(
        &self,
        key: &ObjectKey,
        bytes: Bytes,
        retention: Option<Retention>,
    ) -> Result<(), ArchiveError> {
        let lock = retention.filter(|_| self.lock_mode.is_some());
        self.create_verified(key, bytes, lock).await
    }

    async fn read(&self, key: &ObjectKey) -> Result<Bytes, ArchiveError> {
        let answer = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(self.name(key))
            .send()
            .await
            .map_err(|error| failure(error, "read", key, Call::Read))?;
        // The SDK compares the body with the checksum of the answer while it reads, and tells a
        // difference by its text only.
        let body = answer.body.collect().await.map_err(|error| {
            let mismatch = DisplayErrorContext(&error)
                .to_string()
                .contains("checksum mismatch");
            let kind = if mismatch {
                ArchiveErrorKind::Corrupt
            } else {
                ArchiveErrorKind::Unreachable
            };
            ArchiveError::new(kind, "read", key).because(error)
        })?;
        Ok(body.into_bytes())
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<Head>, ArchiveError> {
        Ok(self.head_for("head", key, None).await?.map(|stored| stored.head))
    }

    async fn list_up_to(
        &self,
        most: usize,
        prefix: &str,
        after: Option<&ObjectKey>,
    ) -> Result<Listing, ArchiveError> {
        self.list_page(most, prefix, after).await
    }

    async fn extend_retention(&self, key: &ObjectKey, until: Timestamp) -> Result<(), ArchiveError> {
        const OPERATION: &str = "extend_retention";
        let refused = |why: &str| ArchiveError::new(ArchiveErrorKind::Refused, OPERATION, key).because(why);
        let Some(present) = self.present(OPERATION, key, None).await?.retention else {
            return Err(refused("object has no retention to extend"));
        };
        let until = convert::whole_seconds(until);
        if until < present.until {
            return Err(refused("the new date is earlier than the present one"));
        }
        if until == present.until {
            return Ok(());
        }
        let retention = ObjectLockRetention::builder()
            .mode(convert::retention_mode(present.mode))
            .retain_until_date(convert::date(until))
            .build();
        self.client
            .put_object_retention()
            .bucket(&self.bucket)
            .key(self.name(key))
            .retention(retention)
            .send()
            .await
            .map_err(|error| failure(error, OPERATION, key, Call::Write))?;
        let asked = Retention { until, ..present };
        if self.present(OPERATION, key, None).await?.retention == Some(asked) {
            Ok(())
        } else {
            Err(refused("the store does not show the retention it accepted"))
        }
    }

    async fn set_legal_hold(&self, key: &ObjectKey, hold: LegalHold) -> Result<(), ArchiveError> {
        const OPERATION: &str = "set_legal_hold";
        if self.present(OPERATION, key, None).await?.legal_hold == hold {
            return Ok(());
        }
        let status = match hold {
            LegalHold::On => ObjectLockLegalHoldStatus::On,
            LegalHold::Off => ObjectLockLegalHoldStatus::Off,
        };
        self.client
            .put_object_legal_hold()
            .bucket(&self.bucket)
            .key(self.name(key))
            .legal_hold(ObjectLockLegalHold::builder().status(status).build())
            .send()
            .await
            .map_err(|error| failure(error, OPERATION, key, Call::Write))?;
        if self.present(OPERATION, key, None).await?.legal_hold == hold {
            Ok(())
        } else {
            Err(ArchiveError::new(ArchiveErrorKind::Refused, OPERATION, key)
                .because("the store does not show the legal hold it accepted"))
        }
    }

    fn versions(&self) -> Option<&dyn Versions> {
        Some(self)
    }

    fn protection(&self) -> Protection {
        self.lock_mode
            .map_or(Protection::None, |mode| Protection::ObjectLock { mode })
    }

    async fn clock(&self) -> Option<Timestamp> {
        self.clock.last()
    }
}

/// Opens the archive at `location`; `options` count for S3 only. A directory must exist.
pub async fn open(location: &ArchiveUrl, options: S3Options) -> Result<Arc<dyn Archive>, ArchiveError> {
    match location {
        ArchiveUrl::Directory(path) => Ok(Arc::new(FsArchive::open(path)?)),
        ArchiveUrl::S3 { bucket, prefix } => {
            let settings = S3Settings {
                bucket: bucket.clone(),
                prefix: prefix.clone(),
                options,
            };
            Ok(Arc::new(S3Archive::connect(settings).await?))
        }
    }
}

#[cfg(test)]
mod tests;
