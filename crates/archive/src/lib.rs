#![doc = include_str!("../README.md")]

mod archive;
mod error;
pub mod faulty;
mod fs;
mod key;
mod location;
mod memory;
pub mod record;
mod s3;

pub use archive::{
    Archive, Entry, Head, LegalHold, Listing, PAGE_ENTRIES, Protection, Retention, RetentionMode,
};
pub use error::{ArchiveError, ArchiveErrorKind};
pub use faulty::{Fault, Faults, FaultyArchive};
pub use fs::FsArchive;
pub use key::ObjectKey;
pub use location::ArchiveUrl;
pub use memory::MemoryArchive;
pub use s3::{
    Addressing, ConditionalCreates, ObjectLockState, ProbeReport, S3Archive, S3Options, S3Settings,
    Versioning, open,
};
