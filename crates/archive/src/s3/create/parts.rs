//! Upload in parts, for objects too large for one request.

use aws_sdk_s3::{
    primitives::{ByteStream, SdkBody},
    types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart},
};
use revtrail_model::sha256;

use super::{Outcome, PART_BYTES, TakenBy, Upload};
use crate::{
    ArchiveError, ArchiveErrorKind,
    s3::{
        S3Archive, convert,
        failure::{Call, failure},
        observe::Attempts,
    },
};

impl S3Archive {
    /// The parts become the object when the last request, which is create-only, succeeds. Before
    /// that nothing is visible under the key, so a failure is told by its own kind.
    pub(super) async fn put_in_parts(&self, upload: &Upload<'_>) -> Result<(Outcome, String), ArchiveError> {
        // Not the guard, which is the last request: this spares sending a large object in vain.
        if self.head_for("create", upload.key, None).await?.is_some() {
            return Err(upload.error(ArchiveErrorKind::AlreadyExists));
        }
        let id = self.begin(upload).await?;
        let result = match self.put_parts(upload, &id).await {
            Ok((parts, checksum)) => self
                .complete(upload, &id, parts)
                .await
                .map(|outcome| (outcome, checksum)),
            Err(error) => Err(error),
        };
        if !matches!(result, Ok((Outcome::Stored { .. }, _))) {
            // Best effort: parts cost storage, and a bucket lifecycle rule also clears them. An
            // upload that did complete is not touched by this.
            let _unused = self
                .client
                .abort_multipart_upload()
                .bucket(&self.bucket)
                .key(self.name(upload.key))
                .upload_id(id)
                .send()
                .await;
        }
        result
    }

    async fn begin(&self, upload: &Upload<'_>) -> Result<String, ArchiveError> {
        let answer = self
            .client
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(self.name(upload.key))
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .checksum_type(ChecksumType::Composite)
            .set_object_lock_mode(upload.lock.map(|lock| convert::lock_mode(lock.mode)))
            .set_object_lock_retain_until_date(upload.lock.map(|lock| convert::date(lock.until)))
            .send()
            .await
            .map_err(|error| failure(error, "create", upload.key, Call::Read))?;
        answer.upload_id.ok_or_else(|| {
            upload
                .error(ArchiveErrorKind::Refused)
                .because("the store gives no upload id")
        })
    }

    /// Sends the parts; gives them with the checksum the whole object will show: the SHA-256 of
    /// the part digests, and their number.
    async fn put_parts(
        &self,
        upload: &Upload<'_>,
        id: &str,
    ) -> Result<(Vec<CompletedPart>, String), ArchiveError> {
        let mut parts = Vec::new();
        let mut digests = Vec::new();
        let mut rest = upload.bytes.clone();
        for number in 1_i32.. {
            if rest.is_empty() {
                break;
            }
            let body = rest.split_to(rest.len().min(PART_BYTES));
            let digest = sha256(&body);
            digests.extend_from_slice(digest.as_bytes());
            let checksum = convert::checksum(digest);
            let answer = self
                .client
                .upload_part()
                .bucket(&self.bucket)
                .key(self.name(upload.key))
                .upload_id(id)
                .part_number(number)
                .checksum_algorithm(ChecksumAlgorithm::Sha256)
                .checksum_sha256(&checksum)
                .body(ByteStream::new(SdkBody::from(body)))
                .send()
                .await
                .map_err(|error| failure(error, "create", upload.key, Call::Read))?;
            let part = CompletedPart::builder()
                .part_number(number)
                .checksum_sha256(checksum)
                .set_e_tag(answer.e_tag)
                .build();
            parts.push(part);
        }
        let checksum = format!("{}-{}", convert::checksum(sha256(&digests)), parts.len());
        Ok((parts, checksum))
    }

    async fn complete(
        &self,
        upload: &Upload<'_>,
        id: &str,
        parts: Vec<CompletedPart>,
    ) -> Result<Outcome, ArchiveError> {
        let attempts = Attempts::default();
        let answer = self
            .client
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(self.name(upload.key))
            .upload_id(id)
            .if_none_match("*")
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build())
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
            Err(error) => failure(error, "create", upload.key, Call::Write),
        };
        match error.kind() {
            ArchiveErrorKind::AlreadyExists => Ok(Outcome::Taken(TakenBy::after(&attempts))),
            // The upload is gone because an earlier attempt completed it.
            ArchiveErrorKind::NotFound if attempts.retried() => Ok(Outcome::Taken(TakenBy::PerhapsUs)),
            _ => Err(upload.error_after(&attempts, error)),
        }
    }
}
