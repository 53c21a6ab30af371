//! Reading the record: every segment is hashed and compared with its signed checkpoint before a leaf of it is believed.

use std::{collections::BTreeMap, sync::Arc};

use futures::future::BoxFuture;
use revtrail_archive::{Archive, ObjectKey, record};
use revtrail_ledger::{Checkpoint, Frontier, VerifierKey, leaf_hash};
use revtrail_model::{
    Digest,
    disclosure::{Disclosure, Sidecar},
    event::Event,
    id::LedgerName,
    layout::{Kind, LogName, segment_digest},
    leaf::{HoldLeaf, Leaf, RunLeaf, WindowLeaf},
    sha256,
    time::Timestamp,
};

use crate::{
    annotations::{AnnotationRow, Annotations},
    error::QueryError,
};

/// One event and its place in the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Log year.
    pub year: i16,
    /// Index of the leaf in the log: the number an auditor cites.
    pub index: u64,
    /// The fact.
    pub event: Event,
    /// What audit logs told about it later, in the order of the log.
    pub annotations: Vec<AnnotationRow>,
}

/// One window and its place in the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowRow {
    /// Log year.
    pub year: i16,
    /// Index of the leaf in the log.
    pub index: u64,
    /// The window.
    pub window: WindowLeaf,
}

/// One legal hold placed or released, and its place in the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldRow {
    /// Log year.
    pub year: i16,
    /// Index of the leaf in the log.
    pub index: u64,
    /// The leaf.
    pub hold: HoldLeaf,
    /// What opens it: case, person and reason.
    pub opened: Disclosure,
}

/// A ledger's record, as far as it concerns questions.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// Events, in the order of the log.
    pub rows: Vec<Row>,
    /// Windows, in the order of the log.
    pub windows: Vec<WindowRow>,
    /// Legal holds placed and released, in the order of the log.
    pub holds: Vec<HoldRow>,
    /// Annotations until they are put beside their events.
    pub(crate) annotations: Annotations,
    /// The newest run leaf.
    pub last_run: Option<RunLeaf>,
    /// Tree size and root of the newest log.
    pub tip: Option<(String, u64, Digest)>,
}

/// Makes the verifier key of an origin.
pub type KeyOf = Arc<dyn Fn(&str) -> Option<VerifierKey> + Send + Sync>;

/// Reads a ledger.
pub struct Reader {
    /// Where the record is.
    pub archive: Arc<dyn Archive>,
    /// The ledger.
    pub ledger: LedgerName,
    /// Its origin.
    pub origin: String,
    /// Key of a log, by origin.
    pub key: KeyOf,
}

impl Reader {
    /// Reads every event that `keep` wants, and every window.
    pub fn read<'a>(
        &'a self,
        keep: &'a (dyn Fn(&Event) -> bool + Sync),
    ) -> BoxFuture<'a, Result<Record, QueryError>> {
        Box::pin(async move {
            let mut record = Record::default();
            let logs = self.logs().await?;
            if logs.is_empty() {
                return Err(QueryError::NoLog(self.ledger.to_string()));
            }
            for log in logs {
                self.read_log(&log, keep, &mut record).await?;
            }
            record.attach();
            Ok(record)
        })
    }

    pub(crate) async fn logs(&self) -> Result<Vec<LogName>, QueryError> {
        Ok(record::logs(self.archive.as_ref(), &self.ledger).await?)
    }

    async fn read_log(
        &self,
        log: &LogName,
        keep: &(dyn Fn(&Event) -> bool + Sync),
        record: &mut Record,
    ) -> Result<(), QueryError> {
        let origin = log.origin(&self.origin);
        let key = (self.key)(&origin).ok_or_else(|| QueryError::NoKey(origin.clone()))?;
        let mut frontier = Frontier::new();
        for seq in 0..self.checkpoints(log).await? {
            let checkpoint_key = log.checkpoint(seq);
            let note = self.get(&checkpoint_key).await?;
            let checkpoint = Checkpoint::open(&note, &key).map_err(|error| QueryError::Contradiction {
                key: checkpoint_key,
                what: error.to_string(),
            })?;
            let root = Digest::from_bytes(*checkpoint.root.as_bytes());
            let first = frontier.size().leaves();
            let segment_key = log.object(Kind::Segment, seq, &root);
            let leaves = self
                .segment(&segment_key, segment_digest(&checkpoint.extensions))
                .await?;
            for leaf in &leaves {
                frontier.append(leaf_hash(leaf));
            }
            if frontier.root() != checkpoint.root || frontier.size() != checkpoint.size {
                return Err(QueryError::Contradiction {
                    key: segment_key,
                    what: "leaves do not make the signed root".into(),
                });
            }
            let snapshot = Snapshot {
                log,
                seq,
                key: &segment_key,
                first,
            };
            self.take(&snapshot, leaves, keep, record).await?;
            record.tip = Some((origin.clone(), checkpoint.size.leaves(), root));
        }
        Ok(())
    }

    /// Number of checkpoints; a missing one in between shows as a read error on the way.
    pub(crate) async fn checkpoints(&self, log: &LogName) -> Result<u64, QueryError> {
        let newest = record::newest_checkpoint(self.archive.as_ref(), log).await?;
        Ok(newest.map_or(0, |seq| seq.saturating_add(1)))
    }

    pub(crate) async fn get(&self, key: &str) -> Result<Vec<u8>, QueryError> {
        Ok(self.archive.read(&key.parse::<ObjectKey>()?).await?.to_vec())
    }

    pub(crate) async fn segment(
        &self,
        key: &str,
        digest: Option<Digest>,
    ) -> Result<Vec<Vec<u8>>, QueryError> {
        let bytes = self.get(key).await?;
        if digest != Some(sha256(&bytes)) {
            let what = "does not have the digest that its checkpoint names".into();
            return Err(QueryError::Contradiction {
                key: key.to_owned(),
                what,
            });
        }
        let text = zstd::stream::decode_all(bytes.as_slice()).map_err(|_| QueryError::Contradiction {
            key: key.to_owned(),
            what: "not a whole zstd stream".into(),
        })?;
        Ok(text
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(<[u8]>::to_vec)
            .collect())
    }

    async fn take(
        &self,
        snapshot: &Snapshot<'_>,
        leaves: Vec<Vec<u8>>,
        keep: &(dyn Fn(&Event) -> bool + Sync),
        record: &mut Record,
    ) -> Result<(), QueryError> {
        let mut parsed = Vec::with_capacity(leaves.len());
        for leaf in &leaves {
            parsed.push(Leaf::parse(leaf).map_err(|source| snapshot.unreadable(source))?);
        }
        let Some(Leaf::Run(run)) = parsed.last() else {
            return Err(snapshot.contradiction("does not end in a run leaf"));
        };
        record.last_run = Some((**run).clone());
        let mut opened = match run.objects.sidecar {
            Some(digest) => self.sidecar(snapshot, &digest).await?,
            None => Opened::default(),
        };
        for (n, leaf) in parsed.into_iter().enumerate() {
            let index = snapshot.first + n as u64;
            match leaf {
                Leaf::Event(event) => {
                    let disclosure = opened
                        .take(n as u64, &event.c)
                        .ok_or_else(|| snapshot.contradiction("sidecar does not open its leaves"))?;
                    let event = event.open(disclosure);
                    if keep(&event) {
                        record.rows.push(Row {
                            year: snapshot.log.year,
                            index,
                            event,
                            annotations: Vec::new(),
                        });
                    }
                }
                Leaf::Hold(hold) => record.holds.push(HoldRow {
                    year: snapshot.log.year,
                    index,
                    opened: opened
                        .take(n as u64, &hold.c)
                        .ok_or_else(|| snapshot.contradiction("sidecar does not open its leaves"))?,
                    hold: *hold,
                }),
                Leaf::Annotation(annotation) => {
                    let opened = opened
                        .take(n as u64, &annotation.c)
                        .ok_or_else(|| snapshot.contradiction("sidecar does not open its leaves"))?;
                    record.annotate(AnnotationRow {
                        year: snapshot.log.year,
                        index,
                        annotation: *annotation,
                        opened,
                    });
                }
                Leaf::Window(window) => record.windows.push(WindowRow {
                    year: snapshot.log.year,
                    index,
                    window: *window,
                }),
                _ => {}
            }
        }
        Ok(())
    }

    async fn sidecar(&self, snapshot: &Snapshot<'_>, digest: &Digest) -> Result<Opened, QueryError> {
        let key = snapshot.log.object(Kind::Sidecar, snapshot.seq, digest);
        let bytes = self.get(&key).await?;
        if sha256(&bytes) != *digest {
            return Err(QueryError::Contradiction {
                key,
                what: "bytes do not have the digest in the name".into(),
            });
        }
        let sidecar = Sidecar::decode(&bytes).map_err(|source| QueryError::Model { key, source })?;
        let lines = sidecar
            .disclosures
            .iter()
            .map(|line| (line.n, line.clone()))
            .collect();
        Ok(Opened {
            sidecar: Some(sidecar),
            lines,
        })
    }
}

struct Snapshot<'a> {
    log: &'a LogName,
    seq: u64,
    key: &'a str,
    first: u64,
}

impl Snapshot<'_> {
    fn contradiction(&self, what: &str) -> QueryError {
        QueryError::Contradiction {
            key: self.key.to_owned(),
            what: what.to_owned(),
        }
    }

    fn unreadable(&self, source: revtrail_model::ModelError) -> QueryError {
        QueryError::Model {
            key: self.key.to_owned(),
            source,
        }
    }
}

#[derive(Default)]
struct Opened {
    sidecar: Option<Sidecar>,
    lines: BTreeMap<u64, Disclosure>,
}

impl Opened {
    /// The disclosure of one leaf, if it opens the leaf's commitments.
    fn take(&mut self, n: u64, commitments: &revtrail_model::disclosure::Commitments) -> Option<Disclosure> {
        let line = self.lines.remove(&n).unwrap_or(Disclosure {
            n,
            ..Disclosure::default()
        });
        let made = match &self.sidecar {
            Some(sidecar) => line.commitments(&sidecar.seed).ok()?,
            None => revtrail_model::disclosure::Commitments::default(),
        };
        (made == *commitments).then_some(line)
    }
}

impl Record {
    fn annotate(&mut self, row: AnnotationRow) {
        let event = (row.annotation.folder.clone(), row.annotation.event_id);
        self.annotations.entry(event).or_default().push(row);
    }

    /// Puts annotations beside the events they are about; an audit log may tell of an earlier year's.
    fn attach(&mut self) {
        let annotations = std::mem::take(&mut self.annotations);
        for row in &mut self.rows {
            let event = (row.event.scope.folder.clone(), row.event.id);
            if let Some(found) = annotations.get(&event) {
                row.annotations.clone_from(found);
            }
        }
    }

    /// The end of what is recorded: the latest moment any window covers.
    pub fn covered_until(&self) -> Option<Timestamp> {
        self.windows.iter().filter_map(|row| row.window.covers_to).max()
    }
}
