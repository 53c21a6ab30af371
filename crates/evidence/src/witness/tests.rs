use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use revtrail_ledger::{FileSigner, Origin, TreeHead, TreeSize, leaf_hash, tree::Suffix};
use rstest::rstest;

use super::*;

const ORIGIN: &str = "evidence.example/main/2026";

/// A memory that fails at a given write, before or after the write was done.
#[derive(Default)]
struct Fake {
    seen: RefCell<BTreeMap<String, Vec<u8>>>,
    cosigned: RefCell<BTreeMap<String, Vec<u8>>>,
    conflicts: RefCell<Vec<[Vec<u8>; 2]>>,
    fail_at: Cell<Option<Write>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Write {
    Remember,
    KeepCosigned,
}

impl Fake {
    fn write(&self, write: Write) -> Result<(), SourceError> {
        if self.fail_at.get() == Some(write) {
            return Err(SourceError {
                key: ORIGIN.into(),
                source: "disk full".into(),
            });
        }
        Ok(())
    }
}

impl Memory for Fake {
    fn seen(&self, origin: &str) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(self.seen.borrow().get(origin).cloned())
    }

    fn remember(&self, origin: &str, note: &[u8]) -> Result<(), SourceError> {
        self.write(Write::Remember)?;
        self.seen.borrow_mut().insert(origin.into(), note.to_vec());
        Ok(())
    }

    fn cosigned(&self, origin: &str) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(self.cosigned.borrow().get(origin).cloned())
    }

    fn keep_cosigned(&self, origin: &str, note: &[u8]) -> Result<(), SourceError> {
        self.write(Write::KeepCosigned)?;
        self.cosigned.borrow_mut().insert(origin.into(), note.to_vec());
        Ok(())
    }

    fn keep_conflict(&self, _origin: &str, notes: [&[u8]; 2]) -> Result<(), SourceError> {
        self.conflicts.borrow_mut().push(notes.map(<[u8]>::to_vec));
        Ok(())
    }
}

fn log_signer() -> FileSigner {
    FileSigner::generate([1; 32]).unwrap()
}

fn log_key() -> VerifierKey {
    let name = ORIGIN.parse::<Origin>().unwrap().key_name().unwrap();
    VerifierKey::new(name, Algorithm::Ed25519, log_signer().public_key())
}

/// A log of leaves `<history>0`, `<history>1`, …; histories agree in their first `common` leaves.
struct History {
    leaves: Vec<Hash>,
}

impl History {
    fn new(history: &str, common: usize, size: usize) -> Self {
        let leaf = |n: usize| {
            let name = if n < common { "" } else { history };
            leaf_hash(format!("{name}{n}").as_bytes())
        };
        Self {
            leaves: (0..size).map(leaf).collect(),
        }
    }

    fn head(&self, size: usize) -> TreeHead {
        self.leaves[..size]
            .iter()
            .copied()
            .collect::<revtrail_ledger::Frontier>()
            .head()
    }

    fn note(&self, size: usize) -> Note {
        let checkpoint = Checkpoint::new(ORIGIN.parse().unwrap(), self.head(size));
        Note::parse(&checkpoint.sign(&log_signer()).unwrap()).unwrap()
    }

    fn proof(&self, old: usize) -> Vec<Hash> {
        let mut tree = Suffix::new(revtrail_ledger::Frontier::new());
        for leaf in &self.leaves {
            tree.append(*leaf);
        }
        let size = |n: usize| TreeSize::new(n as u64);
        revtrail_ledger::tree::prove_consistency(&tree, size(old), size(self.leaves.len())).unwrap()
    }
}

fn witness_at(
    memory: &Fake,
    second: i64,
    shown: &Note,
    proof: Option<&[Hash]>,
) -> Result<Cosigned, WitnessError> {
    let signer = FileSigner::generate([9; 32]).unwrap();
    let witness = Witness {
        name: "witness.example/w".parse().unwrap(),
        signer: &signer,
        memory,
        now: Timestamp::from_second(second).unwrap(),
    };
    witness.cosign(shown, &log_key(), proof)
}

fn witness_key() -> VerifierKey {
    let signer = FileSigner::generate([9; 32]).unwrap();
    VerifierKey::new(
        "witness.example/w".parse().unwrap(),
        Algorithm::Cosignature,
        signer.public_key(),
    )
}

#[test]
fn cosigns_a_log_that_grows_and_remembers_it_first() {
    let (memory, history) = (Fake::default(), History::new("a", 0, 7));
    let first = witness_at(&memory, 100, &history.note(3), None).unwrap();
    assert!(first.is_first);
    assert_eq!(first.at.seconds(), 100);
    let again = witness_at(&memory, 200, &history.note(3), None).unwrap();
    assert_eq!(again.at.seconds(), 100, "the first time counts, and is kept");
    assert_eq!(again.note, first.note);
    let second = witness_at(&memory, 300, &history.note(7), Some(&history.proof(3))).unwrap();
    assert!(!second.is_first);
    let (log, own) = (log_key(), [witness_key()]);
    let (checkpoint, signatures) = Checkpoint::verify(&second.note, &log, &own).unwrap();
    assert_eq!(checkpoint.head(), history.head(7));
    let times: Vec<_> = signatures.iter().map(|one| one.time).collect();
    assert_eq!(times, [None, CosignatureTime::new(300)]);
    assert_eq!(memory.seen.borrow()[ORIGIN], history.note(7).to_bytes());
    assert_eq!(memory.cosigned.borrow()[ORIGIN], second.note.to_bytes());
    assert!(memory.conflicts.borrow().is_empty());
}

#[rstest]
#[case::fork_of_the_same_size(3, "fork: two different checkpoints of one tree size")]
#[case::fork_that_grew(7, "fork: the log does not continue the tree seen before")]
#[case::rollback(2, "rollback: the log was larger before")]
fn refuses_another_history_and_keeps_both(#[case] size: usize, #[case] what: &str) {
    let memory = Fake::default();
    let seen = History::new("a", 2, 3).note(3);
    let before = witness_at(&memory, 100, &seen, None).unwrap();
    let other = History::new("b", 2, size);
    let proof = (size > 3).then(|| other.proof(3));
    let shown = other.note(size);
    let error = witness_at(&memory, 200, &shown, proof.as_deref()).unwrap_err();
    let words = |note: &Note| {
        let checkpoint = Checkpoint::parse(note.text()).unwrap();
        format!("{ORIGIN} size {} root {}", checkpoint.size, checkpoint.root)
    };
    assert_eq!(
        error.to_string(),
        format!(
            "{what}: seen before {}; shown now {}",
            words(&seen),
            words(&shown)
        )
    );
    assert_eq!(*memory.conflicts.borrow(), [[seen.to_bytes(), shown.to_bytes()]]);
    // What was seen stays, and the true history goes on being cosigned.
    assert_eq!(memory.seen.borrow()[ORIGIN], seen.to_bytes());
    assert_eq!(memory.cosigned.borrow()[ORIGIN], before.note.to_bytes());
    let history = History::new("a", 2, 7);
    let onward = witness_at(&memory, 300, &history.note(7), Some(&history.proof(3))).unwrap();
    assert_eq!(onward.at.seconds(), 300);
}

#[test]
fn a_log_without_the_checkpoint_seen_before_is_a_fork() {
    let (memory, history) = (Fake::default(), History::new("a", 0, 7));
    witness_at(&memory, 100, &history.note(3), None).unwrap();
    let error = witness_at(&memory, 200, &history.note(7), None).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("fork: the log has no checkpoint of the size seen before any more")
    );
}

#[test]
fn a_crash_before_the_memory_holds_leaves_nothing_cosigned() {
    let (memory, history) = (Fake::default(), History::new("a", 0, 7));
    witness_at(&memory, 100, &history.note(3), None).unwrap();
    memory.fail_at.set(Some(Write::Remember));
    let error = witness_at(&memory, 200, &history.note(7), Some(&history.proof(3))).unwrap_err();
    assert!(matches!(error, WitnessError::Memory(_)));
    assert_eq!(memory.seen.borrow()[ORIGIN], history.note(3).to_bytes());
    let kept = Note::parse(&memory.cosigned.borrow()[ORIGIN]).unwrap();
    assert_eq!(kept.text(), history.note(3).text());
}

#[test]
fn a_crash_between_memory_and_cosignature_is_made_good_and_lets_nothing_else_in() {
    let (memory, history) = (Fake::default(), History::new("a", 0, 7));
    witness_at(&memory, 100, &history.note(3), None).unwrap();
    memory.fail_at.set(Some(Write::KeepCosigned));
    let proof = history.proof(3);
    witness_at(&memory, 200, &history.note(7), Some(&proof)).unwrap_err();
    assert_eq!(memory.seen.borrow()[ORIGIN], history.note(7).to_bytes());
    memory.fail_at.set(None);
    // Another history is refused, although nothing of it was cosigned yet…
    let other = History::new("b", 3, 7).note(7);
    let refused = witness_at(&memory, 300, &other, None).unwrap_err();
    assert!(matches!(refused, WitnessError::Conflict { .. }));
    // …and the remembered one is cosigned now, not with the old checkpoint's signature.
    let made = witness_at(&memory, 400, &history.note(7), None).unwrap();
    assert_eq!(made.at.seconds(), 400);
    assert_eq!(made.note.text(), history.note(7).text());
}

#[test]
fn lines_of_others_are_not_passed_on_and_foreign_notes_refused() {
    let (memory, history) = (Fake::default(), History::new("a", 0, 3));
    let mut note = history.note(3);
    let stranger = FileSigner::generate([5; 32]).unwrap();
    note.sign(&"stranger.example".parse().unwrap(), &stranger)
        .unwrap();
    let made = witness_at(&memory, 100, &note, None).unwrap();
    assert_eq!(made.note.signatures().len(), 2);
    assert_eq!(memory.seen.borrow()[ORIGIN], history.note(3).to_bytes());
    let mut unsigned = Note::new(history.note(3).text().to_owned()).unwrap();
    unsigned.sign(&ORIGIN.parse().unwrap(), &stranger).unwrap();
    assert!(matches!(
        witness_at(&memory, 100, &unsigned, None),
        Err(WitnessError::Ledger(LedgerError::NoTrustedSignature(_)))
    ));
}

#[test]
fn a_memory_that_was_changed_is_not_believed() {
    let (memory, history) = (Fake::default(), History::new("a", 0, 3));
    witness_at(&memory, 100, &history.note(3), None).unwrap();
    memory
        .seen
        .borrow_mut()
        .insert(ORIGIN.into(), b"nothing\n\n".to_vec());
    let error = witness_at(&memory, 200, &history.note(3), None).unwrap_err();
    assert!(matches!(error, WitnessError::Damaged { .. }), "{error}");
}
