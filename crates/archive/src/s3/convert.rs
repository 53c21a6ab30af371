//! SDK types from and to ours.

use aws_sdk_s3::{
    operation::head_object::HeadObjectOutput,
    primitives::DateTime,
    types::{ObjectLockLegalHoldStatus, ObjectLockMode, ObjectLockRetention, ObjectLockRetentionMode},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use revtrail_model::{Digest, time::Timestamp};

use crate::{ArchiveError, ArchiveErrorKind, Head, LegalHold, ObjectKey, Retention, RetentionMode};

/// A head as the store gave it, with what only a create compares.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) head: Head,
    /// `x-amz-checksum-sha256` as text: of the bytes, or `<of the part checksums>-<parts>`.
    pub(super) checksum: Option<String>,
    pub(super) version: Option<String>,
}

pub(super) fn stored(
    operation: &'static str,
    key: &ObjectKey,
    head: &HeadObjectOutput,
) -> Result<Stored, ArchiveError> {
    let corrupt = |why: &str| ArchiveError::new(ArchiveErrorKind::Corrupt, operation, key).because(why);
    let size_bytes = head
        .content_length()
        .and_then(|size| u64::try_from(size).ok())
        .ok_or_else(|| corrupt("the store gives no object size"))?;
    let retention = match (head.object_lock_mode(), head.object_lock_retain_until_date()) {
        (None, None) => None,
        (Some(mode), Some(until)) => Some(Retention {
            mode: match mode {
                ObjectLockMode::Compliance => RetentionMode::Compliance,
                ObjectLockMode::Governance => RetentionMode::Governance,
                other => return Err(corrupt(&format!("unknown lock mode {:?}", other.as_str()))),
            },
            until: timestamp(until).ok_or_else(|| corrupt("lock date is out of range"))?,
        }),
        _ => return Err(corrupt("lock mode without date, or date without mode")),
    };
    let legal_hold = match head.object_lock_legal_hold_status() {
        Some(ObjectLockLegalHoldStatus::On) => LegalHold::On,
        None | Some(ObjectLockLegalHoldStatus::Off) => LegalHold::Off,
        Some(other) => return Err(corrupt(&format!("unknown legal hold {:?}", other.as_str()))),
    };
    let checksum = head.checksum_sha256().map(str::to_owned);
    Ok(Stored {
        head: Head {
            size_bytes,
            sha256: checksum.as_deref().and_then(digest),
            retention,
            legal_hold,
        },
        checksum,
        version: head.version_id().map(str::to_owned),
    })
}

/// The answer of `GetObjectRetention`.
pub(super) fn retention(
    operation: &'static str,
    key: &ObjectKey,
    told: Option<&ObjectLockRetention>,
) -> Result<Option<Retention>, ArchiveError> {
    let corrupt = |why: &str| ArchiveError::new(ArchiveErrorKind::Corrupt, operation, key).because(why);
    let Some(told) = told else { return Ok(None) };
    let mode = match told.mode() {
        None => return Ok(None),
        Some(ObjectLockRetentionMode::Compliance) => RetentionMode::Compliance,
        Some(ObjectLockRetentionMode::Governance) => RetentionMode::Governance,
        Some(other) => return Err(corrupt(&format!("unknown lock mode {:?}", other.as_str()))),
    };
    let until = told
        .retain_until_date()
        .and_then(timestamp)
        .ok_or_else(|| corrupt("lock mode without a usable date"))?;
    Ok(Some(Retention { mode, until }))
}

/// `None` for a checksum of part checksums.
fn digest(checksum: &str) -> Option<Digest> {
    let bytes = STANDARD.decode(checksum).ok()?;
    Some(Digest::from_bytes(bytes.try_into().ok()?))
}

pub(super) fn checksum(digest: Digest) -> String {
    STANDARD.encode(digest.as_bytes())
}

pub(super) fn timestamp(date: &DateTime) -> Option<Timestamp> {
    let nanos = i32::try_from(date.subsec_nanos()).ok()?;
    Timestamp::new(date.secs(), nanos).ok()
}

/// Rounds up to a whole second, the resolution stores keep.
pub(super) fn whole_seconds(at: Timestamp) -> Timestamp {
    let floor = at.as_nanosecond().div_euclid(1_000_000_000);
    let up = i128::from(at.as_nanosecond().rem_euclid(1_000_000_000) > 0);
    i64::try_from(floor + up)
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .unwrap_or(at)
}

/// `at` must be in whole seconds.
pub(super) fn date(at: Timestamp) -> DateTime {
    DateTime::from_secs(at.as_second())
}

pub(super) const fn lock_mode(mode: RetentionMode) -> ObjectLockMode {
    match mode {
        RetentionMode::Governance => ObjectLockMode::Governance,
        RetentionMode::Compliance => ObjectLockMode::Compliance,
    }
}

pub(super) const fn retention_mode(mode: RetentionMode) -> ObjectLockRetentionMode {
    match mode {
        RetentionMode::Governance => ObjectLockRetentionMode::Governance,
        RetentionMode::Compliance => ObjectLockRetentionMode::Compliance,
    }
}

#[cfg(test)]
mod tests {
    use revtrail_model::time;

    use super::*;

    #[test]
    fn a_lock_date_is_rounded_up() {
        let at = |text| time::parse(text).unwrap();
        let full = at("2033-01-01T00:00:01Z");
        assert_eq!(whole_seconds(at("2033-01-01T00:00:00.000000001Z")), full);
        assert_eq!(whole_seconds(full), full);
        assert_eq!(date(full).secs(), full.as_second());
    }

    #[test]
    fn a_checksum_of_checksums_is_no_digest() {
        let whole = revtrail_model::sha256(b"abc");
        assert_eq!(digest(&checksum(whole)), Some(whole));
        assert_eq!(digest(&format!("{}-2", checksum(whole))), None);
    }
}
