//! An archive in a local directory.

mod walk;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use bytes::Bytes;
use revtrail_model::time::Timestamp;

use crate::{
    Archive, ArchiveError, ArchiveErrorKind, Head, LegalHold, Listing, ObjectKey, Protection, Retention,
};

/// Directory for objects being written. No key can name it: no segment starts with a dot.
const TEMPORARY: &str = ".tmp";

/// Objects as read-only files below one directory, the key being the relative path.
///
/// An object is written and synced under a random name in `.tmp`, then moved to its key without
/// replacing anything, then the directories are synced. A process killed at any moment leaves the
/// whole object or none, and perhaps a stray file in `.tmp`, which nothing reads. One difference
/// from a bucket: when `a` is an object, `a/b` cannot be one.
///
/// Nothing here resists a user who may write to the directory; [`Archive::protection`] says so.
#[derive(Debug, Clone)]
pub struct FsArchive {
    root: PathBuf,
}

impl FsArchive {
    /// Opens an existing directory. Creates nothing: a missing directory may be an unmounted
    /// volume, and writing below its mount point would start a second record.
    pub fn open(root: impl AsRef<Path>) -> Result<Self, ArchiveError> {
        let root = root.as_ref();
        let shown = &root.display();
        let canonical = root.canonicalize().map_err(|error| {
            let kind = match error.kind() {
                io::ErrorKind::NotFound => ArchiveErrorKind::Config,
                _ => kind_of(error.kind(), Access::Read),
            };
            ArchiveError::new(kind, "open", shown).because(error)
        })?;
        if !canonical.is_dir() {
            return Err(
                ArchiveError::new(ArchiveErrorKind::Config, "open", shown).because("path is not a directory")
            );
        }
        Ok(Self { root: canonical })
    }

    /// Creates the directory (and its parents) unless it exists, then opens it.
    pub fn create_dir(root: impl AsRef<Path>) -> Result<Self, ArchiveError> {
        let root = root.as_ref();
        fs::create_dir_all(root).map_err(|error| {
            let kind = kind_of(error.kind(), Access::Write);
            ArchiveError::new(kind, "open", root.display()).because(error)
        })?;
        Self::open(root)
    }

    /// The directory, absolute, without symbolic links.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Runs blocking file work off the async threads.
    async fn blocking<T: Send + 'static>(
        &self,
        operation: &'static str,
        subject: &str,
        work: impl FnOnce(&Path) -> Result<T, ArchiveError> + Send + 'static,
    ) -> Result<T, ArchiveError> {
        let root = self.root.clone();
        tokio::task::spawn_blocking(move || work(&root))
            .await
            .unwrap_or_else(|error| {
                // A cancelled runtime: a write may have happened.
                Err(ArchiveError::new(ArchiveErrorKind::Unknown, operation, subject).because(error))
            })
    }
}

#[async_trait]
impl Archive for FsArchive {
    async fn create(
        &self,
        key: &ObjectKey,
        bytes: Bytes,
        _retention: Option<Retention>,
    ) -> Result<(), ArchiveError> {
        let target = key.clone();
        self.blocking("create", key.as_str(), move |root| {
            write_new(root, &target, &bytes)
        })
        .await
    }

    async fn read(&self, key: &ObjectKey) -> Result<Bytes, ArchiveError> {
        let target = key.clone();
        self.blocking("read", key.as_str(), move |root| {
            let path = existing(root, &target, "read")?
                .ok_or_else(|| ArchiveError::new(ArchiveErrorKind::NotFound, "read", &target))?;
            fs::read(path)
                .map(Bytes::from)
                .map_err(|error| io_error(Access::Read, "read", &target)(error))
        })
        .await
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<Head>, ArchiveError> {
        let target = key.clone();
        self.blocking("head", key.as_str(), move |root| {
            let Some(path) = existing(root, &target, "head")? else {
                return Ok(None);
            };
            let size_bytes = fs::metadata(path)
                .map_err(io_error(Access::Read, "head", &target))?
                .len();
            Ok(Some(Head {
                size_bytes,
                sha256: None,
                retention: None,
                legal_hold: LegalHold::Off,
            }))
        })
        .await
    }

    async fn list_up_to(
        &self,
        most: usize,
        prefix: &str,
        after: Option<&ObjectKey>,
    ) -> Result<Listing, ArchiveError> {
        let (wanted, after) = (prefix.to_owned(), after.cloned());
        self.blocking("list", prefix, move |root| {
            walk::page(root, most, &wanted, after.as_ref())
        })
        .await
    }

    async fn extend_retention(&self, key: &ObjectKey, _until: Timestamp) -> Result<(), ArchiveError> {
        Err(ArchiveError::new(
            ArchiveErrorKind::Unsupported,
            "extend_retention",
            key,
        ))
    }

    async fn set_legal_hold(&self, key: &ObjectKey, _hold: LegalHold) -> Result<(), ArchiveError> {
        Err(ArchiveError::new(
            ArchiveErrorKind::Unsupported,
            "set_legal_hold",
            key,
        ))
    }

    fn protection(&self) -> Protection {
        Protection::None
    }

    async fn clock(&self) -> Option<Timestamp> {
        None
    }
}

/// Whether an I/O error met a read or a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

const fn kind_of(kind: io::ErrorKind, access: Access) -> ArchiveErrorKind {
    match (kind, access) {
        (io::ErrorKind::ReadOnlyFilesystem, _) | (io::ErrorKind::PermissionDenied, Access::Write) => {
            ArchiveErrorKind::ReadOnly
        }
        (io::ErrorKind::PermissionDenied, Access::Read) => ArchiveErrorKind::PermissionDenied,
        (io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded, _) => ArchiveErrorKind::NoSpace,
        (io::ErrorKind::NotFound, Access::Read) => ArchiveErrorKind::NotFound,
        (io::ErrorKind::AlreadyExists, Access::Write) => ArchiveErrorKind::AlreadyExists,
        (io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory | io::ErrorKind::InvalidFilename, _) => {
            ArchiveErrorKind::Refused
        }
        // The root vanished, or the device fails: it is the store that does not answer.
        _ => ArchiveErrorKind::Unreachable,
    }
}

fn io_error(access: Access, operation: &'static str, key: &ObjectKey) -> impl Fn(io::Error) -> ArchiveError {
    move |error| ArchiveError::new(kind_of(error.kind(), access), operation, key).because(error)
}

/// Path of the plain file under `key`, or `None`. Anything else in its place, or a way there that
/// leads out of the root through a symbolic link, is `Refused`.
fn existing(root: &Path, key: &ObjectKey, operation: &'static str) -> Result<Option<PathBuf>, ArchiveError> {
    let path = root.join(key.as_str());
    let found = match fs::symlink_metadata(&path) {
        Ok(found) => found,
        Err(error) if is_absent(&error) => return absent(root, key, operation),
        Err(error) => return Err(io_error(Access::Read, operation, key)(error)),
    };
    let parent = path.parent().unwrap_or(root);
    let real = parent
        .canonicalize()
        .map_err(io_error(Access::Read, operation, key))?;
    if found.is_dir() {
        return Ok(None);
    }
    if !found.is_file() || real != parent {
        return Err(ArchiveError::new(ArchiveErrorKind::Refused, operation, key)
            .because("path is a symbolic link or no plain file"));
    }
    Ok(Some(path))
}

/// An absent object in a present directory is `None`; without the directory the store is gone.
fn absent(root: &Path, key: &ObjectKey, operation: &'static str) -> Result<Option<PathBuf>, ArchiveError> {
    if root.is_dir() {
        return Ok(None);
    }
    Err(ArchiveError::new(ArchiveErrorKind::Unreachable, operation, key).because("archive directory is gone"))
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn write_new(root: &Path, key: &ObjectKey, bytes: &[u8]) -> Result<(), ArchiveError> {
    let fail = io_error(Access::Write, "create", key);
    if existing(root, key, "create")?.is_some() {
        return Err(ArchiveError::new(ArchiveErrorKind::AlreadyExists, "create", key));
    }
    let path = root.join(key.as_str());
    let parent = path.parent().unwrap_or(root);
    let temporary = write_temporary(root, bytes).map_err(&fail)?;
    make_directories(root, parent).map_err(&fail)?;
    if parent.canonicalize().map_err(&fail)? != parent {
        return Err(ArchiveError::new(ArchiveErrorKind::Refused, "create", key)
            .because("path leads through a symbolic link"));
    }
    // Line of no return: from here on the object exists, whole.
    temporary.persist_noclobber(&path).map_err(|error| {
        if path.is_dir() {
            return ArchiveError::new(ArchiveErrorKind::Refused, "create", key)
                .because("other objects exist below this key");
        }
        fail(error.error)
    })?;
    sync_up_to(root, parent)
        .map_err(|error| ArchiveError::new(ArchiveErrorKind::Unknown, "create", key).because(error))
}

/// The bytes, on disk, under a random name; removed again when dropped.
fn write_temporary(root: &Path, bytes: &[u8]) -> io::Result<tempfile::NamedTempFile> {
    use io::Write as _;
    let directory = root.join(TEMPORARY);
    create_one(&directory)?;
    let mut file = tempfile::Builder::new().prefix("").tempfile_in(directory)?;
    file.write_all(bytes)?;
    let mut permissions = file.as_file().metadata()?.permissions();
    set_read_only(&mut permissions);
    file.as_file().set_permissions(permissions)?;
    file.as_file().sync_all()?;
    Ok(file)
}

#[cfg(unix)]
fn set_read_only(permissions: &mut fs::Permissions) {
    use std::os::unix::fs::PermissionsExt as _;
    permissions.set_mode(0o444);
}

#[cfg(not(unix))]
fn set_read_only(permissions: &mut fs::Permissions) {
    permissions.set_readonly(true);
}

/// Creates the directories from `root` (which must exist) down to `directory`.
fn make_directories(root: &Path, directory: &Path) -> io::Result<()> {
    let below = directory.strip_prefix(root).unwrap_or(Path::new(""));
    let mut at = root.to_owned();
    for segment in below {
        at.push(segment);
        create_one(&at)?;
    }
    Ok(())
}

fn create_one(directory: &Path) -> io::Result<()> {
    match fs::create_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && directory.is_dir() => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(io::ErrorKind::NotADirectory.into())
        }
        other => other,
    }
}

/// Syncs `directory` and its parents up to `root`: another process may have made one of them a
/// moment ago without having synced it yet.
fn sync_up_to(root: &Path, directory: &Path) -> io::Result<()> {
    for at in directory.ancestors() {
        #[cfg(unix)]
        fs::File::open(at)?.sync_all()?;
        if at == root {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
