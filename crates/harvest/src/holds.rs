//! Legal holds: recorded in the log, then set on the objects.
//!
//! A hold is a leaf first. Only when its leaf is committed are the objects held, and only when the leaf of the release is committed are
//! they let go: whatever ends in between leaves objects held that need not be, never the other way round. An object is held while any
//! open hold is about its log; S3 keeps one bit per object, so who set it is known from the log alone.

use std::sync::Arc;

use futures::future::BoxFuture;
use revtrail_archive::{
    Archive, ArchiveError, LegalHold, ObjectKey,
    custody::{self, Target},
};
use revtrail_model::{
    id::{HoldId, LedgerName, RunId},
    layout::{Kind, LogName},
    leaf::{Hold, HoldAction, seal_hold},
    record::Count,
    time::Timestamp,
};

use crate::{
    commit::{Committed, NextState, Target as Place, Tip, commit},
    error::HarvestError,
    log::{OpenLog, newest_log, open_log},
    publish,
    run::{RunPlan, run_id, run_leaf},
    snapshot::{Body, Draft, seal_draft},
    stamps,
    state::{Changed, OpenHold, OpenHolds},
    years,
};

/// How often a hold is tried again that lost its place in the log to a harvest.
const ATTEMPTS: u32 = 5;

/// A hold to be placed or released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Which of the two.
    pub action: HoldAction,
    /// Name of the case.
    pub case: String,
    /// Who orders it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The log year; `None` for all logs, those to come included. A release without a year releases all holds of the case.
    pub year: Option<i16>,
}

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The holds placed or released now; none when there was nothing to record.
    pub holds: OpenHolds,
    /// Holds that are open after it.
    pub open: OpenHolds,
    /// The log.
    pub log: String,
    /// Tree size after it.
    pub tree_size: u64,
}

/// Records an order in the log. Placing a hold that the case has already, or releasing one it has not, records nothing.
pub fn record<'a>(plan: &'a RunPlan, order: &'a Order) -> BoxFuture<'a, Result<Recorded, HarvestError>> {
    Box::pin(async move {
        let mut attempt = 1;
        loop {
            match record_once(plan, order).await {
                // A harvest came first; what it committed changes nothing about the order.
                Err(HarvestError::Lost { .. }) if attempt < ATTEMPTS => attempt += 1,
                outcome => return outcome,
            }
        }
    })
}

/// Holds that are open at the end of the newest log.
pub async fn open(plan: &RunPlan) -> Result<OpenHolds, HarvestError> {
    Ok(newest(plan).await?.state.holds)
}

async fn newest(plan: &RunPlan) -> Result<OpenLog, HarvestError> {
    let name = newest_log(&plan.archive, &plan.ledger).await?;
    let key = (plan.verifier)(&name.origin(&plan.origin))?;
    open_log(&plan.archive, name, &key).await
}

async fn record_once(plan: &RunPlan, order: &Order) -> Result<Recorded, HarvestError> {
    let now = plan.clock.now();
    let run = run_id(now)?;
    let log = newest(plan).await?;
    let changed = affected(order, &log.state.holds)?;
    if changed.is_empty() {
        return Ok(Recorded {
            holds: changed,
            open: log.state.holds,
            log: log.name.to_string(),
            tree_size: log.checkpoint.size.0,
        });
    }
    let log = years::turn(plan, log, (now, &run)).await?;
    let mut open = log.state.holds.clone();
    for (id, hold) in &changed {
        match order.action {
            HoldAction::Placed => drop(open.insert(id.clone(), hold.clone())),
            HoldAction::Released => drop(open.remove(id)),
        }
    }
    let body = seal(plan, order, (&changed, now), &log)?;
    let name = log.name.clone();
    let committed = write(plan, log, (body, open.clone()), (now, &run)).await?;
    publish::after_commit(plan, &name, committed.tip.next_seq - 1).await;
    Ok(Recorded {
        holds: changed,
        open,
        log: name.to_string(),
        tree_size: committed.tip.checkpoint.map_or(0, |checkpoint| checkpoint.size.0),
    })
}

/// The leaves of an order, and the sidecar that opens them.
fn seal(
    plan: &RunPlan,
    order: &Order,
    (changed, now): (&OpenHolds, Timestamp),
    log: &OpenLog,
) -> Result<Body, HarvestError> {
    let mut draft = Draft::new()?;
    let mut leaves = Vec::new();
    for (n, (id, hold)) in (0..).zip(changed) {
        let hold = Hold {
            action: order.action,
            at: now,
            id: id.clone(),
            ledger: plan.ledger.clone(),
            year: hold.year,
            case: hold.case.clone(),
            by: order.by.clone(),
            reason: order.reason.clone(),
        };
        let (bytes, disclosure) = seal_hold(hold, n, draft.spool.seed())?;
        leaves.push(bytes);
        draft.lead_disclosures.push(disclosure);
    }
    seal_draft(draft, leaves, &log.frontier)
}

/// Commits the snapshot of an order.
async fn write(
    plan: &RunPlan,
    mut log: OpenLog,
    (body, holds): (Body, OpenHolds),
    (now, run): (Timestamp, &RunId),
) -> Result<Committed, HarvestError> {
    let mut end = run_leaf(plan, (now, now), run);
    // A hold is no harvest: it must not move the moment by which one is due.
    end.next_expected_by = log.run.next_expected_by;
    end.timestamps = stamps::unnamed(plan, &log.name, log.seq).await?;
    let state = NextState {
        folders: &mut log.state.folders.clone(),
        inventories: &std::mem::take(&mut log.inventories),
        changed: Changed::new(),
        holds,
        audits: log.state.audits.clone(),
    };
    let place = Place {
        archive: &plan.archive,
        name: &log.name,
        origin: &log.origin,
        signer: plan.signer.as_ref(),
        retention: (plan.retention)(log.name.year),
    };
    let tip = Tip {
        frontier: log.frontier,
        checkpoint: Some(log.checkpoint),
        next_seq: log.seq + 1,
        state: Some((log.state, log.chain)),
    };
    commit(&place, &tip, body, state, end).await
}

/// The holds that an order places or releases.
fn affected(order: &Order, open: &OpenHolds) -> Result<OpenHolds, HarvestError> {
    let year = order.year.and_then(|year| u64::try_from(year).ok()).map(Count);
    let of_case = open.iter().filter(|(_, hold)| hold.case == order.case);
    match order.action {
        HoldAction::Released => Ok(of_case
            .filter(|(_, hold)| year.is_none() || hold.year == year)
            .map(|(id, hold)| (id.clone(), hold.clone()))
            .collect()),
        HoldAction::Placed if of_case.clone().any(|(_, hold)| hold.year == year) => Ok(OpenHolds::new()),
        HoldAction::Placed => {
            let hold = OpenHold {
                case: order.case.clone(),
                year,
            };
            Ok([(hold_id()?, hold)].into())
        }
    }
}

fn hold_id() -> Result<HoldId, HarvestError> {
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random).map_err(HarvestError::Random)?;
    Ok(format!("{:032x}", u128::from_be_bytes(random)).into())
}

/// What became of the objects.
#[derive(Debug, Default)]
pub struct Settled {
    /// Held now.
    pub held: u64,
    /// Let go now.
    pub released: u64,
    /// Were already as they should be.
    pub unchanged: u64,
    /// Could not be changed.
    pub failed: Vec<(ObjectKey, ArchiveError)>,
}

/// Holds every object that an open hold is about, and lets go what `released` was about and no open hold is. All versions of an object
/// are treated alike. May be repeated at any time.
pub async fn settle(
    archive: &Arc<dyn Archive>,
    ledger: &LedgerName,
    (open, released): (&OpenHolds, &OpenHolds),
) -> Result<Settled, HarvestError> {
    let holdings = custody::holdings(archive.as_ref(), ledger).await?;
    let covered = |holds: &OpenHolds, log: &LogName| holds.values().any(|hold| hold.covers(log));
    let (mut settled, mut to_hold, mut to_release) = (Settled::default(), Vec::new(), Vec::new());
    for (object, target, head) in holdings.targets() {
        match head.legal_hold {
            LegalHold::Off if covered(open, &object.log) => to_hold.push(target),
            LegalHold::On if covered(released, &object.log) && !covered(open, &object.log) => {
                to_release.push(target);
            }
            LegalHold::On | LegalHold::Off => settled.unchanged += 1,
        }
    }
    for (targets, wanted) in [(to_hold, LegalHold::On), (to_release, LegalHold::Off)] {
        for (target, outcome) in custody::hold(archive.as_ref(), targets, wanted).await {
            match (outcome, wanted) {
                (Ok(()), LegalHold::On) => settled.held += 1,
                (Ok(()), LegalHold::Off) => settled.released += 1,
                (Err(error), _) => settled.failed.push((target.key, error)),
            }
        }
    }
    Ok(settled)
}

/// Holds the objects of one snapshot if an open hold is about its log. Never fails: the snapshot is committed and locked, the next run
/// tries again for the newest one, and `verify --store` tells what is not held.
pub(crate) async fn cover(archive: &Arc<dyn Archive>, log: &LogName, seq: u64, open: &OpenHolds) {
    if !open.values().any(|hold| hold.covers(log)) {
        return;
    }
    let failed = match cover_all(archive, log, seq).await {
        Ok(failed) => failed,
        Err(error) => vec![(log.prefix(), error)],
    };
    complain(failed);
}

/// Holds the time stamp of a checkpoint if that is held. Never fails, as [`cover`].
pub(crate) async fn cover_stamp(archive: &Arc<dyn Archive>, log: &LogName, seq: u64) {
    let key = log.timestamp(seq);
    let failed = match cover_as(archive, &log.checkpoint(seq), &key).await {
        Ok(failed) => failed,
        Err(error) => vec![(key, error)],
    };
    complain(failed);
}

async fn cover_as(archive: &Arc<dyn Archive>, like: &str, key: &str) -> Result<Vec<Failed>, ArchiveError> {
    let head = archive.head(&like.parse()?).await?;
    if head.is_none_or(|head| head.legal_hold == LegalHold::Off) {
        return Ok(Vec::new());
    }
    let target = Target {
        key: key.parse()?,
        version: None,
    };
    Ok(hold_all(archive, vec![target]).await)
}

/// What was not held, and why.
type Failed = (String, ArchiveError);

fn complain(failed: Vec<Failed>) {
    for (key, error) in failed {
        let error = &error as &dyn std::error::Error;
        tracing::error!(object.key = %key, error, "an object of a case on hold was not held; run `revtrail hold place` for the case again");
    }
}

async fn cover_all(archive: &Arc<dyn Archive>, log: &LogName, seq: u64) -> Result<Vec<Failed>, ArchiveError> {
    let mut targets = Vec::new();
    let directories = Kind::ALL.map(|kind| log.directory(kind));
    for directory in directories.into_iter().chain([log.timestamps()]) {
        let prefix = format!("{directory}{seq:020}");
        let page = archive.list(&prefix, None).await?;
        targets.extend(page.keys.into_iter().map(|key| Target { key, version: None }));
    }
    Ok(hold_all(archive, targets).await)
}

async fn hold_all(archive: &Arc<dyn Archive>, targets: Vec<Target>) -> Vec<Failed> {
    let outcomes = custody::hold(archive.as_ref(), targets, LegalHold::On).await;
    outcomes
        .into_iter()
        .filter_map(|(target, outcome)| Some((target.key.to_string(), outcome.err()?)))
        .collect()
}
