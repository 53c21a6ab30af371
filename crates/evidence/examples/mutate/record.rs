//! Sound records, made in memory with everything a real one has: two years, two folders, sidecars, raw records, state, tiles.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use revtrail_evidence::{Policy, RecordSource, Report, SourceError, VerifyError, verify};
use revtrail_ledger::{Algorithm, FileSigner, Frontier, Origin, Signer as _, TileWriter, VerifierKey};
use revtrail_model::{
    Digest,
    id::LedgerName,
    layout::LogName,
    leaf::{CheckpointRef, LeafRef, PreviousLog},
    time::{Timestamp, plus_seconds},
};

use super::{random::Random, snapshot::Content};

/// Objects by key.
pub(crate) type Objects = BTreeMap<String, Arc<[u8]>>;

/// A day, seconds: one snapshot each.
pub(crate) const DAY: i64 = 86_400;

/// How large a record is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Looks in the first year and in the second.
    pub(crate) looks: [usize; 2],
    /// Events in one look.
    pub(crate) events: usize,
}

/// One ledger, sound.
pub(crate) struct Record {
    pub(crate) ledger: LedgerName,
    pub(crate) origin: String,
    pub(crate) signer: FileSigner,
    pub(crate) objects: Objects,
    /// Every snapshot, in order of time.
    pub(crate) steps: Vec<Step>,
    /// A moment after the last snapshot and before the next is due, when every snapshot but the last one has been followed.
    pub(crate) now: Timestamp,
    pub(crate) leaves: u64,
}

/// One snapshot, and what stood before it, so that another one can be made in its place.
pub(crate) struct Step {
    pub(crate) before: Carried,
    pub(crate) content: Content,
    /// Its objects but for tiles.
    pub(crate) keys: BTreeSet<String>,
}

/// What one snapshot of a log hands to the next.
#[derive(Clone)]
pub(crate) struct Carried {
    pub(crate) log: LogName,
    pub(crate) seq: u64,
    pub(crate) frontier: Frontier,
    pub(crate) tiles: TileWriter,
    pub(crate) checkpoint: Option<CheckpointRef>,
    /// By folder: its last window, and the cursor it ended at.
    pub(crate) windows: BTreeMap<String, (LeafRef, String)>,
    pub(crate) state: Option<Digest>,
    pub(crate) at: Timestamp,
}

impl Record {
    /// A record that depends on its number and nothing else.
    pub(crate) fn make(number: u8, shape: Shape) -> Self {
        let ledger = LedgerName::from(format!("ledger-{number}"));
        let mut record = Self {
            origin: format!("evidence.example/{number}"),
            signer: FileSigner::generate([number.wrapping_add(1); 32]).unwrap(),
            objects: Objects::new(),
            steps: Vec::new(),
            now: Timestamp::UNIX_EPOCH,
            leaves: 0,
            ledger,
        };
        let mut at: Timestamp = "2026-11-20T02:00:00Z".parse().unwrap();
        let mut previous: Option<PreviousLog> = None;
        for (year, looks) in (2026..).zip(shape.looks) {
            let mut carried = record.opened(year, at);
            let mut contents = vec![Content::Genesis {
                previous: previous.take(),
            }];
            contents.extend((0..looks).map(|_| Content::Look { events: shape.events }));
            if year == 2026 {
                contents.push(Content::Close { next: 2027 });
            }
            for content in contents {
                record.step(&mut carried, content, u64::from(number));
            }
            let checkpoint = carried.checkpoint.unwrap();
            previous = Some(PreviousLog {
                note_sha256: checkpoint.note_sha256,
                origin: carried.log.origin(&record.origin),
                root: checkpoint.root,
                size: checkpoint.size,
            });
            record.leaves += checkpoint.size.0;
            record.now = carried.at;
            at = carried.at;
        }
        record
    }

    fn opened(&self, year: i16, at: Timestamp) -> Carried {
        Carried {
            log: LogName {
                ledger: self.ledger.clone(),
                year,
            },
            seq: 0,
            frontier: Frontier::new(),
            tiles: TileWriter::new(),
            checkpoint: None,
            windows: BTreeMap::new(),
            state: None,
            at,
        }
    }

    fn step(&mut self, carried: &mut Carried, content: Content, seed: u64) {
        let before = carried.clone();
        let mut random = Random::new(seed, self.steps.len() as u64);
        let made = self.commit(carried, &content, &mut random);
        let is_tile = |key: &String| key.contains("/tile/");
        let keys = made.keys().filter(|key| !is_tile(key)).cloned().collect();
        self.objects.extend(made);
        carried.at = plus_seconds(carried.at, DAY);
        self.steps.push(Step {
            before,
            content,
            keys,
        });
    }

    pub(crate) fn verifier_key(&self, origin: &str) -> Option<VerifierKey> {
        let name = origin.parse::<Origin>().ok()?.key_name().ok()?;
        Some(VerifierKey::new(
            name,
            Algorithm::Ed25519,
            self.signer.public_key(),
        ))
    }

    /// What `verify` says of these objects in place of the record's own.
    pub(crate) fn judge(&self, objects: &Objects) -> Result<Report, VerifyError> {
        verify(
            &Memory(objects),
            &Policy {
                ledger: self.ledger.clone(),
                origin: self.origin.clone(),
                key: &|origin| self.verifier_key(origin),
                now: self.now,
            },
        )
    }
}

struct Memory<'a>(&'a Objects);

impl RecordSource for Memory<'_> {
    fn keys(&self, prefix: &str) -> Result<Vec<String>, SourceError> {
        let from = self.0.range(prefix.to_owned()..);
        let keys = from.map(|(key, _)| key).take_while(|key| key.starts_with(prefix));
        Ok(keys.cloned().collect())
    }

    fn read(&self, key: &str) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(self.0.get(key).map(|bytes| bytes.to_vec()))
    }
}
