//! The commit protocol, in one function.

use std::{collections::BTreeMap, sync::Arc};

use revtrail_archive::{Archive, Retention};
use revtrail_ledger::{Checkpoint, Frontier, Origin, Signer};
use revtrail_model::{
    Digest,
    id::FolderName,
    layout::{Kind, LogName, segment_line},
    leaf::{CheckpointRef, LeafRef, Objects, RunLeaf},
    record::Count,
    sha256,
};

use crate::{
    audit::state::Audits,
    chain::{Chain, Link},
    error::HarvestError,
    holds,
    snapshot::{Body, digest_of, digest_of_object, seal_segment},
    state::{Changed, FolderState, Header, Inventories, OpenHolds, StateKind, encode},
    store::{self, Created},
};

/// Where a snapshot is committed.
pub struct Target<'a> {
    /// The archive.
    pub archive: &'a Arc<dyn Archive>,
    /// The log.
    pub name: &'a LogName,
    /// Its origin line.
    pub origin: &'a str,
    /// Who signs.
    pub signer: &'a dyn Signer,
    /// The lock of record objects.
    pub retention: Option<Retention>,
}

/// The committed snapshot a new one extends.
#[derive(Debug, Clone)]
pub struct Tip {
    /// Tree over all committed leaves.
    pub frontier: Frontier,
    /// The checkpoint; absent before a log's first snapshot.
    pub checkpoint: Option<CheckpointRef>,
    /// Place of the next snapshot.
    pub next_seq: u64,
    /// Its state, and the objects it is read from; absent before a log's first snapshot.
    pub state: Option<(Header, Chain)>,
}

/// State that goes with the snapshot.
pub struct NextState<'a> {
    /// Folders.
    pub folders: &'a mut BTreeMap<FolderName, FolderState>,
    /// All items.
    pub inventories: &'a Inventories,
    /// Items that the snapshot changed.
    pub changed: Changed,
    /// Legal holds that are open after the snapshot.
    pub holds: OpenHolds,
    /// Audit logs by account.
    pub audits: Audits,
}

/// A committed snapshot.
#[derive(Debug, Clone)]
pub struct Committed {
    /// What the next one extends.
    pub tip: Tip,
    /// Number of leaves added.
    pub leaves: u64,
    /// Number of events among them.
    pub events: u64,
    /// Each folder's new window.
    pub windows: BTreeMap<FolderName, LeafRef>,
}

/// Commits one snapshot.
///
/// Objects under names that carry their digest come first: whatever happens before the checkpoint stands leaves objects that no
/// checkpoint names, and the next run starts from the same committed state. `run` is the run leaf with everything but the fields
/// that only the commit knows.
pub async fn commit(
    target: &Target<'_>,
    tip: &Tip,
    body: Body,
    mut state: NextState<'_>,
    mut run: RunLeaf,
) -> Result<Committed, HarvestError> {
    let (header, state_bytes, chain) = close_state(tip, &body, &mut state, &mut run)?;
    let leaves = body.leaves.len() as u64 + 1;
    let segment = seal_segment(body.leaves, body.frontier, &run)?;
    let mut checkpoint = Checkpoint::new(
        target.origin.parse::<Origin>().map_err(ledger)?,
        segment.frontier.head(),
    );
    checkpoint.extensions = vec![segment_line(&sha256(&segment.bytes))];
    // Locked bytes cannot be repaired for years: check what will be signed before anything is written.
    verify_before_writing(tip, &checkpoint)?;
    let note = checkpoint.sign(target.signer).map_err(HarvestError::Sign)?;
    let root = digest_of(&checkpoint.root);

    let seq = tip.next_seq;
    let named = [
        (Kind::Sidecar, body.sidecar),
        (Kind::Raw, body.raw),
        (Kind::State, Some(state_bytes)),
    ];
    for (kind, bytes) in named {
        if let Some(bytes) = bytes {
            let key = target.name.object(kind, seq, &sha256(&bytes));
            store::create_named(target.archive, &key, bytes, target.retention).await?;
        }
    }
    let segment_key = target.name.object(Kind::Segment, seq, &root);
    store::create_named(target.archive, &segment_key, segment.bytes, target.retention).await?;

    // THE POINT OF NO RETURN: once this object stands, the snapshot is part of the log for good. It is stored under its sequence
    // number, not its size, because two racing runs may reach different sizes; the store lets only one of them create it.
    let key = target.name.checkpoint(seq);
    let note_sha256 = sha256(&note);
    match store::create(target.archive, &key, note, target.retention).await? {
        Created::New => {}
        Created::Exists(found) if found == note_sha256 => {}
        Created::Exists(_) => return Err(HarvestError::Lost { key }),
    }

    holds::cover(target.archive, target.name, seq, &header.holds).await;
    let size = Count(checkpoint.size.leaves());
    tracing::info!(tree.size = size.0, root.hash = %root, object.key = %key, "committed a snapshot");
    Ok(Committed {
        tip: Tip {
            frontier: segment.frontier,
            checkpoint: Some(CheckpointRef {
                note_sha256,
                root,
                size,
            }),
            next_seq: seq + 1,
            state: Some((header, chain)),
        },
        leaves,
        events: body.events,
        windows: body.windows,
    })
}

/// Makes the state object and fills in what the run leaf says of the objects beside the segment.
fn close_state(
    tip: &Tip,
    body: &Body,
    state: &mut NextState<'_>,
    run: &mut RunLeaf,
) -> Result<(Header, Vec<u8>, Chain), HarvestError> {
    for (folder, window) in &body.windows {
        state.folders.entry(folder.clone()).or_default().last_window = Some(*window);
    }
    let mut header = next_header(tip, body, state);
    let mut changed = std::mem::take(&mut state.changed);
    let mut chain = tip.state.as_ref().map(|(_, chain)| chain.clone());
    if let Some(chain) = chain.as_mut().filter(|_| header.kind == StateKind::Delta) {
        changed = chain.merge(tip.next_seq, changed);
        let before = chain.newest();
        header.previous = Some(before.digest);
        header.previous_seq = (before.seq + 1 != tip.next_seq).then_some(Count(before.seq));
    }
    let state_bytes = encode(&header, state.inventories, &changed)?;
    let (seq, digest) = (tip.next_seq, sha256(&state_bytes));
    let chain = match (chain, header.kind) {
        (Some(mut chain), StateKind::Delta) => {
            chain.push(Link { seq, digest, changed });
            chain
        }
        _ => Chain::new(seq, digest),
    };
    run.seq = Count(tip.next_seq);
    run.previous_checkpoint = tip.checkpoint;
    run.windows.clone_from(&body.window_indices);
    run.objects = Objects {
        raw: digest_of_object(body.raw.as_ref()),
        sidecar: digest_of_object(body.sidecar.as_ref()),
        state: Some(digest),
    };
    Ok((header, state_bytes, chain))
}

/// A full base is written when the deltas since the last one outweigh it, so that a run reads at most about twice what it needs.
fn next_header(tip: &Tip, body: &Body, state: &NextState<'_>) -> Header {
    let items: u64 = state
        .inventories
        .values()
        .map(|inventory| inventory.len() as u64)
        .sum();
    let delta: u64 = state.changed.values().map(|ids| ids.len() as u64).sum();
    let before = tip.state.as_ref().map(|(header, _)| header);
    let changed_since = before.map_or(0, |header| header.changed_items.0) + delta;
    let base = before.is_none_or(|header| changed_since >= header.base_items.0.max(items));
    Header {
        audits: state.audits.clone(),
        base_items: before
            .filter(|_| !base)
            .map_or(Count(items), |header| header.base_items),
        changed_items: Count(if base { 0 } else { changed_since }),
        folders: state.folders.clone(),
        frontier: hashes(&body.frontier),
        frontier_before: hashes(&tip.frontier),
        holds: state.holds.clone(),
        kind: if base { StateKind::Base } else { StateKind::Delta },
        previous: tip.state.as_ref().map(|(_, chain)| chain.newest().digest),
        previous_seq: None,
        seq: Count(tip.next_seq),
        size: Count(body.frontier.size().leaves()),
        size_before: Count(tip.frontier.size().leaves()),
        record: "state".into(),
        v: 1,
    }
}

fn hashes(frontier: &Frontier) -> Vec<Digest> {
    frontier.hashes().iter().map(digest_of).collect()
}

fn verify_before_writing(tip: &Tip, checkpoint: &Checkpoint) -> Result<(), HarvestError> {
    let before = tip
        .checkpoint
        .map_or((0, None), |reference| (reference.size.0, Some(reference.root)));
    let agrees = before
        .1
        .is_none_or(|root| root == digest_of(&tip.frontier.root()))
        && before.0 == tip.frontier.size().leaves();
    if agrees && checkpoint.size.leaves() > before.0 {
        Ok(())
    } else {
        Err(HarvestError::Ledger(
            "new tree does not extend the last checkpoint".into(),
        ))
    }
}

fn ledger(error: impl std::fmt::Display) -> HarvestError {
    HarvestError::Ledger(error.to_string())
}
