//! One snapshot: segment, tree, the order of its leaves and its run leaf.

use revtrail_ledger::{Frontier, leaf_hash};
use revtrail_model::{
    Digest,
    layout::Kind,
    leaf::{CheckpointRef, CloseLeaf, GenesisLeaf, Leaf, RunLeaf},
    record::Count,
    sha256,
};

use crate::{
    events::check_events,
    finding::{Finding, Report},
    log::{Carried, LogCheck},
    objects,
    source::SourceError,
};

/// Largest decompressed object that is read: a hostile object must not exhaust memory.
pub(crate) const MAX_OBJECT_BYTES: u64 = 1 << 32;

pub(crate) struct SnapshotCheck<'a> {
    pub(crate) log: &'a LogCheck<'a>,
    pub(crate) seq: u64,
    pub(crate) reference: CheckpointRef,
    /// SHA-256 of the segment object, as the checkpoint names it.
    pub(crate) segment: Option<Digest>,
}

/// A snapshot's leaves, read.
pub(crate) struct Leaves {
    pub(crate) key: String,
    pub(crate) lines: Vec<Vec<u8>>,
    pub(crate) records: Vec<Leaf>,
    /// Log index of the first.
    pub(crate) first: u64,
}

impl SnapshotCheck<'_> {
    pub(crate) fn run(&self, carried: &mut Carried, report: &mut Report) -> Result<(), SourceError> {
        let key = self
            .log
            .name
            .object(Kind::Segment, self.seq, &self.reference.root);
        carried.named.insert(revtrail_model::layout::ObjectName {
            kind: Kind::Segment,
            seq: self.seq,
            digest: Some(self.reference.root),
        });
        let Some(leaves) = self.leaves(key, report)? else {
            carried.frontier = None;
            carried.tiles.stop();
            return Ok(());
        };
        report.leaves += leaves.lines.len() as u64;
        self.resume(&leaves, carried, report)?;
        self.root(&leaves, carried, report);
        if carried.frontier.is_none() {
            carried.tiles.stop();
        }
        carried.tiles.follow(self.log, &leaves.lines, report)?;
        self.order(&leaves, report);
        let Some(Leaf::Run(run)) = leaves.records.last() else {
            report.findings.push(Finding::contradiction(
                leaves.key.clone(),
                "segment does not end in a run leaf",
            ));
            return Ok(());
        };
        self.run_leaf(&leaves, run, carried, report);
        self.ends(&leaves, carried, report);
        let sidecar = objects::check(self, run, carried, report)?;
        carried.windows.check(&leaves, run, report);
        check_events(&leaves, self.log, sidecar.as_ref(), carried, report);
        carried
            .windows
            .check_state(sidecar_state(self, run)?.as_deref(), &leaves, report);
        Ok(())
    }

    /// The segment's leaves; without them, what is wrong is reported.
    fn leaves(&self, key: String, report: &mut Report) -> Result<Option<Leaves>, SourceError> {
        let Some(bytes) = self.log.source.read(&key)? else {
            // Either may be the damaged one: a segment that was removed, or a checkpoint that was put in another's place.
            let checkpoint = self.log.name.checkpoint(self.seq);
            let what = "signs a root that no segment of this snapshot has";
            report.findings.push(Finding::contradiction(checkpoint, what));
            report.findings.push(Finding::contradiction(
                key,
                "segment is missing, though its checkpoint exists",
            ));
            return Ok(None);
        };
        self.stored_bytes(&key, &bytes, report);
        let lines = match objects::lines(&bytes) {
            Ok(lines) => lines,
            Err(what) => {
                report.findings.push(Finding::contradiction(key, what));
                return Ok(None);
            }
        };
        Ok(Some(Leaves {
            first: self.reference.size.0.saturating_sub(lines.len() as u64),
            records: parse(&key, &lines, report),
            key,
            lines,
        }))
    }

    /// The root covers the leaves; the checkpoint's extension line covers the bytes that hold them.
    fn stored_bytes(&self, key: &str, bytes: &[u8], report: &mut Report) {
        let actual = sha256(bytes);
        if let Some(expected) = self.segment {
            if expected != actual {
                let finding =
                    Finding::contradiction(key, "bytes do not have the digest that the checkpoint names");
                report.findings.push(finding.values(expected, actual));
            }
        } else {
            let what = "does not name the digest of its segment";
            report
                .findings
                .push(Finding::contradiction(self.log.name.checkpoint(self.seq), what));
        }
    }

    /// After a break the tree before this snapshot is taken from its state object, if that makes the root the run leaf names; so one
    /// missing object does not hide what else is wrong.
    fn resume(&self, leaves: &Leaves, carried: &mut Carried, report: &mut Report) -> Result<(), SourceError> {
        if carried.frontier.is_some() {
            return Ok(());
        }
        let Some(Leaf::Run(run)) = leaves.records.last() else {
            return Ok(());
        };
        let Some(before) = run.previous_checkpoint else {
            return Ok(());
        };
        let Some(digest) = run.objects.state else {
            return Ok(());
        };
        let key = self.log.name.object(Kind::State, self.seq, &digest);
        let Some(bytes) = self.log.source.read(&key)? else {
            return Ok(());
        };
        carried.frontier = objects::frontier_before(&bytes).filter(|frontier: &Frontier| {
            frontier.size().leaves() == before.size.0 && frontier.root().as_bytes() == before.root.as_bytes()
        });
        if carried.frontier.is_none() {
            report.findings.push(Finding::contradiction(
                key,
                "does not hold the tree that the run leaf names",
            ));
        }
        Ok(())
    }

    /// The leaves, put on the tree before them, must make the signed root.
    fn root(&self, leaves: &Leaves, carried: &mut Carried, report: &mut Report) {
        let Some(frontier) = &mut carried.frontier else {
            return;
        };
        for line in &leaves.lines {
            frontier.append(leaf_hash(line));
        }
        let (size, root) = (
            frontier.size().leaves(),
            Digest::from_bytes(*frontier.root().as_bytes()),
        );
        if size != self.reference.size.0 {
            let finding = Finding::contradiction(
                leaves.key.clone(),
                "number of leaves does not agree with the checkpoint",
            );
            report.findings.push(finding.values(self.reference.size, size));
            carried.frontier = None;
        } else if root != self.reference.root {
            let finding = Finding::contradiction(leaves.key.clone(), "leaves do not make the signed root");
            report.findings.push(finding.values(self.reference.root, root));
            carried.frontier = None;
        }
    }

    /// Genesis first and only in the first snapshot, the run leaf last and only last.
    fn order(&self, leaves: &Leaves, report: &mut Report) {
        let last = leaves.records.len().saturating_sub(1);
        for (index, record) in leaves.records.iter().enumerate() {
            let wrong = match record {
                Leaf::Run(_) => index != last,
                Leaf::Genesis(_) => index != 0 || self.seq != 0,
                _ => index == 0 && self.seq == 0,
            };
            if wrong {
                let what = format!("leaf {} stands in the wrong place", leaves.first + index as u64);
                report
                    .findings
                    .push(Finding::contradiction(leaves.key.clone(), what));
            }
            if let Leaf::Unknown(_) = record {
                report.unknown_leaves += 1;
            }
        }
    }

    fn run_leaf(&self, leaves: &Leaves, run: &RunLeaf, carried: &mut Carried, report: &mut Report) {
        if run.seq != Count(self.seq) {
            let finding = Finding::contradiction(leaves.key.clone(), "run leaf is of another snapshot");
            report.findings.push(finding.values(self.seq, run.seq));
        }
        if run.ledger != self.log.name.ledger {
            let finding = Finding::contradiction(leaves.key.clone(), "run leaf is of another ledger");
            report
                .findings
                .push(finding.values(&self.log.name.ledger, &run.ledger));
        }
        let broken = carried.checkpoint.is_none() && self.seq > 0;
        if !broken && run.previous_checkpoint != carried.checkpoint {
            let show = |checkpoint: Option<CheckpointRef>| {
                checkpoint.map_or("none".to_owned(), |at| {
                    format!("size {} root {}", at.size, at.root)
                })
            };
            let finding = Finding::contradiction(
                leaves.key.clone(),
                "run leaf does not name the checkpoint before it",
            );
            report
                .findings
                .push(finding.values(show(carried.checkpoint), show(run.previous_checkpoint)));
        }
        if carried.finished_at.is_some_and(|before| run.finished_at < before) {
            report.findings.push(Finding::note(
                leaves.key.clone(),
                "finished earlier than the snapshot before it, by its own clock",
            ));
        }
        carried.finished_at = Some(run.finished_at);
        carried.due = run.next_expected_by;
    }

    /// First and last leaves of the log.
    fn ends(&self, leaves: &Leaves, carried: &mut Carried, report: &mut Report) {
        if carried.closed {
            report.findings.push(Finding::contradiction(
                leaves.key.clone(),
                "the log was closed before this snapshot",
            ));
        }
        for record in &leaves.records {
            match record {
                Leaf::Genesis(genesis) => self.genesis(leaves, genesis, carried, report),
                Leaf::Close(close) => closed(close, carried),
                _ => {}
            }
        }
    }

    fn genesis(&self, leaves: &Leaves, genesis: &GenesisLeaf, carried: &mut Carried, report: &mut Report) {
        let key = self.log.key.to_string();
        for (what, expected, actual) in [
            (
                "genesis leaf is of another origin",
                self.log.origin,
                &genesis.origin,
            ),
            (
                "genesis leaf binds another key than the trusted one",
                &key,
                &genesis.public_key,
            ),
        ] {
            if expected != actual {
                report
                    .findings
                    .push(Finding::contradiction(leaves.key.clone(), what).values(expected, actual));
            }
        }
        carried.previous_log.clone_from(&genesis.previous_log);
    }
}

fn closed(close: &CloseLeaf, carried: &mut Carried) {
    carried.closed = true;
    carried.next_origin = Some(close.next_origin.clone());
}

fn parse(key: &str, lines: &[Vec<u8>], report: &mut Report) -> Vec<Leaf> {
    lines
        .iter()
        .enumerate()
        .map(|(index, line)| {
            Leaf::parse(line).unwrap_or_else(|error| {
                report.findings.push(Finding::contradiction(
                    key,
                    format!("line {} is not a leaf: {error}", index + 1),
                ));
                Leaf::Unknown("unreadable".into())
            })
        })
        .collect()
}

fn sidecar_state(check: &SnapshotCheck<'_>, run: &RunLeaf) -> Result<Option<Vec<u8>>, SourceError> {
    match run.objects.state {
        Some(digest) => check
            .log
            .source
            .read(&check.log.name.object(Kind::State, check.seq, &digest)),
        None => Ok(None),
    }
}
