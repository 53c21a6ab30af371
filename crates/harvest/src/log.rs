//! Opening a log: the committed state a run starts from, checked before anything is written.

use std::sync::Arc;

use bytes::Bytes;
use revtrail_archive::{Archive, ObjectKey, record};
use revtrail_ledger::{Checkpoint, Frontier, LedgerError, Note, TreeSize, VerifierKey, leaf_hash};
use revtrail_model::{
    Digest,
    id::LedgerName,
    layout::{Kind, LogName, segment_digest},
    leaf::{CheckpointRef, Leaf, RunLeaf},
    record::Count,
    sha256,
};

use crate::{
    chain::{Chain, Link},
    error::HarvestError,
    snapshot::{digest_of, hash_of, read_segment},
    state::{Header, Inventories, StateKind, read_changed, read_header, read_items},
    store,
};

/// A log as last committed.
pub struct OpenLog {
    /// Its name.
    pub name: LogName,
    /// Origin line.
    pub origin: String,
    /// Tree over all committed leaves.
    pub frontier: Frontier,
    /// The newest checkpoint.
    pub checkpoint: CheckpointRef,
    /// Its place in the log.
    pub seq: u64,
    /// Its run leaf.
    pub run: RunLeaf,
    /// Header of its state object.
    pub state: Header,
    /// The state objects it was read from.
    pub chain: Chain,
    /// Items of each folder.
    pub inventories: Inventories,
}

/// Finds the ledger's newest log. An archive without one is an error: a log is made by `init` alone, never because its checkpoints
/// are missing.
pub async fn newest_log(archive: &dyn Archive, ledger: &LedgerName) -> Result<LogName, HarvestError> {
    // A log without a checkpoint is an attempt to open the year's log that never came to its commit point.
    for log in record::logs(archive, ledger).await?.into_iter().rev() {
        if record::has_checkpoint(archive, &log).await? {
            return Ok(log);
        }
    }
    Err(HarvestError::NoLog {
        ledger: ledger.to_string(),
    })
}

/// Opens a log: newest checkpoint, signature, segment, root and state must agree.
pub async fn open_log(
    archive: &Arc<dyn Archive>,
    name: LogName,
    key: &VerifierKey,
) -> Result<OpenLog, HarvestError> {
    let no_log = || HarvestError::NoLog {
        ledger: name.ledger.to_string(),
    };
    let newest = record::newest_checkpoint(archive, &name).await?;
    let seq = newest.ok_or_else(no_log)?;
    let checkpoint_key = name.checkpoint(seq);
    let note = store::read(archive, &checkpoint_key).await?;
    let contradiction = |key: &str, what: String| HarvestError::Contradiction {
        key: key.to_owned(),
        what,
    };
    let checkpoint =
        Checkpoint::open(&note, key).map_err(|error| refused((&checkpoint_key, &note), key, &error))?;
    let root = digest_of(&checkpoint.root);
    let segment_key = name.object(Kind::Segment, seq, &root);
    let segment = store::read(archive, &segment_key).await?;
    if segment_digest(&checkpoint.extensions) != Some(sha256(&segment)) {
        return Err(contradiction(
            &segment_key,
            "does not have the digest that its checkpoint names".into(),
        ));
    }
    let leaves = read_segment(&segment_key, &segment)?;
    let run = match leaves.last().map(|leaf| Leaf::parse(leaf)) {
        Some(Ok(Leaf::Run(run))) => *run,
        _ => return Err(contradiction(&segment_key, "does not end in a run leaf".into())),
    };
    let state_digest = run
        .objects
        .state
        .ok_or_else(|| contradiction(&segment_key, "run leaf names no state object".into()))?;
    let state_key = name.object(Kind::State, seq, &state_digest);
    let bytes = store::read_named(archive, &state_key, &state_digest).await?;
    let state = read_header(&state_key, &bytes)?;
    let frontier = frontier_after(&state, &leaves)
        .filter(|frontier| frontier.size() == checkpoint.size && frontier.root() == checkpoint.root);
    let frontier =
        frontier.ok_or_else(|| contradiction(&segment_key, "leaves do not make the signed root".into()))?;
    let (inventories, chain) = load_inventories(archive, &name, (&state, state_digest, bytes)).await?;
    Ok(OpenLog {
        origin: checkpoint.origin.to_string(),
        checkpoint: CheckpointRef {
            note_sha256: sha256(&note),
            root,
            size: Count(checkpoint.size.leaves()),
        },
        name,
        frontier,
        seq,
        run,
        state,
        chain,
        inventories,
    })
}

/// Why a checkpoint does not open. One that another key signed in the log's name may be a matter of configuration.
fn refused((object, note): (&str, &[u8]), key: &VerifierKey, error: &LedgerError) -> HarvestError {
    let other = Note::parse(note).ok().and_then(|note| {
        let mut own = note.signatures().iter().filter(|line| line.name() == key.name());
        let line = own.next().filter(|line| line.id() != key.id())?;
        Some(format!("{}+{}", line.name(), line.id()))
    });
    match other {
        Some(bound) => HarvestError::OtherKey {
            at: object.to_owned(),
            configured: key.to_string(),
            bound,
        },
        None => HarvestError::Contradiction {
            key: object.to_owned(),
            what: error.to_string(),
        },
    }
}

/// The tree before the segment, which the state holds, with the segment's leaves put on.
fn frontier_after(state: &Header, leaves: &[Vec<u8>]) -> Option<Frontier> {
    let hashes = state.frontier_before.iter().map(hash_of).collect();
    let mut frontier = Frontier::from_hashes(TreeSize::new(state.size_before.0), hashes).ok()?;
    for leaf in leaves {
        frontier.append(leaf_hash(leaf));
    }
    Some(frontier)
}

/// Reads the base and the deltas after it.
async fn load_inventories(
    archive: &Arc<dyn Archive>,
    name: &LogName,
    (newest, digest, bytes): (&Header, Digest, Bytes),
) -> Result<(Inventories, Chain), HarvestError> {
    // Headers lead back to the base; only then can items be put one over the other.
    let mut deltas = Vec::new();
    let (mut seq, mut digest, mut bytes) = (newest.seq.0, digest, bytes);
    let (mut kind, mut before) = (newest.kind, place_before(newest));
    while kind == StateKind::Delta {
        let found = before.filter(|(earlier, _)| *earlier < seq);
        let (earlier, its_digest) = found.ok_or_else(|| HarvestError::Contradiction {
            key: name.to_string(),
            what: "state deltas do not lead back to a base".into(),
        })?;
        deltas.push((seq, digest, bytes));
        let key = name.object(Kind::State, earlier, &its_digest);
        bytes = store::read_named(archive, &key, &its_digest).await?;
        (seq, digest) = (earlier, its_digest);
        let header = read_header(&key, &bytes)?;
        (kind, before) = (header.kind, place_before(&header));
    }
    let mut inventories = Inventories::new();
    read_items(&name.object(Kind::State, seq, &digest), &bytes, &mut inventories)?;
    let mut chain = Chain::new(seq, digest);
    while let Some((seq, digest, bytes)) = deltas.pop() {
        let key = name.object(Kind::State, seq, &digest);
        let changed = read_changed(&key, &bytes, &mut inventories)?;
        chain.push(Link { seq, digest, changed });
    }
    Ok((inventories, chain))
}

/// Snapshot and digest of the state before.
fn place_before(header: &Header) -> Option<(u64, Digest)> {
    let seq = header
        .previous_seq
        .map_or(header.seq.0.checked_sub(1), |seq| Some(seq.0));
    Some((seq?, header.previous?))
}

/// True when the archive holds anything below the log's prefix.
pub async fn exists(archive: &dyn Archive, name: &LogName) -> Result<bool, HarvestError> {
    let none: Option<&ObjectKey> = None;
    Ok(!archive.list_up_to(1, &name.prefix(), none).await?.keys.is_empty())
}
