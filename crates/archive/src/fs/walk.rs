//! Listing a directory tree in the byte order of keys.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{TEMPORARY, is_absent, kind_of};
use crate::{ArchiveError, ArchiveErrorKind, Entry, Listing, ObjectKey, PAGE_ENTRIES, fs::Access};

/// One page. Directories that can hold no wanted key are not opened.
pub(super) fn page(root: &Path, prefix: &str, after: Option<&ObjectKey>) -> Result<Listing, ArchiveError> {
    let mut walk = Walk {
        root,
        prefix,
        after: after.map_or("", ObjectKey::as_str),
        listing: Listing::default(),
    };
    walk.directory("").map_err(|error| {
        let kind = match kind_of(error.kind(), Access::Read) {
            // Only the root can be missing here.
            ArchiveErrorKind::NotFound => ArchiveErrorKind::Unreachable,
            kind => kind,
        };
        ArchiveError::new(kind, "list", prefix).because(error)
    })?;
    Ok(walk.listing)
}

struct Walk<'a> {
    root: &'a Path,
    prefix: &'a str,
    after: &'a str,
    listing: Listing,
}

/// One directory entry; `name` is the path from the root, ending in `/` for a directory.
struct Met {
    name: String,
    path: PathBuf,
    kind: MetKind,
}

enum MetKind {
    Directory,
    Object(ObjectKey),
    Foreign,
}

impl Walk<'_> {
    /// Walks the directory `name` (empty or ending in `/`) until the page is full.
    fn directory(&mut self, name: &str) -> io::Result<()> {
        for met in self.sorted(name)? {
            if self.listing.more {
                break;
            }
            match met.kind {
                MetKind::Directory => match self.directory(&met.name) {
                    Err(error) if is_absent(&error) => {}
                    other => other?,
                },
                MetKind::Foreign => self.listing.foreign.push(met.name),
                MetKind::Object(_) if self.listing.entries.len() == PAGE_ENTRIES => {
                    self.listing.more = true;
                }
                MetKind::Object(key) => {
                    let size_bytes = fs::symlink_metadata(&met.path)?.len();
                    self.listing.entries.push(Entry { key, size_bytes });
                }
            }
        }
        Ok(())
    }

    /// Entries that are, or may hold, wanted keys. A directory sorts with its `/`, as its keys do.
    fn sorted(&self, name: &str) -> io::Result<Vec<Met>> {
        let mut all = Vec::new();
        for entry in fs::read_dir(self.root.join(name))? {
            let entry = entry?;
            let file_name = entry.file_name();
            if name.is_empty() && file_name == TEMPORARY {
                continue;
            }
            let kind = entry.file_type()?;
            let slash = if kind.is_dir() { "/" } else { "" };
            let full = format!("{name}{}{slash}", file_name.to_string_lossy());
            if !self.may_hold_wanted(&full) {
                continue;
            }
            let kind = match full.trim_end_matches('/').parse::<ObjectKey>() {
                Ok(_) if kind.is_dir() => MetKind::Directory,
                Ok(key) if kind.is_file() && file_name.to_str().is_some() => MetKind::Object(key),
                _ => MetKind::Foreign,
            };
            all.push(Met {
                name: full,
                path: entry.path(),
                kind,
            });
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    fn may_hold_wanted(&self, name: &str) -> bool {
        if name.ends_with('/') {
            // A directory matters when all its keys may come after `after`, or `after` is in it.
            let prefix_fits = name.starts_with(self.prefix) || self.prefix.starts_with(name);
            prefix_fits && (name > self.after || self.after.starts_with(name))
        } else {
            name.starts_with(self.prefix) && name > self.after
        }
    }
}
