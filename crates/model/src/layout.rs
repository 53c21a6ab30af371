//! Names of the objects of a log.
//!
//! ```text
//! <ledger>/<year>/checkpoints/<seq20>
//! <ledger>/<year>/segments/<seq20>-<root>.jsonl.zst
//! <ledger>/<year>/sidecars/<seq20>-<sha256>
//! <ledger>/<year>/raw/<seq20>-<sha256>.jsonl.zst
//! <ledger>/<year>/state/<seq20>-<sha256>.jsonl.zst
//! <ledger>/<year>/timestamps/<seq20>.tsr
//! <ledger>/<year>/contents/<sha256>
//! ```
//!
//! `<seq20>` is the snapshot's place in the log in 20 decimal digits, so that names sort in order.

use std::fmt;

use crate::{Digest, id::LedgerName};

/// One log: a ledger in a calendar year.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogName {
    /// The ledger.
    pub ledger: LedgerName,
    /// The UTC year in which its runs start.
    pub year: i16,
}

/// Kind of record object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Signed note; the commit point.
    Checkpoint,
    /// The snapshot's leaves.
    Segment,
    /// Disclosures.
    Sidecar,
    /// Provider records, verbatim.
    Raw,
    /// Cursors and inventory.
    State,
    /// Bytes of a file, as events name them; of no one snapshot.
    Content,
}

impl Kind {
    /// The kinds that belong to a snapshot, in the order it is written: the checkpoint last.
    pub const ALL: [Self; 5] = [
        Self::Segment,
        Self::Sidecar,
        Self::Raw,
        Self::State,
        Self::Checkpoint,
    ];

    /// The directory of the kind.
    pub const fn directory(self) -> &'static str {
        match self {
            Self::Checkpoint => "checkpoints",
            Self::Segment => "segments",
            Self::Sidecar => "sidecars",
            Self::Raw => "raw",
            Self::State => "state",
            Self::Content => "contents",
        }
    }

    const fn suffix(self) -> &'static str {
        match self {
            Self::Segment | Self::Raw | Self::State => ".jsonl.zst",
            Self::Checkpoint | Self::Sidecar | Self::Content => "",
        }
    }
}

/// The name of one record object, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    /// Kind.
    pub kind: Kind,
    /// Snapshot; 0 for contents, which belong to none.
    pub seq: u64,
    /// Root hash (segments) or SHA-256 of the bytes; absent for checkpoints.
    pub digest: Option<Digest>,
}

impl LogName {
    /// The origin line of the log's checkpoints: `<ledger origin>/<year>`.
    pub fn origin(&self, ledger_origin: &str) -> String {
        format!("{ledger_origin}/{}", self.year)
    }

    /// Prefix of all objects of the log, with a trailing `/`.
    pub fn prefix(&self) -> String {
        format!("{}/{}/", self.ledger, self.year)
    }

    /// Prefix of all objects of one kind, with a trailing `/`.
    pub fn directory(&self, kind: Kind) -> String {
        format!("{}{}/", self.prefix(), kind.directory())
    }

    /// Key of a checkpoint.
    pub fn checkpoint(&self, seq: u64) -> String {
        format!("{}{seq:020}", self.directory(Kind::Checkpoint))
    }

    /// Prefix of the time stamps of the log, with a trailing `/`.
    pub fn timestamps(&self) -> String {
        format!("{}timestamps/", self.prefix())
    }

    /// Key of the RFC 3161 token over a checkpoint.
    pub fn timestamp(&self, seq: u64) -> String {
        format!("{}{seq:020}.tsr", self.timestamps())
    }

    /// The checkpoint that a token of this log is over; `None` for other keys.
    pub fn parse_timestamp(&self, key: &str) -> Option<u64> {
        let seq = key.strip_prefix(&self.timestamps())?.strip_suffix(".tsr")?;
        let seq = seq.parse().ok()?;
        (self.timestamp(seq) == key).then_some(seq)
    }

    /// Key of the contents with this SHA-256.
    pub fn content(&self, digest: &Digest) -> String {
        format!("{}{digest}", self.directory(Kind::Content))
    }

    /// Key of an object that carries a digest in its name.
    pub fn object(&self, kind: Kind, seq: u64, digest: &Digest) -> String {
        if kind == Kind::Content {
            return self.content(digest);
        }
        format!("{}{seq:020}-{digest}{}", self.directory(kind), kind.suffix())
    }

    /// Takes a key of this log apart; `None` when it does not name a record object.
    pub fn parse(&self, key: &str) -> Option<ObjectName> {
        let (directory, name) = key.strip_prefix(&self.prefix())?.split_once('/')?;
        if directory == Kind::Content.directory() {
            let digest: Digest = name.parse().ok()?;
            return Some(ObjectName {
                kind: Kind::Content,
                seq: 0,
                digest: Some(digest),
            })
            .filter(|_| self.content(&digest) == key);
        }
        let kind = Kind::ALL.into_iter().find(|kind| kind.directory() == directory)?;
        let stem = name.strip_suffix(kind.suffix())?;
        let (seq, digest) = match stem.split_once('-') {
            Some((seq, digest)) => (seq, Some(digest.parse().ok()?)),
            None => (stem, None),
        };
        let well_formed = seq.len() == 20
            && seq.bytes().all(|byte| byte.is_ascii_digit())
            && digest.is_some() != (kind == Kind::Checkpoint);
        Some(ObjectName {
            kind,
            seq: seq.parse().ok().filter(|_| well_formed)?,
            digest,
        })
    }
}

/// First word of the checkpoint's extension line that binds the stored bytes of its segment.
const SEGMENT_LINE: &str = "segment-sha256 ";

/// The extension line of a checkpoint (C2SP tlog-checkpoint) that names the SHA-256 of its segment object: the root covers the leaves,
/// and many compressed forms hold the same leaves, so without this line a segment's stored bytes could be changed unnoticed.
pub fn segment_line(digest: &Digest) -> String {
    format!("{SEGMENT_LINE}{digest}")
}

/// The digest in a checkpoint's extension lines; `None` when none of them, or more than one, names a segment.
pub fn segment_digest(extensions: &[String]) -> Option<Digest> {
    let mut named = extensions
        .iter()
        .filter_map(|line| line.strip_prefix(SEGMENT_LINE));
    let digest = named.next()?.parse().ok()?;
    named.next().is_none().then_some(digest)
}

impl fmt::Display for LogName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ledger, self.year)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sha256;

    fn log() -> LogName {
        LogName {
            ledger: "finance".into(),
            year: 2026,
        }
    }

    #[test]
    fn names_read_back_as_written() {
        let digest = sha256(b"x");
        for kind in [Kind::Segment, Kind::Sidecar, Kind::Raw, Kind::State] {
            let key = log().object(kind, 7, &digest);
            assert_eq!(
                log().parse(&key),
                Some(ObjectName {
                    kind,
                    seq: 7,
                    digest: Some(digest)
                }),
                "{key}"
            );
        }
        assert_eq!(
            log().checkpoint(42),
            "finance/2026/checkpoints/00000000000000000042"
        );
        assert_eq!(
            log().parse(&log().checkpoint(42)),
            Some(ObjectName {
                kind: Kind::Checkpoint,
                seq: 42,
                digest: None
            })
        );
    }

    #[test]
    fn names_of_contents_read_back() {
        let digest = sha256(b"x");
        let key = log().content(&digest);
        assert_eq!(key, format!("finance/2026/contents/{digest}"));
        let name = ObjectName {
            kind: Kind::Content,
            seq: 0,
            digest: Some(digest),
        };
        assert_eq!(log().parse(&key), Some(name));
        assert_eq!(log().object(name.kind, name.seq, &digest), key);
        for other in [
            key.to_uppercase()
                .replace("FINANCE/2026/CONTENTS", "finance/2026/contents"),
            format!("{key}.gz"),
            "finance/2026/contents/12".to_owned(),
        ] {
            assert_eq!(log().parse(&other), None, "{other}");
        }
    }

    #[test]
    fn a_checkpoint_names_its_segment_once() {
        let line = segment_line(&sha256(b"x"));
        assert_eq!(
            segment_digest(&["other".into(), line.clone()]),
            Some(sha256(b"x"))
        );
        assert_eq!(segment_digest(&[line.clone(), line]), None);
        assert_eq!(segment_digest(&[]), None);
        assert_eq!(segment_digest(&["segment-sha256 12".into()]), None);
    }

    #[test]
    fn names_of_time_stamps_read_back() {
        let key = log().timestamp(42);
        assert_eq!(key, "finance/2026/timestamps/00000000000000000042.tsr");
        assert_eq!(log().parse_timestamp(&key), Some(42));
        for other in [
            "finance/2026/timestamps/42.tsr",
            "finance/2025/timestamps/00000000000000000042.tsr",
        ] {
            assert_eq!(log().parse_timestamp(other), None, "{other}");
        }
    }

    #[test]
    fn foreign_names_are_not_record_objects() {
        let digest = sha256(b"x");
        for key in [
            "finance/2025/checkpoints/00000000000000000042".to_owned(),
            "finance/2026/checkpoints/42".to_owned(),
            "finance/2026/checkpoints/+0000000000000000042".to_owned(),
            format!("finance/2026/checkpoints/00000000000000000042-{digest}"),
            "finance/2026/segments/00000000000000000042.jsonl.zst".to_owned(),
            format!("finance/2026/segments/00000000000000000042-{digest}"),
            format!("finance/2026/tile/00000000000000000042-{digest}"),
            "finance/2026/checkpoints".to_owned(),
        ] {
            assert_eq!(log().parse(&key), None, "{key}");
        }
    }
}
