//! Listing a directory tree in the byte order of keys.

use std::{fs, io, path::Path};

use super::{TEMPORARY, is_absent, kind_of};
use crate::{ArchiveError, ArchiveErrorKind, Listing, ObjectKey, PAGE_ENTRIES, fs::Access};

/// One page of at most `most` keys. Directories that can hold no wanted key are not opened.
pub(super) fn page(
    root: &Path,
    most: usize,
    prefix: &str,
    after: Option<&ObjectKey>,
) -> Result<Listing, ArchiveError> {
    let mut walk = Walk {
        root,
        most: most.clamp(1, PAGE_ENTRIES),
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
    most: usize,
    prefix: &'a str,
    after: &'a str,
    listing: Listing,
}

/// One directory entry; `name` is the path from the root, ending in `/` for a directory.
struct Met {
    name: String,
    kind: MetKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum MetKind {
    Directory,
    File,
    /// No plain file, or a name that is no text.
    Other,
}

impl Walk<'_> {
    /// Walks the directory `name` (empty or ending in `/`) until the page is full.
    fn directory(&mut self, name: &str) -> io::Result<()> {
        for met in self.sorted(name)? {
            if self.listing.more {
                break;
            }
            self.meet(met)?;
        }
        Ok(())
    }

    fn meet(&mut self, met: Met) -> io::Result<()> {
        let Ok(key) = met.name.trim_end_matches('/').parse::<ObjectKey>() else {
            self.listing.foreign.push(met.name);
            return Ok(());
        };
        match met.kind {
            MetKind::Directory => match self.directory(&met.name) {
                Err(error) if is_absent(&error) => {}
                other => return other,
            },
            MetKind::Other => self.listing.foreign.push(met.name),
            MetKind::File if self.listing.keys.len() == self.most => self.listing.more = true,
            MetKind::File => self.listing.keys.push(key),
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
            let (kind, slash) = match entry.file_type()? {
                kind if kind.is_dir() => (MetKind::Directory, "/"),
                kind if kind.is_file() && file_name.to_str().is_some() => (MetKind::File, ""),
                _ => (MetKind::Other, ""),
            };
            let name = [name, &file_name.to_string_lossy(), slash].concat();
            if self.may_hold_wanted(&name) {
                all.push(Met { name, kind });
            }
        }
        all.sort_unstable_by(|a, b| a.name.cmp(&b.name));
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
