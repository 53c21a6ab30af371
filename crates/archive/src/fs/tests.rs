use super::*;

fn key(text: &str) -> ObjectKey {
    text.parse().unwrap()
}

fn fresh() -> (tempfile::TempDir, FsArchive) {
    let directory = tempfile::tempdir().unwrap();
    let archive = FsArchive::open(directory.path()).unwrap();
    (directory, archive)
}

#[test]
fn opens_only_what_exists() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("a/b");
    let error = FsArchive::open(&missing).unwrap_err();
    assert_eq!(error.kind(), ArchiveErrorKind::Config);
    assert!(!missing.exists());
    let file = directory.path().join("file");
    fs::write(&file, "x").unwrap();
    assert_eq!(
        FsArchive::open(&file).unwrap_err().kind(),
        ArchiveErrorKind::Config
    );
    assert_eq!(
        FsArchive::create_dir(&missing).unwrap().root(),
        missing.canonicalize().unwrap()
    );
}

#[tokio::test]
async fn objects_are_read_only_files_and_nothing_temporary_stays() {
    let (directory, archive) = fresh();
    archive.create(&key("a/b/c"), "bytes".into(), None).await.unwrap();
    let path = directory.path().join("a/b/c");
    assert_eq!(fs::read(&path).unwrap(), b"bytes");
    assert!(fs::metadata(&path).unwrap().permissions().readonly());
    assert_eq!(fs::read_dir(directory.path().join(TEMPORARY)).unwrap().count(), 0);
}

#[tokio::test]
async fn a_stray_temporary_file_is_neither_listed_nor_in_the_way() {
    let (directory, archive) = fresh();
    fs::create_dir(directory.path().join(TEMPORARY)).unwrap();
    fs::write(directory.path().join(TEMPORARY).join("Xa81"), "half").unwrap();
    archive.create(&key("a"), "whole".into(), None).await.unwrap();
    let listing = archive.list("", None).await.unwrap();
    assert_eq!(listing.keys.len(), 1);
    assert_eq!(listing.foreign, Vec::<String>::new());
}

#[cfg(unix)]
#[tokio::test]
async fn symbolic_links_are_refused_and_reported() {
    let (directory, archive) = fresh();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "x").unwrap();
    let link = |to: &Path, name: &str| {
        std::os::unix::fs::symlink(to, directory.path().join(name)).unwrap();
    };
    link(outside.path(), "dir");
    link(&outside.path().join("secret"), "file");
    for name in ["file", "dir/secret"] {
        let error = archive.read(&key(name)).await.unwrap_err();
        assert_eq!(error.kind(), ArchiveErrorKind::Refused, "{name}");
    }
    let error = archive
        .create(&key("dir/new"), "x".into(), None)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ArchiveErrorKind::Refused);
    assert!(!outside.path().join("new").exists());
    let listing = archive.list("", None).await.unwrap();
    assert_eq!(
        (listing.keys.len(), listing.foreign),
        (0, vec!["dir".into(), "file".into()])
    );
}

#[tokio::test]
async fn a_key_below_an_object_and_an_object_above_keys_are_refused() {
    let (_directory, archive) = fresh();
    archive.create(&key("a/b"), "x".into(), None).await.unwrap();
    for name in ["a", "a/b/c"] {
        let error = archive.create(&key(name), "y".into(), None).await.unwrap_err();
        assert_eq!(error.kind(), ArchiveErrorKind::Refused, "{name}");
    }
    assert_eq!(archive.head(&key("a")).await.unwrap(), None);
    assert_eq!(archive.read(&key("a/b")).await.unwrap(), "x");
}

#[tokio::test]
async fn a_vanished_directory_is_not_an_empty_archive() {
    let (directory, archive) = fresh();
    directory.close().unwrap();
    let error = archive.head(&key("a")).await.unwrap_err();
    assert_eq!(error.kind(), ArchiveErrorKind::Unreachable);
    let error = archive.list("", None).await.unwrap_err();
    assert_eq!(error.kind(), ArchiveErrorKind::Unreachable);
    let error = archive.create(&key("a"), "x".into(), None).await.unwrap_err();
    assert_eq!(error.kind(), ArchiveErrorKind::Unreachable);
    assert!(!archive.root().exists());
}

#[test]
fn io_errors_become_what_the_operator_can_act_on() {
    let table = [
        (
            io::ErrorKind::ReadOnlyFilesystem,
            Access::Write,
            ArchiveErrorKind::ReadOnly,
        ),
        (
            io::ErrorKind::PermissionDenied,
            Access::Write,
            ArchiveErrorKind::ReadOnly,
        ),
        (
            io::ErrorKind::PermissionDenied,
            Access::Read,
            ArchiveErrorKind::PermissionDenied,
        ),
        (
            io::ErrorKind::StorageFull,
            Access::Write,
            ArchiveErrorKind::NoSpace,
        ),
        (
            io::ErrorKind::AlreadyExists,
            Access::Write,
            ArchiveErrorKind::AlreadyExists,
        ),
        (
            io::ErrorKind::TimedOut,
            Access::Write,
            ArchiveErrorKind::Unreachable,
        ),
    ];
    for (from, access, to) in table {
        assert_eq!(kind_of(from, access), to, "{from:?} on {access:?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_directory_without_write_permission_is_read_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let (directory, archive) = fresh();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(directory.path().join("probe"), "x").is_ok() {
        // The superuser writes anywhere, so there is nothing to see.
        return;
    }
    let error = archive.create(&key("a"), "x".into(), None).await.unwrap_err();
    assert_eq!(error.kind(), ArchiveErrorKind::ReadOnly);
}
