//! The objects beside a segment: each must be there and have the digest that the run leaf names.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _},
};

use revtrail_ledger::{Frontier, Hash, TreeSize};
use revtrail_model::{
    Digest,
    disclosure::Sidecar,
    layout::{Kind, ObjectName},
    leaf::RunLeaf,
    record::Count,
    sha256,
};
use serde::Deserialize;

use crate::{
    finding::{Finding, Report},
    log::Carried,
    snapshot::{MAX_OBJECT_BYTES, SnapshotCheck},
    source::SourceError,
};

/// Lines of a zstd-compressed JSON-lines object.
pub(crate) fn lines(bytes: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let decoder = zstd::stream::read::Decoder::new(bytes).map_err(|_| "not a zstd stream".to_owned())?;
    let mut text = Vec::new();
    decoder
        .take(MAX_OBJECT_BYTES)
        .read_to_end(&mut text)
        .map_err(|error| format!("not a whole zstd stream: {error}"))?;
    if text.last() != Some(&b'\n') {
        return Err("does not end in a newline".into());
    }
    text.pop();
    Ok(text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect())
}

/// Checks sidecar, raw and state objects; returns the sidecar.
pub(crate) fn check(
    snapshot: &SnapshotCheck<'_>,
    run: &RunLeaf,
    carried: &mut Carried,
    report: &mut Report,
) -> Result<Option<Sidecar>, SourceError> {
    let named = [
        (Kind::Sidecar, run.objects.sidecar),
        (Kind::Raw, run.objects.raw),
        (Kind::State, run.objects.state),
    ];
    let mut sidecar = None;
    for (kind, digest) in named {
        let Some(digest) = digest else { continue };
        carried.named.insert(ObjectName {
            kind,
            seq: snapshot.seq,
            digest: Some(digest),
        });
        let key = snapshot.log.name.object(kind, snapshot.seq, &digest);
        let Some(bytes) = snapshot.log.source.read(&key)? else {
            report.findings.push(Finding::contradiction(
                key,
                "is missing, though the run leaf names it",
            ));
            continue;
        };
        let actual = sha256(&bytes);
        if actual != digest {
            report.findings.push(
                Finding::contradiction(key, "bytes do not have the digest that the run leaf names")
                    .values(digest, actual),
            );
            continue;
        }
        match kind {
            Kind::Sidecar => match Sidecar::decode(&bytes) {
                Ok(read) => sidecar = Some(read),
                Err(error) => report
                    .findings
                    .push(Finding::contradiction(key, error.to_string())),
            },
            Kind::Raw => match lines(&bytes) {
                Ok(lines) => carried.raw.extend(lines.iter().map(|line| sha256(line))),
                Err(what) => report.findings.push(Finding::contradiction(key, what)),
            },
            Kind::State | Kind::Segment | Kind::Checkpoint => {}
        }
    }
    Ok(sidecar)
}

/// The parts of a state header that the leaves speak of.
#[derive(Deserialize)]
pub(crate) struct StateHeader {
    #[serde(default)]
    pub(crate) folders: BTreeMap<String, StateFolder>,
    frontier_before: Vec<Digest>,
    size_before: Count,
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

/// The tree before the snapshot, as its state object holds it.
pub(crate) fn frontier_before(bytes: &[u8]) -> Option<Frontier> {
    let header = state_header(bytes)?;
    let hashes = header
        .frontier_before
        .iter()
        .map(|digest| Hash::from_bytes(*digest.as_bytes()))
        .collect();
    Frontier::from_hashes(TreeSize::new(header.size_before.0), hashes).ok()
}
