//! Reading and writing objects of a log through the archive.

use bytes::Bytes;
use revtrail_archive::{Archive, ArchiveErrorKind, ObjectKey, Retention};
use revtrail_model::{Digest, sha256};

use crate::error::HarvestError;

/// A key of ours as an object key.
pub fn object_key(key: &str) -> Result<ObjectKey, HarvestError> {
    Ok(key.parse::<ObjectKey>()?)
}

/// Reads an object.
pub async fn read(archive: &dyn Archive, key: &str) -> Result<Bytes, HarvestError> {
    Ok(archive.read(&object_key(key)?).await?)
}

/// Reads an object whose name carries its digest, and checks it.
pub async fn read_named(archive: &dyn Archive, key: &str, digest: &Digest) -> Result<Bytes, HarvestError> {
    let bytes = read(archive, key).await?;
    let actual = sha256(&bytes);
    if actual == *digest {
        Ok(bytes)
    } else {
        Err(HarvestError::Digest {
            key: key.to_owned(),
            actual,
        })
    }
}

/// Creates an object whose name carries a digest. An object that stands there already with the same bytes is the same object: names of
/// two attempts never collide otherwise.
pub async fn create_named(
    archive: &dyn Archive,
    key: &str,
    bytes: Vec<u8>,
    retention: Option<Retention>,
) -> Result<(), HarvestError> {
    let digest = sha256(&bytes);
    match create(archive, key, bytes, retention).await? {
        Created::New => Ok(()),
        Created::Exists(found) if found == digest => Ok(()),
        Created::Exists(found) => Err(HarvestError::Digest {
            key: key.to_owned(),
            actual: found,
        }),
    }
}

/// Outcome of a create-only write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// Written by us.
    New,
    /// An object with this digest stands there.
    Exists(Digest),
}

/// A create-only write that settles unknown outcomes by reading back.
pub async fn create(
    archive: &dyn Archive,
    key: &str,
    bytes: impl Into<Bytes>,
    retention: Option<Retention>,
) -> Result<Created, HarvestError> {
    let name = object_key(key)?;
    let bytes = bytes.into();
    let digest = sha256(&bytes);
    let error = match archive.create(&name, bytes, retention).await {
        Ok(()) => return Ok(Created::New),
        Err(error) => error,
    };
    match error.kind() {
        ArchiveErrorKind::AlreadyExists => Ok(Created::Exists(sha256(&archive.read(&name).await?))),
        // Stored or not: the object itself tells. If it is ours, our write happened.
        ArchiveErrorKind::Unknown => match archive.read(&name).await {
            Ok(found) if sha256(&found) == digest => Ok(Created::New),
            Ok(found) => Ok(Created::Exists(sha256(&found))),
            Err(_) => Err(error.into()),
        },
        _ => Err(error.into()),
    }
}
