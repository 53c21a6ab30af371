//! One log: checkpoints in order, and the snapshots between them.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    ops::Range,
};

use revtrail_ledger::{Frontier, VerifierKey};
use revtrail_model::{
    Digest,
    layout::{Kind, LogName, ObjectName},
    leaf::{CheckpointRef, PreviousLog},
};

use crate::{
    ahead::in_order,
    contents,
    finding::{CheckedLog, Finding, Report},
    holds::Holds,
    identity::{Annotated, Ids, Raws},
    load::{Loaded, load},
    snapshot::SnapshotCheck,
    source::{RecordSource, SourceError},
    tiles::TileCheck,
    verify::End,
    windows::Windows,
};

/// Names that may stand in a log's prefix beside the record: views and later additions.
const BESIDE: [&str; 2] = ["tile", "timestamps"];

/// Checks one log.
pub(crate) struct LogCheck<'a> {
    pub(crate) source: &'a dyn RecordSource,
    pub(crate) name: &'a LogName,
    pub(crate) origin: &'a str,
    pub(crate) key: &'a VerifierKey,
}

/// What is carried from snapshot to snapshot.
#[derive(Default)]
pub(crate) struct Carried {
    /// Tree over all leaves so far; `None` after a break, until a state object lets the check go on.
    pub(crate) frontier: Option<Frontier>,
    pub(crate) checkpoint: Option<CheckpointRef>,
    pub(crate) windows: Windows,
    pub(crate) ids: Ids,
    pub(crate) raws: Raws,
    pub(crate) annotated: Annotated,
    /// Open legal holds, of earlier logs too.
    pub(crate) holds: Holds,
    pub(crate) previous_log: Option<PreviousLog>,
    pub(crate) next_origin: Option<String>,
    pub(crate) next_key: Option<String>,
    /// SHA-256 of each checkpoint's text, by tree size.
    pub(crate) texts: BTreeMap<u64, Digest>,
    /// Time stamps that run leaves name.
    pub(crate) stamps: BTreeMap<String, Digest>,
    pub(crate) closed: bool,
    /// Snapshots that could not be judged; many, where only the name of a checkpoint says so.
    pub(crate) lost: Vec<Range<u64>>,
    /// One beyond the last that could.
    pub(crate) judged: u64,
    pub(crate) due: Option<revtrail_model::time::Timestamp>,
    pub(crate) finished_at: Option<revtrail_model::time::Timestamp>,
    pub(crate) named: HashSet<ObjectName>,
    /// Contents that events name.
    pub(crate) contents: BTreeSet<Digest>,
    pub(crate) tiles: TileCheck,
}

/// What a log takes over from the logs before it.
#[derive(Default)]
pub(crate) struct Inherited {
    /// Raw records.
    pub(crate) raws: Raws,
    /// Events that annotations name.
    pub(crate) annotated: Annotated,
    /// Open legal holds.
    pub(crate) holds: Holds,
}

impl Carried {
    /// Snapshots whose leaves are not known. The tree goes on at the next one whose state object gives it.
    pub(crate) fn lose(&mut self, places: Range<u64>) {
        self.frontier = None;
        self.tiles.stop();
        self.forget(places);
    }

    /// Whether the snapshot is one that could not be judged.
    fn is_lost(&self, seq: u64) -> bool {
        self.lost.iter().any(|places| places.contains(&seq))
    }

    /// Snapshots that cannot be judged: what comes after may join them, and is not held against what is known from before.
    pub(crate) fn forget(&mut self, places: Range<u64>) {
        self.windows.forget();
        self.holds.forget();
        self.raws.forget();
        self.annotated.forget();
        self.lost.push(places);
    }
}

impl<'a> LogCheck<'a> {
    pub(crate) fn new(
        source: &'a dyn RecordSource,
        name: &'a LogName,
        origin: &'a str,
        key: &'a VerifierKey,
    ) -> Self {
        Self {
            source,
            name,
            origin,
            key,
        }
    }

    pub(crate) fn run(
        &self,
        keys: &[&String],
        inherited: &mut Inherited,
        report: &mut Report,
    ) -> Result<End, SourceError> {
        let objects = self.sort_out(keys, report);
        let checkpoints: BTreeSet<u64> = objects
            .iter()
            .filter(|name| name.kind == Kind::Checkpoint)
            .map(|name| name.seq)
            .collect();
        let mut carried = Carried {
            frontier: Some(Frontier::new()),
            raws: std::mem::take(&mut inherited.raws),
            annotated: std::mem::take(&mut inherited.annotated),
            holds: std::mem::take(&mut inherited.holds),
            tiles: TileCheck::new(self.tile_keys(keys)),
            ..Carried::default()
        };
        let last = checkpoints.last().copied();
        let places: Vec<u64> = checkpoints.into_iter().collect();
        let mut next = 0;
        in_order(
            places.len() as u64,
            |n| load(self, places[n as usize]),
            |n, loaded| {
                let seq = places[n as usize];
                self.missing(next..seq, &mut carried, report);
                next = seq.saturating_add(1);
                self.snapshot(seq, loaded, &mut carried, report)
            },
        )?;
        if last.is_none() {
            report.findings.push(Finding::incomplete(
                self.name.prefix(),
                "the log has objects but no checkpoint",
            ));
        }
        contents::check(self, &mut carried, report)?;
        self.unnamed(&objects, last, &carried, report);
        inherited.annotated = std::mem::take(&mut carried.annotated);
        std::mem::take(&mut carried.ids).finish(self.source, report)?;
        inherited.raws = std::mem::take(&mut carried.raws);
        inherited.holds = std::mem::take(&mut carried.holds);
        let size = carried.checkpoint.map_or(0, |checkpoint| checkpoint.size.0);
        let tiles = std::mem::take(&mut carried.tiles);
        let views = tiles.finish(self, next, size)?;
        Ok(End {
            views,
            ..self.end(carried, report)
        })
    }

    fn tile_keys(&self, keys: &[&String]) -> BTreeSet<String> {
        let prefix = format!("{}tile/", self.name.prefix());
        let tiles = keys.iter().filter(|key| key.starts_with(&prefix));
        tiles.map(|key| (*key).clone()).collect()
    }

    fn sort_out(&self, keys: &[&String], report: &mut Report) -> Vec<ObjectName> {
        let mut objects = Vec::new();
        for key in keys {
            let directory = key
                .strip_prefix(&self.name.prefix())
                .and_then(|rest| rest.split('/').next())
                .unwrap_or_default();
            match self.name.parse(key) {
                Some(name) => objects.push(name),
                None if BESIDE.contains(&directory) => {}
                None => report.findings.push(Finding::contradiction(
                    (*key).clone(),
                    "not the name of a record object",
                )),
            }
        }
        objects
    }

    fn missing(&self, places: Range<u64>, carried: &mut Carried, report: &mut Report) {
        let Some(others) = (places.end - places.start).checked_sub(1) else {
            return;
        };
        let what = match others {
            0 => "checkpoint is missing, though later ones exist".to_owned(),
            others => {
                format!("this checkpoint and the {others} after it are missing, though later ones exist")
            }
        };
        let key = self.name.checkpoint(places.start);
        report.findings.push(Finding::contradiction(key, what));
        carried.checkpoint = None;
        carried.lose(places);
    }

    fn snapshot(
        &self,
        seq: u64,
        loaded: Loaded,
        carried: &mut Carried,
        report: &mut Report,
    ) -> Result<(), SourceError> {
        let key = self.name.checkpoint(seq);
        carried.named.insert(ObjectName {
            kind: Kind::Checkpoint,
            seq,
            digest: None,
        });
        let signed = match loaded {
            Loaded::Absent => {
                let what = "listed, but cannot be read";
                report.findings.push(Finding::contradiction(key, what));
                carried.checkpoint = None;
                carried.lose(seq..seq.saturating_add(1));
                return Ok(());
            }
            Loaded::Refused(error) => {
                let what = format!("not a checkpoint signed by the trusted key: {error}");
                report.findings.push(Finding::contradiction(key, what));
                carried.checkpoint = None;
                carried.lose(seq..seq.saturating_add(1));
                return Ok(());
            }
            Loaded::Signed(signed) => signed,
        };
        let (reference, text) = (signed.reference, signed.text);
        if carried
            .checkpoint
            .is_some_and(|before| reference.size <= before.size)
        {
            let what = "tree does not grow: an older checkpoint stands in its place";
            report.findings.push(Finding::contradiction(key, what));
        }
        let log = self;
        SnapshotCheck { log, seq, reference }.run(*signed, carried, report)?;
        report.snapshots += 1;
        carried.checkpoint = Some(reference);
        carried.texts.insert(reference.size.0, text);
        Ok(())
    }

    /// Record objects that no checkpoint's run leaf names.
    fn unnamed(&self, objects: &[ObjectName], last: Option<u64>, carried: &Carried, report: &mut Report) {
        for name in objects.iter().filter(|name| !carried.named.contains(name)) {
            let Some(digest) = &name.digest else { continue };
            let key = self.name.object(name.kind, name.seq, digest);
            let after_end = last.is_none_or(|last| name.seq > last);
            let what = if name.kind == Kind::Content && !carried.lost.is_empty() {
                "no event that could be judged names these contents"
            } else if name.kind == Kind::Content {
                "no event names these contents: an attempt that never committed"
            } else if after_end {
                "belongs to a snapshot after the last checkpoint: an attempt that never committed, or the end of the log is missing"
            } else if carried.is_lost(name.seq) {
                "belongs to a snapshot that could not be judged"
            } else {
                "no checkpoint names this object: an attempt that lost to another run"
            };
            report.findings.push(Finding::note(key, what));
        }
    }

    fn end(&self, carried: Carried, report: &mut Report) -> End {
        let tip = carried.checkpoint.map(|checkpoint| PreviousLog {
            note_sha256: checkpoint.note_sha256,
            origin: self.origin.to_owned(),
            root: checkpoint.root,
            size: checkpoint.size,
        });
        let begins = !carried.is_lost(0);
        let lost_its_end = carried
            .lost
            .last()
            .is_some_and(|places| places.end > carried.judged);
        report.tree_size = carried.checkpoint.map_or(0, |checkpoint| checkpoint.size.0);
        report.root = carried.checkpoint.map(|checkpoint| checkpoint.root.to_string());
        report.origin = Some(self.origin.to_owned());
        report.last_run_at = carried.finished_at.map(|at| at.to_string());
        report.checked.push(CheckedLog {
            origin: self.origin.to_owned(),
            key: self.key.clone(),
            prefix: self.name.prefix(),
            texts: carried.texts,
            stamped: BTreeMap::new(),
            stamps: carried.stamps,
        });
        End {
            key: self.key.clone(),
            prefix: self.name.prefix(),
            tip,
            previous: carried.previous_log,
            begins,
            closed: (!lost_its_end || carried.closed).then_some(carried.closed),
            next_origin: carried.next_origin,
            next_key: carried.next_key,
            origin: self.origin.to_owned(),
            due: carried.due,
            views: Vec::new(),
        }
    }
}
