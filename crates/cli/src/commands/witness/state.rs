//! What a witness remembers, in a directory.
//!
//! ```text
//! <state>/lock                                  one process at a time
//! <state>/<SHA-256 of the origin>/checkpoint    seen last, as the log signed it
//! <state>/<SHA-256 of the origin>/cosigned      the same with our cosignature
//! <state>/<SHA-256 of the origin>/conflicts/<SHA-256 of the note>
//! ```
//!
//! Files are written beside their place, brought to the disk and renamed, and the directory is brought to the disk: after a crash the old
//! or the new content stands there, never a part.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use revtrail_evidence::{SourceError, witness::Memory};
use revtrail_model::sha256;

use crate::exit::{Exit, Failure};

/// Longest file read back: a note.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// The directory, held by this process alone.
pub(super) struct State {
    dir: PathBuf,
    _lock: File,
}

impl State {
    /// Opens the directory, which must exist: one that was lost must not be replaced by an empty one unnoticed, for without it a log that
    /// was rewritten looks new.
    pub(super) fn open(dir: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error, hint: &str| {
            let what = format!("state directory {} cannot be used", dir.display());
            Failure::new(
                Exit::Usage,
                anyhow::Error::new(error).context(what),
                Some(hint.into()),
            )
        };
        if let Err(error) = fs::read_dir(dir) {
            return Err(failed(
                error,
                "make it once with mkdir; if it stood there before, restore it: without it a rewritten log looks new",
            ));
        }
        let lock = File::create(dir.join("lock"))
            .map_err(|error| failed(error, "the witness must be able to write there"))?;
        if lock.try_lock().is_err() {
            let error = anyhow::anyhow!("another witness works in {}", dir.display());
            return Err(Failure::new(
                Exit::Failed,
                error,
                Some("wait until it has ended".into()),
            ));
        }
        Ok(Self {
            dir: dir.to_owned(),
            _lock: lock,
        })
    }

    /// Origins of all logs that were seen.
    pub(super) fn origins(&self) -> Result<Vec<String>, SourceError> {
        let failed = |error| source_error(&self.dir, error);
        let mut origins = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(failed)? {
            let path = entry.map_err(failed)?.path().join("checkpoint");
            if let Some(note) = read(&path)? {
                let text = String::from_utf8_lossy(&note);
                origins.extend(text.lines().next().map(str::to_owned));
            }
        }
        origins.sort_unstable();
        Ok(origins)
    }

    fn place(&self, origin: &str) -> PathBuf {
        self.dir.join(sha256(origin.as_bytes()).to_string())
    }

    fn write(&self, origin: &str, name: &str, bytes: &[u8]) -> Result<(), SourceError> {
        let place = self.place(origin);
        let path = place.join(name);
        let failed = |error| source_error(&path, error);
        make_directory(&place).map_err(failed)?;
        if let Some(inner) = path.parent().filter(|inner| *inner != place) {
            make_directory(inner).map_err(failed)?;
        }
        replace(&path, bytes).map_err(failed)
    }
}

impl Memory for State {
    fn seen(&self, origin: &str) -> Result<Option<Vec<u8>>, SourceError> {
        read(&self.place(origin).join("checkpoint"))
    }

    fn remember(&self, origin: &str, note: &[u8]) -> Result<(), SourceError> {
        self.write(origin, "checkpoint", note)
    }

    fn cosigned(&self, origin: &str) -> Result<Option<Vec<u8>>, SourceError> {
        read(&self.place(origin).join("cosigned"))
    }

    fn keep_cosigned(&self, origin: &str, note: &[u8]) -> Result<(), SourceError> {
        self.write(origin, "cosigned", note)
    }

    fn keep_conflict(&self, origin: &str, notes: [&[u8]; 2]) -> Result<(), SourceError> {
        for note in notes {
            self.write(origin, &format!("conflicts/{}", sha256(note)), note)?;
        }
        Ok(())
    }
}

fn source_error(path: &Path, error: io::Error) -> SourceError {
    SourceError {
        key: path.display().to_string(),
        source: Box::new(error),
    }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, SourceError> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let outcome = File::open(path).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes));
    match outcome {
        Ok(_) => Ok(Some(bytes)),
        // `lock` is a file, so nothing stands below it.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(source_error(path, error)),
    }
}

fn make_directory(dir: &Path) -> io::Result<()> {
    match fs::create_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync_parent(dir),
    }
}

/// Puts the content in place as a whole, and comes back when it is on the disk.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    sync_parent(path)
}

fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}
