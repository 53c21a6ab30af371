//! The copy as the verifier reads it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use revtrail_evidence::{RecordSource, SourceError};

/// Plain files below a directory. Links are never followed: what they name is not part of the copy.
pub(crate) struct Directory {
    root: PathBuf,
    /// What stands before a path in it to make it a key, with a `/` at its end: `finance/`, or `finance/2026/`.
    prefix: String,
}

impl Directory {
    pub(crate) fn new(root: &Path, prefix: String) -> Self {
        Self {
            root: root.to_owned(),
            prefix,
        }
    }

    fn walk(&self) -> io::Result<Vec<String>> {
        let (mut keys, mut waiting) = (Vec::new(), vec![(self.root.clone(), self.prefix.clone())]);
        while let Some((directory, name)) = waiting.pop() {
            for entry in fs::read_dir(directory)? {
                let entry = entry?;
                let key = format!("{name}{}", entry.file_name().to_string_lossy());
                if entry.file_type()?.is_dir() {
                    waiting.push((entry.path(), format!("{key}/")));
                } else {
                    keys.push(key);
                }
            }
        }
        keys.sort_unstable();
        Ok(keys)
    }

    fn file(&self, key: &str) -> io::Result<Option<Vec<u8>>> {
        let Some(path) = key.strip_prefix(&self.prefix) else {
            return Ok(None);
        };
        let mut at = self.root.clone();
        for segment in path.split('/') {
            if matches!(segment, "" | "." | "..") {
                return Err(io::Error::other("the name leads out of the directory"));
            }
            at.push(segment);
            match fs::symlink_metadata(&at) {
                Ok(found) if found.is_symlink() => {
                    return Err(io::Error::other("a symbolic link stands there, not a copy"));
                }
                Ok(_) => {}
                Err(error) => return absent(error),
            }
        }
        match fs::symlink_metadata(&at)? {
            found if found.is_dir() => Ok(None),
            // Reading a pipe or a device could wait for ever.
            found if !found.is_file() => Err(io::Error::other("not a plain file")),
            _ => fs::read(&at).map(Some),
        }
    }
}

fn absent<T>(error: io::Error) -> io::Result<Option<T>> {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(None),
        _ => Err(error),
    }
}

impl RecordSource for Directory {
    fn keys(&self, prefix: &str) -> Result<Vec<String>, SourceError> {
        let mut keys = self.walk().map_err(|error| failed(prefix, error))?;
        keys.retain(|key| key.starts_with(prefix));
        Ok(keys)
    }

    fn read(&self, key: &str) -> Result<Option<Vec<u8>>, SourceError> {
        self.file(key).map_err(|error| failed(key, error))
    }
}

fn failed(key: &str, error: io::Error) -> SourceError {
    SourceError {
        key: key.to_owned(),
        source: Box::new(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy() -> (tempfile::TempDir, Directory) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("2026/state")).unwrap();
        fs::write(dir.path().join("2026/state/b"), b"two").unwrap();
        fs::write(dir.path().join("2026/a"), b"one").unwrap();
        let directory = Directory::new(dir.path(), "main/".into());
        (dir, directory)
    }

    #[test]
    fn keys_are_listed_in_byte_order_and_read() {
        let (_dir, copy) = copy();
        assert_eq!(copy.keys("main/").unwrap(), ["main/2026/a", "main/2026/state/b"]);
        assert_eq!(copy.keys("main/2026/s").unwrap(), ["main/2026/state/b"]);
        assert_eq!(copy.read("main/2026/state/b").unwrap().unwrap(), b"two");
        for absent in ["main/2026/c", "main/2026/a/x", "main/2026/state", "other/2026/a"] {
            assert_eq!(copy.read(absent).unwrap(), None, "{absent}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        let (dir, copy) = copy();
        let link = |target: &str, name: &str| {
            std::os::unix::fs::symlink(dir.path().join(target), dir.path().join(name)).unwrap();
        };
        link("2026/a", "2026/link");
        link("2026", "2027");
        // Both are listed as names, so that what does not belong there is found.
        assert_eq!(
            copy.keys("main/").unwrap(),
            ["main/2026/a", "main/2026/link", "main/2026/state/b", "main/2027"]
        );
        for key in ["main/2026/link", "main/2027/a", "main/2026/../2026/a"] {
            assert_eq!(copy.read(key).unwrap_err().key, key);
        }
    }
}
