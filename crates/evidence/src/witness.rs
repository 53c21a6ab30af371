//! A witness: somebody beside the operator who remembers the checkpoint he saw last, and cosigns a new one only if it continues that
//! one (C2SP tlog-witness; the cosignature is that of tlog-cosignature).
//!
//! A cosignature says: the holder of this key has never cosigned another history of this log, and saw this tree at this time. So the
//! order matters: what is cosigned is remembered *first*, for a crash between the two must not let another history be cosigned later.

#[cfg(test)]
mod tests;

use revtrail_ledger::{
    Algorithm, Checkpoint, CosignatureTime, Hash, KeyName, LedgerError, Note, Signer, VerifierKey,
    tree::verify_consistency,
};
use revtrail_model::time::Timestamp;

use crate::source::SourceError;

/// What a witness remembers of each log, by origin. What a call has stored is still there after a crash.
pub trait Memory {
    /// The checkpoint seen last, as the log signed it.
    fn seen(&self, origin: &str) -> Result<Option<Vec<u8>>, SourceError>;
    /// Puts a checkpoint in the place of the one seen last, at once and as a whole.
    fn remember(&self, origin: &str, note: &[u8]) -> Result<(), SourceError>;
    /// The checkpoint seen last with the witness's cosignature, as far as it came to that.
    fn cosigned(&self, origin: &str) -> Result<Option<Vec<u8>>, SourceError>;
    /// Keeps a cosigned checkpoint.
    fn keep_cosigned(&self, origin: &str, note: &[u8]) -> Result<(), SourceError>;
    /// Keeps two checkpoints that cannot both be true, whatever is seen later.
    fn keep_conflict(&self, origin: &str, notes: [&[u8]; 2]) -> Result<(), SourceError>;
}

/// Why a checkpoint is not cosigned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessError {
    /// What is shown cannot be true beside what was seen before. Both checkpoints were kept.
    #[error("{what}: seen before {seen}; shown now {shown}")]
    Conflict {
        /// What is wrong.
        what: &'static str,
        /// The checkpoint seen before: origin, size, root.
        seen: String,
        /// The checkpoint shown now.
        shown: String,
    },
    /// The checkpoint is not one of the log, or cannot be cosigned.
    #[error("checkpoint is not acceptable")]
    Ledger(#[from] LedgerError),
    /// What was remembered is not what this witness wrote.
    #[error("what was remembered of {origin} cannot be read")]
    Damaged {
        /// The log.
        origin: String,
        /// What is wrong with it.
        #[source]
        source: LedgerError,
    },
    /// The memory failed.
    #[error("memory of the witness failed")]
    Memory(#[from] SourceError),
    /// The clock shows a time that cannot be signed.
    #[error("clock shows {0}, before 1970")]
    Clock(Timestamp),
}

/// A cosigned checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// The note with the log's signature and the witness's.
    pub note: Note,
    /// When the witness saw this checkpoint first.
    pub at: CosignatureTime,
    /// Nothing of this log had been seen before, so the history up to here is taken on trust.
    pub is_first: bool,
}

/// A witness with its key and memory.
pub struct Witness<'a> {
    /// Name of its key.
    pub name: KeyName,
    /// Its key.
    pub signer: &'a dyn Signer,
    /// What it saw before.
    pub memory: &'a dyn Memory,
    /// The present moment.
    pub now: Timestamp,
}

impl Witness<'_> {
    /// The key that checks its cosignatures.
    pub fn key(&self) -> VerifierKey {
        VerifierKey::new(
            self.name.clone(),
            Algorithm::Cosignature,
            self.signer.public_key(),
        )
    }

    /// Tree size of the checkpoint of this log that was seen last.
    pub fn seen_size(&self, log: &VerifierKey) -> Result<Option<u64>, WitnessError> {
        Ok(self.seen(log)?.map(|(checkpoint, _)| checkpoint.size.leaves()))
    }

    /// Cosigns `shown`, if it continues the checkpoint seen last. `proof` is the consistency proof from that one (RFC 6962 §2.1.2), where
    /// the archive could give one; it is not looked at when the sizes agree, or when nothing was seen before.
    pub fn cosign(
        &self,
        shown: &Note,
        log: &VerifierKey,
        proof: Option<&[Hash]>,
    ) -> Result<Cosigned, WitnessError> {
        let (checkpoint, _) = Checkpoint::verify(shown, log, &[])?;
        let origin = log.name().as_str();
        let seen = self.seen(log)?;
        if let Some((before, note)) = &seen {
            if let Some(what) = conflict(before, &checkpoint, proof) {
                self.memory
                    .keep_conflict(origin, [&note.to_bytes(), &shown.to_bytes()])?;
                return Err(WitnessError::Conflict {
                    what,
                    seen: words(before),
                    shown: words(&checkpoint),
                });
            }
            if before == &checkpoint
                && let Some((note, at)) = self.cosigned(log, &checkpoint)?
            {
                return Ok(Cosigned {
                    note,
                    at,
                    is_first: false,
                });
            }
        }
        // The log's own signature alone: other lines would come from whoever holds the archive.
        let mut note = shown.only(log);
        let seconds = u64::try_from(self.now.as_second()).ok();
        let at = seconds
            .and_then(CosignatureTime::new)
            .ok_or(WitnessError::Clock(self.now))?;
        // THE ORDER THAT COUNTS: from here on no other history of this log can be cosigned, whatever happens before the next line.
        self.memory.remember(origin, &note.to_bytes())?;
        note.cosign(&self.name, self.signer, at)?;
        self.memory.keep_cosigned(origin, &note.to_bytes())?;
        Ok(Cosigned {
            note,
            at,
            is_first: seen.is_none(),
        })
    }

    fn seen(&self, log: &VerifierKey) -> Result<Option<(Checkpoint, Note)>, WitnessError> {
        let origin = log.name().as_str();
        let Some(bytes) = self.memory.seen(origin)? else {
            return Ok(None);
        };
        let opened = Note::parse(&bytes)
            .and_then(|note| Ok((Checkpoint::verify(&note, log, &[])?.0, note)))
            .map_err(|source| WitnessError::Damaged {
                origin: origin.to_owned(),
                source,
            })?;
        Ok(Some(opened))
    }

    /// The cosigned form of the checkpoint, from before. One that is missing or not of this key is made again.
    fn cosigned(
        &self,
        log: &VerifierKey,
        checkpoint: &Checkpoint,
    ) -> Result<Option<(Note, CosignatureTime)>, WitnessError> {
        let Some(bytes) = self.memory.cosigned(log.name().as_str())? else {
            return Ok(None);
        };
        let own = [self.key()];
        let time = |note: &Note| {
            let (kept, signatures) = Checkpoint::verify(note, log, &own).ok()?;
            let time = signatures.iter().find_map(|signature| signature.time)?;
            (kept == *checkpoint).then_some(time)
        };
        Ok(Note::parse(&bytes).ok().and_then(|note| {
            let at = time(&note)?;
            Some((note, at))
        }))
    }
}

/// Why `shown` cannot follow `seen`, if it cannot.
fn conflict(seen: &Checkpoint, shown: &Checkpoint, proof: Option<&[Hash]>) -> Option<&'static str> {
    if shown.size < seen.size {
        return Some("rollback: the log was larger before");
    }
    if shown.size == seen.size {
        return (shown != seen).then_some("fork: two different checkpoints of one tree size");
    }
    let Some(proof) = proof else {
        return Some("fork: the log has no checkpoint of the size seen before any more");
    };
    let fork = Some("fork: the log does not continue the tree seen before");
    verify_consistency(&seen.head(), &shown.head(), proof)
        .err()
        .and(fork)
}

fn words(checkpoint: &Checkpoint) -> String {
    let root = checkpoint.root;
    format!("{} size {} root {root}", checkpoint.origin, checkpoint.size)
}
