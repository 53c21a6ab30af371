//! One snapshot: segment, tree, the order of its leaves and its run leaf.

use revtrail_ledger::Frontier;
use revtrail_model::{
    Digest,
    layout::{Kind, ObjectName},
    leaf::{CheckpointRef, CloseLeaf, GenesisLeaf, RunLeaf},
    record::Count,
};

use crate::{
    events::check_events,
    finding::{Finding, Report},
    load::{Leaves, Record, Signed, Stored},
    log::{Carried, LogCheck},
    objects::{self, StateHeader},
    source::SourceError,
};

/// Largest decompressed object that is read: a hostile object must not exhaust memory.
pub(crate) const MAX_OBJECT_BYTES: u64 = 1 << 32;

pub(crate) struct SnapshotCheck<'a> {
    pub(crate) log: &'a LogCheck<'a>,
    pub(crate) seq: u64,
    pub(crate) reference: CheckpointRef,
}

impl SnapshotCheck<'_> {
    pub(crate) fn run(
        &self,
        signed: Signed,
        carried: &mut Carried,
        report: &mut Report,
    ) -> Result<(), SourceError> {
        carried.named.insert(ObjectName {
            kind: Kind::Segment,
            seq: self.seq,
            digest: Some(self.reference.root),
        });
        let next = self.seq.saturating_add(1);
        let Some(leaves) = self.leaves(signed, carried, report) else {
            carried.lose(self.seq..next);
            return Ok(());
        };
        report.leaves += leaves.records.len() as u64;
        if carried.frontier.is_none() {
            carried.tiles.stop();
        }
        carried.tiles.follow(self.log, &leaves, report)?;
        self.order(&leaves, report);
        let (Some(run), Some(objects)) = (leaves.run(), &leaves.objects) else {
            report.findings.push(Finding::contradiction(
                leaves.key.clone(),
                "segment does not end in a run leaf",
            ));
            carried.forget(self.seq..next);
            return Ok(());
        };
        carried.judged = next;
        self.run_leaf(&leaves, run, carried, report);
        self.ends(&leaves, carried, report);
        objects::check(self, objects, &mut carried.named, report);
        carried.windows.check(&leaves, run, report);
        check_events(self, (&leaves, objects), carried, report);
        carried.holds.follow(&leaves, report);
        if let Some(header) = objects.header() {
            carried.windows.check_state(header, &leaves, report);
            carried.holds.check_state(header, &leaves, report);
        }
        Ok(())
    }

    /// The leaves that were signed; without them, what is wrong is reported.
    fn leaves(&self, signed: Signed, carried: &mut Carried, report: &mut Report) -> Option<Leaves> {
        let key = signed.key;
        let Some(segment) = signed.segment else {
            // Either may be the damaged one: a segment that was removed, or a checkpoint that was put in another's place.
            let checkpoint = self.log.name.checkpoint(self.seq);
            let what = "signs a root that no segment of this snapshot has";
            report.findings.push(Finding::contradiction(checkpoint, what));
            report.findings.push(Finding::contradiction(
                key,
                "segment is missing, though its checkpoint exists",
            ));
            return None;
        };
        let as_signed = self.stored_bytes(&key, signed.named, segment.sha256, report);
        let leaves = match segment.leaves {
            Ok(leaves) => leaves,
            Err(what) => {
                report.findings.push(Finding::contradiction(key, what));
                return None;
            }
        };
        if as_signed {
            self.resume(&leaves, carried, report);
        }
        let makes_root = self.root(&leaves, carried, report);
        // What nobody signed says nothing about the rest of the record, not even where it is wrong.
        if !as_signed && !makes_root {
            return None;
        }
        for (place, error) in &leaves.unreadable {
            let what = format!("line {} is not a leaf: {error}", place + 1);
            report.findings.push(Finding::contradiction(key.as_str(), what));
        }
        Some(leaves)
    }

    /// Whether the checkpoint names these bytes: the root covers the leaves, its extension line the bytes that hold them.
    fn stored_bytes(&self, key: &str, named: Option<Digest>, actual: Digest, report: &mut Report) -> bool {
        let Some(expected) = named else {
            let what = "does not name the digest of its segment";
            let checkpoint = self.log.name.checkpoint(self.seq);
            report.findings.push(Finding::contradiction(checkpoint, what));
            return false;
        };
        if expected != actual {
            let what = "bytes do not have the digest that the checkpoint names";
            let finding = Finding::contradiction(key, what).values(expected, actual);
            report.findings.push(finding);
        }
        expected == actual
    }

    /// After a break the tree before this snapshot is taken from its state object, if that makes the root the run leaf names; so one
    /// missing object does not hide what else is wrong.
    fn resume(&self, leaves: &Leaves, carried: &mut Carried, report: &mut Report) {
        if carried.frontier.is_some() {
            return;
        }
        let (Some(before), Some(objects)) = (
            leaves.run().and_then(|run| run.previous_checkpoint),
            &leaves.objects,
        ) else {
            return;
        };
        let Some((digest, header)) = objects.state.as_ref().and_then(|state| match &state.stored {
            Stored::Read(header) => Some((state.digest, header)),
            _ => None,
        }) else {
            return;
        };
        let frontier = header.as_ref().and_then(StateHeader::frontier_before);
        carried.frontier = frontier.filter(|frontier: &Frontier| {
            frontier.size().leaves() == before.size.0 && frontier.root().as_bytes() == before.root.as_bytes()
        });
        if carried.frontier.is_none() {
            report.findings.push(Finding::contradiction(
                self.log.name.object(Kind::State, self.seq, &digest),
                "does not hold the tree that the run leaf names",
            ));
        }
    }

    /// Whether the leaves, put on the tree before them, make the signed root. Unknown where that tree is: then not.
    fn root(&self, leaves: &Leaves, carried: &mut Carried, report: &mut Report) -> bool {
        let Some(frontier) = &mut carried.frontier else {
            return false;
        };
        for hash in &leaves.hashes {
            frontier.append(*hash);
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
        carried.frontier.is_some()
    }

    /// Genesis first and only in the first snapshot, the run leaf last and only last.
    fn order(&self, leaves: &Leaves, report: &mut Report) {
        let last = leaves.records.len().saturating_sub(1);
        for (index, record) in leaves.records.iter().enumerate() {
            let wrong = match record {
                Record::Run(_) => index != last,
                Record::Genesis(_) => index != 0 || self.seq != 0,
                _ => index == 0 && self.seq == 0,
            };
            if wrong {
                let what = format!("leaf {} stands in the wrong place", leaves.first + index as u64);
                report
                    .findings
                    .push(Finding::contradiction(leaves.key.clone(), what));
            }
            if matches!(record, Record::Unknown) {
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
        carried
            .stamps
            .extend(run.timestamps.iter().map(|(key, digest)| (key.clone(), *digest)));
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
                Record::Genesis(genesis) => self.genesis(leaves, genesis, carried, report),
                Record::Close(close) => closed(close, carried),
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
        if let Some(until) = genesis.retain_until {
            report.locked_until.insert(self.log.name.prefix(), until);
        }
    }
}

fn closed(close: &CloseLeaf, carried: &mut Carried) {
    carried.closed = true;
    carried.next_origin = Some(close.next_origin.clone());
    carried.next_key = Some(close.next_public_key.clone());
}
