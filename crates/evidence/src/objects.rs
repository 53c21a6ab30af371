//! The objects beside a segment: each must be there and have the digest that the run leaf names.

use std::{
    collections::{BTreeMap, HashSet},
    io::{BufRead as _, BufReader, Read as _},
};

use revtrail_ledger::{Frontier, Hash, TreeSize};
use revtrail_model::{
    Digest,
    id::HoldId,
    layout::{Kind, ObjectName},
    record::Count,
};
use serde::Deserialize;

use crate::{
    finding::{Finding, Report},
    load::{Objects, Stored},
    snapshot::{MAX_OBJECT_BYTES, SnapshotCheck},
};

/// Objects that say of themselves that they are not larger are decompressed in one go.
const AT_ONCE_BYTES: usize = 64 << 20;

/// The text of a zstd-compressed JSON-lines object, without its last newline.
pub(crate) fn text(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut text = match at_once(bytes) {
        Some(text) => text,
        None => piecewise(bytes)?,
    };
    if text.pop() != Some(b'\n') {
        return Err("does not end in a newline".into());
    }
    Ok(text)
}

fn at_once(bytes: &[u8]) -> Option<Vec<u8>> {
    let size = zstd::decompressed_size(bytes)?;
    let size = usize::try_from(size).ok().filter(|size| *size <= AT_ONCE_BYTES)?;
    // What fails here fails below, too, and says why.
    zstd::bulk::decompress(bytes, size).ok()
}

fn piecewise(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let decoder = zstd::stream::read::Decoder::new(bytes).map_err(|_| "not a zstd stream".to_owned())?;
    let mut text = Vec::new();
    decoder
        .take(MAX_OBJECT_BYTES)
        .read_to_end(&mut text)
        .map_err(|error| format!("not a whole zstd stream: {error}"))?;
    Ok(text)
}

/// Lines of such a text.
pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = memchr::memchr_iter(b'\n', text).chain([text.len()]);
    ends.scan(0, |start, end| {
        let line = text.get(*start..end);
        *start = end + 1;
        line
    })
}

/// Checks sidecar, raw and state objects: each must be there and be what the run leaf names.
pub(crate) fn check(
    snapshot: &SnapshotCheck<'_>,
    objects: &Objects,
    named: &mut HashSet<ObjectName>,
    report: &mut Report,
) {
    let mut judge = |kind, digest, what: Option<Wrong<'_>>| {
        named.insert(ObjectName {
            kind,
            seq: snapshot.seq,
            digest: Some(digest),
        });
        let Some(what) = what else { return };
        let key = snapshot.log.name.object(kind, snapshot.seq, &digest);
        report.findings.push(match what {
            Wrong::Missing => Finding::contradiction(key, "is missing, though the run leaf names it"),
            Wrong::Differs(actual) => {
                Finding::contradiction(key, "bytes do not have the digest that the run leaf names")
                    .values(digest, actual)
            }
            Wrong::Unreadable(what) => Finding::contradiction(key, what),
        });
    };
    if let Some(object) = &objects.sidecar {
        judge(Kind::Sidecar, object.digest, wrong(&object.stored));
    }
    if let Some(object) = &objects.raw {
        judge(Kind::Raw, object.digest, wrong(&object.stored));
    }
    if let Some(object) = &objects.state {
        judge(Kind::State, object.digest, wrong(&object.stored));
    }
}

enum Wrong<'a> {
    Missing,
    Differs(Digest),
    Unreadable(&'a str),
}

fn wrong<T>(stored: &Stored<T>) -> Option<Wrong<'_>> {
    match stored {
        Stored::Missing => Some(Wrong::Missing),
        Stored::Differs(actual) => Some(Wrong::Differs(*actual)),
        Stored::Unreadable(what) => Some(Wrong::Unreadable(what)),
        Stored::Read(_) => None,
    }
}

/// The parts of a state header that the leaves speak of.
#[derive(Deserialize)]
pub(crate) struct StateHeader {
    #[serde(default)]
    pub(crate) folders: BTreeMap<String, StateFolder>,
    frontier_before: Vec<Digest>,
    #[serde(default)]
    pub(crate) holds: BTreeMap<HoldId, StateHold>,
    size_before: Count,
}

#[derive(Deserialize)]
pub(crate) struct StateHold {
    #[serde(default)]
    pub(crate) year: Option<Count>,
}

#[derive(Deserialize)]
pub(crate) struct StateFolder {
    #[serde(default)]
    pub(crate) cursor: Option<String>,
}

/// First line of a state object.
pub(crate) fn state_header(bytes: &[u8]) -> Option<StateHeader> {
    let decoder = zstd::stream::read::Decoder::new(bytes).ok()?;
    let mut first = Vec::new();
    let mut limited = BufReader::new(decoder).take(MAX_OBJECT_BYTES);
    limited.read_until(b'\n', &mut first).ok()?;
    serde_json::from_slice(&first).ok()
}

impl StateHeader {
    /// The tree before the snapshot.
    pub(crate) fn frontier_before(&self) -> Option<Frontier> {
        let hashes = self
            .frontier_before
            .iter()
            .map(|digest| Hash::from_bytes(*digest.as_bytes()))
            .collect();
        Frontier::from_hashes(TreeSize::new(self.size_before.0), hashes).ok()
    }
}
