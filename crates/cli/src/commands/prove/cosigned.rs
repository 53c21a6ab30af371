//! Cosigned copies of checkpoints, whose cosignatures go into a proof.

use std::path::{Path, PathBuf};

use revtrail_ledger::{Checkpoint, Note};

use super::read;
use crate::exit::{Exit, Failure};

/// Copies read from files, with the name of each file.
pub(crate) struct Copies(Vec<(String, Note, Checkpoint)>);

impl Copies {
    /// Reads the files.
    pub(crate) fn read(paths: &[PathBuf]) -> Result<Self, Failure> {
        let copies = paths.iter().map(|path| one(path));
        Ok(Self(copies.collect::<Result<_, _>>()?))
    }

    /// The notes.
    pub(super) fn into_notes(self) -> Vec<Note> {
        self.0.into_iter().map(|(_, note, _)| note).collect()
    }

    /// Tree size of the one checkpoint that all copies are of; `None` without copies.
    pub(super) fn size(&self) -> Result<Option<u64>, Failure> {
        let Some((first, note, checkpoint)) = self.0.first() else {
            return Ok(None);
        };
        match self.0.iter().find(|(_, other, _)| other.text() != note.text()) {
            Some((other, ..)) => Err(Failure::usage(
                format!("{first} and {other} are copies of different checkpoints"),
                "give copies of one checkpoint: the proof is made in its tree",
            )),
            None => Ok(Some(checkpoint.size.leaves())),
        }
    }

    /// Puts the cosignatures into the checkpoints of a proof that they are of. A copy that fits none contradicts the archive.
    pub(super) fn join<const N: usize>(&self, checkpoints: [&mut Note; N]) -> Result<(), Failure> {
        let mut checkpoints = checkpoints;
        for (name, copy, what) in &self.0 {
            let mut fits = false;
            for note in &mut checkpoints {
                if note.text() == copy.text() {
                    note.join(copy)
                        .map_err(|error| Failure::new(Exit::Usage, error, None))?;
                    fits = true;
                }
            }
            if !fits {
                return Err(foreign(name, what));
            }
        }
        Ok(())
    }
}

fn foreign(name: &str, copy: &Checkpoint) -> Failure {
    let (origin, size, root) = (&copy.origin, copy.size, copy.root);
    Failure::new(
        Exit::Contradiction,
        anyhow::anyhow!(
            "{name} is of {origin} size {size} root {root}, which is not the checkpoint in the archive"
        ),
        Some("if origin and size are those of the log meant, keep both unchanged and report them: the log was forked".into()),
    )
}

fn one(path: &Path) -> Result<(String, Note, Checkpoint), Failure> {
    let bytes = read("cosigned checkpoint", path)?;
    let name = path.display().to_string();
    let parsed = Note::parse(&bytes).and_then(|note| {
        let checkpoint = Checkpoint::parse(note.text())?;
        Ok((note, checkpoint))
    });
    match parsed {
        Ok((note, checkpoint)) => Ok((name, note, checkpoint)),
        Err(error) => {
            let error = anyhow::Error::new(error).context(format!("{name} is not a cosigned checkpoint"));
            Err(Failure::new(
                Exit::Usage,
                error,
                Some("give a file as `revtrail witness --out` writes it".into()),
            ))
        }
    }
}
