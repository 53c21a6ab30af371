//! The first log of a ledger, and the turn of the year.

use std::collections::BTreeMap;

use revtrail_archive::record;
use revtrail_ledger::{Frontier, VerifierKey};
use revtrail_model::{
    Digest,
    id::RunId,
    layout::{Kind, LogName},
    leaf::{CloseLeaf, GenesisLeaf, Leaf, PreviousLog, VERSION, encode},
    time::{Timestamp, year},
};

use crate::{
    audit::state::Audits,
    commit::{Committed, NextState, Target, Tip, commit},
    error::HarvestError,
    log::{OpenLog, exists, open_log},
    publish,
    run::{RunPlan, run_id, run_leaf},
    snapshot::{Draft, seal_draft},
    stamps,
    state::{Changed, FolderState, Inventories, OpenHolds},
    store,
};

/// Makes the ledger's first log: one snapshot of a genesis leaf and a run leaf. Refuses a ledger that has a log. An attempt that never
/// came to its commit point may be repeated.
pub async fn init(plan: &RunPlan) -> Result<Committed, HarvestError> {
    for log in record::logs(&plan.archive, &plan.ledger).await? {
        if !is_first_attempt(plan, &log).await? {
            return Err(HarvestError::LogExists {
                ledger: plan.ledger.to_string(),
                log: log.to_string(),
            });
        }
        tracing::warn!(%log, "the log has objects of an attempt to create it, but no checkpoint yet");
    }
    let now = plan.clock.now();
    let opening = Opening {
        name: LogName {
            ledger: plan.ledger.clone(),
            year: year(now),
        },
        previous: None,
        stamps: BTreeMap::new(),
        now,
        run: &run_id(now)?,
    };
    let nothing = Carried {
        folders: BTreeMap::new(),
        inventories: Inventories::new(),
        holds: OpenHolds::new(),
        audits: Audits::new(),
    };
    open_new(plan, &opening, nothing).await
}

/// True when nothing but objects of a first snapshot stand there. Any later object tells of a log whose checkpoints were lost: a new one
/// must not take its place.
async fn is_first_attempt(plan: &RunPlan, log: &LogName) -> Result<bool, HarvestError> {
    for kind in Kind::ALL {
        let objects = record::objects(&plan.archive, log, kind).await?;
        if objects
            .iter()
            .any(|(name, _)| name.kind == Kind::Checkpoint || name.seq > 0)
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Goes on in the log of the present year: closes the old log, opens the new one. A crash between the two is made good by the next run,
/// which finds a closed log and opens the new one.
pub async fn turn(
    plan: &RunPlan,
    log: OpenLog,
    (now, run): (Timestamp, &RunId),
) -> Result<OpenLog, HarvestError> {
    let present = year(now);
    if log.name.year == present {
        return Ok(log);
    }
    if log.name.year > present {
        return Err(HarvestError::Clock {
            log: log.name.to_string(),
            year: present,
        });
    }
    let name = LogName {
        ledger: plan.ledger.clone(),
        year: present,
    };
    if exists(&plan.archive, &name).await? {
        // Objects of an attempt that never reached its first checkpoint; their names carry digests and do not collide with ours.
        tracing::warn!(log = %name, "the new year's log has objects but no checkpoint yet");
    }
    let mut carried = Carried {
        folders: log.state.folders.clone(),
        inventories: log.inventories,
        holds: log.state.holds.clone(),
        audits: log.state.audits.clone(),
    };
    let closed = OpenLog {
        inventories: Inventories::new(),
        ..log
    };
    let (closed_log, last) = (closed.name.clone(), closed.seq);
    let previous = close(plan, closed, &mut carried, (&name, now, run)).await?;
    let opening = Opening {
        name: name.clone(),
        previous: Some(previous),
        stamps: closing_stamps(plan, &closed_log, last).await?,
        now,
        run,
    };
    open_new(plan, &opening, carried).await?;
    let key = (plan.verifier)(&name.origin(&plan.origin))?;
    open_log(&plan.archive, name, &key).await
}

/// What the new log takes over from the old one.
struct Carried {
    folders: BTreeMap<revtrail_model::id::FolderName, FolderState>,
    inventories: Inventories,
    holds: OpenHolds,
    audits: Audits,
}

/// Commits the close leaf, unless the log is closed already.
async fn close(
    plan: &RunPlan,
    log: OpenLog,
    carried: &mut Carried,
    (next, now, run): (&LogName, Timestamp, &RunId),
) -> Result<PreviousLog, HarvestError> {
    let (origin, name, closing) = (log.origin.clone(), log.name.clone(), log.seq + 1);
    let checkpoint = if let Some(leaf) = close_leaf(plan, &log).await? {
        binds(plan, &leaf, next)?;
        publish::after_commit(plan, &name, log.seq).await;
        log.checkpoint
    } else {
        let leaf = CloseLeaf {
            closed_at: now,
            ledger: plan.ledger.clone(),
            next_origin: next.origin(&plan.origin),
            next_public_key: vkey(plan, next)?.to_string(),
            kind: "close".into(),
            v: VERSION,
        };
        let tip = Tip {
            frontier: log.frontier,
            checkpoint: Some(log.checkpoint),
            next_seq: log.seq + 1,
            state: Some((log.state, log.chain)),
        };
        let body = seal_draft(Draft::new()?, vec![encode(&leaf)?], &tip.frontier)?;
        let state = NextState {
            folders: &mut carried.folders,
            inventories: &carried.inventories,
            changed: Changed::new(),
            holds: carried.holds.clone(),
            audits: carried.audits.clone(),
        };
        let mut run = run_leaf(plan, (now, now), run);
        run.timestamps = stamps::unnamed(plan, &log.name, log.seq).await?;
        let committed = commit(&target(plan, &log.name, &origin), &tip, body, state, run).await?;
        publish::after_commit(plan, &name, closing).await;
        committed.tip.checkpoint.unwrap_or(log.checkpoint)
    };
    Ok(PreviousLog {
        note_sha256: checkpoint.note_sha256,
        origin,
        root: checkpoint.root,
        size: checkpoint.size,
    })
}

/// The close leaf of a log that was closed before.
async fn close_leaf(plan: &RunPlan, log: &OpenLog) -> Result<Option<CloseLeaf>, HarvestError> {
    let key = log.name.object(Kind::Segment, log.seq, &log.checkpoint.root);
    let leaves = crate::snapshot::read_segment(&key, &store::read(&plan.archive, &key).await?)?;
    Ok(leaves.iter().find_map(|leaf| match Leaf::parse(leaf) {
        Ok(Leaf::Close(leaf)) => Some(*leaf),
        _ => None,
    }))
}

/// A log that was closed has announced the key of the next one for good: no verifier would accept another.
fn binds(plan: &RunPlan, leaf: &CloseLeaf, next: &LogName) -> Result<(), HarvestError> {
    let ours = vkey(plan, next)?;
    if leaf.next_origin == ours.name().as_str() && leaf.next_public_key != ours.to_string() {
        return Err(HarvestError::OtherKey {
            at: format!("log {next}"),
            configured: ours.to_string(),
            bound: leaf.next_public_key.clone(),
        });
    }
    Ok(())
}

struct Opening<'a> {
    name: LogName,
    previous: Option<PreviousLog>,
    /// Tokens over the last checkpoints of the log before.
    stamps: BTreeMap<String, Digest>,
    now: Timestamp,
    run: &'a RunId,
}

/// Tokens over the closing checkpoint of a log and the one before, whichever this run found as the newest.
async fn closing_stamps(
    plan: &RunPlan,
    log: &LogName,
    found: u64,
) -> Result<BTreeMap<String, Digest>, HarvestError> {
    let mut stamps = stamps::unnamed(plan, log, found).await?;
    stamps.extend(stamps::unnamed(plan, log, found + 1).await?);
    Ok(stamps)
}

async fn open_new(
    plan: &RunPlan,
    opening: &Opening<'_>,
    mut carried: Carried,
) -> Result<Committed, HarvestError> {
    // Windows of the old log have no place in the new one.
    for folder in carried.folders.values_mut() {
        folder.last_window = None;
    }
    let origin = opening.name.origin(&plan.origin);
    let leaf = GenesisLeaf {
        created_at: opening.now,
        ledger: plan.ledger.clone(),
        origin: origin.clone(),
        previous_log: opening.previous.clone(),
        public_key: vkey(plan, &opening.name)?.to_string(),
        retain_until: (plan.retention)(opening.name.year).map(|retention| retention.until),
        kind: "genesis".into(),
        v: VERSION,
    };
    let tip = Tip {
        frontier: Frontier::new(),
        checkpoint: None,
        next_seq: 0,
        state: None,
    };
    let body = seal_draft(Draft::new()?, vec![encode(&leaf)?], &tip.frontier)?;
    let state = NextState {
        folders: &mut carried.folders,
        inventories: &carried.inventories,
        changed: Changed::new(),
        holds: carried.holds,
        audits: carried.audits,
    };
    let mut run = run_leaf(plan, (opening.now, opening.now), opening.run);
    run.timestamps.clone_from(&opening.stamps);
    let committed = commit(&target(plan, &opening.name, &origin), &tip, body, state, run).await?;
    publish::after_commit(plan, &opening.name, 0).await;
    Ok(committed)
}

fn target<'a>(plan: &'a RunPlan, name: &'a LogName, origin: &'a str) -> Target<'a> {
    Target {
        archive: &plan.archive,
        name,
        origin,
        signer: plan.signer_of(name.year),
        retention: (plan.retention)(name.year),
    }
}

fn vkey(plan: &RunPlan, name: &LogName) -> Result<VerifierKey, HarvestError> {
    (plan.verifier)(&name.origin(&plan.origin))
}
