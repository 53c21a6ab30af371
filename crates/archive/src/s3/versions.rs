//! `ListObjectVersions`, and locks and holds of single versions.

use async_trait::async_trait;
use aws_sdk_s3::{
    error::ProvideErrorMetadata as _,
    operation::list_object_versions::ListObjectVersionsOutput,
    primitives::DateTime,
    types::{ObjectLockLegalHold, ObjectLockLegalHoldStatus, ObjectLockRetention},
};
use revtrail_model::time::Timestamp;

use super::{
    S3Archive, convert,
    failure::{Call, failure},
};
use crate::{
    ArchiveError, ArchiveErrorKind, Head, LegalHold, ObjectKey, PAGE_ENTRIES, Retention, Version, VersionId,
    VersionKind, VersionMark, VersionPage, Versions,
};

#[async_trait]
impl Versions for S3Archive {
    async fn list_versions(
        &self,
        prefix: &str,
        after: Option<&VersionMark>,
    ) -> Result<VersionPage, ArchiveError> {
        let answer = self
            .client
            .list_object_versions()
            .bucket(&self.bucket)
            .prefix(self.with_prefix(prefix))
            .set_key_marker(after.map(|mark| mark.key.clone()))
            .set_version_id_marker(after.and_then(|mark| mark.version.clone()))
            .max_keys(i32::try_from(PAGE_ENTRIES).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|error| failure(error, "list_versions", prefix, Call::Read))?;
        let page = self.page(&answer);
        // A mark that does not move would go round for ever.
        if answer.is_truncated() == Some(true) && (page.next.is_none() || page.next.as_ref() == after) {
            return Err(
                ArchiveError::new(ArchiveErrorKind::Corrupt, "list_versions", prefix)
                    .because("the store announces another page and does not say where it starts"),
            );
        }
        Ok(page)
    }

    async fn head_version(&self, key: &ObjectKey, version: &VersionId) -> Result<Option<Head>, ArchiveError> {
        const OPERATION: &str = "head_version";
        let stored = self.head_for(OPERATION, key, Some(version)).await?;
        let Some(mut head) = stored.map(|stored| stored.head) else {
            return Ok(None);
        };
        if head.retention.is_none() && self.lock_mode.is_some() {
            head.retention = self.retention_of(OPERATION, key, version).await?;
        }
        Ok(Some(head))
    }

    async fn lock_version(
        &self,
        key: &ObjectKey,
        version: &VersionId,
        until: Timestamp,
    ) -> Result<(), ArchiveError> {
        const OPERATION: &str = "lock_version";
        let until = convert::whole_seconds(until);
        let (present, mode) = self.lockable(OPERATION, key, version).await?;
        let asked = Retention {
            mode: present.map_or(mode, |present| present.mode),
            until,
        };
        if present == Some(asked) {
            return Ok(());
        }
        let refused = |why: &str| ArchiveError::new(ArchiveErrorKind::Refused, OPERATION, key).because(why);
        if present.is_some_and(|present| until < present.until) {
            return Err(refused("the new date is earlier than the present one"));
        }
        let retention = ObjectLockRetention::builder()
            .mode(convert::retention_mode(asked.mode))
            .retain_until_date(convert::date(asked.until))
            .build();
        self.client
            .put_object_retention()
            .bucket(&self.bucket)
            .key(self.name(key))
            .version_id(version.as_str())
            .retention(retention)
            .send()
            .await
            .map_err(|error| failure(error, OPERATION, key, Call::Write))?;
        if self.lockable(OPERATION, key, version).await?.0 == Some(asked) {
            Ok(())
        } else {
            Err(refused("the store does not show the lock it accepted"))
        }
    }

    async fn hold_version(
        &self,
        key: &ObjectKey,
        version: &VersionId,
        hold: LegalHold,
    ) -> Result<(), ArchiveError> {
        const OPERATION: &str = "hold_version";
        if self.held(OPERATION, key, version).await? == hold {
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
            .version_id(version.as_str())
            .legal_hold(ObjectLockLegalHold::builder().status(status).build())
            .send()
            .await
            .map_err(|error| failure(error, OPERATION, key, Call::Write))?;
        if self.held(OPERATION, key, version).await? == hold {
            Ok(())
        } else {
            Err(ArchiveError::new(ArchiveErrorKind::Refused, OPERATION, key)
                .because("the store does not show the legal hold it accepted"))
        }
    }
}

impl S3Archive {
    fn page(&self, answer: &ListObjectVersionsOutput) -> VersionPage {
        let mut page = VersionPage::default();
        for version in answer.versions() {
            let named = (version.key(), version.version_id(), version.last_modified());
            self.sort_version(&mut page, named, (VersionKind::Object, version.is_latest()));
        }
        for marker in answer.delete_markers() {
            let named = (marker.key(), marker.version_id(), marker.last_modified());
            self.sort_version(&mut page, named, (VersionKind::DeleteMarker, marker.is_latest()));
        }
        // The answer tells versions and markers apart and keeps the order within each only.
        page.entries.sort_by(|a, b| {
            let order = a.key.cmp(&b.key).then(b.is_latest.cmp(&a.is_latest));
            order.then(b.stored_at.cmp(&a.stored_at))
        });
        page.next = answer
            .next_key_marker()
            .filter(|_| answer.is_truncated() == Some(true))
            .map(|key| VersionMark {
                key: key.to_owned(),
                version: answer.next_version_id_marker().map(str::to_owned),
            });
        page
    }

    fn sort_version(
        &self,
        page: &mut VersionPage,
        (name, version, stored_at): (Option<&str>, Option<&str>, Option<&DateTime>),
        (kind, is_latest): (VersionKind, Option<bool>),
    ) {
        let name = name.unwrap_or_default();
        match (self.relative(name), version) {
            (Some(key), Some(version)) => page.entries.push(Version {
                key,
                id: VersionId::new(version),
                kind,
                is_latest: is_latest == Some(true),
                stored_at: stored_at.and_then(convert::timestamp),
            }),
            _ => page.foreign.push(name.to_owned()),
        }
    }

    /// The lock of a version, asked for by name: `HeadObject` leaves it out for who may not see it, and here the store refuses instead.
    async fn retention_of(
        &self,
        operation: &'static str,
        key: &ObjectKey,
        version: &VersionId,
    ) -> Result<Option<Retention>, ArchiveError> {
        let answer = self
            .client
            .get_object_retention()
            .bucket(&self.bucket)
            .key(self.name(key))
            .version_id(version.as_str())
            .send()
            .await;
        match answer {
            Ok(answer) => convert::retention(operation, key, answer.retention()),
            Err(error) if error.code() == Some("NoSuchObjectLockConfiguration") => Ok(None),
            // The bucket has no Object Lock at all.
            Err(error) if error.code() == Some("InvalidRequest") => Ok(None),
            Err(error) => Err(failure(error, operation, key, Call::Read)),
        }
    }

    async fn lockable(
        &self,
        operation: &'static str,
        key: &ObjectKey,
        version: &VersionId,
    ) -> Result<(Option<Retention>, crate::RetentionMode), ArchiveError> {
        let error = |kind| ArchiveError::new(kind, operation, key);
        let mode = self
            .lock_mode
            .ok_or_else(|| error(ArchiveErrorKind::Unsupported))?;
        let head = self.head_version(key, version).await?;
        let head = head.ok_or_else(|| error(ArchiveErrorKind::NotFound))?;
        Ok((head.retention, mode))
    }

    async fn held(
        &self,
        operation: &'static str,
        key: &ObjectKey,
        version: &VersionId,
    ) -> Result<LegalHold, ArchiveError> {
        Ok(self.present(operation, key, Some(version)).await?.legal_hold)
    }
}
