//! One run of one ledger: open the log, look at each folder, commit one or more snapshots.

mod summary;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex},
};

use revtrail_archive::{Archive, Retention};
use revtrail_ledger::{Signer, VerifierKey};
use revtrail_model::{
    Digest,
    event::Action,
    id::{AccountName, FolderName, ItemId, LedgerName, RunId},
    layout::LogName,
    leaf::{AuditRead, RunLeaf, Tool, VERSION},
    record::Count,
    time::{Clock, Timestamp, millis_between},
};

pub use self::summary::{AuditSummary, Counts, FolderSummary, Summary};
use crate::{
    audit::{
        self,
        state::{Audits, Waiting},
    },
    capture::Vault,
    commit::{Committed, NextState, Target, Tip, commit},
    error::HarvestError,
    folder::{FolderPlan, FolderRun, Progress, WalkDue},
    holds,
    log::{OpenLog, newest_log, open_log},
    publish,
    retention::{Nearness, period_ms},
    snapshot::{Draft, Lead, Part, seal_draft},
    stamps::{self, StampEvery, TimeStamper},
    state::{Changed, FolderState, Inventories, OpenHolds},
    years,
};

/// Makes the verifier key of an origin.
pub type KeyOf = Arc<dyn Fn(&str) -> Result<VerifierKey, HarvestError> + Send + Sync>;

/// A time-stamping authority and what it is asked for.
pub type Stamper = (Arc<dyn TimeStamper>, StampEvery);

/// Everything a run needs to know.
pub struct RunPlan {
    /// The ledger.
    pub ledger: LedgerName,
    /// Its origin; the log's is this and the year.
    pub origin: String,
    /// Where the record is kept.
    pub archive: Arc<dyn Archive>,
    /// Who signs.
    pub signer: Arc<dyn Signer>,
    /// The key of the logs to come, if it is another one.
    pub next: Option<NextSigner>,
    /// Who attests the time of checkpoints, and of which.
    pub stamper: Option<Stamper>,
    /// Makes the verifier key of an origin from the configured public keys.
    pub verifier: KeyOf,
    /// The lock of record objects of a log year; `None` where the archive cannot hold objects.
    pub retention: Arc<dyn Fn(i16) -> Option<Retention> + Send + Sync>,
    /// When the next snapshot is due after a moment, from the schedule.
    pub next_due: Arc<dyn Fn(Timestamp) -> Option<Timestamp> + Send + Sync>,
    /// Whether a folder last listed in full then is due for another full listing beside its feed; our clock.
    pub walk_due: Arc<dyn Fn(Option<Timestamp>, Timestamp) -> WalkDue + Send + Sync>,
    /// Folders, in the order of the configuration.
    pub folders: Vec<FolderPlan>,
    /// SHA-256 of the configuration file.
    pub config_sha256: Digest,
    /// The program.
    pub tool: Tool,
    /// Our clock.
    pub clock: Arc<dyn Clock>,
    /// Events after which a snapshot is committed, so that a large first look is not lost and memory stays bounded.
    pub snapshot_events: usize,
    /// Told of progress.
    pub progress: Arc<dyn Fn(&Step) + Send + Sync>,
}

/// The key that takes over at the turn of a year.
#[derive(Clone)]
pub struct NextSigner {
    /// First year whose logs it signs.
    pub from: i16,
    /// Who signs then.
    pub signer: Arc<dyn Signer>,
}

impl RunPlan {
    /// Who signs the log of this year.
    pub(crate) fn signer_of(&self, year: i16) -> &dyn Signer {
        match &self.next {
            Some(next) if year >= next.from => next.signer.as_ref(),
            _ => self.signer.as_ref(),
        }
    }
}

/// Progress of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A folder's feed was read.
    Feed {
        /// The folder.
        folder: FolderName,
        /// Items whose revisions are to be listed.
        pending: usize,
    },
    /// Revisions of some items were listed.
    Revisions {
        /// The folder.
        folder: FolderName,
        /// Items left.
        pending: usize,
    },
    /// A snapshot was committed.
    Snapshot {
        /// Tree size.
        size: u64,
        /// Events in it.
        events: u64,
    },
}

/// Runs once.
pub fn run(plan: &RunPlan) -> futures::future::BoxFuture<'_, Result<Summary, HarvestError>> {
    Box::pin(async move {
        let started_at = plan.clock.now();
        let name = newest_log(&plan.archive, &plan.ledger).await?;
        let key = (plan.verifier)(&name.origin(&plan.origin))?;
        let log = open_log(&plan.archive, name, &key).await?;
        let run_id = run_id(started_at)?;
        // A run that ended right after its commit may not have come to it.
        holds::cover(&plan.archive, &log.name, log.seq, &log.state.holds).await;
        let log = years::turn(plan, log, (started_at, &run_id)).await?;
        let mut running = Running::new(plan, log, started_at, run_id)?;
        for folder in &plan.folders {
            running.look(folder).await?;
        }
        running.read_audit_logs().await?;
        running.finish().await
    })
}

/// A run id: the start time to the second and 8 random bytes.
pub(crate) fn run_id(started_at: Timestamp) -> Result<RunId, HarvestError> {
    let mut random = [0_u8; 8];
    getrandom::fill(&mut random).map_err(HarvestError::Random)?;
    let second = started_at.strftime("%Y%m%dT%H%M%SZ");
    Ok(format!("{second}-{:016x}", u64::from_be_bytes(random)).into())
}

struct Running<'a> {
    plan: &'a RunPlan,
    name: LogName,
    origin: String,
    tip: Tip,
    folders: BTreeMap<FolderName, FolderState>,
    inventories: Inventories,
    audits: Audits,
    audit_reads: BTreeMap<AccountName, AuditRead>,
    draft: Draft,
    /// Contents that this run has kept.
    contents: Mutex<BTreeSet<Digest>>,
    started_at: Timestamp,
    run_id: RunId,
    counted: Counts,
    spent: Counts,
    summary: Summary,
}

impl<'a> Running<'a> {
    fn new(
        plan: &'a RunPlan,
        log: OpenLog,
        started_at: Timestamp,
        run_id: RunId,
    ) -> Result<Self, HarvestError> {
        Ok(Self {
            plan,
            name: log.name,
            origin: log.origin,
            tip: Tip {
                frontier: log.frontier,
                checkpoint: Some(log.checkpoint),
                next_seq: log.seq + 1,
                state: Some((log.state.clone(), log.chain)),
            },
            folders: log.state.folders,
            inventories: log.inventories,
            audits: log.state.audits,
            audit_reads: BTreeMap::new(),
            draft: Draft::new()?,
            contents: Mutex::default(),
            started_at,
            run_id,
            counted: Counts::new(),
            spent: Counts::new(),
            summary: Summary::default(),
        })
    }

    /// Looks at one folder, committing whenever enough has been gathered.
    async fn look(&mut self, folder: &FolderPlan) -> Result<(), HarvestError> {
        let state = self.folders.get(&folder.name).cloned().unwrap_or_default();
        let inventory = self.inventories.remove(&folder.name).unwrap_or_default();
        let walked = state.walked.map(|walked| walked.at);
        let due = (self.plan.walk_due)(walked, self.started_at);
        let mut look = FolderRun::new(
            folder,
            &self.plan.ledger,
            Arc::clone(&self.plan.clock),
            (state, inventory),
            due,
        );
        look.read_feed(&mut self.draft).await?;
        self.take_contents(&mut look).await?;
        let pending = look.inventory.pending_count();
        (self.plan.progress)(&Step::Feed {
            folder: folder.name.clone(),
            pending,
        });
        loop {
            if look.waiting() >= self.plan.snapshot_events {
                self.take_part(&mut look);
                // The inventory goes into the state object and comes back.
                self.inventories
                    .insert(folder.name.clone(), std::mem::take(&mut look.inventory));
                self.commit().await?;
                look.inventory = self.inventories.remove(&folder.name).unwrap_or_default();
                look.state = self.folders.get(&folder.name).cloned().unwrap_or_default();
            }
            let before = look.inventory.pending_count();
            if look.list_revisions(&mut self.draft).await? == Progress::Done {
                break;
            }
            // At once: some providers give out only the newest contents.
            self.take_contents(&mut look).await?;
            let pending = look.inventory.pending_count();
            self.summary.files_listed += before.saturating_sub(pending) as u64;
            (self.plan.progress)(&Step::Revisions {
                folder: folder.name.clone(),
                pending,
            });
        }
        self.take_part(&mut look);
        self.inventories.insert(folder.name.clone(), look.inventory);
        Ok(())
    }

    async fn take_contents(&mut self, look: &mut FolderRun<'_>) -> Result<(), HarvestError> {
        let vault = Vault {
            archive: &self.plan.archive,
            log: &self.name,
            retention: (self.plan.retention)(self.name.year),
            holds: &self.holds(),
            kept: &self.contents,
        };
        look.take_contents(&vault).await
    }

    fn take_part(&mut self, look: &mut FolderRun<'_>) {
        let part = look.take_part(&self.draft.spool);
        let gaps = part.window.gaps.iter().map(|gap| gap.reason).collect();
        let now = self.plan.clock.now();
        let period_ms = period_ms(now, self.plan.next_due.as_ref());
        let before = self.summary.folders.get(look.name());
        let near_before = before.and_then(|folder| folder.retention);
        let near = Nearness::of(&part.window, period_ms).filter(Nearness::is_near);
        let retention = near.or(near_before);
        let (events, reconciled) = before.map_or((0, 0), |folder| (folder.events, folder.reconciled));
        self.summary.folders.insert(
            look.name().clone(),
            FolderSummary {
                state: part.window.state,
                events: events + part.events.len() as u64,
                reconciled: reconciled + part.window.reconciled.0,
                gaps,
                failure: look.failure().cloned(),
                retention,
            },
        );
        self.folders.insert(look.name().clone(), look.state.clone());
        self.await_attribution(look, &part);
        self.draft.parts.push(part);
    }

    /// Notes the events that an audit log may explain, in the same commit as the events.
    fn await_attribution(&mut self, look: &FolderRun<'_>, part: &Part) {
        if !look.has_audit_log() {
            return;
        }
        let mut revisions: HashMap<&ItemId, usize> = HashMap::new();
        let saves = part.events.iter().filter(|event| event.revision_id.is_some());
        for event in saves.filter(|event| event.action != Action::RevisionVanished) {
            *revisions.entry(&event.item_id).or_default() += 1;
        }
        let waiting = part.events.iter().filter_map(|event| {
            let found = audit::Found {
                after: if event.reconciled {
                    part.window.walk.and_then(|walk| walk.from)
                } else {
                    part.window.covers_from
                },
                revisions: revisions.get(&event.item_id).copied().unwrap_or_default(),
            };
            Waiting::new(event, &look.inventory, found)
        });
        let audit = self.audits.entry(look.account().clone()).or_default();
        audit.events.extend(waiting);
    }

    /// Reads each account's audit log once, after all its folders: a record of an act that a look showed is then most likely there.
    async fn read_audit_logs(&mut self) -> Result<(), HarvestError> {
        let mut accounts: BTreeMap<&AccountName, Vec<&FolderPlan>> = BTreeMap::new();
        for folder in &self.plan.folders {
            accounts.entry(&folder.account).or_default().push(folder);
        }
        for (name, folders) in accounts {
            let Some((connector, log)) = folders
                .first()
                .and_then(|folder| Some((&folder.connector, folder.connector.audit()?)))
            else {
                continue;
            };
            let seen = folders.iter().filter_map(|folder| {
                let state = self.folders.get(&folder.name)?;
                Some(audit::Seen {
                    root: state.root()?,
                    inventory: self.inventories.get(&folder.name),
                    until: state.seen_from,
                })
            });
            let account = audit::Account {
                ledger: &self.plan.ledger,
                connector,
                folders: seen.collect(),
                clock: &self.plan.clock,
            };
            if account.folders.is_empty() {
                continue;
            }
            let state = self.audits.entry(name.clone()).or_default();
            let enriched = account.enrich(log, state, &mut self.draft.spool).await?;
            self.draft.annotations.extend(enriched.annotations);
            let summary = AuditSummary {
                state: enriched.read.state,
                counts: enriched.counts,
                failure: enriched.failure,
            };
            self.audit_reads.insert(name.clone(), enriched.read);
            self.summary.audits.insert(name.clone(), summary);
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), HarvestError> {
        let draft = std::mem::replace(&mut self.draft, Draft::new()?);
        let body = seal_draft(draft, Lead::new(), &self.tip.frontier)?;
        let mut run = self.run_leaf().await;
        run.timestamps = stamps::unnamed(self.plan, &self.name, self.tip.next_seq - 1).await?;
        let target = Target {
            archive: &self.plan.archive,
            name: &self.name,
            origin: &self.origin,
            signer: self.plan.signer_of(self.name.year),
            retention: (self.plan.retention)(self.name.year),
        };
        let changed: Changed = self
            .inventories
            .iter_mut()
            .map(|(folder, inventory)| (folder.clone(), inventory.take_touched().into_iter().collect()))
            .collect();
        let holds = self.holds();
        let state = NextState {
            folders: &mut self.folders,
            inventories: &self.inventories,
            changed,
            holds,
            audits: self.audits.clone(),
        };
        let committed = commit(&target, &self.tip, body, state, run).await?;
        self.record(&committed);
        self.tip = committed.tip;
        publish::after_commit(self.plan, &self.name, self.tip.next_seq - 1).await;
        Ok(())
    }

    /// A harvest neither places nor releases holds.
    fn holds(&self) -> OpenHolds {
        let state = self.tip.state.as_ref();
        state.map_or_else(OpenHolds::new, |(header, _)| header.holds.clone())
    }

    fn record(&mut self, committed: &Committed) {
        self.summary.snapshots += 1;
        self.summary.leaves += committed.leaves;
        self.summary.events += committed.events;
        if let Some(checkpoint) = committed.tip.checkpoint {
            self.summary.tree_size = checkpoint.size.0;
            self.summary.root = checkpoint.root.to_string();
        }
        (self.plan.progress)(&Step::Snapshot {
            size: self.summary.tree_size,
            events: committed.events,
        });
    }

    async fn run_leaf(&mut self) -> RunLeaf {
        let now = self.plan.clock.now();
        let mut run = run_leaf(self.plan, (self.started_at, now), &self.run_id);
        run.audit = std::mem::take(&mut self.audit_reads);
        if let Some(at) = self.plan.archive.clock().await {
            run.clock_offset_ms
                .insert("archive".into(), millis_between(at, now).to_string());
        }
        for folder in &self.plan.folders {
            let usage = folder.connector.usage();
            let account = folder.account.to_string();
            if let Some((theirs, ours)) = usage.last_answer {
                run.clock_offset_ms
                    .insert(account.clone(), millis_between(theirs, ours).to_string());
            }
            let requests = since(&mut self.counted, &account, &usage.requests);
            if !requests.is_empty() {
                run.requests.insert(account.clone(), requests);
            }
            let units = since(&mut self.spent, &account, &usage.units);
            if !units.is_empty() {
                run.units.insert(account, units);
            }
        }
        run
    }

    async fn finish(mut self) -> Result<Summary, HarvestError> {
        self.commit().await?;
        self.summary.requests = self.counted;
        self.summary.units = self.spent;
        self.summary.log = self.name.to_string();
        Ok(self.summary)
    }
}

/// What was counted for the account since the last time.
fn since(counted: &mut Counts, account: &str, now: &BTreeMap<&'static str, u64>) -> BTreeMap<String, Count> {
    let counts: BTreeMap<String, u64> = now
        .iter()
        .map(|(operation, count)| ((*operation).to_owned(), *count))
        .collect();
    let before = counted
        .insert(account.to_owned(), counts.clone())
        .unwrap_or_default();
    let more = |operation: &String, count: u64| count - before.get(operation).copied().unwrap_or(0);
    counts
        .into_iter()
        .map(|(operation, count)| (operation.clone(), Count(more(&operation, count))))
        .filter(|(_, count)| count.0 > 0)
        .collect()
}

/// A run leaf with everything but what only the commit knows.
pub(crate) fn run_leaf(plan: &RunPlan, (started_at, now): (Timestamp, Timestamp), run_id: &RunId) -> RunLeaf {
    RunLeaf {
        audit: BTreeMap::new(),
        clock_offset_ms: BTreeMap::new(),
        config_sha256: plan.config_sha256,
        finished_at: now,
        ledger: plan.ledger.clone(),
        next_expected_by: (plan.next_due)(now),
        objects: revtrail_model::leaf::Objects::default(),
        previous_checkpoint: None,
        requests: BTreeMap::new(),
        run_id: run_id.clone(),
        seq: Count(0),
        started_at,
        timestamps: BTreeMap::new(),
        tool: plan.tool.clone(),
        kind: "run".into(),
        units: BTreeMap::new(),
        v: VERSION,
        windows: Vec::new(),
    }
}
