//! Every archive against one contract suite.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod s3;
mod suite;

use revtrail_archive::{FaultyArchive, FsArchive, MemoryArchive, RetentionMode};

#[tokio::test]
async fn memory_keeps_the_contract() {
    suite::check_with_pages(&MemoryArchive::new()).await;
}

#[tokio::test]
async fn locked_memory_keeps_the_contract() {
    suite::check_with_pages(&MemoryArchive::with_object_lock(RetentionMode::Governance)).await;
}

#[tokio::test]
async fn an_archive_without_armed_faults_keeps_the_contract() {
    suite::check_with_pages(&FaultyArchive::new(MemoryArchive::new())).await;
}

#[tokio::test]
async fn a_directory_keeps_the_contract() {
    let directory = tempfile::tempdir().unwrap();
    suite::check_with_pages(&FsArchive::open(directory.path()).unwrap()).await;
}

#[tokio::test]
async fn a_directory_opened_twice_shows_the_same_objects() {
    let directory = tempfile::tempdir().unwrap();
    let writer = FsArchive::open(directory.path()).unwrap();
    let reader = FsArchive::open(directory.path()).unwrap();
    suite::two_handles(&writer, &reader).await;
}
