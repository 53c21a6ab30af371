//! What must be told apart over a whole record, in memory that stays small: event ids, of which none may come twice, and raw
//! records, of which each event's must have been stored.
//!
//! Both are kept short: ids as 8 of their 32 bytes, and only those raw records that no event of their own snapshot named. What that
//! leaves in doubt is looked up in the record afterwards, so that the answer is exact.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use revtrail_model::{
    Digest,
    id::FolderName,
    leaf::{EventGlance, Leaf},
};

use crate::{
    finding::{Finding, Report},
    load::{EventFacts, Leaves, Record, raw_digests},
    objects::{lines, text},
    source::{RecordSource, SourceError},
};

/// Event ids of one log, by folder: two folders of one drive may each tell of an item that moved between them.
#[derive(Default)]
pub(crate) struct Ids {
    seen: BTreeMap<FolderName, HashSet<u64>>,
    /// Ids of which another with the same beginning came before.
    doubtful: HashSet<(FolderName, Digest)>,
    /// Segments that hold ids, in order, with the log index of their first leaf.
    segments: Vec<(String, u64)>,
}

impl Ids {
    /// The leaves of a snapshot are about to be taken.
    pub(crate) fn open(&mut self, leaves: &Leaves) {
        if leaves
            .records
            .iter()
            .any(|record| matches!(record, Record::Event(_)))
        {
            self.segments.push((leaves.key.clone(), leaves.first));
        }
    }

    pub(crate) fn take(&mut self, event: &EventFacts) {
        let start = beginning(&event.id);
        let new = match self.seen.get_mut(&event.folder) {
            Some(seen) => seen.insert(start),
            None => self.seen.entry(event.folder.clone()).or_default().insert(start),
        };
        if !new {
            self.doubtful.insert((event.folder.clone(), event.id));
        }
    }

    /// Ids that really came twice.
    pub(crate) fn finish(self, source: &dyn RecordSource, report: &mut Report) -> Result<(), SourceError> {
        let mut first = HashSet::new();
        let segments = if self.doubtful.is_empty() {
            Vec::new()
        } else {
            self.segments
        };
        for (key, start) in segments {
            // It could be read before; what is gone by now was judged then.
            let Some(text) = source.read(&key)?.and_then(|bytes| text(&bytes).ok()) else {
                continue;
            };
            for (place, line) in (start..).zip(lines(&text)) {
                let Ok(Leaf::Event(event)) = Leaf::parse(line) else {
                    continue;
                };
                let id = (event.folder, event.id);
                if self.doubtful.contains(&id) && !first.insert(id) {
                    let what = format!("event at leaf {place}: was recorded before");
                    report.findings.push(Finding::contradiction(key.as_str(), what));
                }
            }
        }
        Ok(())
    }
}

fn beginning(id: &Digest) -> u64 {
    id.as_bytes()
        .first_chunk()
        .map_or(0, |start| u64::from_be_bytes(*start))
}

/// Events that annotations name, over all logs of a ledger: an audit log may tell of last year's events.
///
/// Whether they are there is looked up in the record afterwards, by the whole id: who writes an annotation chooses what it names.
#[derive(Default)]
pub(crate) struct Annotated {
    /// Segments with events, in order.
    segments: Vec<String>,
    /// Annotations by the id they name.
    named: HashMap<Digest, Vec<Naming>>,
    /// A snapshot could not be judged: it may have held any event.
    forgetful: bool,
}

/// An annotation that names an event.
struct Naming {
    folder: FolderName,
    /// Segments with events up to it, its own included.
    segments: usize,
    /// Its segment.
    key: Arc<str>,
    /// Its leaf.
    place: u64,
}

impl Annotated {
    /// There may have been other events.
    pub(crate) fn forget(&mut self) {
        self.forgetful = true;
    }

    /// Takes the events and annotations of a snapshot.
    pub(crate) fn take(&mut self, leaves: &Leaves) {
        let is_event = |record: &Record| matches!(record, Record::Event(_));
        if leaves.records.iter().any(is_event) {
            self.segments.push(leaves.key.clone());
        }
        if self.forgetful {
            return;
        }
        let key: Arc<str> = leaves.key.as_str().into();
        for (place, record) in (leaves.first..).zip(&leaves.records) {
            let Record::Annotation(annotation) = record else {
                continue;
            };
            self.named.entry(annotation.event).or_default().push(Naming {
                folder: annotation.folder.clone(),
                segments: self.segments.len(),
                key: Arc::clone(&key),
                place,
            });
        }
    }

    /// Annotations of events that are recorded nowhere before them.
    pub(crate) fn finish(
        mut self,
        source: &dyn RecordSource,
        report: &mut Report,
    ) -> Result<(), SourceError> {
        // The newest first: most are named soon after they happened.
        for (place, key) in self.segments.iter().enumerate().rev() {
            if self.named.is_empty() {
                break;
            }
            let Some(text) = source.read(key)?.and_then(|bytes| text(&bytes).ok()) else {
                continue;
            };
            for line in lines(&text) {
                if let Some(event) = EventGlance::of(line) {
                    found(&mut self.named, place, (event.folder, &event.id));
                } else if let Ok(Leaf::Event(event)) = Leaf::parse(line) {
                    found(&mut self.named, place, (event.folder.as_str(), &event.id));
                }
            }
        }
        let left = self.named.into_values().flatten();
        let mut findings: Vec<Finding> = left
            .map(|naming| {
                let what = "names an event that is recorded nowhere before it";
                let what = format!("annotation at leaf {}: {what}", naming.place);
                Finding::contradiction(&*naming.key, what)
            })
            .collect();
        findings.sort();
        report.findings.append(&mut findings);
        Ok(())
    }
}

/// The segment at this place holds the event.
fn found(named: &mut HashMap<Digest, Vec<Naming>>, place: usize, (folder, id): (&str, &Digest)) {
    if let Some(namings) = named.get_mut(id) {
        namings.retain(|naming| place >= naming.segments || naming.folder.as_str() != folder);
        if namings.is_empty() {
            named.remove(id);
        }
    }
}

/// Raw records, over all logs of a ledger: an item may wait for its revisions across the turn of the year.
#[derive(Default)]
pub(crate) struct Raws {
    /// Those that no event of their own snapshot named: they wait for the event that will.
    waiting: HashSet<Digest>,
    /// Events whose raw record is neither there nor in their own snapshot, with the number of objects up to them.
    doubtful: HashMap<Digest, Vec<(usize, Finding)>>,
    /// Keys of the raw objects, in order.
    objects: Vec<String>,
    /// A raw object could not be read, or may belong to a snapshot that could not be judged: it may hold any record.
    forgetful: bool,
}

impl Raws {
    /// There may have been another raw object.
    pub(crate) fn forget(&mut self) {
        self.forgetful = true;
    }

    /// Takes the raw object of a snapshot and the events that go with it.
    pub(crate) fn take(&mut self, leaves: &Leaves, object: Option<(String, &[Digest])>) {
        let mut own: HashSet<Digest> = HashSet::new();
        if let Some((key, digests)) = object {
            own.extend(digests);
            self.objects.push(key);
        }
        let mut named = HashSet::new();
        for (place, record) in (leaves.first..).zip(&leaves.records) {
            let (kind, raw) = match record {
                Record::Event(event) => ("event", event.raw),
                Record::Annotation(annotation) => ("annotation", annotation.raw),
                _ => continue,
            };
            let Some(raw) = raw else { continue };
            if own.contains(&raw) {
                named.insert(raw);
            } else if !self.forgetful && !self.waiting.contains(&raw) {
                let what = format!("{kind} at leaf {place}: its raw record is in no raw object up to here");
                let finding = Finding::contradiction(leaves.key.as_str(), what);
                let doubts = self.doubtful.entry(raw).or_default();
                doubts.push((self.objects.len(), finding));
            }
        }
        self.waiting.extend(own.difference(&named));
    }

    /// Events whose raw record was not stored before them.
    pub(crate) fn finish(
        mut self,
        source: &dyn RecordSource,
        report: &mut Report,
    ) -> Result<(), SourceError> {
        let objects = if self.doubtful.is_empty() {
            Vec::new()
        } else {
            self.objects
        };
        for (place, key) in objects.iter().enumerate() {
            let Some(bytes) = source.read(key)? else {
                continue;
            };
            for raw in raw_digests(&bytes).unwrap_or_default() {
                if let Some(doubts) = self.doubtful.get_mut(&raw) {
                    doubts.retain(|(objects, _)| place >= *objects);
                }
            }
        }
        let mut findings: Vec<Finding> = self
            .doubtful
            .into_values()
            .flatten()
            .map(|(_, finding)| finding)
            .collect();
        findings.sort();
        report.findings.append(&mut findings);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
