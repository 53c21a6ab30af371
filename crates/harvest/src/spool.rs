//! The raw records of the snapshot under construction.
//!
//! One line per provider record, zstd-compressed as it comes:
//!
//! ```text
//! {"body":"{\"id\":\"01ABC\",…}","n":0,"operation":"onedrive.versions","request_id":"6f2c…","salt":"…"}
//! ```
//!
//! `body` is the provider's text, byte for byte. The digest that leaves carry is that of the whole line without its newline; the salt
//! keeps a reader of redacted leaves from testing guesses of names against it.

use std::{io::Write as _, sync::Arc};

use revtrail_connector::change::Raw;
use revtrail_model::{Digest, disclosure::Seed, record::canonical, sha256};
use serde::Serialize;

use crate::error::HarvestError;

/// Compression level of record objects: the library's default, a good trade of time for size.
pub(crate) const LEVEL: i32 = 3;

#[derive(Serialize)]
struct Line<'a> {
    body: &'a str,
    n: u64,
    operation: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    salt: String,
}

/// Where the raw record of a fact is, and which request showed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Digest of the raw record line.
    pub raw: Option<Digest>,
    /// Operation.
    pub operation: Arc<str>,
    /// The provider's request id.
    pub request_id: Option<Arc<str>>,
}

/// Collects raw records.
pub struct Spool {
    seed: Seed,
    lines: u64,
    unknown: u64,
    encoder: zstd::stream::write::Encoder<'static, Vec<u8>>,
}

impl Spool {
    /// An empty spool whose salts derive from `seed`.
    pub fn new(seed: Seed) -> Result<Self, HarvestError> {
        let encoder = zstd::stream::write::Encoder::new(Vec::new(), LEVEL).map_err(HarvestError::Compress)?;
        Ok(Self {
            seed,
            lines: 0,
            unknown: 0,
            encoder,
        })
    }

    /// Adds a record.
    pub fn put(&mut self, raw: &Raw) -> Result<Source, HarvestError> {
        self.put_record(
            (&raw.body, raw.unknown),
            (raw.operation, raw.request_id.as_deref()),
        )
    }

    /// Adds a record, told as text and number of unknown members, with the operation that showed it and the provider's request id.
    pub fn put_record(
        &mut self,
        (body, unknown): (&str, u32),
        (operation, request_id): (&str, Option<&str>),
    ) -> Result<Source, HarvestError> {
        let line = Line {
            body,
            n: self.lines,
            operation,
            request_id,
            salt: self.seed.raw_salt(self.lines),
        };
        let mut bytes = canonical(&line)?;
        let digest = sha256(&bytes);
        bytes.push(b'\n');
        self.encoder.write_all(&bytes).map_err(HarvestError::Compress)?;
        self.lines += 1;
        self.unknown += u64::from(unknown);
        Ok(Source {
            raw: Some(digest),
            operation: operation.into(),
            request_id: request_id.map(Into::into),
        })
    }

    /// The seed of this snapshot's salts.
    pub fn seed(&self) -> &Seed {
        &self.seed
    }

    /// Members and values seen so far that this version does not know.
    pub fn unknown(&self) -> u64 {
        self.unknown
    }

    /// The object's bytes; `None` when nothing was added.
    pub fn finish(self) -> Result<Option<Vec<u8>>, HarvestError> {
        let empty = self.lines == 0;
        let bytes = self.encoder.finish().map_err(HarvestError::Compress)?;
        Ok(Some(bytes).filter(|_| !empty))
    }
}
