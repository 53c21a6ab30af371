#![doc = include_str!("../README.md")]

mod archive;
pub mod counting;
pub mod custody;
mod error;
pub mod faulty;
mod fs;
mod key;
mod location;
mod memory;
pub mod record;
mod s3;
mod versions;

pub use archive::{Archive, Head, LegalHold, Listing, PAGE_ENTRIES, Protection, Retention, RetentionMode};
pub use counting::{Calls, CountingArchive};
pub use error::{ArchiveError, ArchiveErrorKind};
pub use faulty::{Fault, Faults, FaultyArchive};
pub use fs::FsArchive;
pub use key::ObjectKey;
pub use location::ArchiveUrl;
pub use memory::MemoryArchive;
pub use s3::{
    Addressing, ConditionalCreates, ObjectLockState, PART_BYTES, ProbeReport, S3Archive, S3Options,
    S3Settings, Versioning, open,
};
pub use versions::{Version, VersionId, VersionKind, VersionMark, VersionPage, Versions};
